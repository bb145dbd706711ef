//! The store: on a disk that fails, on files that are damaged or another program's, and where nothing fails.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use audit_core::{ChannelArn, Checksum, EventTime};
use rusqlite::Connection;
use tempfile::TempDir;

use super::digest::EVENT_COLUMNS;
use super::lake_row::LakeRow;
use super::writer::Prepare;
use super::{DataFolder, EventFilter, EventReader, FileChange, NewEvent, Pruned, Store, StoreError, Stored};
use crate::metrics::Metrics;

pub(crate) const CHANNEL: ChannelArn =
    ChannelArn::from_static("arn:aws:cloudtrail:eu-west-1:123456789012:channel/EXAMPLE8-0558-4f7e-a06a-43969EXAMPLE");

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

pub(crate) fn open(folder: &Path) -> Result<Store, StoreError> {
    Store::open(DataFolder::claim(folder)?, Arc::new(Metrics::default()))
}

fn open_prepared(folder: &Path, prepare: Prepare) -> Store {
    let claimed = DataFolder::claim(folder).expect("the folder");
    Store::open_with(claimed, Arc::new(Metrics::default()), prepare).expect("a store")
}

pub(crate) fn event_at(id: &str, time: &str) -> NewEvent {
    let data = format!(
        r#"{{"version":"1.0","userIdentity":{{"type":"Staff","principalId":"alice"}},"eventSource":"orders.example.com","eventName":"RefundIssued","eventTime":"{time}","UID":"{id}","recipientAccountId":"123456789012"}}"#
    );
    NewEvent {
        id: id.to_owned(),
        event_id: format!("event-{id}"),
        checksum: Checksum::of(data.as_bytes()),
        event_time: time.parse().expect("a time"),
        source: "orders.example.com".to_owned(),
        name: "RefundIssued".to_owned(),
        principal: "alice".to_owned(),
        data,
    }
}

pub(crate) fn event(id: &str) -> NewEvent {
    event_at(id, "2026-11-21T10:15:30Z")
}

pub(crate) fn ids(folder: &Path) -> Vec<String> {
    let events = EventReader::open(folder).expect("a reader").events(&EventFilter::default()).expect("events");
    events.into_iter().map(|event| event.id).collect()
}

/// Puts events one by one until it fails, checks that what was acknowledged is stored and nothing else, ends the cause, and
/// checks that the store goes on by itself.
async fn fails_and_recovers(
    folder: &Path,
    store: &Store,
    expected: fn(&StoreError) -> bool,
    end_the_cause: impl FnOnce(),
) {
    let mut acknowledged = Vec::new();
    let error = loop {
        let id = format!("e{}", acknowledged.len());
        assert!(acknowledged.len() < 10_000, "it never failed");
        match store.put(CHANNEL, vec![event(&id)]).await {
            Ok(stored) => {
                assert_eq!(stored, [Stored::New]);
                acknowledged.push(id);
            }
            Err(error) => break error,
        }
    };
    assert!(expected(&error), "{error}");
    assert_eq!(ids(folder), acknowledged);
    assert!(store.put(CHANNEL, vec![event("again")]).await.is_err(), "the cause is still there");
    end_the_cause();
    assert_eq!(store.put(CHANNEL, vec![event("after")]).await.expect("stored"), [Stored::New]);
    acknowledged.push("after".to_owned());
    assert_eq!(ids(folder), acknowledged);
}

#[tokio::test]
async fn a_full_disk_fails_requests_and_room_lets_it_go_on() {
    let folder = folder();
    let pages = Arc::new(AtomicI64::new(40));
    let told = Arc::clone(&pages);
    let store = open_prepared(
        folder.path(),
        Box::new(move |connection| {
            connection.query_row(&format!("PRAGMA max_page_count = {}", told.load(Ordering::Relaxed)), [], |_| Ok(()))
        }),
    );
    let end = || pages.store(1_000_000, Ordering::Relaxed);
    fails_and_recovers(folder.path(), &store, |error| matches!(error, StoreError::Full), end).await;
}

