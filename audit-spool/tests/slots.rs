//! Several processes on one directory, without names: each takes a slot, and what one leaves another takes over.
#![expect(clippy::unwrap_used, reason = "the lint knows only functions marked as tests to be tests")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use audit_spool::{DeadLetter, Reader, Spool, SpoolError, SpoolOptions, StoppedSpool, slots_in};

fn open(dir: &Path) -> (Spool, Reader) {
    Spool::open_slot(dir, SpoolOptions::new()).unwrap()
}

fn append(spool: &Spool, ids: &[&str]) {
    for id in ids {
        spool.append((*id, "{}")).wait().unwrap();
    }
}

/// Everything that is to be moved.
fn adopt(spool: &Spool) -> u64 {
    let mut events = 0;
    loop {
        let adopted = spool.adopt_slots().unwrap();
        events += adopted.events;
        if adopted.is_complete {
            return events;
        }
    }
}

fn ids(reader: &mut Reader) -> Vec<String> {
    let records = reader.next_batch(1000, 10_000_000).unwrap();
    records.into_iter().map(|record| record.id).collect()
}

fn pending(dir: &Path, slot: &str) -> u64 {
    StoppedSpool::open(dir, SpoolOptions::new().name(slot)).unwrap().each_pending(|_, _| {}).unwrap().pending_events
}

#[test]
fn each_process_takes_the_first_free_slot() {
    let dir = tempfile::tempdir().unwrap();
    let (first, _reader) = open(dir.path());
    let (second, _reader) = open(dir.path());
    let (third, _reader) = open(dir.path());
    assert_eq!([first.name(), second.name(), third.name()], ["default", "default-1", "default-2"]);
    assert!(first.is_slot());
    second.close().unwrap();
    let (again, _reader) = open(dir.path());
    assert_eq!(again.name(), "default-1");
    assert_eq!(slots_in(dir.path()).unwrap(), ["default", "default-1", "default-2"]);
}

#[test]
fn a_spool_that_was_named_has_one_owner_and_takes_nothing_over() {
    let dir = tempfile::tempdir().unwrap();
    let (slot, _reader) = open(dir.path());
    append(&slot, &["a"]);
    slot.close().unwrap();
    let named = || Spool::open_slot(dir.path(), SpoolOptions::new().name("orders"));
    let (orders, _reader) = named().unwrap();
    assert!(matches!(named(), Err(SpoolError::Owned { .. })));
    assert!(!orders.is_slot());
    assert_eq!(adopt(&orders), 0);
    append(&orders, &["b"]);
    orders.close().unwrap();
    let (slot, mut reader) = open(dir.path());
    assert_eq!((adopt(&slot), ids(&mut reader)), (0, vec!["a".to_owned()]), "a name is no slot");
    slot.close().unwrap();
    for name in ["default-x", "default-007", "defaulted", "default1"] {
        let (named, _reader) = Spool::open(dir.path(), SpoolOptions::new().name(name)).unwrap();
        append(&named, &["c"]);
        named.close().unwrap();
    }
    assert_eq!(slots_in(dir.path()).unwrap(), ["default"]);
    assert_eq!(adopt(&open(dir.path()).0), 0);
}

/// Also what was written before there were slots: that was a spool of the name `default`.
#[test]
fn what_the_layout_without_slots_left_is_delivered() {
    let dir = tempfile::tempdir().unwrap();
    let (before, _reader) = Spool::open_slot(dir.path(), SpoolOptions::new().name("default")).unwrap();
    append(&before, &["a", "b"]);
    before.close().unwrap();
    let (now, mut reader) = open(dir.path());
    assert_eq!((now.recovery().backlog_events, ids(&mut reader)), (2, vec!["a".to_owned(), "b".to_owned()]));
}

