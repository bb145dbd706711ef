//! The database's schema, its version, and the steps from one version to the next.

use rusqlite::{Connection, TransactionBehavior};

use super::error::StoreError;

/// Marks a file as a lake's (`PRAGMA application_id`): "LAKE" in ASCII.
const APPLICATION_ID: i32 = 0x4C41_4B45;

/// Step `n` leads from version `n` to version `n + 1` (`PRAGMA user_version`). A step that was released is never changed;
/// what comes later is a step of its own.
const MIGRATIONS: &[&str] =
    &[include_str!("migrations/1.sql"), include_str!("migrations/2.sql"), include_str!("migrations/3.sql")];

/// The version that this program writes.
pub(crate) const VERSION: usize = MIGRATIONS.len();

/// Brings a database up to [`VERSION`], each step in a transaction of its own.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    loop {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let version = checked_version(&transaction)?;
        let Some(step) = MIGRATIONS.get(version) else { return Ok(()) };
        transaction.execute_batch(step)?;
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
