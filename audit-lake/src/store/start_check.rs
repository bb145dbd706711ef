//! Whether a database looks sound enough to start on.
//!
//! Reading a database of 100 GB takes up to an hour. So a small one is read whole, and a bounded part of a large one, which shows the
//! usual damage: another program's file or one that was cut off (SQLite refuses both), a missing schema, an end that was never
//! written, an overwritten stretch. `audit-lake verify` finds the rest. If SQLite meets damage later, the request fails and nothing is
//! acknowledged.

use audit_core::Checksum;
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Row, params_from_iter};

use super::digest::{EVENT_COLUMN_COUNT, EVENT_COLUMNS};
use super::error::StoreError;
use super::lake_row::LakeRow;
use super::{digest, schema};

/// Up to this size a database is read whole.
pub(super) const WHOLE_BYTES: i64 = 64 * 1_024 * 1_024;
/// How many of the latest events are read: a torn write is among them.
const LATEST: u32 = 1_000;
/// How many of the others are read, evenly spread.
const SPREAD: i64 = 200;

/// Each index, with its columns.
const INDEXES: [(&str, &[&str]); 5] = [
    ("events_by_id", &["id", "event_source", "channel"]),
    ("events_by_time", &["event_time"]),
    ("events_by_source", &["event_source", "event_time"]),
    ("events_by_name", &["event_name", "event_time"]),
    ("events_by_principal", &["principal_id", "event_time"]),
];

/// Finds an event in an index, by `seq` and the index's columns: one search of the tree, also where many events have the
/// same values.
fn find_in(index: &str, columns: &[&str]) -> String {
    let columns = columns.join(" = ? AND ");
    format!("SELECT count(*) FROM events INDEXED BY {index} WHERE {columns} = ? AND seq = ?")
}

/// Checks a database; all of it, up to a size in bytes.
pub(super) fn check(connection: &Connection, whole_bytes: i64) -> Result<(), StoreError> {
    let version = schema::checked_version(connection)?;
    let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
    let page_bytes: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
    // A damaged database must not be migrated.
    if pages.saturating_mul(page_bytes) <= whole_bytes || version < schema::VERSION {
        quick_check(connection)?;
    }
    if version < schema::VERSION {
        return Ok(());
    }
    LakeRow::read(connection).and_then(|_| check_events(connection)).map_err(as_damage)
}

/// Reads through the structure of the whole database, without its indexes' contents.
fn quick_check(connection: &Connection) -> Result<(), StoreError> {
    let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if found == "ok" { Ok(()) } else { Err(StoreError::Damaged { what: found }) }
}

/// What SQLite finds wrong with a statement of this crate is wrong with the schema.
pub(super) fn as_damage(error: StoreError) -> StoreError {
    match error {
        StoreError::Database(error) if error.is_general() => StoreError::Damaged { what: error.to_string() },
        other => other,
    }
}

