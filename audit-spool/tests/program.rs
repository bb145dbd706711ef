//! The program `audit-spool`, run as a user runs it. Needs the feature `cli`.
#![cfg(feature = "cli")]
#![expect(clippy::unwrap_used, reason = "the lint knows only functions marked as tests to be tests")]

use std::path::Path;
use std::process::{Command, Output};

use audit_core::EventTime;
use audit_spool::{Attempt, DeadLetter, Encryption, Spool, SpoolOptions};

fn run(dir: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_audit-spool")).arg(dir).args(arguments).output().unwrap()
}

fn text(dir: &Path, arguments: &[&str]) -> String {
    let output = run(dir, arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "no progress line where there is no terminal");
    String::from_utf8(output.stdout).unwrap()
}

fn failure(dir: &Path, arguments: &[&str]) -> String {
    let output = run(dir, arguments);
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

/// Three events: one delivered, one that waits, one dead.
fn filled(dir: &Path, options: SpoolOptions) {
    let (spool, _reader) = Spool::open(dir, options).unwrap();
    for id in ["delivered", "waits", "poison"] {
        spool.append((id, format!("{{\"of\":\"{id}\"}}").as_str())).wait().unwrap();
    }
    spool.ack(1);
    let letter = DeadLetter::new(3, ("poison", "{\"of\":\"poison\"}"), "InvalidData", "eventTime is no time")
        .after(vec![Attempt::new(EventTime::try_from("1970-01-01T00:00:00Z").unwrap(), "InvalidData")], 1);
    spool.dead_letter(&letter).wait().unwrap();
    spool.close().unwrap();
}

#[test]
fn what_lies_in_a_spool_is_counted_listed_and_shown() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path(), SpoolOptions::new());
    let status = text(dir.path(), &["status"]);
    assert!(status.contains("pending   1 events, 19 bytes\ndead      1 letters\nmissing   0 events that cannot be read\nchanged   0 events"), "{status}");
    let list = text(dir.path(), &["list"]);
    assert_eq!(list, "2\tpending\t14\t-\t-\twaits\t-\t-\n3\tdead\t15\t-\t-\tpoison\t-\tInvalidData\n");
    assert_eq!(text(dir.path(), &["show", "waits", "--raw"]), "{\"of\":\"waits\"}\n");
    let shown = text(dir.path(), &["show", "poison"]);
    assert!(shown.contains("because InvalidData: eventTime is no time\nattempt 1970-01-01T00:00:00Z InvalidData\n"));
    assert!(failure(dir.path(), &["show", "delivered"]).contains("no event with the id delivered waits"));
}

#[test]
fn looking_changes_nothing_and_a_wrong_path_makes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path(), SpoolOptions::new());
    let contents = || {
        let mut files: Vec<_> = std::fs::read_dir(dir.path())
            .unwrap()
            .map(|item| item.unwrap().path())
            .filter(|path| path.extension().is_none_or(|ending| ending != "lock"))
            .map(|path| (std::fs::read(&path).unwrap(), path))
            .collect();
        files.sort();
        files
    };
    let before = contents();
    for arguments in [&["status"][..], &["list"], &["show", "waits"], &["purge", "--dead", "--damaged"]] {
        text(dir.path(), arguments);
    }
    assert_eq!(contents(), before);

    let said = failure(dir.path(), &["--name", "other", "status"]);
    assert!(said.contains("there is no spool \"other\"") && said.contains("there are: default"), "{said}");
    let nowhere = dir.path().join("nowhere");
    failure(&nowhere, &["status"]);
    assert!(!nowhere.exists());
}

#[test]
fn what_a_killed_process_left_is_shown_without_the_room_that_it_had_made_ahead() {
    let dir = tempfile::tempdir().unwrap();
    let (spool, _reader) = Spool::open(&dir, SpoolOptions::new()).unwrap();
    spool.append(("waits", "{\"of\":\"waits\"}")).wait().unwrap();
    // The files as they are while the spool is open are those that a kill leaves.
    let killed = tempfile::tempdir().unwrap();
    let mut segment_bytes = 0;
    for item in std::fs::read_dir(&dir).unwrap() {
        let path = item.unwrap().path();
        let to = killed.path().join(path.file_name().unwrap());
        if path.extension().is_some_and(|ending| ending == "lock") {
            // Some systems do not let a locked file be read.
            std::fs::write(to, "").unwrap();
            continue;
        }
        let bytes = std::fs::copy(&path, to).unwrap();
        if path.extension().is_some_and(|ending| ending == "seg") {
            segment_bytes += bytes;
        }
    }
    // The headers and the bytes between take 576, the frame 48, the id 5 and the event data 14.
    assert!(segment_bytes > 643, "{segment_bytes} bytes: nothing was made ahead");
    let status = text(killed.path(), &["status"]);
    assert!(status.contains("segments  1, 643 bytes\n"), "{status}");
    assert!(status.contains("pending   1 events, 19 bytes\ndead      0 letters\nmissing   0 events"), "{status}");
    assert_eq!(text(killed.path(), &["list"]), "1\tpending\t14\t-\t-\twaits\t-\t-\n");
}

