//! A real file system of 1 MB that is full. Where this process may not mount one, the same is tested on a simulated disk
//! (`a_full_disk_is_waited_for_and_acknowledging_works_meanwhile`), and this test says so.
#![cfg(target_os = "linux")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use audit_spool::{Append, Blocked, Spool, SpoolOptions};

/// A mounted tmpfs, until it is dropped.
struct Tmpfs(tempfile::TempDir);

impl Tmpfs {
    fn mount() -> Option<Self> {
        let dir = tempfile::tempdir().ok()?;
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs"]).arg(dir.path()).output();
        mounted.ok()?.status.success().then_some(Self(dir))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        // What stays mounted after a failed test is 1 MB of memory.
        let _ = Command::new("umount").arg("--lazy").arg(self.path()).output();
    }
}

/// Waits for something that happens by itself; fails after a time in which it is certain to have happened.
fn until(what: &str, mut done: impl FnMut() -> bool) -> Duration {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_mins(1), "waited a minute for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
    start.elapsed()
}

#[test]
fn a_disk_of_one_megabyte_fills_up_and_goes_on_by_itself() {
    let Some(disk) = Tmpfs::mount() else {
        println!("not permitted to mount a tmpfs: a full disk is tested at the seam only");
        return;
    };
    let ballast = disk.path().join("ballast");
    std::fs::write(&ballast, vec![1; 200_000]).expect("room for it");
    let options = SpoolOptions::new().segment_bytes(100_000);
    let (spool, mut reader) = Spool::open(disk.path().join("spool"), options).expect("a spool");
    let event_data = "x".repeat(600);
    let mut appends: Vec<Append> =
        (0..4_000).map(|n| spool.append((format!("id-{n}").as_str(), event_data.as_str()))).collect();
    until("a full disk", || spool.status().blocked == Some(Blocked::DiskFull));
    let kept = spool.status().pending_events;
    assert!(kept > 500, "{kept} events of 600 bytes fit into 800 kB");

    // Another process frees space.
    std::fs::remove_file(ballast).expect("it is there");
    let took = until("more to be accepted", || spool.status().pending_events > kept);
    println!("accepting went on {took:?} after there was room");

    // Deliveries make room, though nothing can be written but acknowledgements.
    until("a full disk", || spool.status().blocked == Some(Blocked::DiskFull));
    let mut came = BTreeSet::new();
    until("everything to come", || {
        for record in reader.next_batch(100, 100_000).expect("a disk that reads") {
            assert_eq!(record.event_data, event_data);
            assert!(came.insert(record.id), "an event comes twice");
            spool.ack(record.seq);
        }
        came.len() == 4_000
    });
    for append in appends.drain(..) {
        append.wait().expect("accepted in the end");
    }
    spool.close().expect("acknowledgements that are on disk");
}