#[test]
fn what_a_process_left_in_its_slot_is_moved_once_and_dead_letters_stay() {
    let dir = tempfile::tempdir().unwrap();
    let (first, mut reader) = open(dir.path());
    append(&first, &["own"]);
    {
        let (second, _reader) = open(dir.path());
        append(&second, &["delivered", "a", "dead", "b"]);
        second.ack(1);
        second.dead_letter(&DeadLetter::new(3, ("dead", "{}"), "InvalidData", "wrong")).wait().unwrap();
        assert_eq!(adopt(&first), 0, "it is at work");
        second.close().unwrap();
    }
    assert_eq!(adopt(&first), 2);
    let status = first.status();
    assert_eq!((status.adopted_events, status.pending_events, status.damage.events), (2, 3, 0));
    assert_eq!(ids(&mut reader), ["own", "a", "b"]);
    assert_eq!(adopt(&first), 0);
    assert_eq!(pending(dir.path(), "default-1"), 0);
    let second = StoppedSpool::open(dir.path(), SpoolOptions::new().name("default-1")).unwrap();
    assert_eq!(second.dead_letters().unwrap().letters.len(), 1);
}

#[test]
fn what_is_left_after_a_close_in_the_middle_is_moved_by_the_next_process() {
    let dir = tempfile::tempdir().unwrap();
    let (first, _reader) = open(dir.path());
    let (second, _reader) = open(dir.path());
    let all: Vec<String> = (0..1200).map(|number| format!("{number}")).collect();
    for append in second.append_all(all.iter().map(|id| (id.as_str(), "{}"))) {
        append.wait().unwrap();
    }
    second.close().unwrap();
    let moved = first.adopt_slots().unwrap();
    assert!(moved.events > 0 && !moved.is_complete, "{moved:?}");
    first.close().unwrap();
    assert_eq!(first.adopt_slots().unwrap().events, 0, "it is closed");
    assert_eq!(pending(dir.path(), "default"), moved.events);
    assert_eq!(pending(dir.path(), "default-1"), 1200 - moved.events);
    let (next, mut reader) = open(dir.path());
    assert_eq!(adopt(&next), 1200 - moved.events);
    let mut came = ids(&mut reader);
    came.extend(ids(&mut reader));
    assert_eq!(came, all);
}

#[test]
fn a_spool_that_is_half_full_leaves_room_for_its_own_events() {
    let dir = tempfile::tempdir().unwrap();
    let options = || SpoolOptions::new().max_bytes(SpoolOptions::MIN_MAX_BYTES);
    let (first, mut reader) = Spool::open_slot(dir.path(), options()).unwrap();
    let (second, _reader) = Spool::open_slot(dir.path(), options()).unwrap();
    let data = format!("\"{}\"", "x".repeat(1000));
    for number in 0..50 {
        second.append((format!("{number}").as_str(), data.as_str())).wait().unwrap();
    }
    second.close().unwrap();
    let (mut came, mut stops) = (0, 0);
    let mut deliver = || {
        for record in reader.next_batch(100, 1_000_000).unwrap() {
            first.ack(record.seq);
            came += u64::from(record.id != "own");
        }
    };
    loop {
        let adopted = first.adopt_slots().unwrap();
        assert!(first.status().used_bytes < SpoolOptions::MIN_MAX_BYTES * 3 / 4, "{:?}", first.status());
        first.try_append(("own", data.as_str())).unwrap().wait().unwrap();
        if adopted.is_complete {
            break;
        }
        if adopted.events == 0 {
            stops += 1;
            deliver();
        }
    }
    deliver();
    assert_eq!(came, 50);
    assert!(stops > 0, "it was never half full");
}

#[test]
fn an_event_that_never_fits_stays_and_the_others_are_moved() {
    let dir = tempfile::tempdir().unwrap();
    let small = SpoolOptions::new().max_bytes(SpoolOptions::MIN_MAX_BYTES);
    let (first, mut reader) = Spool::open_slot(dir.path(), small).unwrap();
    let (second, _reader) = open(dir.path());
    append(&second, &["a"]);
    second.append(("large", format!("\"{}\"", "x".repeat(100_000)).as_str())).wait().unwrap();
    append(&second, &["b"]);
    second.close().unwrap();
    assert_eq!(adopt(&first), 2);
    assert_eq!(ids(&mut reader), ["a", "b"]);
    assert_eq!(pending(dir.path(), "default-1"), 1);
    assert!(first.adopt_slots().unwrap().is_complete, "it is not tried for ever");
}