#[tokio::test]
async fn at_first_and_after_a_failure_a_probe_asks_for_the_room_of_a_whole_request() {
    let folder = folder();
    let pages = Arc::new(AtomicI64::new(40));
    let told = Arc::clone(&pages);
    let store = open_prepared(
        folder.path(),
        Box::new(move |connection| {
            connection.query_row(&format!("PRAGMA max_page_count = {}", told.load(Ordering::Relaxed)), [], |_| Ok(()))
        }),
    );
    // A file cannot be written where a folder stands: this is the disk on which only the little that SQLite's own probe
    // writes has room.
    let obstacle = folder.path().join("lake.probe");
    std::fs::create_dir(&obstacle).expect("an obstacle");
    store.probe().await.expect_err("the process before may have ended by a full disk");
    std::fs::remove_dir(&obstacle).expect("removed");
    store.probe().await.expect("there is room");
    std::fs::create_dir(&obstacle).expect("an obstacle");
    store.probe().await.expect("nothing has failed since, so it is not asked for");
    while store.put(CHANNEL, (0..100).map(|_| event(&uuid::Uuid::new_v4().to_string())).collect()).await.is_ok() {}
    store.probe().await.expect_err("there is no room");
    store.probe().await.expect_err("still");
    std::fs::remove_dir(&obstacle).expect("removed");
    store.probe().await.expect("there is room");
    assert!(!obstacle.exists(), "it leaves nothing behind");
}

#[tokio::test]
async fn a_read_only_database_fails_requests_until_it_can_be_written() {
    let folder = folder();
    let read_only = Arc::new(AtomicI64::new(1));
    let told = Arc::clone(&read_only);
    let store = open_prepared(
        folder.path(),
        Box::new(move |connection| connection.pragma_update(None, "query_only", told.load(Ordering::Relaxed))),
    );
    let end = || read_only.store(0, Ordering::Relaxed);
    fails_and_recovers(folder.path(), &store, |error| matches!(error, StoreError::ReadOnly), end).await;
}

#[tokio::test]
async fn a_lock_of_another_process_fails_requests_until_it_is_gone() {
    let folder = folder();
    let store = open_prepared(folder.path(), Box::new(|connection| connection.busy_timeout(Duration::from_millis(20))));
    let other = Connection::open(folder.path().join("lake.db")).expect("another connection");
    other.execute_batch("BEGIN IMMEDIATE").expect("a lock");
    let end = || other.execute_batch("ROLLBACK").expect("no lock");
    fails_and_recovers(folder.path(), &store, |error| matches!(error, StoreError::Locked), end).await;
}

#[tokio::test]
async fn a_database_that_was_removed_between_two_connections_is_not_made_anew() {
    let folder = folder();
    let store = open(folder.path()).expect("a store");
    let trigger = "CREATE TRIGGER refused BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'refused'); END";
    let path = folder.path().join("lake.db");
    Connection::open(&path).and_then(|other| other.execute_batch(trigger)).expect("a trigger");
    store.put(CHANNEL, vec![event("a")]).await.expect_err("this closes the connection");
    std::fs::rename(&path, folder.path().join("kept.db")).expect("renamed");
    for _ in 0..2 {
        let error = store.put(CHANNEL, vec![event("a")]).await.expect_err("there is no database");
        assert!(matches!(*error, StoreError::Moved { change: FileChange::Removed, .. }), "{error}");
        assert!(!path.exists());
    }
    // A new file may get the inode of one that was deleted.
    std::fs::write(&path, "").expect("another file");
    let error = store.put(CHANNEL, vec![event("a")]).await.expect_err("it is another database");
    assert!(matches!(*error, StoreError::Moved { change: FileChange::Replaced, .. }), "{error}");
    std::fs::rename(folder.path().join("kept.db"), &path).expect("renamed back");
    Connection::open(&path).and_then(|other| other.execute_batch("DROP TRIGGER refused")).expect("no trigger");
    store.put(CHANNEL, vec![event("a")]).await.expect("stored");
}

