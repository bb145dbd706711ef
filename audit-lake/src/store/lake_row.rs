//! The one row of the table `lake`: what the database says of itself.

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use super::digest::{self, RowDigest};
use super::error::StoreError;

/// The row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LakeRow {
    /// What no other database has. With `seq` it names an event for ever.
    pub(super) identity: Vec<u8>,
    /// The highest `seq` that an event ever had. None is used again.
    pub(super) last_seq: i64,
    /// The time of the latest commit at which the clock was plausible.
    pub(super) clock: Option<i64>,
    /// The time that an operator confirmed.
    pub(super) confirmed: Option<i64>,
}

impl LakeRow {
    /// The row of a database that has none.
    pub(super) fn insert_new(connection: &Connection) -> Result<(), StoreError> {
        let newest = connection
            .query_row("SELECT seq, ingestion_time FROM events ORDER BY seq DESC LIMIT 1", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        let (last_seq, clock) = newest.map_or((0, None), |(seq, time)| (seq, Some(time)));
        connection.execute("INSERT INTO lake (one, identity, last_seq, digest) VALUES (1, x'', 0, x'')", [])?;
        Self { identity: new_identity(), last_seq, clock, confirmed: None }.write(connection)
    }

    /// Reads the row.
    pub(super) fn read(connection: &Connection) -> Result<Self, StoreError> {
        let damaged = |what: &str| StoreError::Damaged { what: format!("the row of the table lake {what}") };
        let columns: Option<(Vec<Value>, Value)> = connection
            .query_row("SELECT one, identity, last_seq, clock, confirmed, digest FROM lake", [], |row| {
                Ok(((0..5).map(|at| row.get(at)).collect::<Result<_, _>>()?, row.get(5)?))
            })
            .optional()?;
        let (columns, digest) = columns.ok_or_else(|| damaged("is missing"))?;
        if digest != Value::Blob(digest::of_row("lake", columns.iter().map(ValueRef::from)).into()) {
            return Err(damaged("does not have its digest: it was changed"));
        }
        let time = |value| match value {
            Value::Null => Some(None),
            Value::Integer(time) => Some(Some(time)),
            _ => None,
        };
        match <[Value; 5]>::try_from(columns) {
            Ok([_, Value::Blob(identity), Value::Integer(last_seq), clock, confirmed]) => {
                time(clock).zip(time(confirmed)).map(|(clock, confirmed)| Self { identity, last_seq, clock, confirmed })
            }
            _ => None,
        }
        .ok_or_else(|| damaged("has values of other types"))
    }

    /// Writes the row with its digest.
    pub(super) fn write(&self, connection: &Connection) -> Result<(), StoreError> {
        connection.execute(
            "UPDATE lake SET identity = ?1, last_seq = ?2, clock = ?3, confirmed = ?4, digest = ?5",
            params![self.identity, self.last_seq, self.clock, self.confirmed, self.digest()],
        )?;
        Ok(())
    }

    /// Makes the database another one, as a copy must be: both go on with the same `seq`.
    pub(super) fn renew_identity(connection: &Connection) -> Result<(), StoreError> {
        Self { identity: new_identity(), ..Self::read(connection)? }.write(connection)
    }

    fn digest(&self) -> RowDigest {
        let integer = |number: Option<i64>| number.map_or(ValueRef::Null, ValueRef::Integer);
        let columns = [
            ValueRef::Integer(1),
            ValueRef::Blob(&self.identity),
            ValueRef::Integer(self.last_seq),
            integer(self.clock),
            integer(self.confirmed),
        ];
        digest::of_row("lake", columns)
    }
}

fn new_identity() -> Vec<u8> {
    Uuid::new_v4().into_bytes().into()
}