#[test]
fn damage_in_a_slot_is_counted_by_the_process_that_found_it() {
    let dir = tempfile::tempdir().unwrap();
    let (first, mut reader) = open(dir.path());
    let (second, _reader) = open(dir.path());
    append(&second, &["a", "b"]);
    second.close().unwrap();
    let segment = dir.path().join("default-1.0000000000000001.00000001.seg");
    let mut bytes = std::fs::read(&segment).unwrap();
    bytes[600] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    assert_eq!(adopt(&first), 1);
    assert_eq!(ids(&mut reader), ["b"]);
    assert_eq!(first.status().damage.events, 1);
    assert!(!segment.exists() && segment.with_extension("damaged").exists());
    assert!(first.adopt_slots().unwrap().is_complete, "the damaged segment is read once");
}

#[test]
fn a_slot_that_cannot_be_opened_holds_up_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let (first, mut reader) = open(dir.path());
    let (second, _reader) = open(dir.path());
    let (third, _reader) = open(dir.path());
    append(&second, &["a"]);
    append(&third, &["b"]);
    second.close().unwrap();
    third.close().unwrap();
    let segment = dir.path().join("default-1.0000000000000001.00000001.seg");
    let mut bytes = std::fs::read(&segment).unwrap();
    // Another format version, in both copies.
    for copy in [0, 512] {
        bytes[copy + 8] = 9;
        bytes[copy + 12..copy + 16].fill(0);
        let crc = crc32c::crc32c(&bytes[copy..copy + 64]);
        bytes[copy + 12..copy + 16].copy_from_slice(&crc.to_le_bytes());
    }
    std::fs::write(&segment, bytes).unwrap();
    assert_eq!(adopt(&first), 1);
    assert_eq!(ids(&mut reader), ["b"]);
    assert!(segment.exists());
}

#[test]
fn what_several_processes_left_is_moved_by_one_of_them() {
    let dir = tempfile::tempdir().unwrap();
    let slots: Vec<_> = (0..4).map(|_| open(dir.path()).0).collect();
    for (slot, ids) in slots.iter().zip([&["a"][..], &["b", "c"], &["d"], &[]]) {
        append(slot, ids);
    }
    // The first and the third end with something left.
    let [first, second, third, fourth] = &slots[..] else { panic!("four") };
    first.close().unwrap();
    third.close().unwrap();
    assert_eq!((adopt(second), adopt(second), adopt(fourth)), (2, 0, 0));
    assert_eq!(second.status().pending_events, 4);
    second.close().unwrap();
    let (one_more, mut reader) = open(dir.path());
    assert_eq!((one_more.name(), adopt(&one_more)), ("default", 4));
    let mut came = ids(&mut reader);
    came.sort();
    assert_eq!(came, ["a", "b", "c", "d"]);
}

/// What runs in the child: keeps an event, says in which slot, and waits to be killed.
#[test]
fn child() {
    let Some(dir) = std::env::var_os("AUDIT_SPOOL_CHILD").map(PathBuf::from) else { return };
    let (spool, _reader) = open(&dir);
    append(&spool, &[&format!("of-{}", spool.name())]);
    eprintln!("kept in {}", spool.name());
    std::thread::park();
}

#[test]
fn what_killed_processes_kept_is_moved_and_a_process_that_runs_keeps_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let start = || {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture"])
            .env("AUDIT_SPOOL_CHILD", dir.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let slot = lines.find_map(|line| Some(line.unwrap().strip_prefix("kept in ")?.to_owned())).unwrap();
        (child, slot)
    };
    let mut children: Vec<_> = (0..3).map(|_| start()).collect();
    assert_eq!(
        children.iter().map(|(_, slot)| slot.as_str()).collect::<Vec<_>>(),
        ["default", "default-1", "default-2"]
    );
    let (mut runs, slot) = children.remove(1);
    for (mut child, _) in children {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let (spool, mut reader) = open(dir.path());
    assert_eq!((spool.name(), adopt(&spool)), ("default", 1));
    assert_eq!(ids(&mut reader), ["of-default", "of-default-2"]);
    assert_eq!(slot, "default-1");
    runs.kill().unwrap();
    runs.wait().unwrap();
    assert_eq!(adopt(&spool), 1);
    assert_eq!(ids(&mut reader), ["of-default-1"]);
}