/// Reads the latest events and some of the others: each must have its checksum and its digest, and be in every index.
fn check_events(connection: &Connection) -> Result<(), StoreError> {
    let columns = INDEXES.map(|(_, columns)| columns.join(", ")).join(", ");
    let select = format!("SELECT {EVENT_COLUMNS}, event_data, digest, {columns} FROM events");
    let mut indexed = Vec::with_capacity(INDEXES.len());
    for (index, columns) in INDEXES {
        indexed.push((index, columns.len(), connection.prepare(&find_in(index, columns))?));
    }
    let mut check_row = |row: &Row<'_>| -> Result<(), StoreError> {
        let seq: i64 = row.get(0)?;
        let damaged = |what: &str| Err(StoreError::Damaged { what: format!("the event with seq {seq} {what}") });
        let (checksum, data): (String, String) = (row.get("checksum")?, row.get(EVENT_COLUMN_COUNT)?);
        if Checksum::of(data.as_bytes()).to_string() != checksum {
            return damaged("does not have its checksum: its data was changed");
        }
        if row.get_ref(EVENT_COLUMN_COUNT + 1)? != ValueRef::Blob(&digest::of_event(row)?) {
            return damaged("does not have its digest: a column was changed");
        }
        let mut column = EVENT_COLUMN_COUNT + 2;
        for (index, columns, statement) in &mut indexed {
            let next = column + *columns;
            let mut key: Vec<Value> = (column..next).map(|at| row.get(at)).collect::<Result<_, _>>()?;
            key.push(Value::Integer(seq));
            column = next;
            let found: i64 = statement.query_row(params_from_iter(key), |row| row.get(0))?;
            if found != 1 {
                return damaged(&format!("is not in the index {index}"));
            }
        }
        Ok(())
    };

    let mut latest = connection.prepare(&format!("{select} ORDER BY seq DESC LIMIT ?1"))?;
    let mut rows = latest.query([LATEST])?;
    while let Some(row) = rows.next()? {
        check_row(row)?;
    }
    let ends = |end: &str| connection.query_row(&format!("SELECT {end}(seq) FROM events"), [], |row| row.get(0));
    let (Some(first), Some(last)): (Option<i64>, Option<i64>) = (ends("min")?, ends("max")?) else { return Ok(()) };
    let mut spread = connection.prepare(&format!("{select} WHERE seq >= ?1 ORDER BY seq LIMIT 1"))?;
    let stride = (last.saturating_sub(first) / SPREAD).max(1);
    for at in 0..SPREAD {
        let mut rows = spread.query([first.saturating_add(stride.saturating_mul(at))])?;
        let Some(row) = rows.next()? else { break };
        check_row(row)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::path::{Path, PathBuf};

    use rusqlite::{Connection, params_from_iter};
    use tempfile::TempDir;

    use super::super::folder::open_for_writing;
    use super::super::tests::{CHANNEL, event, open};
    use super::super::{EventReader, StoreError, schema};
    use super::{INDEXES, WHOLE_BYTES, check, find_in};

    /// A closed database of 2,400 events, of which every 11th is read from seq 1 on, and the last 1,000.
    async fn closed() -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let store = open(folder.path()).expect("a store");
        store.put(CHANNEL, (0..2_400).map(|at| event(&format!("e{at}"))).collect()).await.expect("stored");
        drop(store);
        let path = folder.path().join("lake.db");
        (folder, path)
    }

    /// What the check says of a database that it takes for a large one.
    fn as_large(path: &Path) -> Result<(), StoreError> {
        check(&open_for_writing(path)?, 0)
    }

    fn sql(path: &Path, statements: &str) {
        Connection::open(path).and_then(|database| database.execute_batch(statements)).expect(statements);
    }

    fn overwrite(path: &Path, from_part: usize, parts: usize, byte: u8) {
        let mut bytes = fs::read(path).expect("the file");
        let part = bytes.len() / parts;
        bytes[from_part * part..(from_part + 1) * part].fill(byte);
        fs::write(path, bytes).expect("written");
    }

    #[tokio::test]
    async fn a_large_database_is_refused_if_any_larger_part_of_it_is_damaged() {
        let (_folder, path) = closed().await;
        as_large(&path).expect("sound");
        let sound = fs::read(&path).expect("the file");
        let damages: [(&str, &dyn Fn()); 8] = [
            ("cut off", &|| {
                let file = File::options().write(true).open(&path).expect("the file");
                file.set_len(sound.len() as u64 / 10 * 9).expect("cut");
            }),
            ("a tail of zeros", &|| overwrite(&path, 49, 50, 0)),
            ("a stretch in the middle", &|| overwrite(&path, 24, 50, 0xA5)),
            ("a stretch at the start", &|| overwrite(&path, 0, 1_000, 0xA5)),
            ("data of a late event", &|| sql(&path, "UPDATE events SET event_data = '{}' WHERE seq = 2000")),
            ("data of one that is read", &|| sql(&path, "UPDATE events SET event_data = '{}' WHERE seq = 23")),
            ("an index that is not there", &|| sql(&path, "DROP INDEX events_by_name")),
            ("an index that lacks events", &|| {
                let definition = "INDEX events_by_name ON events (event_name, event_time)";
                sql(
                    &path,
                    &format!(
                        "DROP INDEX events_by_name; CREATE {definition} WHERE seq < 100; PRAGMA writable_schema = ON;
                         UPDATE sqlite_schema SET sql = 'CREATE {definition}' WHERE name = 'events_by_name'"
                    ),
                );
            }),
        ];
        for (what, damage) in damages {
            damage();
            let error = as_large(&path).expect_err(what);
            assert!(matches!(error, StoreError::Damaged { .. }), "{what}: {error}");
            assert!(error.to_string().contains("audit-lake backup"), "{what}: {error}");
            fs::write(&path, &sound).expect("sound again");
        }
        as_large(&path).expect("sound again");
    }

    #[tokio::test]
    async fn what_a_bounded_check_misses_the_whole_verification_finds() {
        let (folder, path) = closed().await;
        sql(&path, "UPDATE events SET event_data = '{}' WHERE seq = 24");
        as_large(&path).expect("it is not among those that are read");
        let found = EventReader::open(folder.path()).expect("a reader").verify().expect("verified");
        assert_eq!(found.findings.len(), 1, "{found:?}");
    }

    #[test]
    fn a_schema_that_is_not_there_is_damage() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lake.db");
        sql(&path, &format!("PRAGMA application_id = 0x4C414B45; PRAGMA user_version = {}", schema::VERSION));
        for whole_bytes in [0, WHOLE_BYTES] {
            let error = check(&open_for_writing(&path).expect("opened"), whole_bytes).expect_err("no tables");
            assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
        }
        for version in 1..schema::VERSION {
            sql(&path, &format!("PRAGMA user_version = {version}"));
            let error = open(folder.path()).expect_err("no tables to migrate");
            assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
        }
    }

    #[tokio::test]
    async fn finding_an_event_in_an_index_takes_one_way_down_its_tree() {
        let (_folder, path) = closed().await;
        let database = open_for_writing(&path).expect("opened");
        for (index, columns) in INDEXES {
            let key = vec![1; columns.len() + 1];
            let plan: String = database
                .query_row(&format!("EXPLAIN QUERY PLAN {}", find_in(index, columns)), params_from_iter(key), |row| {
                    row.get(3)
                })
                .expect("a plan");
            assert!(plan.starts_with("SEARCH") && plan.ends_with("AND rowid=?)"), "{plan}");
        }
    }
}
