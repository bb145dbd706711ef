//! In which states of its folder the program `audit-lake` starts after a kill or a stop, and in which it refuses to, since events
//! that it acknowledged would be missing.
#![cfg(unix)]

use std::fs;
use std::path::PathBuf;
use std::process::Command;

mod serving;
mod signed_http;

use serving::{CONFIG, Place, text};

/// A lake that acknowledged 20 events and then ended, in one way or the other.
struct Scene {
    place: Place,
    /// A backup, and a plain copy, with the first ten events.
    backup: PathBuf,
    copy: PathBuf,
}

impl Scene {
    async fn killed() -> Self {
        let (scene, serving) = Self::served().await;
        serving.signal("-KILL");
        drop(serving);
        scene
    }

    async fn stopped() -> Self {
        let (scene, serving) = Self::served().await;
        assert!(serving.stop().0.success());
        scene
    }

    async fn served() -> (Self, serving::Serving) {
        let place = Place::new(CONFIG);
        let (backup, copy) = (place.0.path().join("backup.db"), place.0.path().join("copy.db"));
        let scene = Self { place, backup, copy };
        let serving = scene.place.serve();
        scene.put(&serving, 0..10).await;
        assert!(serving.stop().0.success());
        fs::copy(scene.data("lake.db"), &scene.copy).expect("a copy");
        let done = scene.place.command(&["backup", "--to", scene.backup.to_str().expect("text")]);
        assert!(done.status.success(), "{done:?}");
        let serving = scene.place.serve();
        scene.put(&serving, 10..20).await;
        (scene, serving)
    }

    async fn put(&self, serving: &serving::Serving, events: std::ops::Range<usize>) {
        for at in events {
            assert_eq!(serving.call("AKIDEXAMPLE", &format!("e{at}")).send().await.status, 200);
        }
    }

    fn data(&self, name: &str) -> PathBuf {
        self.place.data().join(name)
    }

    /// A start fails, says why, and leaves the log as it is.
    fn is_refused(&self, state: &str, reason: &str) {
        // SQLite may leave an empty one.
        let read_log = || fs::read(self.data("lake.db-wal")).unwrap_or_default();
        let log = read_log();
        for _ in 0..2 {
            let refused = serve(&self.place);
            assert!(refused.contains(reason), "{state}: {refused}");
            assert!(refused.contains("into an empty folder, without the old lake.db-wal"), "{state}: {refused}");
            assert!(read_log() == log, "{state}: the log was changed");
        }
    }

    /// A start works, and every event is there.
    fn has_everything(&self, state: &str) {
        let serving = self.place.serve();
        let shown = text(&self.place.command(&["events", "--json"]).stdout);
        assert_eq!(shown.lines().count(), 20, "{state}");
        assert!(serving.stop().0.success());
        let verified = self.place.command(&["verify"]);
        assert!(verified.status.success(), "{state}: {verified:?}");
    }
}

/// What a start that fails says.
fn serve(place: &Place) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_audit-lake"))
        .args(["serve", "--listen", "127.0.0.1:0", "--config"])
        .arg(place.config())
        .arg("--data")
        .arg(place.data())
        .output()
        .expect("it runs");
    assert!(!output.status.success(), "{output:?}");
    text(&output.stderr)
}

#[tokio::test]
async fn after_a_kill_a_log_that_is_missing_or_damaged_is_noticed() {
    let scene = Scene::killed().await;
    let (log, kept) = (scene.data("lake.db-wal"), fs::read(scene.data("lake.db-wal")).expect("the log"));
    let missing = "events were acknowledged up to number 20";
    fs::remove_file(&log).expect("removed");
    scene.is_refused("no log", missing);
    fs::write(&log, "").expect("written");
    scene.is_refused("an empty log", missing);
    fs::write(&log, &kept[..kept.len() / 2]).expect("written");
    scene.is_refused("half a log", missing);
    let mut damaged = kept.clone();
    damaged[1_000] ^= 1;
    fs::write(&log, damaged).expect("written");
    scene.is_refused("a bit of the first frame", missing);
    fs::write(&log, &kept).expect("written");
    fs::remove_file(scene.data("lake.db-shm")).expect("removed");
    scene.has_everything("as it was, without the log's index");
}