#[tokio::test]
async fn a_log_that_was_removed_between_two_connections_is_not_made_anew() {
    let folder = folder();
    let store = open(folder.path()).expect("a store");
    store.put(CHANNEL, vec![event("a")]).await.expect("stored");
    // A reader with an old snapshot: the log outlives the writer's connection.
    let path = folder.path().join("lake.db");
    let reader = Connection::open(&path).expect("a reader");
    reader.execute_batch("BEGIN; SELECT count(*) FROM events").expect("a snapshot");
    let trigger = "CREATE TRIGGER refused BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'refused'); END";
    Connection::open(&path).and_then(|other| other.execute_batch(trigger)).expect("a trigger");
    store.put(CHANNEL, vec![event("b")]).await.expect_err("this closes the connection");
    let log = folder.path().join("lake.db-wal");
    std::fs::rename(&log, folder.path().join("kept")).expect("renamed");
    let error = store.put(CHANNEL, vec![event("b")]).await.expect_err("the log is missing");
    assert!(matches!(*error, StoreError::Moved { .. }) && error.to_string().contains("lake.db-wal"), "{error}");
    std::fs::rename(folder.path().join("kept"), &log).expect("renamed back");
    Connection::open(&path).and_then(|other| other.execute_batch("DROP TRIGGER refused")).expect("no trigger");
    store.put(CHANNEL, vec![event("b")]).await.expect("stored");
    drop(reader);
    assert_eq!(ids(folder.path()), ["a", "b"]);
}

#[tokio::test]
async fn a_failed_commit_fails_every_request_of_its_group_and_stores_none() {
    let folder = folder();
    let store = open_prepared(folder.path(), Box::new(|connection| connection.pragma_update(None, "query_only", true)));
    let (first, second) =
        tokio::join!(store.put(CHANNEL, vec![event("a"), event("b")]), store.put(CHANNEL, vec![event("c")]));
    assert!(first.is_err() && second.is_err());
    assert!(ids(folder.path()).is_empty());
}

#[tokio::test]
async fn requests_that_wait_go_into_one_commit() {
    let folder = folder();
    let metrics = Arc::new(Metrics::default());
    let claimed = DataFolder::claim(folder.path()).expect("the folder");
    let store = Arc::new(Store::open(claimed, Arc::clone(&metrics)).expect("a store"));
    let other = Connection::open(folder.path().join("lake.db")).expect("another connection");
    other.execute_batch("BEGIN IMMEDIATE").expect("a lock");
    let mut puts = tokio::task::JoinSet::new();
    for at in 0..50 {
        let store = Arc::clone(&store);
        puts.spawn(async move { store.put(CHANNEL, vec![event(&format!("e{at}"))]).await });
    }
    // Each task runs up to where it waits for its answer: so all are in the queue, while the writer waits for the lock.
    tokio::task::yield_now().await;
    other.execute_batch("ROLLBACK").expect("no lock");
    while let Some(put) = puts.join_next().await {
        assert_eq!(put.expect("no panic").expect("stored"), [Stored::New]);
    }
    let text = metrics.text();
    let commits = text.lines().find_map(|line| line.strip_prefix("audit_lake_commit_seconds_count ")).expect("a count");
    // The first may have gone ahead alone, before the others were there.
    assert!(["1", "2"].contains(&commits), "{commits}");
    assert_eq!(ids(folder.path()).len(), 50);
}

#[tokio::test]
async fn neither_a_probe_nor_a_step_of_retention_ends_a_group() {
    let folder = folder();
    let metrics = Arc::new(Metrics::default());
    let claimed = DataFolder::claim(folder.path()).expect("the folder");
    let store = Arc::new(Store::open(claimed, Arc::clone(&metrics)).expect("a store"));
    let other = Connection::open(folder.path().join("lake.db")).expect("another connection");
    other.execute_batch("BEGIN IMMEDIATE").expect("a lock");
    let mut jobs = tokio::task::JoinSet::new();
    for at in 0..60 {
        let store = Arc::clone(&store);
        jobs.spawn(async move {
            match at % 6 {
                2 => store.probe().await.is_ok(),
                4 => store.prune(EventTime::now(), EventTime::from_static("2000-01-01T00:00:00Z"), 1).await.is_ok(),
                _ => store.put(CHANNEL, vec![event(&format!("e{at}"))]).await.is_ok(),
            }
        });
    }
    // All are in the queue, while the writer waits for the lock.
    tokio::task::yield_now().await;
    other.execute_batch("ROLLBACK").expect("no lock");
    while let Some(done) = jobs.join_next().await {
        assert!(done.expect("no panic"));
    }
    let text = metrics.text();
    let commits = text.lines().find_map(|line| line.strip_prefix("audit_lake_commit_seconds_count ")).expect("a count");
    // The first may have gone ahead alone, before the others were there.
    assert!(["1", "2"].contains(&commits), "{commits}");
    assert_eq!(ids(folder.path()).len(), 40);
}