#[test]
fn a_spool_that_is_at_work_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let (_spool, _reader) = Spool::open(&dir, SpoolOptions::new()).unwrap();
    for arguments in [&["status"][..], &["list"], &["retry"], &["purge", "--dead", "--yes"]] {
        let said = failure(dir.path(), arguments);
        assert!(said.contains(&format!("belongs to process {}", std::process::id())), "{said}");
    }
}

#[test]
fn dead_letters_are_retried_or_removed() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path(), SpoolOptions::new());
    assert_eq!(text(dir.path(), &["retry"]), "1 of 1 dead letters wait for delivery\n");
    assert_eq!(text(dir.path(), &["list"]), "2\tpending\t14\t-\t-\twaits\t-\t-\n4\tpending\t15\t-\t-\tpoison\t-\t-\n");
    assert_eq!(text(dir.path(), &["retry"]), "there are no dead letters\n");

    let other = tempfile::tempdir().unwrap();
    filled(other.path(), SpoolOptions::new());
    assert!(text(other.path(), &["purge", "--dead"]).contains("nothing was removed"));
    assert_eq!(text(other.path(), &["purge", "--dead", "--yes"]), "removed 1 dead letters\n");
    assert_eq!(text(other.path(), &["list"]), "2\tpending\t14\t-\t-\twaits\t-\t-\n");
}

#[test]
fn an_encrypted_spool_is_shown_with_its_key_only() {
    let dir = tempfile::tempdir().unwrap();
    let key = [0xab; 32];
    filled(dir.path(), SpoolOptions::new().encryption(Encryption::new("k1", &key).unwrap()));
    let raw = dir.path().join("key.raw");
    std::fs::write(&raw, key).unwrap();
    let hex = dir.path().join("key.hex");
    std::fs::write(&hex, "ab".repeat(32) + "\n").unwrap();
    for file in [raw, hex] {
        let key = format!("k1={}", file.display());
        assert_eq!(text(dir.path(), &["--key", &key, "show", "waits", "--raw"]), "{\"of\":\"waits\"}\n");
    }
    assert!(failure(dir.path(), &["list"]).contains("encrypted with the key \"k1\", which was not given"));
    assert!(failure(dir.path(), &["--key", "secret-in-the-wrong-place", "list"]).contains("ID=FILE"));
    assert!(!failure(dir.path(), &["--key", "secret-in-the-wrong-place", "list"]).contains("secret"));
}

/// Runs every command of docs/spool.md and compares what it prints.
#[test]
fn the_commands_of_the_operators_guide_print_what_it_says() {
    let guide = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/spool.md")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (spool, _reader) = Spool::open(dir.path(), SpoolOptions::new()).unwrap();
    for number in 1..=4 {
        let id = format!("refund-{number}");
        let event_data = format!(
            r#"{{"version":"1.0","userIdentity":{{"type":"Staff","principalId":"alice"}},"eventSource":"orders.example.com","eventName":"RefundIssued","eventTime":"2026-11-21T10:15:30Z","UID":"{id}","recipientAccountId":"123456789012"}}"#
        );
        spool.append((id.as_str(), event_data.as_str())).wait().unwrap();
        if number == 3 {
            let at = |time| EventTime::try_from(time).unwrap();
            let mut letter =
                DeadLetter::new(3, (id.as_str(), event_data.as_str()), "InvalidData", "eventTime is no time").after(
                    vec![
                        Attempt::new(at("2026-11-21T10:15:30Z"), "HTTP 503"),
                        Attempt::new(at("2026-11-21T10:15:31Z"), "InvalidData"),
                    ],
                    2,
                );
            letter.at = at("2026-11-21T10:15:31Z");
            spool.dead_letter(&letter).wait().unwrap();
        }
    }
    spool.ack(1);
    spool.close().unwrap();
    let mut commands = 0;
    for block in guide.split("```console\n").skip(1) {
        let block = block.split("```").next().unwrap();
        for command in block.split("$ audit-spool /var/lib/shop/audit ").skip(1) {
            let (arguments, expected) = command.split_once('\n').unwrap();
            let printed = text(dir.path(), &arguments.split(' ').collect::<Vec<_>>());
            let printed = printed.replace(dir.path().to_str().unwrap(), "/var/lib/shop/audit");
            assert_eq!(printed, expected, "audit-spool {arguments}");
            commands += 1;
        }
    }
    assert_eq!(commands, 7);
}

fn event_data(uid: &str) -> String {
    format!(
        r#"{{"version":"1.0","userIdentity":{{"type":"Staff","principalId":"alice"}},"eventSource":"shop.example.com","eventName":"InvoicePaid","eventTime":"2026-11-21T10:15:30Z","UID": "{uid}","requestParameters":{{"a":1.50,"UID":"inside"}},"recipientAccountId":"123456789012"}}"#
    )
}

