//! The digest that each row has over its columns, so that `verify` finds every change. docs/lake.md has its format.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, Transaction, params};
use sha2::{Digest, Sha256};

use super::error::StoreError;

/// The columns of `events` that its digest covers. `event_data` has `checksum`.
pub(super) const EVENT_COLUMNS: &str = "seq, channel, id, event_id, checksum, event_time, ingestion_time, event_source, \
                                        event_name, principal_id";
/// How many they are.
pub(super) const EVENT_COLUMN_COUNT: usize = 10;

pub(super) type RowDigest = [u8; 32];

/// The digest of a row: the name of its table, then its values.
pub(super) fn of_row<'v>(table: &'v str, values: impl IntoIterator<Item = ValueRef<'v>>) -> RowDigest {
    of_row_with(&mut Vec::new(), table, values)
}

/// [`of_row`] with memory that is used again.
pub(super) fn of_row_with<'v>(
    memory: &mut Vec<u8>,
    table: &'v str,
    values: impl IntoIterator<Item = ValueRef<'v>>,
) -> RowDigest {
    memory.clear();
    for value in std::iter::once(ValueRef::Text(table.as_bytes())).chain(values) {
        let (mark, number, bytes): (u8, u64, &[u8]) = match value {
            ValueRef::Null => (b'N', 0, &[]),
            ValueRef::Integer(number) => (b'I', number.cast_unsigned(), &[]),
            ValueRef::Real(number) => (b'R', number.to_bits(), &[]),
            ValueRef::Text(text) => (b'T', text.len() as u64, text),
            ValueRef::Blob(bytes) => (b'B', bytes.len() as u64, bytes),
        };
        memory.push(mark);
        memory.extend_from_slice(&number.to_be_bytes());
        memory.extend_from_slice(bytes);
    }
    Sha256::digest(&memory).into()
}

/// The digest of a row of `events`, of which the first columns are [`EVENT_COLUMNS`].
pub(super) fn of_event(row: &Row<'_>) -> rusqlite::Result<RowDigest> {
    Ok(of_row("events", (0..EVENT_COLUMN_COUNT).map(|at| row.get_ref(at)).collect::<Result<Vec<_>, _>>()?))
}

/// The digest of a row of `channels`.
pub(super) fn of_channel(channel: i64, arn: &str) -> RowDigest {
    of_row("channels", [ValueRef::Integer(channel), arn.into()])
}

/// How many rows are read before they are given their digests.
const FILLED_AT_ONCE: i64 = 1_000;
/// After how many events a log line says how far it is.
const TOLD_EVERY: u64 = 1_000_000;

/// Gives every row of a database of an older schema its digest.
pub(super) fn fill(transaction: &Transaction<'_>) -> Result<(), StoreError> {
    fill_channels(transaction)?;
    let mut select = transaction
        .prepare(&format!("SELECT {EVENT_COLUMNS} FROM events WHERE seq > ?1 ORDER BY seq LIMIT {FILLED_AT_ONCE}"))?;
    let mut update = transaction.prepare("UPDATE events SET digest = ?2 WHERE seq = ?1")?;
    let (mut last, mut filled) = (i64::MIN, 0_u64);
    loop {
        let digests: Vec<(i64, RowDigest)> =
            select.query_map([last], |row| Ok((row.get(0)?, of_event(row)?)))?.collect::<Result<_, _>>()?;
        let Some(&(seq, _)) = digests.last() else { return Ok(()) };
        last = seq;
        for (seq, digest) in digests {
            update.execute(params![seq, digest])?;
            filled += 1;
            if filled.is_multiple_of(TOLD_EVERY) {
                tracing::info!(events = filled, "migrating the database's schema");
            }
        }
    }
}

fn fill_channels(connection: &Connection) -> Result<(), StoreError> {
    let mut select = connection.prepare("SELECT channel, arn FROM channels")?;
    let channels: Vec<(i64, String)> =
        select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    for (channel, arn) in channels {
        let digest = of_channel(channel, &arn);
        connection.execute("UPDATE channels SET digest = ?2 WHERE channel = ?1", params![channel, digest])?;
    }
    Ok(())
}