#[tokio::test]
async fn every_connection_of_the_writer_syncs_each_commit_to_a_write_ahead_log() {
    let folder = folder();
    let (told, asked) = std::sync::mpsc::channel();
    let read_only = Arc::new(AtomicI64::new(1));
    let first = Arc::clone(&read_only);
    let store = open_prepared(
        folder.path(),
        Box::new(move |connection| {
            let synchronous: i64 = connection.pragma_query_value(None, "synchronous", |row| row.get(0))?;
            let mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
            drop(told.send((synchronous, mode)));
            connection.pragma_update(None, "query_only", first.swap(0, Ordering::Relaxed))
        }),
    );
    store.put(CHANNEL, vec![event("a")]).await.expect_err("the first connection cannot write");
    store.put(CHANNEL, vec![event("a")]).await.expect("the second one can");
    // 2 is FULL.
    let full = (2, "wal".to_owned());
    assert_eq!(asked.try_iter().collect::<Vec<_>>(), [full.clone(), full]);
}

#[tokio::test]
async fn the_same_event_from_many_requests_at_once_is_stored_once() {
    let folder = folder();
    let store = Arc::new(open(folder.path()).expect("a store"));
    let puts: Vec<_> = (0..50)
        .map(|at| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let mut event = event("same");
                event.event_id = format!("event-{at}");
                store.put(CHANNEL, vec![event]).await.expect("stored")
            })
        })
        .collect();
    let mut new = 0;
    let mut before = Vec::new();
    for put in puts {
        match put.await.expect("no panic").remove(0) {
            Stored::New => new += 1,
            Stored::Before { event_id } => before.push(event_id),
            Stored::IdTaken => panic!("the data is the same"),
        }
    }
    assert_eq!((new, before.len()), (1, 49));
    let events = EventReader::open(folder.path()).expect("a reader").events(&EventFilter::default()).expect("events");
    assert_eq!(events.len(), 1);
    assert!(before.iter().all(|event_id| *event_id == events[0].event_id));
}

#[tokio::test]
async fn an_id_belongs_to_its_channel_and_source() {
    let folder = folder();
    let store = open(folder.path()).expect("a store");
    let other = ChannelArn::from_static("arn:aws:cloudtrail:eu-west-1:123456789012:channel/other");
    let mut changed = event("a");
    changed.checksum = Checksum::of(b"other");
    assert_eq!(store.put(CHANNEL, vec![event("a")]).await.expect("stored"), [Stored::New]);
    assert_eq!(store.put(other, vec![event("a")]).await.expect("stored"), [Stored::New]);
    assert_eq!(store.put(CHANNEL, vec![changed]).await.expect("judged"), [Stored::IdTaken]);

    let of_payments = |id| {
        let mut event = event(id);
        event.source = "payments.example.com".to_owned();
        event.data = event.data.replace("orders.example.com", "payments.example.com");
        event.checksum = Checksum::of(event.data.as_bytes());
        event
    };
    let first = of_payments("a");
    let event_id = first.event_id.clone();
    assert_eq!(store.put(CHANNEL, vec![first]).await.expect("stored"), [Stored::New]);
    assert_eq!(
        store.put(CHANNEL, vec![of_payments("a")]).await.expect("a retry"),
        [Stored::Before { event_id: event_id.clone() }]
    );
    let mut changed = of_payments("a");
    changed.checksum = Checksum::of(b"other");
    assert_eq!(store.put(CHANNEL, vec![changed]).await.expect("judged"), [Stored::IdTaken]);
}

