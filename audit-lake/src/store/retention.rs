//! Deletes events that are past their retention, unless the clock is implausible.
//!
//! A clock that is years ahead makes every event look old. So nothing is deleted while the clock is more than 31 days beyond the
//! last time that is known to be right. An event that comes in then does not make that time right, although its ingestion time is
//! the clock's: `clock` of the table `lake` moves on only by plausible steps. After a pause of more than 31 days the lake cannot
//! tell whether its clock is right, and waits for an operator.

use std::fmt;
use std::path::Path;

use audit_core::EventTime;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::error::StoreError;
use super::folder::open_beside;
use super::lake_row::LakeRow;
use super::reader::EventReader;

/// How many seconds the clock may be beyond the last time that is known to be right.
const PLAUSIBLE_SECONDS: i64 = 31 * 86_400;

/// What a step of retention did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pruned {
    /// It deleted this number of events.
    Deleted(usize),
    /// There are events to delete, and it deleted none.
    Waits(ClockDoubt),
}

/// The clock may be wrong, so no event is deleted until [`confirm_clock`] or until the clock is corrected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClockDoubt {
    /// What the clock says.
    pub now: EventTime,
    /// The last time that is known to be right.
    pub known: EventTime,
}

impl fmt::Display for ClockDoubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the clock says {}, more than 31 days after {}, the last time that is known to be right, so no event is deleted; \
             correct the clock, or, if it is right, run `audit-lake prune --data DIR --confirm`",
            self.now, self.known
        )
    }
}

/// Deletes events that happened before a time, up to a number, if `now` is plausible.
pub(super) fn prune(
    connection: &mut Connection,
    now: EventTime,
    before: EventTime,
    at_most: usize,
) -> Result<Pruned, StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let before = before.unix_seconds();
    let any = transaction.prepare("SELECT 1 FROM events WHERE event_time < ?1 LIMIT 1")?.exists([before])?;
    if !any {
        return Ok(Pruned::Deleted(0));
    }
    if let Some(doubt) = doubt(&transaction, now)? {
        return Ok(Pruned::Waits(doubt));
    }
    let deleted = transaction.execute(
        "DELETE FROM events WHERE seq IN (SELECT seq FROM events WHERE event_time < ?1 ORDER BY event_time LIMIT ?2)",
        params![before, i64::try_from(at_most).unwrap_or(i64::MAX)],
    )?;
    transaction.commit()?;
    Ok(Pruned::Deleted(deleted))
}

/// Notes the time of a commit. A time that is not plausible changes nothing. A clock that went back takes along what was
/// known while it was ahead.
pub(super) fn note_commit(lake: &mut LakeRow, now: EventTime) {
    let now = now.unix_seconds();
    if lake.clock.is_none_or(|clock| now.saturating_sub(clock) <= PLAUSIBLE_SECONDS) {
        lake.clock = Some(now);
    }
    if lake.confirmed.is_some_and(|confirmed| confirmed.saturating_sub(now) > 86_400) {
        lake.confirmed = None;
    }
}

/// Whether the clock is implausibly far beyond what is known. A lake without events has nothing to lose.
fn doubt(connection: &Connection, now: EventTime) -> Result<Option<ClockDoubt>, StoreError> {
    let newest: Option<i64> = connection
        .query_row("SELECT ingestion_time FROM events ORDER BY seq DESC LIMIT 1", [], |row| row.get(0))
        .optional()?;
    let Some(newest) = newest else { return Ok(None) };
    let lake = LakeRow::read(connection)?;
    let known = newest.min(lake.clock.unwrap_or(newest)).max(lake.confirmed.unwrap_or(i64::MIN));
    if now.unix_seconds().saturating_sub(known) <= PLAUSIBLE_SECONDS {
        return Ok(None);
    }
    let known = EventTime::from_unix_seconds(known)
        .ok_or_else(|| StoreError::Damaged { what: format!("{known} is no possible time") })?;
    Ok(Some(ClockDoubt { now, known }))
}

impl EventReader {
    /// Whether retention would wait because the clock, which says `now`, may be wrong.
    pub fn clock_doubt(&self, now: EventTime) -> Result<Option<ClockDoubt>, StoreError> {
        doubt(self.connection(), now)
    }
}

