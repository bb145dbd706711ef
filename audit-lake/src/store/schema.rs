//! The database's schema, its version, and the steps from one version to the next.

use std::collections::BTreeMap;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::digest;
use super::error::StoreError;
use super::lake_row::LakeRow;

/// Marks a file as a lake's (`PRAGMA application_id`): "LAKE" in ASCII.
const APPLICATION_ID: i32 = 0x4C41_4B45;

/// A step from one version to the next.
struct Step {
    sql: &'static str,
    /// What SQL alone cannot do.
    fill: fn(&Transaction<'_>) -> Result<(), StoreError>,
}

/// Step `n` leads from version `n` to version `n + 1` (`PRAGMA user_version`). A step that was released is never changed;
/// what comes later is a step of its own.
const MIGRATIONS: &[Step] = &[
    Step { sql: include_str!("migrations/1.sql"), fill: |_| Ok(()) },
    Step { sql: include_str!("migrations/2.sql"), fill: |_| Ok(()) },
    Step {
        sql: include_str!("migrations/3.sql"),
        fill: |transaction| {
            LakeRow::insert_new(transaction)?;
            digest::fill(transaction)
        },
    },
];

/// The version that this program writes.
pub(crate) const VERSION: usize = MIGRATIONS.len();

/// Brings a database up to [`VERSION`], each step in a transaction of its own.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    loop {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let version = checked_version(&transaction)?;
        let Some(step) = MIGRATIONS.get(version) else { return Ok(()) };
        transaction.execute_batch(step.sql)?;
        (step.fill)(&transaction)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", i64::try_from(version + 1).unwrap_or(i64::MAX))?;
        transaction.commit()?;
        tracing::info!(from = version, to = version + 1, "migrated the database's schema");
    }
}

/// The version of a database that this program can read, or why it cannot. An empty file has version 0.
pub(super) fn checked_version(connection: &Connection) -> Result<usize, StoreError> {
    let application: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables > 0 && application != APPLICATION_ID {
        return Err(StoreError::NotALake);
    }
    match usize::try_from(version) {
        Ok(version) if version <= VERSION => Ok(version),
        _ => Err(StoreError::NewerSchema { found: version, known: VERSION }),
    }
}

/// The statements that made each table, index and view, by its name; without comments and white space.
pub(super) type Objects = BTreeMap<String, String>;

/// What the database holds.
pub(super) fn objects(connection: &Connection) -> Result<Objects, StoreError> {
    let mut select = connection.prepare("SELECT type || ' ' || name, sql FROM sqlite_schema WHERE sql IS NOT NULL")?;
    let objects = select.query_map([], |row| Ok((row.get(0)?, without_comments(&row.get::<_, String>(1)?))))?;
    Ok(objects.collect::<Result<_, _>>()?)
}

/// What a database of [`VERSION`] holds.
pub(super) fn expected_objects() -> Result<Objects, StoreError> {
    let connection = Connection::open_in_memory()?;
    for step in MIGRATIONS {
        connection.execute_batch(step.sql)?;
    }
    objects(&connection)
}

fn without_comments(sql: &str) -> String {
    let code = sql.lines().map(|line| line.split_once("--").map_or(line, |(code, _)| code));
    code.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}
