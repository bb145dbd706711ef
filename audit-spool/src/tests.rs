//! The spool as a whole, with its thread: on the real file system, and on a simulated one where a disk has to fail.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use audit_core::EventTime;

use super::disk::simulated::{Faults, SimulatedDisk};
use super::*;

fn dir() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn drain(spool: &Spool, reader: &mut Reader) -> Vec<Record> {
    let mut all = Vec::new();
    loop {
        let batch = reader.next_batch(100, 1_000_000).unwrap();
        if batch.is_empty() {
            return all;
        }
        spool.ack_all(batch.iter().map(|record| record.seq));
        all.extend(batch);
    }
}

fn segments(dir: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(dir).unwrap().map(|item| item.unwrap().path());
    let mut segments: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|ending| ending == "seg")).collect();
    segments.sort();
    segments
}

/// Waits for something that the spool's thread does by itself; fails after a time in which it is certain to be done.
fn until(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_mins(1), "waited a minute for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn the_next_run_goes_on_where_the_last_one_was() {
    let dir = dir();
    let (spool, mut reader) = Spool::open(&dir, SpoolOptions::new()).unwrap();
    for n in 0..10 {
        assert_eq!(
            spool.append((format!("id-{n}").as_str(), format!("{{\"n\":{n}}}").as_str())).wait().unwrap(),
            n + 1
        );
    }
    let batch = reader.next_batch(4, usize::MAX).unwrap();
    assert_eq!(spool.ack_all(batch.iter().map(|record| record.seq)), 4);
    assert!(spool.ack(7), "out of order");
    assert!(!spool.ack(7), "twice");
    assert!(!spool.ack(11), "a number that no event has");
    assert_eq!(spool.status().pending_events, 5);
    spool.close().unwrap();

    let (spool, mut reader) = Spool::open(&dir, SpoolOptions::new()).unwrap();
    assert_eq!(spool.recovery().backlog_events, 5);
    let kept: Vec<(u64, String, String)> =
        drain(&spool, &mut reader).into_iter().map(|record| (record.seq, record.id, record.event_data)).collect();
    let expected = [5, 6, 8, 9, 10].map(|seq| (seq, format!("id-{}", seq - 1), format!("{{\"n\":{}}}", seq - 1)));
    assert_eq!(kept, expected);
    assert_eq!(spool.append(("next", "{}")).wait().unwrap(), 11);
    assert_eq!(drain(&spool, &mut reader).len(), 1);
    spool.close().unwrap();
    assert_eq!(segments(dir.path()), <[PathBuf; 0]>::default(), "a spool with nothing in it keeps no segment");

    let (spool, _reader) = Spool::open(&dir, SpoolOptions::new()).unwrap();
    assert_eq!(spool.append(("after", "{}")).wait().unwrap(), 12, "numbers are never used again");
}

#[test]
fn a_second_process_learns_which_one_has_the_spool_and_other_names_are_free() {
    let dir = dir();
    let (first, _reader) = Spool::open(&dir, SpoolOptions::new().name("a")).unwrap();
    let error = Spool::open(&dir, SpoolOptions::new().name("a")).unwrap_err();
    assert!(matches!(&error, SpoolError::Owned { owner: Some(pid), .. } if *pid == std::process::id()), "{error:?}");
    assert!(error.to_string().contains(&format!("belongs to process {}", std::process::id())), "{error}");

    let (other, mut other_reader) = Spool::open(&dir, SpoolOptions::new().name("b")).unwrap();
    first.append(("of-a", "{}")).wait().unwrap();
    assert_eq!(other.append(("of-b", "{}")).wait().unwrap(), 1);
    assert_eq!(drain(&other, &mut other_reader)[0].id, "of-b");
    first.close().unwrap();
    let (again, mut reader) = Spool::open(&dir, SpoolOptions::new().name("a")).unwrap();
    assert_eq!(drain(&again, &mut reader)[0].id, "of-a");
}