#[tokio::test]
async fn after_a_kill_another_database_is_not_mixed_with_the_log() {
    let scene = Scene::killed().await;
    let kept = fs::read(scene.data("lake.db")).expect("the database");
    fs::copy(&scene.backup, scene.data("lake.db")).expect("copied");
    scene.is_refused("a backup beside the log", "does not belong to the lake.db beside it");
    fs::remove_file(scene.data("lake.db")).expect("removed");
    scene.is_refused("no database beside the log", "lake.db beside it is missing or empty");
    fs::write(scene.data("lake.db"), kept).expect("written");
    scene.has_everything("as it was");
}

#[tokio::test]
async fn after_a_stop_a_database_that_is_missing_cut_off_or_older_is_noticed() {
    let scene = Scene::stopped().await;
    let (database, kept) = (scene.data("lake.db"), fs::read(scene.data("lake.db")).expect("the database"));
    assert!(!scene.data("lake.db-wal").exists());
    let missing = |found: u32| format!("up to number 20 (lake.mark), and the database has them up to {found}:");
    fs::remove_file(&database).expect("removed");
    scene.is_refused("no database", &missing(0));
    assert!(!database.exists(), "none is made");
    fs::write(&database, "").expect("written");
    scene.is_refused("an empty database", &missing(0));
    fs::copy(&scene.copy, &database).expect("copied");
    scene.is_refused("an older copy", &missing(10));
    let verified = scene.place.command(&["verify"]);
    assert!(!verified.status.success() && text(&verified.stdout).contains(&missing(10)), "{verified:?}");
    fs::copy(&scene.backup, &database).expect("copied");
    scene.is_refused("a backup", "another database than the one that was here before");
    fs::write(&database, &kept[..kept.len() / 2]).expect("written");
    scene.is_refused("half a database", "damaged");
    fs::write(&database, &kept).expect("written");
    scene.has_everything("as it was");
    // What the errors say: without the mark the lake goes on with what is there.
    fs::copy(&scene.copy, &database).expect("copied");
    fs::remove_file(scene.data("lake.mark")).expect("removed");
    let serving = scene.place.serve();
    scene.put(&serving, 10..20).await;
    assert!(serving.stop().0.success());
    for unreadable in ["", "something else"] {
        fs::write(scene.data("lake.mark"), unreadable).expect("written");
        scene.has_everything("a mark that cannot be read");
    }
}

#[tokio::test]
async fn a_backup_in_an_empty_folder_serves() {
    let scene = Scene::killed().await;
    fs::remove_dir_all(scene.place.data()).expect("removed");
    fs::create_dir(scene.place.data()).expect("a folder");
    fs::copy(&scene.backup, scene.data("lake.db")).expect("copied");
    let serving = scene.place.serve();
    // The senders' retries fill the gap.
    scene.put(&serving, 0..20).await;
    assert!(serving.stop().0.success());
    scene.has_everything("restored");
}

#[tokio::test]
async fn a_lake_that_must_exist_is_not_made() {
    let place = Place::new(&format!("{CONFIG}[store]\ncreate = false\n"));
    assert!(serve(&place).contains("there is no lake in"));
    assert!(!place.data().exists(), "no folder is made");
    fs::create_dir(place.data()).expect("the mount point of a volume that is not mounted");
    let refused = serve(&place);
    assert!(refused.contains("check that its volume is mounted") && refused.contains("create = true"), "{refused}");
    assert_eq!(fs::read_dir(place.data()).expect("a folder").count(), 0);

    fs::write(place.config(), CONFIG).expect("written");
    assert!(place.serve().stop().0.success());
    fs::write(place.config(), format!("{CONFIG}[store]\ncreate = false\n")).expect("written");
    assert_eq!(place.serve().call("AKIDEXAMPLE", "e1").send().await.status, 200);
}
