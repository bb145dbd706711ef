//! The program `audit-lake`, whose files are removed, replaced or overwritten while it serves: nothing is acknowledged that
//! would not be there after a restart.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::{Path, PathBuf};

use audit_lake::{EventFilter, EventReader};

mod serving;
mod signed_http;

use serving::{CONFIG, Place, Serving, text};
use signed_http::get;

/// A lake that serves and has acknowledged some events, of which a backup has the first.
struct Scene {
    place: Place,
    serving: Serving,
    admin: String,
    backup: PathBuf,
}

impl Scene {
    async fn new() -> Self {
        let place = Place::new(&format!("admin = '127.0.0.1:0'\n{CONFIG}"));
        let mut serving = place.serve();
        let admin = serving.await_admin();
        let backup = place.0.path().join("backup.db");
        let scene = Self { place, serving, admin, backup };
        scene.stores("first").await;
        let output = scene.place.command(&["backup", "--to", scene.backup.to_str().expect("text")]);
        assert!(output.status.success(), "{output:?}");
        for id in ["second", "third"] {
            scene.stores(id).await;
        }
        assert!(scene.ready().await.starts_with("HTTP/1.1 200"));
        scene
    }

    fn database(&self) -> PathBuf {
        self.place.data().join("lake.db")
    }

    async fn status(&self, id: &str) -> u16 {
        self.serving.call("AKIDEXAMPLE", id).send().await.status
    }

    async fn stores(&self, id: &str) {
        assert_eq!(self.status(id).await, 200, "{id}");
    }

    async fn ready(&self) -> String {
        get(&self.admin, "/readyz").await
    }

    /// Neither stores nor is ready, and says why.
    async fn is_refused(&mut self, reason: &str) {
        self.serving.await_log(reason);
        for id in ["after", "again"] {
            assert_eq!(self.status(id).await, 503, "{reason}");
        }
        let ready = self.ready().await;
        assert!(ready.starts_with("HTTP/1.1 503") && ready.contains(reason), "{ready}");
    }

    /// The lake's open files of this name, as they can be saved while it runs.
    fn open_files(&self, name: &str) -> Vec<PathBuf> {
        let descriptors = fs::read_dir(format!("/proc/{}/fd", self.serving.child.id())).expect("its open files");
        let is_named = |path: &PathBuf| {
            let target = fs::read_link(path).unwrap_or_default();
            let target = target.to_string_lossy();
            // One that is only held cannot be read.
            target.trim_end_matches(" (deleted)").ends_with(&format!("/{name}")) && fs::File::open(path).is_ok()
        };
        descriptors.map(|entry| entry.expect("a descriptor").path()).filter(is_named).collect()
    }

    /// Saves the open files to an empty folder, as docs/lake.md says, and returns the ids of the events in them.
    fn saved_ids(&self) -> Vec<String> {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["lake.db", "lake.db-wal"] {
            let open = self.open_files(name);
            fs::copy(open.first().expect("an open file"), folder.path().join(name)).expect("copied");
        }
        ids(folder.path())
    }

    fn kill(self) -> Place {
        self.serving.signal("-KILL");
        self.place
    }
}

fn ids(data: &Path) -> Vec<String> {
    let reader = EventReader::open(data).expect("a reader");
    assert!(reader.verify().expect("verified").is_sound());
    reader.events(&EventFilter::default()).expect("events").into_iter().map(|event| event.id).collect()
}

const ACKNOWLEDGED: [&str; 3] = ["first", "second", "third"];

#[tokio::test]
async fn a_database_that_was_removed_takes_no_event() {
    let mut scene = Scene::new().await;
    fs::remove_file(scene.database()).expect("removed");
    scene.is_refused("lake.db was removed").await;
    assert!(!scene.database().exists(), "no other one is made in its place");
    assert_eq!(scene.saved_ids(), ACKNOWLEDGED);
}

