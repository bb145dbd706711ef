//! Several processes in one directory, each as a spool of its own.
#![cfg(unix)]

use std::path::Path;

use audit_spool::{Reader, Spool, SpoolError, SpoolOptions};

fn open(dir: &Path) -> (Spool, Reader) {
    Spool::open_slot(dir, SpoolOptions::new()).expect("a slot")
}

fn append(spool: &Spool, ids: &[&str]) {
    for id in ids {
        spool.append((*id, "{}")).wait().expect("kept");
    }
}

fn read(reader: &mut Reader) -> Vec<String> {
    reader.next_batch(10_000, 10_000_000).expect("records").into_iter().map(|record| record.id).collect()
}

#[test]
fn each_process_takes_the_first_slot_that_is_free() {
    let dir = tempfile::tempdir().expect("a directory");
    let (first, _) = open(dir.path());
    let (second, _) = open(dir.path());
    let (third, _) = open(dir.path());
    assert_eq!([first.name(), second.name(), third.name()], ["default", "default-1", "default-2"]);
    second.close().expect("closed");
    assert_eq!(open(dir.path()).0.name(), "default-1");
}

#[test]
fn a_name_that_is_given_is_no_slot() {
    let dir = tempfile::tempdir().expect("a directory");
    let named = || Spool::open_slot(dir.path(), SpoolOptions::new().name("default"));
    let (spool, _) = named().expect("a spool");
    assert!(!spool.is_slot());
    assert!(matches!(named(), Err(SpoolError::Owned { .. })));
    assert!(matches!(Spool::open(dir.path(), SpoolOptions::new()), Err(SpoolError::Owned { .. })));
}

#[test]
fn what_is_left_in_slots_that_nobody_uses_is_taken_over_once() {
    let dir = tempfile::tempdir().expect("a directory");
    let slots: Vec<_> = (0..4).map(|_| open(dir.path()).0).collect();
    for (slot, ids) in slots.iter().zip([&["a"][..], &["b", "c"], &["d"], &[]]) {
        append(slot, ids);
    }
    // The first and the third end with something left.
    let [first, second, third, fourth] = &slots[..] else { panic!("four") };
    first.close().expect("closed");
    third.close().expect("closed");
    assert_eq!(second.adopt_slots().expect("adopted"), 2);
    assert_eq!(second.adopt_slots().expect("nothing more"), 0);
    assert_eq!(fourth.adopt_slots().expect("nothing more"), 0);
    assert_eq!(second.status().pending_events, 4);
    second.close().expect("closed");

    let (one_more, mut reader) = open(dir.path());
    assert_eq!((one_more.name(), read(&mut reader).len()), ("default", 0));
    assert_eq!(one_more.adopt_slots().expect("adopted"), 4);
    let mut ids = read(&mut reader);
    ids.sort();
    assert_eq!(ids, ["a", "b", "c", "d"]);
}

#[test]
fn a_spool_with_a_name_is_not_taken_over_and_takes_nothing_over() {
    let dir = tempfile::tempdir().expect("a directory");
    let named = |name: &str| Spool::open_slot(dir.path(), SpoolOptions::new().name(name)).expect("a spool").0;
    for name in ["orders", "default-x", "default-007", "defaulted"] {
        let spool = named(name);
        append(&spool, &["a"]);
        spool.close().expect("closed");
    }
    let (slot, _) = open(dir.path());
    append(&slot, &["b"]);
    assert_eq!(slot.adopt_slots().expect("nothing"), 0);
    slot.close().expect("closed");
    assert_eq!(named("orders").adopt_slots().expect("nothing"), 0);
}

#[test]
fn more_than_half_of_the_room_is_not_used_for_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let (left, _) = Spool::open_slot(dir.path(), SpoolOptions::new()).expect("a slot");
    let (small, _) = Spool::open_slot(dir.path(), SpoolOptions::new().max_bytes(4 << 20)).expect("a slot");
    let data = format!("\"{}\"", "x".repeat(10_000));
    let appends =
        left.append_all((0..1_000).map(|number| (number.to_string(), data.clone())).map(|(id, data)| {
            audit_spool::NewRecord::new(id, data.clone(), audit_core::Checksum::of(data.as_bytes()))
        }));
    for append in appends {
        append.wait().expect("kept");
    }
    left.close().expect("closed");
    let moved = small.adopt_slots().expect("a part");
    assert!((100..400).contains(&moved), "{moved}");
    assert_eq!(small.adopt_slots().expect("no room"), 0);
    assert_eq!(small.status().pending_events, moved);
    let (left, _) = open(dir.path());
    assert_eq!(left.status().pending_events, 1_000 - moved, "the rest stays");
}
