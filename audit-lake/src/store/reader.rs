//! Reading what is stored, beside the writer.

use std::net::IpAddr;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use audit_core::{ChannelArn, Checksum, EventTime};
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};

use super::error::StoreError;
use super::event::StoredEvent;
use super::folder::open_for_reading;

/// Which events to show: those for which every field that is set holds. Nothing set: all events.
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
    /// Those of this channel: its ARN, or its ID.
    pub channel: Option<String>,
    /// Those whose `sourceIPAddress` is this address, however it is written.
    pub source_ip: Option<IpAddr>,
    /// Those of actions that failed ([`Outcome::Failure`]).
    ///
    /// [`Outcome::Failure`]: crate::Outcome::Failure
    pub failed: bool,
    /// Only the last ones, up to this number, in the order of ingestion.
    pub limit: Option<u32>,
}

impl EventFilter {
    /// Conditions on columns, and their values.
    fn conditions(&self) -> (Vec<&'static str>, Vec<Value>) {
        let text = |text: &String| Value::Text(text.clone());
        // Both bounds, also where one is given: SQLite reads the whole table for one of them rather than use the index.
        let timed = self.since.is_some() || self.until.is_some();
        let bound = |time: Option<EventTime>, none: i64| {
            timed.then(|| Value::Integer(time.map_or(none, EventTime::unix_seconds)))
        };
        [
            ("event_time >= ?", bound(self.since, i64::MIN)),
            ("event_time < ?", bound(self.until, i64::MAX)),
            ("event_source = ?", self.source.as_ref().map(text)),
            ("event_name = ?", self.name.as_ref().map(text)),
            ("principal_id = ?", self.principal.as_ref().map(text)),
            ("id = ?", self.id.as_ref().map(text)),
            (
                "channel IN (SELECT channel FROM channels WHERE ? IN (arn, substr(arn, instr(arn, ':channel/') + 9)))",
                self.channel.as_ref().map(text),
            ),
        ]
        .into_iter()
        .filter_map(|(condition, value)| Some((condition, value?)))
        .unzip()
    }

    /// Whether an event's data has to be read to know whether the event passes.
    fn reads_data(&self) -> bool {
        self.failed || self.source_ip.is_some()
    }

    /// Whether an event passes by what its data says. Its columns have passed.
    fn passes(&self, event: &StoredEvent) -> bool {
        let address = |address: IpAddr| {
            let fields = event.fields().ok();
            fields.and_then(|fields| fields.source_ip).map(|ip| ip.to_canonical()) == Some(address.to_canonical())
        };
        self.source_ip.is_none_or(address) && (!self.failed || event.outcome().is_failure())
    }
}

/// What [`stored_event`] reads, of events in the order in which they are found.
const EVENTS: &str = "SELECT seq, event_id, id, event_data, checksum, arn, ingestion_time, event_time, event_source, \
                      event_name, principal_id FROM events CROSS JOIN channels USING (channel)";

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
    folder: PathBuf,
    connection: Connection,
}