#[tokio::test]
async fn a_database_that_was_replaced_by_a_backup_takes_no_event_and_the_backup_stays_as_it_is() {
    let mut scene = Scene::new().await;
    let backup = fs::read(&scene.backup).expect("the backup");
    fs::rename(&scene.backup, scene.database()).expect("replaced");
    scene.is_refused("lake.db was replaced").await;
    assert_eq!(scene.saved_ids(), ACKNOWLEDGED);
    let database = scene.database();
    let (status, _) = scene.serving.stop();
    assert!(status.success());
    assert_eq!(fs::read(database).expect("the database"), backup);
}

#[tokio::test]
async fn a_database_that_was_overwritten_in_place_takes_no_event() {
    let mut scene = Scene::new().await;
    // As `cp` does: the same file, cut off and written anew. After a checkpoint, so that it is larger than the other.
    let database = rusqlite::Connection::open(scene.database()).expect("a connection");
    database.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())).expect("a checkpoint");
    drop(database);
    scene.stores("fourth").await;
    fs::write(scene.database(), &fs::read(&scene.backup).expect("the backup")[..4_096]).expect("overwritten");
    scene.is_refused("lake.db was overwritten").await;
}

#[tokio::test]
async fn a_folder_that_was_removed_takes_no_event() {
    let mut scene = Scene::new().await;
    fs::remove_dir_all(scene.place.data()).expect("removed");
    scene.is_refused("was removed").await;
    assert_eq!(scene.saved_ids(), ACKNOWLEDGED);
    assert!(!scene.place.data().exists());
}

#[tokio::test]
async fn a_folder_that_was_renamed_takes_events_again_once_it_is_back() {
    let mut scene = Scene::new().await;
    let elsewhere = scene.place.0.path().join("elsewhere");
    fs::rename(scene.place.data(), &elsewhere).expect("renamed");
    scene.is_refused("was removed").await;
    fs::rename(&elsewhere, scene.place.data()).expect("renamed back");
    scene.stores("fourth").await;
    assert!(scene.ready().await.starts_with("HTTP/1.1 200"));
    let place = scene.kill();
    let serving = place.serve();
    let shown = text(&place.command(&["events"]).stdout);
    assert_eq!(shown.lines().count(), 5, "{shown}");
    drop(serving);
}

#[tokio::test]
async fn a_lake_whose_lock_was_removed_takes_no_event() {
    let mut scene = Scene::new().await;
    fs::remove_file(scene.place.data().join("lake.lock")).expect("removed");
    scene.is_refused("lake.lock was removed").await;
    // Another lake would have made a lock of its own.
    fs::write(scene.place.data().join("lake.lock"), "").expect("another lock");
    assert_eq!(scene.status("later").await, 503);
    scene.serving.await_log("lake.lock was replaced");
    assert!(scene.ready().await.starts_with("HTTP/1.1 503"));
    assert_eq!(ids(&scene.place.data()), ACKNOWLEDGED);
}

#[tokio::test]
async fn a_log_that_was_removed_loses_nothing() {
    for file in ["lake.db-wal", "lake.db-shm"] {
        let mut scene = Scene::new().await;
        fs::remove_file(scene.place.data().join(file)).expect("removed");
        scene.serving.await_log("copied the removed log");
        scene.serving.await_log(&format!("{file} was removed"));
        scene.stores("fourth").await;
        assert!(scene.ready().await.starts_with("HTTP/1.1 200"));
        let place = scene.kill();
        let serving = place.serve();
        assert_eq!(ids(&place.data()), ["first", "second", "third", "fourth"], "{file}");
        drop(serving);
    }
}

#[tokio::test]
async fn a_log_that_was_replaced_takes_no_event_until_the_other_is_gone() {
    let mut scene = Scene::new().await;
    let log = scene.place.data().join("lake.db-wal");
    let other = scene.place.0.path().join("other");
    fs::write(&other, "another log").expect("written");
    fs::rename(&other, &log).expect("replaced");
    scene.is_refused("lake.db-wal was replaced").await;
    assert_eq!(fs::read(&log).expect("the other log"), b"another log");
    fs::remove_file(&log).expect("removed");
    scene.serving.await_log("copied the removed log");
    scene.stores("fourth").await;
    let place = scene.kill();
    let serving = place.serve();
    assert_eq!(ids(&place.data()), ["first", "second", "third", "fourth"]);
    drop(serving);
}