/// A database as the first version of this program wrote it: 120 events in three channels, with values at their limits,
/// and with ids that several channels have.
const VERSION_1: &[u8] = include_bytes!("../../tests/fixtures/lake-v1.db");
/// A database of version 2: 55 events in two channels and two sources, which have the same ids; five were deleted.
const VERSION_2: &[u8] = include_bytes!("../../tests/fixtures/lake-v2.db");

/// Rows with the columns that every version has, in order.
fn rows(path: &Path) -> Vec<Vec<rusqlite::types::Value>> {
    let database = Connection::open(path).expect("a connection");
    let columns = format!("{EVENT_COLUMNS}, event_data, arn");
    let mut select = database
        .prepare(&format!("SELECT {columns} FROM events JOIN channels USING (channel) ORDER BY seq"))
        .expect("SQL");
    let columns = select.column_count();
    let rows = select.query_map([], |row| (0..columns).map(|at| row.get(at)).collect()).expect("rows");
    rows.collect::<Result<_, _>>().expect("rows")
}

#[tokio::test]
async fn a_database_of_an_older_version_is_migrated_with_every_row_as_it_was() {
    for (older, events) in [(VERSION_1, 120), (VERSION_2, 55)] {
        let folder = folder();
        let path = folder.path().join("lake.db");
        std::fs::write(&path, older).expect("written");
        assert!(matches!(EventReader::open(folder.path()), Err(StoreError::OlderSchema)));
        let before = rows(&path);
        assert_eq!(before.len(), events);

        let store = open(folder.path()).expect("migrated");
        assert_eq!(rows(&path), before);
        let reader = EventReader::open(folder.path()).expect("a reader");
        let verification = reader.verify().expect("verified");
        assert!(verification.is_sound() && verification.events == events as u64, "{verification:?}");

        // What was acknowledged is known: the same entry again gets its first eventID.
        let known = reader.events(&EventFilter::default()).expect("events").swap_remove(40);
        let again = |source: &str| NewEvent {
            id: known.id.clone(),
            event_id: "another".to_owned(),
            checksum: known.checksum,
            event_time: known.event_time,
            source: source.to_owned(),
            name: known.name.clone(),
            principal: known.principal.clone(),
            data: known.event_data.clone(),
        };
        let retried = store.put(known.channel_arn.clone(), vec![again(&known.source)]).await.expect("judged");
        assert_eq!(retried, [Stored::Before { event_id: known.event_id.clone() }]);
        let other_source = store.put(known.channel_arn.clone(), vec![again("new.example.com")]).await.expect("judged");
        assert_eq!(other_source, [Stored::New]);
        drop(store);
        drop(open(folder.path()).expect("a second start, with the start's check"));
    }
}

#[test]
fn a_migration_that_fails_leaves_the_database_as_it_was() {
    let folder = folder();
    let path = folder.path().join("lake.db");
    std::fs::write(&path, VERSION_1).expect("written");
    let database = Connection::open(&path).expect("a connection");
    // Version 1 has no two rows with one id; without its index, a damaged database may.
    database
        .execute_batch(
            "DROP INDEX events_by_id; UPDATE events SET id = 'same', event_source = 'same', channel = 1 WHERE seq < 3;
             CREATE INDEX events_by_id ON events (id, channel)",
        )
        .expect("changed");
    drop(database);
    let before = rows(&path);
    open(folder.path()).expect_err("two events are one");
    assert_eq!(rows(&path), before);
    let database = Connection::open(&path).expect("a connection");
    let version: i64 = database.pragma_query_value(None, "user_version", |row| row.get(0)).expect("a version");
    assert_eq!(version, 1);
}

#[tokio::test]
async fn retention_deletes_by_event_time_the_oldest_first() {
    let folder = folder();
    let store = open(folder.path()).expect("a store");
    let events = [("new", "2026-11-21T10:15:30Z"), ("old", "2020-01-01T00:00:00Z"), ("older", "2019-01-01T00:00:00Z")];
    store.put(CHANNEL, events.map(|(id, time)| event_at(id, time)).into()).await.expect("stored");
    let before = EventTime::from_static("2026-01-01T00:00:00Z");
    let prune = |before, at_most| store.prune(EventTime::now(), before, at_most);
    assert_eq!(prune(before, 1).await.expect("pruned"), Pruned::Deleted(1));
    assert_eq!(ids(folder.path()), ["new", "old"]);
    assert_eq!(prune(before, 10).await.expect("pruned"), Pruned::Deleted(1));
    assert_eq!(prune(before, 10).await.expect("pruned"), Pruned::Deleted(0));
    assert_eq!(ids(folder.path()), ["new"]);
}