impl EventReader {
    /// Opens the database of a data folder.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, StoreError> {
        let folder = folder.as_ref();
        Ok(Self::over(folder, open_for_reading(folder)?))
    }

    pub(super) fn over(folder: &Path, connection: Connection) -> Self {
        Self { folder: folder.to_owned(), connection }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Shows each event that passes the filter, in the order of ingestion, until `show` says stop. It holds one event at a
    /// time in memory.
    pub fn for_each(
        &self,
        filter: &EventFilter,
        mut show: impl FnMut(StoredEvent) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        // One snapshot for all queries, until this is dropped. `show` may call this again, within the same snapshot.
        let _snapshot = self.connection.is_autocommit().then(|| self.connection.unchecked_transaction()).transpose()?;
        let (mut conditions, mut values) = filter.conditions();
        if let Some(limit) = filter.limit {
            let Some(first) = self.first_of_last(filter, limit)? else { return Ok(()) };
            conditions.push("seq >= ?");
            values.push(Value::Integer(first));
        }
        let mut passing = |event: StoredEvent| {
            if !filter.reads_data() || filter.passes(&event) { show(event) } else { ControlFlow::Continue(()) }
        };
        if conditions.is_empty() {
            let mut statement = self.connection.prepare(&format!("{EVENTS} ORDER BY seq"))?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                if passing(stored_event(row)?).is_break() {
                    break;
                }
            }
            return Ok(());
        }
        // What an index finds is not in the order of ingestion. So the rows' numbers are sorted, and not the events.
        let mut find = self.connection.prepare(&find_rows(&conditions, "ORDER BY seq"))?;
        let mut get = self.connection.prepare(&format!("{EVENTS} WHERE seq = ?"))?;
        let mut numbers = find.query(params_from_iter(values))?;
        while let Some(number) = numbers.next()? {
            let seq: i64 = number.get(0)?;
            let event = get.query_row([seq], |row| Ok(stored_event(row)))??;
            if passing(event).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// The row's number of the first of the last `limit` events that pass.
    fn first_of_last(&self, filter: &EventFilter, limit: u32) -> Result<Option<i64>, StoreError> {
        let (conditions, values) = filter.conditions();
        let mut find = self.connection.prepare(&find_rows(&conditions, "ORDER BY seq DESC"))?;
        let mut get = self.connection.prepare(&format!("{EVENTS} WHERE seq = ?"))?;
        let mut numbers = find.query(params_from_iter(values))?;
        let (mut first, mut left) = (None, limit);
        while left > 0
            && let Some(number) = numbers.next()?
        {
            let seq: i64 = number.get(0)?;
            if !filter.reads_data() || filter.passes(&get.query_row([seq], |row| Ok(stored_event(row)))??) {
                first = Some(seq);
                left -= 1;
            }
        }
        Ok(first)
    }

    /// All events that pass the filter.
    pub fn events(&self, filter: &EventFilter) -> Result<Vec<StoredEvent>, StoreError> {
        let mut events = Vec::new();
        self.for_each(filter, |event| {
            events.push(event);
            ControlFlow::Continue(())
        })?;
        Ok(events)
    }
}

/// The query of the rows' numbers for which all conditions hold.
fn find_rows(conditions: &[&str], order: &str) -> String {
    let conditions = if conditions.is_empty() { "TRUE".to_owned() } else { conditions.join(" AND ") };
    format!("SELECT seq FROM events WHERE {conditions} {order}")
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

#[cfg(test)]
mod tests {
    use audit_core::EventTime;
    use rusqlite::params_from_iter;

    use super::super::tests::open;
    use super::{EventFilter, EventReader, find_rows};

    #[tokio::test]
    async fn every_search_uses_an_index() {
        let folder = tempfile::tempdir().expect("a folder");
        let _store = open(folder.path()).expect("a store");
        let reader = EventReader::open(folder.path()).expect("a reader");
        let time = Some(EventTime::from_static("2026-11-21T10:15:30Z"));
        let text = Some("a".to_owned());
        for filter in [
            EventFilter { since: time, ..EventFilter::default() },
            EventFilter { until: time, ..EventFilter::default() },
            EventFilter { since: time, channel: text.clone(), failed: true, ..EventFilter::default() },
            EventFilter { source: text.clone(), ..EventFilter::default() },
            EventFilter { name: text.clone(), ..EventFilter::default() },
            EventFilter { principal: text.clone(), until: time, ..EventFilter::default() },
            EventFilter { id: text.clone(), ..EventFilter::default() },
        ] {
            for order in ["ORDER BY seq", "ORDER BY seq DESC"] {
                let (conditions, values) = filter.conditions();
                let explain = format!("EXPLAIN QUERY PLAN {}", find_rows(&conditions, order));
                let plan: String =
                    reader.connection.query_row(&explain, params_from_iter(values), |row| row.get(3)).expect("a plan");
                assert!(plan.starts_with("SEARCH events USING "), "{filter:?}: {plan}");
                assert!(plan.contains("INDEX"), "{filter:?}: {plan}");
            }
        }
    }
}
