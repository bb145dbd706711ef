//! A spool whose files are removed, replaced or renamed while it is open: nothing counts as kept that the next run would not find.
#![cfg(unix)]

use std::fs;
use std::path::{Path, PathBuf};

use audit_core::EventTime;
use audit_spool::{AppendError, DeadLetter, NewRecord, Outcome, Reader, Refusal, Spool, SpoolError, SpoolOptions};

fn open(dir: &Path) -> (Spool, Reader) {
    Spool::open(dir, SpoolOptions::new().name("s")).expect("a spool")
}

fn append(spool: &Spool, id: &str) -> Result<u64, AppendError> {
    spool.append((id, "{}")).wait()
}

fn files(dir: &Path, ending: &str) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(dir).expect("a directory").map(|file| file.expect("a file").path()).collect();
    paths.retain(|path| path.to_string_lossy().ends_with(ending));
    paths.sort();
    paths
}

/// What the next run reads.
fn ids(dir: &Path) -> Vec<String> {
    let (_spool, mut reader) = open(dir);
    let records = reader.next_batch(100, 1_000_000).expect("records");
    records.into_iter().map(|record| record.id).collect()
}

/// Refused, and says why.
fn assert_refused(result: Result<u64, AppendError>, why: &str) {
    let Err(AppendError::Refused(Refusal::Disk(error))) = result else { panic!("{result:?}") };
    assert!(error.to_string().contains(why), "{error}");
}

#[test]
fn without_its_directory_a_spool_takes_nothing_and_keeps_nothing() {
    let above = tempfile::tempdir().expect("a directory");
    let dir = above.path().join("spool");
    let (spool, _reader) = open(&dir);
    for id in ["a", "b"] {
        append(&spool, id).expect("kept");
    }
    fs::remove_dir_all(&dir).expect("removed");
    assert_refused(append(&spool, "c"), "the lock file was removed");
    assert!(spool.keeps(1));
    drop(spool.close());
    let status = spool.status();
    assert_eq!((status.pending_events, status.damage.events), (0, 2));
    assert!(!spool.keeps(1) && !dir.exists());
}

#[test]
fn a_directory_that_is_renamed_back_is_taken_again() {
    let above = tempfile::tempdir().expect("a directory");
    let (dir, elsewhere) = (above.path().join("spool"), above.path().join("elsewhere"));
    let (spool, _reader) = open(&dir);
    append(&spool, "a").expect("kept");
    fs::rename(&dir, &elsewhere).expect("renamed");
    assert_refused(append(&spool, "b"), "the lock file was removed");
    fs::rename(&elsewhere, &dir).expect("renamed back");
    append(&spool, "c").expect("kept");
    spool.close().expect("closed");
    assert_eq!(spool.status().pending_events, 2);
    assert_eq!(ids(&dir), ["a", "c"]);
}

#[test]
fn who_lost_the_lock_writes_nothing_beside_the_new_owner() {
    let dir = tempfile::tempdir().expect("a directory");
    let (old, _reader) = open(dir.path());
    append(&old, "a").expect("kept");
    fs::remove_file(dir.path().join("s.lock")).expect("removed");
    let (new, mut reader) = open(dir.path());
    assert_refused(append(&old, "b"), "the lock file was removed or replaced");
    append(&new, "c").expect("kept");
    let read = reader.next_batch(100, 1_000_000).expect("records");
    assert_eq!(read.iter().map(|record| record.id.as_str()).collect::<Vec<_>>(), ["a", "c"]);
    new.close().expect("closed");
}

#[test]
fn a_segment_that_was_removed_is_lost_and_what_comes_after_is_kept() {
    let dir = tempfile::tempdir().expect("a directory");
    let (spool, _reader) = open(dir.path());
    append(&spool, "a").expect("kept");
    let [segment] = &*files(dir.path(), ".seg") else { panic!("one segment") };
    fs::remove_file(segment).expect("removed");
    append(&spool, "b").expect("kept in another one");
    spool.close().expect("closed");
    let status = spool.status();
    assert_eq!((status.pending_events, status.damage.events), (1, 1));
    assert!(!spool.keeps(1) && spool.keeps(2));
    assert_eq!(ids(dir.path()), ["b"]);
}

#[test]
fn a_segment_in_whose_place_another_file_stands_takes_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    let (spool, _reader) = open(dir.path());
    append(&spool, "a").expect("kept");
    let [segment] = &*files(dir.path(), ".seg") else { panic!("one segment") };
    fs::write(dir.path().join("other"), "another file").expect("written");
    fs::rename(dir.path().join("other"), segment).expect("replaced");
    append(&spool, "b").expect("kept in another one");
    spool.close().expect("closed");
    assert_eq!(spool.status().damage.events, 1);
    assert_eq!(ids(dir.path()), ["b"]);
}

