//! Every file of a spool is readable and writable by its owner only, whatever the process's umask is.
//!
//! A umask belongs to a process and not to a thread, so a shell sets it for a child: this test binary, started with
//! `AUDIT_SPOOL_CHILD` set.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "the lint knows only functions marked as tests to be tests")]

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use audit_spool::{DeadLetter, Spool, SpoolOptions, StoppedSpool};

/// What runs in the child: makes every kind of file that there is.
#[test]
fn child() {
    let Some(dir) = std::env::var_os("AUDIT_SPOOL_CHILD").map(PathBuf::from) else { return };
    let (spool, mut reader) = Spool::open(&dir, SpoolOptions::new()).unwrap();
    for id in ["damaged", "dead", "waits"] {
        spool.append((id, "{}")).wait().unwrap();
    }
    spool.dead_letter(&DeadLetter::new(2, ("dead", "{}"), "InvalidData", "wrong")).wait().unwrap();
    // A broken frame: the reader keeps its segment as damaged.
    let segment = files(&dir).into_iter().find(|path| path.extension().is_some_and(|ending| ending == "seg")).unwrap();
    let mut bytes = std::fs::read(&segment).unwrap();
    bytes[600] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    assert_eq!(reader.next_batch(10, 1_000_000).unwrap().len(), 1);
    // In another segment.
    spool.append(("later", "{}")).wait().unwrap();
    spool.close().unwrap();
    // The dead letters in a new file.
    let stopped = StoppedSpool::open(&dir, SpoolOptions::new()).unwrap();
    let letters = stopped.dead_letters().unwrap().letters;
    stopped.keep_dead_letters(&letters).unwrap();
    drop(stopped);
    // And a segment beside the damaged one.
    let (spool, _reader) = Spool::open(&dir, SpoolOptions::new()).unwrap();
    spool.append(("last", "{}")).wait().unwrap();
    spool.close().unwrap();
}

fn files(dir: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(dir).unwrap().map(|file| file.unwrap().path()).collect()
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn files_and_directories_are_their_owners_alone_under_any_umask() {
    for umask in ["000", "022", "077"] {
        let above = tempfile::tempdir().unwrap();
        let dir = above.path().join("made/spool");
        let run = Command::new("sh")
            .args(["-c", &format!("umask {umask} && exec \"$0\" --exact child")])
            .arg(std::env::current_exe().unwrap())
            .env("AUDIT_SPOOL_CHILD", &dir)
            .output()
            .unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stdout));
        assert_eq!((mode(&above.path().join("made")), mode(&dir)), (0o700, 0o700), "umask {umask}");
        let mut kinds = BTreeSet::new();
        for path in files(&dir) {
            assert_eq!(mode(&path), 0o600, "{} under umask {umask}", path.display());
            kinds.extend(path.extension().map(|ending| ending.to_str().unwrap().to_owned()));
        }
        assert_eq!(kinds, ["0", "1", "damaged", "lock", "ndjson", "seg"].map(str::to_owned).into());
    }
}
