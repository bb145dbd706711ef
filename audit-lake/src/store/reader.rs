//! Reading what is stored, beside the writer.

use std::path::Path;

use audit_core::{ChannelArn, Checksum, EventTime};
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};

use super::error::StoreError;
use super::event::StoredEvent;
use super::folder::open_for_reading;

/// Which events to show. Empty: all of them. What is set must all hold.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct EventFilter {
    /// Those that happened at this time or later.
    pub since: Option<EventTime>,
    /// Those that happened before this time.
    pub until: Option<EventTime>,
    /// Those of this `eventSource`.
    pub source: Option<String>,
    /// Those of this `eventName`.
    pub name: Option<String>,
    /// Those of this `userIdentity.principalId`.
    pub principal: Option<String>,
    /// Those whose entry has this `id`.
    pub id: Option<String>,
    /// Only the last ones, up to this number, in the order of ingestion.
    pub limit: Option<u32>,
}

impl EventFilter {
    fn conditions(&self) -> (Vec<&'static str>, Vec<Value>) {
        let text = |text: &String| Value::Text(text.clone());
        let time = |time: &EventTime| Value::Integer(time.unix_seconds());
        [
            ("event_time >= ?", self.since.as_ref().map(time)),
            ("event_time < ?", self.until.as_ref().map(time)),
            ("event_source = ?", self.source.as_ref().map(text)),
            ("event_name = ?", self.name.as_ref().map(text)),
            ("principal_id = ?", self.principal.as_ref().map(text)),
            ("id = ?", self.id.as_ref().map(text)),
        ]
        .into_iter()
        .filter_map(|(condition, value)| Some((condition, value?)))
        .unzip()
    }
}

/// Reads what a lake holds, beside the lake that works in the folder or without one. It sees what was committed when a
/// query begins.
///
/// ```no_run
/// use audit_lake::{EventFilter, EventReader};
///
/// let mut filter = EventFilter::default();
/// filter.source = Some("orders.example.com".to_owned());
/// for event in EventReader::open("/var/lib/lake")?.events(&filter)? {
///     println!("{} {}", event.event_time, event.name);
/// }
/// # Ok::<(), audit_lake::StoreError>(())
/// ```
#[derive(Debug)]
pub struct EventReader {
    connection: Connection,
}

impl EventReader {
    /// Opens the database of a data folder.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, StoreError> {
        Ok(Self { connection: open_for_reading(folder.as_ref())? })
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Shows each event that passes the filter, in the order of ingestion, until `show` says stop.
    pub fn for_each(
        &self,
        filter: &EventFilter,
        mut show: impl FnMut(StoredEvent) -> std::ops::ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let (conditions, mut values) = filter.conditions();
        let mut query =
            "SELECT seq, event_id, id, event_data, checksum, arn, ingestion_time, event_time, event_source, \
                         event_name, principal_id FROM events JOIN channels USING (channel)"
                .to_owned();
        for (at, condition) in conditions.iter().enumerate() {
            query.push_str(if at == 0 { " WHERE " } else { " AND " });
            query.push_str(condition);
        }
        if let Some(limit) = filter.limit {
            query = format!("SELECT * FROM ({query} ORDER BY seq DESC LIMIT ?)");
            values.push(Value::Integer(limit.into()));
        }
        query.push_str(" ORDER BY seq");
        let mut statement = self.connection.prepare(&query)?;
        let mut rows = statement.query(params_from_iter(values))?;
        while let Some(row) = rows.next()? {
            if show(stored_event(row)?).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// All events that pass the filter.
    pub fn events(&self, filter: &EventFilter) -> Result<Vec<StoredEvent>, StoreError> {
        let mut events = Vec::new();
        self.for_each(filter, |event| {
            events.push(event);
            std::ops::ControlFlow::Continue(())
        })?;
        Ok(events)
    }
}

fn stored_event(row: &Row<'_>) -> Result<StoredEvent, StoreError> {
    let seq: i64 = row.get(0)?;
    let damaged =
        |column: &str| StoreError::Damaged { what: format!("the event with seq {seq} has an impossible {column}") };
    let checksum: String = row.get(4)?;
    let arn: String = row.get(5)?;
    let time = |seconds: i64, column| EventTime::from_unix_seconds(seconds).ok_or_else(|| damaged(column));
    Ok(StoredEvent {
        event_id: row.get(1)?,
        id: row.get(2)?,
        event_data: row.get(3)?,
        checksum: Checksum::try_from(checksum.as_str()).map_err(|_| damaged("checksum"))?,
        channel_arn: ChannelArn::try_from(arn.as_str()).map_err(|_| damaged("channel"))?,
        ingestion_time: time(row.get(6)?, "ingestion_time")?,
        event_time: time(row.get(7)?, "event_time")?,
        source: row.get(8)?,
        name: row.get(9)?,
        principal: row.get(10)?,
    })
}