#[test]
fn names_and_limits_that_cannot_work_are_refused_with_the_rule() {
    for name in ["", "a.b", "../x", "a/b", &"n".repeat(65), "é"] {
        let error = Spool::open("/nowhere", SpoolOptions::new().name(name)).unwrap_err();
        assert!(matches!(error, SpoolError::Name { .. }), "{name:?}: {error}");
    }
    let error = Spool::open("/nowhere", SpoolOptions::new().max_bytes(1000)).unwrap_err();
    assert_eq!(error.to_string(), "max_bytes is 1000, and a spool needs at least 65536");
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_look_into_a_spool() {
    use std::os::unix::fs::PermissionsExt;
    let outer = dir();
    let inner = outer.path().join("deep/spool");
    let (spool, _reader) = Spool::open(&inner, SpoolOptions::new()).unwrap();
    let seq = spool.append(("a", "{}")).wait().unwrap();
    spool.append(("b", "{}")).wait().unwrap();
    spool.dead_letter(&DeadLetter::new(seq, ("a", "{}"), Outcome::GaveUp, "")).wait().unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(&inner), 0o700);
    let mut files = 0;
    for item in std::fs::read_dir(&inner).unwrap() {
        let path = item.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{path:?}");
        files += 1;
    }
    assert_eq!(files, 5, "lock, segment, two files of acknowledgements, dead letters");

    std::fs::set_permissions(outer.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let error = Spool::open(outer.path(), SpoolOptions::new()).unwrap_err();
    let cause = std::error::Error::source(&error).unwrap();
    assert!(cause.to_string().contains("every user may write to the directory (mode 777)"), "{cause}");
}

#[test]
fn many_emitters_share_writes_and_each_gets_its_own_answer() {
    let dir = dir();
    let (spool, mut reader) = Spool::open(&dir, SpoolOptions::new().segment_bytes(10_000)).unwrap();
    let answered: BTreeSet<(u64, String)> = std::thread::scope(|scope| {
        let emitters: Vec<_> = (0..8)
            .map(|emitter| {
                let spool = &spool;
                scope.spawn(move || {
                    (0..50)
                        .map(|n| {
                            let id = format!("{emitter}-{n}");
                            (
                                spool.append((id.as_str(), "{\"some\":\"event data of some length\"}")).wait().unwrap(),
                                id,
                            )
                        })
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        emitters.into_iter().flat_map(|emitter| emitter.join().unwrap()).collect()
    });
    let read: BTreeSet<_> = drain(&spool, &mut reader).into_iter().map(|record| (record.seq, record.id)).collect();
    assert_eq!(read, answered);
    assert_eq!(read.len(), 400);
}

#[tokio::test]
async fn an_append_can_be_awaited_and_new_events_are_announced() {
    let dir = dir();
    let (spool, mut reader) = Spool::open(&dir, SpoolOptions::new()).unwrap();
    let mut durable_end = spool.durable_end();
    assert_eq!(durable_end.get(), 1);
    let appending = tokio::spawn({
        let spool = spool.clone();
        async move { spool.append(("a", "{}")).await }
    });
    assert_eq!(durable_end.changed().await, Some(2));
    assert_eq!(reader.next_batch(10, 1000).unwrap().len(), 1);
    assert_eq!(appending.await.unwrap().unwrap(), 1);
}

#[test]
fn what_cannot_be_kept_is_refused_with_its_size() {
    let dir = dir();
    let (spool, _reader) = Spool::open(&dir, SpoolOptions::new()).unwrap();
    let refusal = |id: &str, bytes: usize| match spool.append((id, "x".repeat(bytes).as_str())).wait() {
        Err(AppendError::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    };
    assert!(matches!(refusal("", 1), Refusal::Id { bytes: 0 }));
    assert!(matches!(refusal(&"i".repeat(256), 1), Refusal::Id { bytes: 256 }));
    assert!(matches!(refusal("a", 1 << 20), Refusal::TooLarge { bytes: 1_048_577, max_bytes: 1_048_576 }));
    assert_eq!(spool.append(("a", "x".repeat((1 << 20) - 1).as_str())).wait().unwrap(), 1);
    spool.close().unwrap();
    assert!(matches!(refusal("a", 1), Refusal::Closed));
}

#[test]
fn a_full_spool_refuses_by_policy_and_takes_more_once_deliveries_made_room() {
    let dir = dir();
    let options = SpoolOptions::new().max_bytes(64 * 1024).when_full(WhenFull::Reject);
    let (spool, mut reader) = Spool::open(&dir, options).unwrap();
    let event_data = "x".repeat(1000);
    let mut kept = 0;
    let refusal = loop {
        match spool.append((format!("{kept}").as_str(), event_data.as_str())).wait() {
            Ok(_) => kept += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(refusal, AppendError::Refused(Refusal::Full { max_bytes: 65_536, .. })), "{refusal}");
    assert!(kept > 55, "{kept} events of 1,000 bytes are kept in 64 KiB");
    assert!(spool.status().used_bytes <= 65_536);
    let first: Vec<u64> = reader.next_batch(20, usize::MAX).unwrap().iter().map(|record| record.seq).collect();
    spool.ack_all(first);
    until("room", || spool.append(("late", event_data.as_str())).wait().is_ok());
}

#[test]
fn a_full_spool_lets_emitters_wait_and_a_dropped_one_is_not_kept() {
    let dir = dir();
    let (spool, mut reader) = Spool::open(&dir, SpoolOptions::new().max_bytes(64 * 1024)).unwrap();
    let event_data = "x".repeat(1000);
    let waiting = loop {
        let mut append = Box::pin(spool.append(("filler", event_data.as_str())));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let mut answered = false;
        until("an answer or a full spool", || {
            answered = append.as_mut().poll(&mut context).is_ready();
            answered || spool.status().blocked == Some(Blocked::Full)
        });
        if !answered {
            break append;
        }
    };
    let dropped = spool.append(("dropped", event_data.as_str()));
    let patient = spool.append(("patient", event_data.as_str()));
    assert!(matches!(spool.try_append(("hasty", "{}")), Err(Refusal::Full { .. })));
    drop(dropped);
    drain(&spool, &mut reader);
    patient.wait().unwrap();
    let ids: Vec<String> = drain(&spool, &mut reader).into_iter().map(|record| record.id).collect();
    assert!(ids.contains(&"patient".to_owned()) && !ids.contains(&"dropped".to_owned()), "{ids:?}");
    drop(waiting);
}

#[test]
fn a_full_disk_is_waited_for_and_acknowledging_works_meanwhile() {
    let disk = SimulatedDisk::new(1);
    let (spool, mut reader) =
        Spool::open_on(Arc::new(disk.clone()), "/spool", SpoolOptions::new().segment_bytes(2000)).unwrap();
    let event_data = "x".repeat(500);
    disk.set_capacity(Some(12_000));
    let mut appends = Vec::new();
    for n in 0..40 {
        appends.push(spool.append((format!("{n}").as_str(), event_data.as_str())));
    }
    until("a full disk", || spool.status().blocked == Some(Blocked::DiskFull));
    // What is delivered frees the disk, though it is so full that nothing could be written anew.
    let mut delivered = Vec::new();
    while delivered.len() < 40 {
        delivered.extend(drain(&spool, &mut reader));
        std::thread::yield_now();
    }
    for (n, append) in appends.into_iter().enumerate() {
        assert_eq!(append.wait().unwrap(), n as u64 + 1);
    }
    let ids: Vec<String> = delivered.into_iter().map(|record| record.id).collect();
    assert_eq!(ids, (0..40).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[test]
fn a_full_disk_refuses_by_policy() {
    let disk = SimulatedDisk::new(2);
    let options = SpoolOptions::new().when_full(WhenFull::Reject);
    let (spool, _reader) = Spool::open_on(Arc::new(disk.clone()), "/spool", options).unwrap();
    disk.set_capacity(Some(1200));
    let error = spool.append(("a", "x".repeat(2000).as_str())).wait().unwrap_err();
    assert!(matches!(error, AppendError::Refused(Refusal::DiskFull)), "{error}");
    disk.set_capacity(None);
    spool.append(("a", "x".repeat(2000).as_str())).wait().unwrap();
}

#[test]
fn each_caller_gets_the_error_of_a_disk_that_only_fails() {
    let disk = SimulatedDisk::new(3);
    let (spool, mut reader) = Spool::open_on(Arc::new(disk.clone()), "/spool", SpoolOptions::new()).unwrap();
    spool.append(("good", "{}")).wait().unwrap();
    disk.set_faults(Faults { eio: 1000, enospc: 0 });
    assert!(spool.append(("bad", "{}")).wait().is_err());
    disk.set_faults(Faults::default());
    assert_eq!(spool.append(("good again", "{}")).wait().unwrap(), 2);
    let ids: Vec<String> = drain(&spool, &mut reader).into_iter().map(|record| record.id).collect();
    assert_eq!(ids, ["good", "good again"]);
}

#[test]
fn a_flipped_byte_anywhere_costs_one_event_at_most_and_is_reported() {
    let path = Path::new("/spool/default.0000000000000001.00000001.seg");
    let filled = || {
        let disk = SimulatedDisk::new(4);
        let (spool, _reader) = Spool::open_on(Arc::new(disk.clone()), "/spool", SpoolOptions::new()).unwrap();
        for n in 0..8 {
            spool.append((format!("id-{n}").as_str(), "{\"some\":\"event data\"}")).wait().unwrap();
        }
        spool.close().unwrap();
        disk
    };
    let length = filled().contents(path).len();
    for at in 0..length {
        let disk = filled();
        let flipped = disk.contents(path)[at] ^ 0x10;
        disk.overwrite(path, at, &[flipped]);
        let bytes = disk.contents(path);

        let (spool, mut reader) = Spool::open_on(Arc::new(disk.clone()), "/spool", SpoolOptions::new()).unwrap();
        let came = drain(&spool, &mut reader);
        let damage = spool.status().damage;
        let in_frames = at >= usize::try_from(segment::FRAMES_AT).unwrap();
        assert_eq!(damage.events, u64::from(in_frames), "byte {at}");
        assert_eq!(came.len() as u64 + damage.events, 8, "byte {at}");
        assert!(came.iter().all(|record| record.event_data == "{\"some\":\"event data\"}"), "byte {at}");
        spool.close().unwrap();
        if in_frames {
            assert_eq!(disk.contents(&path.with_extension("damaged")), bytes, "byte {at}: what is damaged is kept");
        }
    }
}

#[test]
fn a_batch_has_an_answer_for_each_event_and_what_cannot_be_kept_holds_up_nothing() {
    let dir = dir();
    let (spool, mut reader) = Spool::open(&dir, SpoolOptions::new()).unwrap();
    let answers: Vec<_> = spool
        .append_all([("a", "{}"), ("", "{}"), ("b", "{}")])
        .into_iter()
        .map(|append| append.wait().map_err(|error| error.to_string()))
        .collect();
    assert_eq!(answers, [Ok(1), Err("an id has 1 to 255 bytes; this one has 0".to_owned()), Ok(2)]);
    assert_eq!(drain(&spool, &mut reader).len(), 2);
    assert!(spool.append_all::<(&str, &str)>([]).is_empty());
    spool.close().unwrap();
    let after = spool.append_all([("c", "{}")]).pop().unwrap().wait();
    assert!(matches!(after, Err(AppendError::Refused(Refusal::Closed))), "{after:?}");
}

#[test]
fn room_that_was_asked_for_ahead_is_no_damage_when_the_process_ends() {
    let dir = dir();
    let (spool, _reader) = Spool::open(&dir, SpoolOptions::new()).unwrap();
    spool.append(("a", "{}")).wait().unwrap();
    spool.close().unwrap();
    let lengthen = |path: &Path| {
        let file = std::fs::File::options().append(true).create(true).open(path).unwrap();
        file.set_len(file.metadata().unwrap().len() + 300_000).unwrap();
    };
    lengthen(&segments(dir.path())[0]);
    // Ended between the making of a segment and the first write to it.
    lengthen(&dir.path().join("default.0000000000000002.00000002.seg"));

    let (spool, mut reader) = Spool::open(&dir, SpoolOptions::new()).unwrap();
    assert_eq!((spool.recovery().torn_bytes, spool.recovery().damaged_segments), (0, 0));
    assert_eq!(spool.append(("b", "{}")).wait().unwrap(), 2);
    let ids: Vec<String> = drain(&spool, &mut reader).into_iter().map(|record| record.id).collect();
    assert_eq!(ids, ["a", "b"]);
    assert_eq!(spool.status().damage, Damage::default());
    spool.close().unwrap();
    assert_eq!(segments(dir.path()), <[PathBuf; 0]>::default());
}

#[test]
fn only_what_was_written_of_an_unfinished_write_counts_as_torn() {
    let dir = dir();
    let (spool, _reader) = Spool::open(&dir, SpoolOptions::new()).unwrap();
    spool.append(("a", "{}")).wait().unwrap();
    spool.close().unwrap();
    let path = &segments(dir.path())[0];
    let mut bytes = std::fs::read(path).unwrap();
    let whole = bytes.len();
    bytes.extend_from_slice(&[7; 40]);
    bytes.resize(whole + 40 + 200_000, 0);
    std::fs::write(path, bytes).unwrap();
    let (spool, _reader) = Spool::open(&dir, SpoolOptions::new()).unwrap();
    assert_eq!(spool.recovery().torn_bytes, 40);
    assert_eq!(path.metadata().unwrap().len(), whole as u64);
}

#[test]
fn a_segment_that_was_taken_away_is_counted_and_the_rest_comes() {
    let dir = dir();
    let options = SpoolOptions::new().segment_bytes(2000);
    let (spool, _reader) = Spool::open(&dir, options.clone()).unwrap();
    for n in 0..40 {
        spool.append((format!("{n}").as_str(), "x".repeat(300).as_str())).wait().unwrap();
    }
    spool.close().unwrap();
    let all = segments(dir.path());
    assert!(all.len() > 4, "{all:?}");
    std::fs::remove_file(&all[1]).unwrap();
    let (spool, mut reader) = Spool::open(&dir, options).unwrap();
    let came = drain(&spool, &mut reader);
    let damage = spool.status().damage;
    assert!(damage.events > 0, "{damage:?}");
    assert_eq!(came.len() as u64 + damage.events, 40);
    assert_eq!(spool.status().pending_events, 0);
}

#[test]
fn dead_letters_are_lines_of_json_and_their_events_come_no_more() {
    let dir = dir();
    let (spool, mut reader) = Spool::open(&dir, SpoolOptions::new()).unwrap();
    let event_data = "{\"text\":\"line\\nbreak, \\\"quotes\\\", é\"}";
    let seq = spool.append(("poison", event_data)).wait().unwrap();
    spool.append(("fine", "{}")).wait().unwrap();
    let letter = DeadLetter::new(seq, ("poison", event_data), "InvalidData", "eventTime is no time")
        .after(vec![Attempt::new(EventTime::try_from("1970-01-01T00:00:00Z").unwrap(), "InvalidData")], 1);
    assert_eq!(spool.dead_letter(&letter).wait().unwrap(), seq);
    assert_eq!(drain(&spool, &mut reader).into_iter().map(|record| record.id).collect::<Vec<_>>(), ["fine"]);
    assert_eq!(spool.dead_letters().unwrap().letters, std::slice::from_ref(&letter));
    spool.close().unwrap();

    let path = dir.path().join("default.dead.ndjson");
    let text = std::fs::read_to_string(&path).unwrap();
    let line: serde_json::Value = serde_json::from_str(text.strip_suffix('\n').unwrap()).unwrap();
    assert_eq!(line["id"], "poison");
    assert_eq!(line["code"], "InvalidData");
    assert_eq!(line["attempts"][0]["time"], "1970-01-01T00:00:00Z");
    assert_eq!(line["eventData"], event_data);

    // A write that was cut short leaves half a line; what comes next stands on its own.
    std::fs::write(&path, format!("{text}{{\"id\":\"half")).unwrap();
    let (spool, _reader) = Spool::open(&dir, SpoolOptions::new()).unwrap();
    let seq = spool.append(("second", "{}")).wait().unwrap();
    spool.dead_letter(&DeadLetter::new(seq, ("second", "{}"), Outcome::GaveUp, "")).wait().unwrap();
    let ids: Vec<String> = spool.dead_letters().unwrap().letters.into_iter().map(|letter| letter.id).collect();
    assert_eq!(ids, ["poison", "second"]);
}

#[test]
fn a_dead_letter_with_a_wrong_number_takes_nothing_from_later_events() {
    let dir = dir();
    let (spool, mut reader) = Spool::open(&dir, SpoolOptions::new()).unwrap();
    spool.dead_letter(&DeadLetter::new(2, ("none", "{}"), Outcome::GaveUp, "")).wait().unwrap();
    spool.dead_letter(&DeadLetter::new(u64::MAX, ("none", "{}"), Outcome::GaveUp, "")).wait().unwrap();
    spool.append(("a", "{}")).wait().unwrap();
    spool.append(("b", "{}")).wait().unwrap();
    assert_eq!(drain(&spool, &mut reader).len(), 2);
}

#[test]
fn files_of_others_do_no_harm() {
    let dir = dir();
    let options = || SpoolOptions::new().name("s");
    let (spool, _reader) = Spool::open(&dir, options()).unwrap();
    spool.append(("a", "{}")).wait().unwrap();
    spool.close().unwrap();
    for name in [
        "s.ffffffffffffffff.ffffffffffffffff.seg",
        "s.fffffffffffffffe.00000001.damaged",
        "s.0000000000000001.seg",
        "s.+000000000000001.00000001.seg",
        "s.seg",
        "s.acks.new",
        "s.acks.2",
        "s.dead.4294967296.ndjson",
        "sx.0000000000000009.00000001.seg",
    ] {
        std::fs::write(dir.path().join(name), [0xff; 5000]).unwrap();
    }
    std::fs::create_dir(dir.path().join("s.dir")).unwrap();
    let (spool, mut reader) = Spool::open(&dir, options()).unwrap();
    assert_eq!(spool.append(("b", "{}")).wait().unwrap(), 2);
    let ids: Vec<String> = drain(&spool, &mut reader).into_iter().map(|record| record.id).collect();
    assert_eq!(ids, ["a", "b"]);
    assert_eq!(spool.status().damage, Damage::default());
}

#[cfg(feature = "encryption")]
#[test]
fn an_encrypted_spool_shows_nothing_and_needs_its_key() {
    let dir = dir();
    let with = |keys: Encryption| SpoolOptions::new().encryption(keys);
    let old = || Encryption::new("2026-05", &[5; 32]).unwrap();
    let (spool, _reader) = Spool::open(&dir, with(old())).unwrap();
    spool.append(("visible-id", "{\"iban\":\"secret\"}")).wait().unwrap();
    let dead = spool.append(("dead", "{\"iban\":\"secret\"}")).wait().unwrap();
    let letter = DeadLetter::new(dead, ("dead", "{\"iban\":\"secret\"}"), "InvalidData", "why");
    spool.dead_letter(&letter).wait().unwrap();
    assert_eq!(spool.dead_letters().unwrap().letters, [letter]);
    spool.close().unwrap();
    let letters = std::fs::read_to_string(dir.path().join("default.dead.ndjson")).unwrap();
    assert!(letters.contains("\"code\":\"InvalidData\"") && !letters.contains("iban"), "{letters}");
    for path in segments(dir.path()) {
        let bytes = std::fs::read(path).unwrap();
        for hidden in [&b"visible-id"[..], b"iban", b"secret"] {
            assert!(!bytes.windows(hidden.len()).any(|window| window == hidden));
        }
        assert!(bytes.windows(7).any(|window| window == b"2026-05"), "the key's id is readable");
        assert_eq!(bytes.len(), 576 + 64 + 10 + 17 + 64 + 4 + 17, "64 bytes around the content");
    }
    let missing = Spool::open(&dir, SpoolOptions::new()).unwrap_err();
    assert!(matches!(&missing, SpoolError::KeyMissing { key_id, .. } if key_id == "2026-05"), "{missing}");
    let wrong = Spool::open(&dir, with(Encryption::new("2026-05", &[6; 32]).unwrap())).unwrap_err();
    assert!(matches!(&wrong, SpoolError::KeyWrong { .. }), "{wrong}");

    let rotated = Encryption::new("2026-11", &[11; 32]).unwrap().also_reads("2026-05", &[5; 32]).unwrap();
    let (spool, mut reader) = Spool::open(&dir, with(rotated)).unwrap();
    spool.append(("second", "{}")).wait().unwrap();
    let came = drain(&spool, &mut reader);
    assert_eq!(came[0].event_data, "{\"iban\":\"secret\"}");
    assert_eq!(came[1].id, "second");
    assert!(!format!("{:?}", old()).contains('5'), "Debug shows nothing of the key");
}

/// Changes one byte of event data in a segment that is not encrypted, and makes the CRC of its frame right again.
fn change(segment: &Path, event_data: &str, with: &str) {
    let mut bytes = std::fs::read(segment).unwrap();
    let at = bytes.windows(event_data.len()).position(|window| window == event_data.as_bytes()).unwrap();
    bytes[at..at + with.len()].copy_from_slice(with.as_bytes());
    // The frame: the last one that begins before the data, found by its number.
    let frame = (0..at).rev().find(|frame| bytes[frame + 8..frame + 16] == 1u64.to_le_bytes()).unwrap();
    let crc = crc32c::crc32c_append(crc32c::crc32c(&bytes[24..40]), &bytes[frame + 4..at + event_data.len()]);
    bytes[frame..frame + 4].copy_from_slice(&crc.to_le_bytes());
    std::fs::write(segment, bytes).unwrap();
}

fn entry() -> audit_core::Entry {
    let event_data = r#"{"version":"1.0","userIdentity":{"type":"Staff","principalId":"alice"},"eventSource":"orders.example.com","eventName":"RefundIssued","eventTime":"2026-11-21T10:15:30Z","UID":"a","recipientAccountId":"123456789012"}"#;
    audit_core::Entry::parse("a", event_data).unwrap()
}

#[test]
fn an_entry_comes_back_with_the_checksum_that_it_was_made_with() {
    let dir = dir();
    let (spool, _reader) = Spool::open(&dir, SpoolOptions::new()).unwrap();
    spool.append(entry()).wait().unwrap();
    spool.close().unwrap();
    let (spool, mut reader) = Spool::open(&dir, SpoolOptions::new()).unwrap();
    let record = reader.next_batch(1, 1).unwrap().remove(0);
    assert_eq!(record.checksum, entry().checksum());
    assert_eq!(record.entry(), Ok(entry()));
    let letter = DeadLetter::new(record.seq, &record, Outcome::GaveUp, "");
    spool.dead_letter(&letter).wait().unwrap();
    assert_eq!(spool.dead_letters().unwrap().letters[0].entry(), Ok(entry()));
}

#[test]
fn bytes_that_changed_under_a_sound_crc_are_found_by_the_checksum() {
    let dir = dir();
    let (spool, _reader) = Spool::open(&dir, SpoolOptions::new()).unwrap();
    spool.append(entry()).wait().unwrap();
    spool.close().unwrap();
    change(&segments(dir.path())[0], entry().event_data(), &entry().event_data().replace("alice", "mallo")[..90]);
    let (_spool, mut reader) = Spool::open(&dir, SpoolOptions::new()).unwrap();
    let record = reader.next_batch(1, 1).unwrap().remove(0);
    assert!(record.event_data.contains("mallo"));
    let error = record.entry().unwrap_err();
    assert_eq!(Outcome::from(&error), Outcome::ChecksumMismatch);
    assert!(error.to_string().contains(&entry().checksum().to_string()), "{error}");
    let letter = DeadLetter::new(record.seq, &record, &error, error.to_string());
    assert!(letter.entry().is_err(), "a dead letter does not make it an entry again");
}

#[test]
fn a_spool_of_another_format_version_is_refused_and_left_as_it_is() {
    for ending in ["seg", "acks.0"] {
        let dir = dir();
        let (spool, _reader) = Spool::open(&dir, SpoolOptions::new()).unwrap();
        spool.append(("a", "{}")).wait().unwrap();
        spool.close().unwrap();
        let file = std::fs::read_dir(&dir).unwrap().map(|file| file.unwrap().path());
        let path = file.into_iter().find(|path| path.to_str().unwrap().ends_with(ending)).unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[8..10].copy_from_slice(&1u16.to_le_bytes());
        bytes[12..16].fill(0);
        let crc = crc32c::crc32c(&bytes[..64]);
        bytes[12..16].copy_from_slice(&crc.to_le_bytes());
        std::fs::write(&path, &bytes).unwrap();
        let error = Spool::open(&dir, SpoolOptions::new()).unwrap_err();
        assert!(matches!(error, SpoolError::Version { version: 1, known: 2, .. }), "{error}");
        assert!(error.to_string().contains("has format version 1"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
        assert!(StoppedSpool::open(&dir, SpoolOptions::new()).is_err());
    }
}

/// On many disks, each with another order of what fails: what is taken away under a running spool is lost and counted, and all
/// that was accepted afterwards is there after a power failure.
#[test]
fn files_that_are_taken_away_from_a_running_spool_take_nothing_more() {
    for seed in 0..200 {
        let disk = SimulatedDisk::new(seed);
        let (spool, _reader) = Spool::open_on(Arc::new(disk.clone()), "/spool", SpoolOptions::new()).unwrap();
        spool.append(("gone", "{}")).wait().unwrap();
        let taken = ["seg", "acks.0", "acks.1"][usize::try_from(seed).unwrap() % 3];
        for name in disk.names().iter().filter(|name| name.ends_with(taken)) {
            disk.take_away(name);
        }
        disk.set_faults(Faults { eio: 30, enospc: 0 });
        let mut kept = Vec::new();
        for n in 0..5 {
            let id = format!("{n}");
            if spool.append((id.as_str(), "{}")).wait().is_ok() {
                kept.push(id);
            }
        }
        disk.set_faults(Faults::default());
        spool.close().unwrap();
        let lost = u64::from(taken == "seg");
        assert_eq!(spool.status().damage.events, lost, "seed {seed}");
        disk.restart(true);
        let (spool, mut reader) = Spool::open_on(Arc::new(disk), "/spool", SpoolOptions::new()).unwrap();
        let ids: BTreeSet<String> = drain(&spool, &mut reader).into_iter().map(|record| record.id).collect();
        assert!(kept.iter().all(|id| ids.contains(id)), "seed {seed}: {ids:?}");
        assert_eq!(ids.contains("gone"), lost == 0, "seed {seed}");
    }
}

#[test]
fn who_lost_the_lock_accepts_nothing_and_the_next_owner_does() {
    let disk = SimulatedDisk::new(7);
    let open = || Spool::open_on(Arc::new(disk.clone()), "/spool", SpoolOptions::new().name("s"));
    let (old, _reader) = open().unwrap();
    old.append(("a", "{}")).wait().unwrap();
    assert!(matches!(open(), Err(SpoolError::Owned { .. })));
    disk.take_away("s.lock");
    let (new, mut reader) = open().unwrap();
    let refused = old.append(("b", "{}")).wait().unwrap_err();
    assert!(matches!(refused, AppendError::Refused(Refusal::Disk(_))), "{refused}");
    assert!(old.close().is_err());
    new.append(("c", "{}")).wait().unwrap();
    let ids: Vec<String> = drain(&new, &mut reader).into_iter().map(|record| record.id).collect();
    assert_eq!(ids, ["a", "c"]);
}

/// The machine stops anywhere while events are moved from one slot to another: each is in one of them afterwards, or in both.
#[test]
fn no_event_is_lost_between_two_slots() {
    const EVENTS: u64 = 30;
    let options = || SpoolOptions::new().segment_bytes(2000);
    let mut moved_some = 0;
    for seed in 0..300 {
        let disk = SimulatedDisk::new(seed);
        let open = |name| Spool::open_on(Arc::new(disk.clone()), "/spool", options().name(name)).unwrap();
        let (left, _) = open("default-1");
        for n in 0..EVENTS {
            left.append((format!("{n}").as_str(), "x".repeat(200).as_str())).wait().unwrap();
        }
        left.close().unwrap();
        let (spool, _reader) = Spool::open_slot_on(Arc::new(disk.clone()), "/spool", options()).unwrap();
        if seed % 4 == 0 {
            disk.set_faults(Faults { eio: 20, enospc: 0 });
        }
        disk.stop_after(seed % 90 + 1);
        while !disk.has_stopped() && !spool.adopt_slots().is_ok_and(|adopted| adopted.is_complete) {}
        let moved = spool.status().adopted_events;
        moved_some += u64::from(moved > 0 && moved < EVENTS);
        drop(spool.close());
        disk.set_faults(Faults::default());
        disk.restart(seed % 2 == 0);
        let mut ids = BTreeSet::new();
        for name in ["default", "default-1"] {
            let (spool, mut reader) = open(name);
            ids.extend(drain(&spool, &mut reader).into_iter().map(|record| record.id));
            // After a failed sync, what was never accepted may be reported.
            assert!(seed % 4 == 0 || spool.status().damage == Damage::default(), "seed {seed}");
        }
        assert_eq!(ids.len() as u64, EVENTS, "seed {seed}: {ids:?}");
    }
    assert!(moved_some > 0, "no stop came in the middle");
}

/// On a runtime's thread, a task that has used up its turn would be told to wait until the thread is free, which it never is.
#[tokio::test]
async fn many_events_can_be_waited_for_in_one_turn_of_a_task() {
    let dir = dir();
    let (spool, _reader) = Spool::open(&dir, SpoolOptions::new()).unwrap();
    for append in spool.append_all((0..1000).map(|_| ("a", "{}"))) {
        append.wait().unwrap();
    }
}