/// Two dead letters, whose ids were used before.
fn with_dead_letters(dir: &Path) {
    let (spool, _reader) = Spool::open(dir, SpoolOptions::new()).unwrap();
    for (seq, id) in [(1, "17"), (2, "18")] {
        let entry = audit_core::Entry::parse(id, event_data(id)).unwrap();
        spool.append(&entry).wait().unwrap();
        let letter = DeadLetter::new(seq, &entry, "InvalidData", "the id was used before");
        spool.dead_letter(&letter).wait().unwrap();
    }
    spool.close().unwrap();
}

#[test]
fn the_list_has_names_times_and_uids_and_is_json_if_asked() {
    let dir = tempfile::tempdir().unwrap();
    with_dead_letters(dir.path());
    let bytes = event_data("17").len();
    let list = text(dir.path(), &["list"]);
    let first = format!("1\tdead\t{bytes}\t2026-11-21T10:15:30Z\tInvoicePaid\t17\t17\tInvalidData\n");
    assert!(list.starts_with(&first), "{list}");
    let rows: Vec<serde_json::Value> =
        text(dir.path(), &["list", "--json"]).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((rows.len(), &rows[1]["uid"], &rows[1]["name"]), (2, &"18".into(), &"InvoicePaid".into()));
    assert_eq!((&rows[1]["number"], &rows[1]["state"]), (&2.into(), &"dead".into()));
    assert!(rows[1]["deadSince"].as_str().unwrap().ends_with('Z'));
}

#[test]
fn a_dead_letter_is_retried_under_a_new_id_and_is_otherwise_the_same_event() {
    let dir = tempfile::tempdir().unwrap();
    with_dead_letters(dir.path());
    assert!(failure(dir.path(), &["retry", "19", "--new-id"]).contains("no dead letter has the id 19"));
    let said = text(dir.path(), &["retry", "18", "--new-id"]);
    let new = said.strip_prefix("18 is now ").and_then(|rest| rest.lines().next()).unwrap();
    assert!(said.ends_with("\n1 of 1 dead letters wait for delivery\n"), "{said}");
    assert_eq!(text(dir.path(), &["show", new, "--raw"]), event_data(new) + "\n");
    let list = text(dir.path(), &["list"]);
    assert!(list.contains("\tdead\t") && list.contains("\t17\t17\t") && !list.contains("\t18\t"), "{list}");

    let (_spool, mut reader) = Spool::open(dir.path(), SpoolOptions::new()).unwrap();
    let records = reader.next_batch(10, 1_000_000).unwrap();
    assert_eq!(records.len(), 1);
    let entry = records[0].entry().unwrap();
    assert_eq!(entry.id().as_str(), new);
}

#[test]
fn what_is_no_event_gets_no_new_id_and_stays_a_dead_letter() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path(), SpoolOptions::new());
    let said = failure(dir.path(), &["retry", "--new-id"]);
    assert!(
        said.contains("the dead letter poison gets no new id, and nothing was changed: missing field `UID`"),
        "{said}"
    );
    assert!(text(dir.path(), &["list"]).contains("\tdead\t15\t"));
}

#[test]
fn without_a_name_every_slot_is_shown_and_dead_letters_go_back_to_theirs() {
    let dir = tempfile::tempdir().unwrap();
    let slots: Vec<_> = (0..3).map(|_| Spool::open_slot(dir.path(), SpoolOptions::new()).unwrap().0).collect();
    for (number, spool) in (0..).zip(&slots) {
        for id in [format!("waits-{number}"), format!("dead-{number}")] {
            spool.append((id.as_str(), "{}")).wait().unwrap();
        }
        let letter = DeadLetter::new(2, (format!("dead-{number}").as_str(), "{}"), "InvalidData", "wrong");
        spool.dead_letter(&letter).wait().unwrap();
    }
    slots[0].close().unwrap();
    slots[2].close().unwrap();
    // The second one is at work.
    let output = run(dir.path(), &["list", "--json"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("the spool \"default-1\"") && said.contains("belongs to process"), "{said}");
    assert!(!output.status.success());
    let rows: Vec<serde_json::Value> =
        output.stdout.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
    let rows: Vec<_> = rows.iter().map(|row| (row["spool"].as_str().unwrap(), row["id"].as_str().unwrap())).collect();
    let expected = [("default", "waits-0"), ("default", "dead-0"), ("default-2", "waits-2"), ("default-2", "dead-2")];
    assert_eq!(rows, expected);

    slots[1].close().unwrap();
    assert_eq!(text(dir.path(), &["show", "waits-2", "--raw"]), "{}\n");
    assert!(failure(dir.path(), &["show", "waits-3"]).contains("no event with the id waits-3 waits"));
    let said = failure(dir.path(), &["retry", "dead-1", "dead-3"]);
    assert!(said.contains("no dead letter has the id dead-3"), "{said}");
    let retried = text(dir.path(), &["retry", "dead-1"]);
    assert!(retried.contains("in default-1:\n1 of 1 dead letters wait for delivery\n"), "{retried}");
    let status = text(dir.path(), &["status"]);
    assert_eq!(status.matches("spool ").count(), 3, "{status}");
    assert!(status.contains("spool     \"default-1\""), "{status}");
    assert!(text(dir.path(), &["--name", "default-1", "list"]).contains("pending\t2\t-\t-\tdead-1"));
}