#[test]
fn a_dead_letter_is_written_to_a_file_that_is_there() {
    let dir = tempfile::tempdir().expect("a directory");
    let (spool, mut reader) = open(dir.path());
    for id in ["a", "b"] {
        append(&spool, id).expect("kept");
    }
    let records = reader.next_batch(100, 1_000_000).expect("records");
    let letter = |at: usize| {
        let record = &records[at];
        let new = NewRecord::new(record.id.clone(), record.event_data.clone(), record.checksum);
        DeadLetter::new(record.seq, new, Outcome::from("InvalidEventData"), "wrong")
    };
    assert!(letter(0).at <= EventTime::now());
    spool.dead_letter(&letter(0)).wait().expect("written");
    let [file] = &*files(dir.path(), ".dead.ndjson") else { panic!("one file") };
    fs::remove_file(file).expect("removed");
    spool.dead_letter(&letter(1)).wait().expect("written");
    assert!(fs::read_to_string(file).expect("there again").contains("\"id\":\"b\""));
    spool.close().expect("closed");
}

#[test]
fn acknowledgements_without_segments_are_no_empty_spool() {
    let dir = tempfile::tempdir().expect("a directory");
    let (spool, _reader) = open(dir.path());
    append(&spool, "a").expect("kept");
    spool.close().expect("closed");
    let [segment] = &*files(dir.path(), ".seg") else { panic!("one segment") };
    let aside = dir.path().join("aside");
    fs::rename(segment, &aside).expect("moved");
    let refused = Spool::open(dir.path(), SpoolOptions::new().name("s")).expect_err("an error");
    assert!(matches!(refused, SpoolError::SegmentsMissing { events: 1, .. }), "{refused}");
    assert!(refused.to_string().contains("say that 1 event is kept"), "{refused}");
    fs::rename(&aside, segment).expect("put back");
    assert_eq!(ids(dir.path()), ["a"]);
}

#[test]
fn acknowledgements_whose_files_were_removed_are_written_to_new_ones() {
    let dir = tempfile::tempdir().expect("a directory");
    let (spool, _reader) = open(dir.path());
    for id in ["a", "b"] {
        append(&spool, id).expect("kept");
    }
    for file in [".acks.0", ".acks.1"].into_iter().flat_map(|ending| files(dir.path(), ending)) {
        fs::remove_file(file).expect("removed");
    }
    spool.ack(1);
    spool.close().expect("closed");
    assert_eq!(ids(dir.path()), ["b"]);
}

#[test]
fn damaged_acknowledgements_without_segments_are_no_empty_spool() {
    let dir = tempfile::tempdir().expect("a directory");
    let (spool, _reader) = open(dir.path());
    append(&spool, "a").expect("kept");
    spool.close().expect("closed");
    let acks: Vec<_> = [".acks.0", ".acks.1"].into_iter().flat_map(|ending| files(dir.path(), ending)).collect();
    let [segment] = &*files(dir.path(), ".seg") else { panic!("one segment") };
    fs::remove_file(segment).expect("removed");
    for file in &acks {
        fs::write(file, "").expect("cut");
    }
    let refused = Spool::open(dir.path(), SpoolOptions::new().name("s")).expect_err("an error");
    assert!(matches!(refused, SpoolError::AcknowledgementsDamaged { .. }), "{refused}");
    for file in acks {
        fs::remove_file(file).expect("removed");
    }
    assert!(ids(dir.path()).is_empty());
}

#[test]
fn a_segment_that_is_no_longer_written_and_was_replaced_is_lost() {
    let dir = tempfile::tempdir().expect("a directory");
    let (spool, _reader) = open(dir.path());
    append(&spool, "a").expect("kept");
    spool.close().expect("closed");
    let (spool, _reader) = open(dir.path());
    append(&spool, "b").expect("kept in a segment of its own");
    let first = &files(dir.path(), ".seg")[0];
    let length = fs::metadata(first).expect("a file").len();
    fs::write(first, vec![7; usize::try_from(length).expect("small")]).expect("replaced");
    spool.close().expect("closed");
    let status = spool.status();
    assert_eq!((status.pending_events, status.damage.events), (1, 1));
}

#[test]
fn segments_without_acknowledgements_are_delivered_and_the_recovery_says_so() {
    let dir = tempfile::tempdir().expect("a directory");
    let (spool, _reader) = open(dir.path());
    assert!(!spool.recovery().acks_damaged);
    append(&spool, "a").expect("kept");
    spool.close().expect("closed");
    for file in [".acks.0", ".acks.1"].into_iter().flat_map(|ending| files(dir.path(), ending)) {
        fs::remove_file(file).expect("removed");
    }
    let (spool, mut reader) = open(dir.path());
    assert!(spool.recovery().acks_damaged);
    assert_eq!(reader.next_batch(100, 1_000_000).expect("records").len(), 1);
}