#[tokio::test]
async fn a_step_of_retention_that_fails_says_nothing_of_storing_and_neither_does_one_that_works() {
    let folder = folder();
    let read_only = Arc::new(AtomicI64::new(0));
    let told = Arc::clone(&read_only);
    let store = open_prepared(
        folder.path(),
        Box::new(move |connection| connection.pragma_update(None, "query_only", told.load(Ordering::Relaxed))),
    );
    store.put(CHANNEL, vec![event("a")]).await.expect("stored");
    store.probe().await.expect("there is room");
    // While storing is known to fail, a probe writes a file as well, which it cannot where a folder stands.
    let obstacle = folder.path().join("lake.probe");
    std::fs::create_dir(&obstacle).expect("an obstacle");
    let before = EventTime::from_static("2027-01-01T00:00:00Z");

    let other = Connection::open(folder.path().join("lake.db")).expect("another connection");
    let trigger = "CREATE TRIGGER kept BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'kept'); END";
    other.execute_batch(trigger).expect("a trigger");
    store.prune(EventTime::now(), before, 1).await.expect_err("nothing can be deleted");
    store.probe().await.expect("storing never failed");

    read_only.store(1, Ordering::Relaxed);
    store.prune(EventTime::now(), before, 1).await.expect_err("nothing can be deleted");
    store.put(CHANNEL, vec![event("b")]).await.expect_err("nothing can be stored on a fresh connection");
    read_only.store(0, Ordering::Relaxed);
    other.execute_batch("DROP TRIGGER kept").expect("no trigger");
    assert_eq!(store.prune(EventTime::now(), before, 1).await.expect("pruned"), Pruned::Deleted(1));
    store.probe().await.expect_err("it has not been seen to store again");
}

#[tokio::test]
async fn filters_hold_together_and_a_limit_shows_the_last() {
    let folder = folder();
    let store = open(folder.path()).expect("a store");
    for (id, time) in [("a", "2026-01-01T00:00:00Z"), ("b", "2026-02-01T00:00:00Z"), ("c", "2026-03-01T00:00:00Z")] {
        store.put(CHANNEL, vec![event_at(id, time)]).await.expect("stored");
    }
    let reader = EventReader::open(folder.path()).expect("a reader");
    let shown = |change: fn(&mut EventFilter)| {
        let mut filter = EventFilter::default();
        change(&mut filter);
        let events = reader.events(&filter).expect("events");
        events.into_iter().map(|event| event.id).collect::<Vec<_>>().concat()
    };
    assert_eq!(shown(|_| {}), "abc");
    assert_eq!(shown(|filter| filter.since = Some(EventTime::from_static("2026-02-01T00:00:00Z"))), "bc");
    assert_eq!(shown(|filter| filter.until = Some(EventTime::from_static("2026-02-01T00:00:00Z"))), "a");
    assert_eq!(shown(|filter| filter.id = Some("b".to_owned())), "b");
    assert_eq!(shown(|filter| filter.source = Some("orders.example.com".to_owned())), "abc");
    assert_eq!(shown(|filter| filter.source = Some("' OR 1 --".to_owned())), "");
    assert_eq!(shown(|filter| filter.name = Some("Refund".to_owned())), "");
    assert_eq!(shown(|filter| filter.principal = Some("alice".to_owned())), "abc");
    assert_eq!(shown(|filter| filter.limit = Some(2)), "bc");
}

