//! Every file that the program `audit-lake` makes can be read and written by its owner alone, under any umask.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

mod serving;
mod signed_http;

use serving::{CONFIG, Place, text};

/// The permissions of the files in a folder.
fn modes(folder: &Path) -> BTreeMap<String, u32> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a file"));
    let mode = |entry: &fs::DirEntry| entry.metadata().expect("metadata").permissions().mode() & 0o777;
    entries.map(|entry| (entry.file_name().to_string_lossy().into_owned(), mode(&entry))).collect()
}

fn private(names: &[&str]) -> BTreeMap<String, u32> {
    names.iter().map(|name| ((*name).to_owned(), 0o600)).collect()
}

fn backup(place: &Place, limits: &str, to: &Path) -> Output {
    Command::new("sh")
        .args(["-c", &format!("{limits}; exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_audit-lake"), "backup", "--data"])
        .arg(place.data())
        .arg("--to")
        .arg(to)
        .output()
        .expect("it runs")
}

#[tokio::test]
async fn every_file_is_private_under_any_umask() {
    for umask in ["000", "077", "277"] {
        let umask = format!("umask {umask}");
        let place = Place::new(CONFIG);
        // A folder that every user may read, as an operator may have made it.
        fs::create_dir(place.data()).expect("a folder");
        let serving = place.serve_after(&umask);
        for id in 0..200 {
            assert_eq!(serving.call("AKIDEXAMPLE", &format!("e{id}")).send().await.status, 200);
        }
        let served = private(&["lake.db", "lake.db-shm", "lake.db-wal", "lake.lock", "lake.mark"]);
        assert_eq!(modes(&place.data()), served, "{umask}");

        let copies = tempfile::tempdir().expect("a folder");
        let to = copies.path().join("copy.db");
        // It is killed at a file's 8 kB.
        assert!(!backup(&place, &format!("{umask}; ulimit -f 16"), &to).status.success());
        assert_eq!(modes(copies.path()), private(&["copy.db.partial", "copy.db.partial-journal"]), "{umask}");
        let done = backup(&place, &umask, &to);
        assert!(done.status.success(), "{done:?}");
        assert_eq!(modes(copies.path()), private(&["copy.db"]), "{umask}");
        let again = backup(&place, &umask, &to);
        assert!(!again.status.success() && text(&again.stderr).contains("cannot be written"), "{again:?}");

        serving.signal("-KILL");
        drop(serving);
        assert_eq!(modes(&place.data()), served, "{umask}");
        // Whoever reads first after a kill makes what SQLite has beside the database.
        fs::remove_file(place.data().join("lake.db-shm")).expect("removed");
        assert!(place.command(&["verify"]).status.success());
        assert!(modes(&place.data()).values().all(|mode| *mode == 0o600), "{umask}");
    }
}

#[test]
fn a_folder_that_the_lake_makes_is_private() {
    for umask in ["umask 000", "umask 077"] {
        let place = Place::new(CONFIG);
        let serving = place.serve_after(umask);
        assert_eq!(fs::metadata(place.data()).expect("a folder").permissions().mode() & 0o777, 0o700);
        assert!(serving.stop().0.success());
        assert!(modes(&place.data()).values().all(|mode| *mode == 0o600), "{umask}");
    }
}