/// Records that the clock is right, beside the lake that works in the data folder or without one. Returns the time that was
/// recorded. From then on retention deletes again, up to 31 days beyond that time or the next plausible commit.
///
/// # Errors
/// If there is no lake in the folder, or it cannot be written to.
pub fn confirm_clock(data_dir: impl AsRef<Path>) -> Result<EventTime, StoreError> {
    let mut connection = open_beside(data_dir.as_ref())?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let now = EventTime::now();
    let time = Some(now.unix_seconds());
    LakeRow { clock: time, confirmed: time, ..LakeRow::read(&transaction)? }.write(&transaction)?;
    transaction.commit()?;
    Ok(now)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use audit_core::EventTime;
    use rusqlite::Connection;

    use super::super::tests::{CHANNEL, event_at, ids, open};
    use super::super::{EventReader, Store};
    use super::{ClockDoubt, LakeRow, PLAUSIBLE_SECONDS, Pruned, confirm_clock};

    fn seconds_later(time: EventTime, seconds: i64) -> EventTime {
        EventTime::from_unix_seconds(time.unix_seconds() + seconds).expect("a time")
    }

    /// Stores events that happened long ago, as if the clock had said `time`.
    async fn stored_at(folder: &Path, store: &Store, id: &str, time: EventTime) {
        store.put(CHANNEL, vec![event_at(id, "2020-01-01T00:00:00Z")]).await.expect("stored");
        let database = Connection::open(folder.join("lake.db")).expect("a connection");
        let time = time.unix_seconds();
        database.execute("UPDATE events SET ingestion_time = ?1 WHERE id = ?2", (time, id)).expect("changed");
        let lake = LakeRow::read(&database).expect("the row");
        LakeRow { clock: Some(time), ..lake }.write(&database).expect("changed");
    }

    async fn prune(store: &Store, now: EventTime) -> Pruned {
        store.prune(now, seconds_later(now, -86_400), 100).await.expect("a step")
    }

    #[tokio::test]
    async fn a_clock_that_jumped_deletes_nothing_until_it_is_corrected() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = open(folder.path()).expect("a store");
        let right = EventTime::from_static("2026-11-01T00:00:00Z");
        stored_at(folder.path(), &store, "a", right).await;
        let ahead = seconds_later(right, PLAUSIBLE_SECONDS + 1);
        assert_eq!(prune(&store, ahead).await, Pruned::Waits(ClockDoubt { now: ahead, known: right }));
        assert_eq!(ids(folder.path()), ["a"]);
        assert_eq!(prune(&store, seconds_later(right, PLAUSIBLE_SECONDS)).await, Pruned::Deleted(1));
    }

    #[tokio::test]
    async fn an_event_that_comes_in_does_not_make_a_wrong_clock_right() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = open(folder.path()).expect("a store");
        let known = seconds_later(EventTime::now(), -3 * 365 * 86_400);
        stored_at(folder.path(), &store, "a", known).await;
        // Compared with what the lake knows, the clock is three years ahead.
        store.put(CHANNEL, vec![event_at("b", "2020-01-01T00:00:00Z")]).await.expect("stored");
        let Pruned::Waits(doubt) = prune(&store, EventTime::now()).await else { panic!("it deletes") };
        assert_eq!(doubt.known, known);
        assert!(doubt.to_string().contains("prune --data DIR --confirm"), "{doubt}");
        let reader = EventReader::open(folder.path()).expect("a reader");
        assert_eq!(reader.clock_doubt(doubt.now).expect("read"), Some(doubt));

        confirm_clock(folder.path()).expect("confirmed");
        assert_eq!(reader.clock_doubt(EventTime::now()).expect("read"), None);
        assert_eq!(prune(&store, EventTime::now()).await, Pruned::Deleted(2));
    }

    #[tokio::test]
    async fn a_quiet_lake_goes_on_for_31_days_after_a_confirmation() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = open(folder.path()).expect("a store");
        stored_at(folder.path(), &store, "a", EventTime::from_static("2020-01-02T00:00:00Z")).await;
        let confirmed = confirm_clock(folder.path()).expect("confirmed");
        let later = seconds_later(confirmed, PLAUSIBLE_SECONDS + 1);
        assert_eq!(prune(&store, later).await, Pruned::Waits(ClockDoubt { now: later, known: confirmed }));
        assert_eq!(prune(&store, seconds_later(confirmed, PLAUSIBLE_SECONDS)).await, Pruned::Deleted(1));
    }

    #[tokio::test]
    async fn where_nothing_is_old_there_is_no_doubt() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = open(folder.path()).expect("a store");
        let far = EventTime::from_static("2099-01-01T00:00:00Z");
        assert_eq!(prune(&store, far).await, Pruned::Deleted(0));
        store.put(CHANNEL, vec![event_at("a", "2098-12-31T12:00:00Z")]).await.expect("stored");
        assert_eq!(prune(&store, far).await, Pruned::Deleted(0));
    }

    #[tokio::test]
    async fn what_was_known_while_the_clock_was_ahead_goes_when_it_goes_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = open(folder.path()).expect("a store");
        let ahead = seconds_later(EventTime::now(), 3 * 365 * 86_400);
        stored_at(folder.path(), &store, "a", ahead).await;
        let database = Connection::open(folder.path().join("lake.db")).expect("a connection");
        let lake = LakeRow::read(&database).expect("the row");
        LakeRow { confirmed: lake.clock, ..lake }.write(&database).expect("changed");
        // The clock is right again.
        store.put(CHANNEL, vec![event_at("b", "2020-01-01T00:00:00Z")]).await.expect("stored");
        assert!(matches!(prune(&store, ahead).await, Pruned::Waits(_)));
        assert_eq!(prune(&store, EventTime::now()).await, Pruned::Deleted(2));
    }
}