#[tokio::test]
async fn the_view_of_records_holds_what_the_reader_tells() {
    let folder = folder();
    let store = open(folder.path()).expect("a store");
    store.put(CHANNEL, vec![event("a")]).await.expect("stored");
    let events = EventReader::open(folder.path()).expect("a reader").events(&EventFilter::default()).expect("events");
    let database = Connection::open(folder.path().join("lake.db")).expect("a connection");
    let record: String = database.query_row("SELECT record FROM records", [], |row| row.get(0)).expect("a record");
    let record: serde_json::Value = serde_json::from_str(&record).expect("JSON");
    assert_eq!(record, events[0].record());
    assert_eq!(record, serde_json::from_str::<serde_json::Value>(&events[0].record_json()).expect("JSON"));
    assert_eq!(record["awsRegion"], "eu-west-1");
    assert_eq!(record["recipientAccountId"], "123456789012");
}

#[tokio::test]
async fn verification_finds_what_was_changed_and_nothing_on_a_sound_database() {
    let folder = folder();
    let store = open(folder.path()).expect("a store");
    store.put(CHANNEL, vec![event("a"), event("b"), event("c")]).await.expect("stored");
    let verify = || EventReader::open(folder.path()).expect("a reader").verify().expect("verified");
    let sound = verify();
    assert!(sound.is_sound(), "{sound:?}");
    assert_eq!((sound.events, sound.channels.as_slice()), (3, [(CHANNEL.to_string(), 3)].as_slice()));

    let database = Connection::open(folder.path().join("lake.db")).expect("a connection");
    database
        .execute("UPDATE events SET event_data = replace(event_data, 'alice', 'mallory') WHERE id = 'a'", [])
        .expect("changed");
    database.execute("UPDATE events SET principal_id = 'mallory' WHERE id = 'b'", []).expect("changed");
    let changed = verify();
    assert_eq!(changed.findings.len(), 2, "{changed:?}");
    assert!(changed.findings[0].contains("id a does not have its checksum"), "{changed:?}");
    assert!(
        changed.findings[1].contains("id b has columns that do not say what its data says: principal_id"),
        "{changed:?}"
    );
}

#[tokio::test]
async fn a_number_is_never_given_to_another_event() {
    let folder = folder();
    let store = open(folder.path()).expect("a store");
    let last = || {
        let database = Connection::open(folder.path().join("lake.db")).expect("a connection");
        database.query_row("SELECT max(seq) FROM events", [], |row| row.get::<_, Option<i64>>(0)).expect("a number")
    };
    store.put(CHANNEL, vec![event("a"), event("b")]).await.expect("stored");
    // What was there before and what has other data takes no number.
    let mut other = event("a");
    other.checksum = Checksum::of(b"other");
    store.put(CHANNEL, vec![event("a"), other, event("c")]).await.expect("judged");
    assert_eq!(last(), Some(3));
    let all = EventTime::from_static("2030-01-01T00:00:00Z");
    assert_eq!(store.prune(EventTime::now(), all, 10).await.expect("pruned"), Pruned::Deleted(3));
    assert_eq!(last(), None);
    drop(store);
    let store = open(folder.path()).expect("a store");
    store.put(CHANNEL, vec![event("a")]).await.expect("stored");
    assert_eq!(last(), Some(4));
}

#[tokio::test]
async fn a_copy_has_an_identity_of_its_own() {
    let (folder, other) = (folder(), folder());
    let identity = |folder: &Path| {
        let database = Connection::open(folder.join("lake.db")).expect("a connection");
        LakeRow::read(&database).expect("the row")
    };
    let store = open(folder.path()).expect("a store");
    store.put(CHANNEL, vec![event("a")]).await.expect("stored");
    EventReader::open(folder.path()).expect("a reader").backup(other.path().join("lake.db")).expect("a backup");
    let (lake, copy) = (identity(folder.path()), identity(other.path()));
    assert_eq!((lake.identity.len(), copy.identity.len()), (16, 16));
    assert_ne!(lake.identity, copy.identity);
    assert_eq!(LakeRow { identity: lake.identity.clone(), ..copy }, lake);
    drop(store);
    drop(open(folder.path()).expect("a store"));
    assert_eq!(identity(folder.path()), lake);
}

#[tokio::test]
async fn a_backup_is_a_lake_of_its_own() {
    let (folder, other) = (folder(), folder());
    let store = open(folder.path()).expect("a store");
    store.put(CHANNEL, vec![event("a"), event("b")]).await.expect("stored");
    let reader = EventReader::open(folder.path()).expect("a reader");
    let copy = other.path().join("lake.db");
    reader.backup(&copy).expect("a backup");
    assert!(matches!(reader.backup(&copy), Err(StoreError::Target { .. })), "it overwrites nothing");
    store.put(CHANNEL, vec![event("c")]).await.expect("stored");

    let restored = open(other.path()).expect("the copy as a store");
    assert_eq!(restored.put(CHANNEL, vec![event("a")]).await.expect("judged").len(), 1);
    assert_eq!(ids(other.path()), ["a", "b"]);
    assert!(EventReader::open(other.path()).expect("a reader").verify().expect("verified").is_sound());
}

#[test]
fn one_lake_at_a_time_works_in_a_folder() {
    let folder = folder();
    let first = open(folder.path()).expect("a store");
    assert!(matches!(open(folder.path()), Err(StoreError::InUse { .. })));
    drop(first);
    open(folder.path()).expect("free again");
}

#[test]
fn a_file_that_is_no_sound_lake_is_refused_with_what_to_do() {
    let refusal = |make: &dyn Fn(&Path)| {
        let folder = folder();
        make(&folder.path().join("lake.db"));
        open(folder.path()).expect_err("no lake")
    };
    let text = refusal(&|path| std::fs::write(path, vec![7; 100_000]).expect("written"));
    assert!(matches!(text, StoreError::Damaged { .. }) && text.to_string().contains("backup"), "{text}");
    let foreign = refusal(&|path| {
        Connection::open(path).and_then(|database| database.execute_batch("CREATE TABLE a (b)")).expect("a database");
    });
    assert!(matches!(foreign, StoreError::NotALake), "{foreign}");
    let newer = refusal(&|path| {
        Connection::open(path)
            .and_then(|database| database.execute_batch("PRAGMA application_id = 0x4C414B45; PRAGMA user_version = 99"))
            .expect("a database");
    });
    assert!(matches!(newer, StoreError::NewerSchema { found: 99, .. }), "{newer}");
    let missing = EventReader::open(folder().path()).expect_err("nothing there");
    assert!(matches!(missing, StoreError::NoDatabase { .. }), "{missing}");
}

#[tokio::test]
async fn a_database_with_a_hole_in_it_is_refused() {
    let folder = folder();
    let store = open(folder.path()).expect("a store");
    store.put(CHANNEL, (0..500).map(|at| event(&format!("e{at}"))).collect()).await.expect("stored");
    drop(store);
    let path = folder.path().join("lake.db");
    let mut bytes = std::fs::read(&path).expect("the file");
    let (from, to) = (bytes.len() / 2, bytes.len() / 2 + 20_000);
    bytes[from..to].fill(0xA5);
    std::fs::write(&path, bytes).expect("written");
    let error = open(folder.path()).expect_err("damaged");
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains("into an empty folder, without the old lake.db-wal"), "{error}");
}

#[tokio::test]
async fn a_log_without_its_database_is_never_deleted() {
    let (folder, moved) = (folder(), folder());
    let store = open(folder.path()).expect("a store");
    store.put(CHANNEL, vec![event("a")]).await.expect("stored");
    // As after a crash: the event is in the log alone.
    let log = moved.path().join("lake.db-wal");
    std::fs::copy(folder.path().join("lake.db-wal"), &log).expect("a log");
    std::fs::copy(folder.path().join("lake.db"), moved.path().join("kept.db")).expect("a database");
    let before = std::fs::read(&log).expect("the log");
    assert!(!before.is_empty());
    for database in [None, Some("")] {
        if let Some(contents) = database {
            std::fs::write(moved.path().join("lake.db"), contents).expect("an empty file");
        }
        let error = open(moved.path()).expect_err("refused");
        assert!(matches!(error, StoreError::LogWithoutDatabase { .. }), "{error}");
        assert!(error.to_string().contains("into an empty folder, without the old lake.db-wal"), "{error}");
        assert_eq!(std::fs::read(&log).expect("the log"), before);
    }
    std::fs::rename(moved.path().join("kept.db"), moved.path().join("lake.db")).expect("put back");
    drop(open(moved.path()).expect("a store"));
    assert_eq!(ids(moved.path()), ["a"]);
}
