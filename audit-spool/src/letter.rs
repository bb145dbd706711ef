//! A dead letter: an entry that no retry can save, and why.

use std::fmt;

use audit_core::{Checksum, Entry, EntryError, EventTime};

use crate::outcome::Outcome;
use crate::record::NewRecord;

/// An entry that will not be delivered, with everything that is needed to judge it and to send it again.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeadLetter {
    /// The event's number: in the spool, or without one in the order of acceptance.
    pub seq: u64,
    /// The entry's id.
    pub id: String,
    /// The event data, byte for byte.
    pub event_data: String,
    /// The checksum that the entry was made with.
    pub checksum: Checksum,
    /// Why: the service's code, or a reason of the sender's own such as [`Outcome::GaveUp`].
    pub code: Outcome,
    /// Why, in words. The service's words may quote the event.
    pub message: String,
    /// The requests that carried it: the first and the latest ones where there were many.
    pub attempts: Vec<Attempt>,
    /// How many requests carried it.
    pub attempt_count: u32,
    /// When it became a dead letter.
    pub at: EventTime,
}

impl DeadLetter {
    /// A letter as of now, without attempts.
    pub fn new<'a>(
        seq: u64,
        record: impl Into<NewRecord<'a>>,
        code: impl Into<Outcome>,
        message: impl Into<String>,
    ) -> Self {
        let NewRecord { id, event_data, checksum } = record.into();
        Self {
            seq,
            id: id.into_owned(),
            event_data: event_data.into_owned(),
            checksum,
            code: code.into(),
            message: message.into(),
            attempts: Vec::new(),
            attempt_count: 0,
            at: EventTime::now(),
        }
    }

    /// With the attempts to deliver it, and how many there were, which may be more.
    #[must_use]
    pub fn after(mut self, attempts: Vec<Attempt>, attempt_count: u32) -> Self {
        (self.attempts, self.attempt_count) = (attempts, attempt_count);
        self
    }

    /// The entry, to be sent again, if the event data still has its checksum and is an entry.
    pub fn entry(&self) -> Result<Entry, EntryError> {
        Entry::restore(self.id.as_str(), self.event_data.clone(), self.checksum)
    }
}

impl<'a> From<&'a DeadLetter> for NewRecord<'a> {
    fn from(letter: &'a DeadLetter) -> Self {
        Self::new(letter.id.as_str(), letter.event_data.as_str(), letter.checksum)
    }
}

/// Shows why it is dead, and of the event only the id and the length: the rest is the business of those who may read it.
impl fmt::Debug for DeadLetter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadLetter")
            .field("seq", &self.seq)
            .field("id", &self.id)
            .field("event_data_bytes", &self.event_data.len())
            .field("code", &self.code)
            .field("attempt_count", &self.attempt_count)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

/// One request that carried an entry, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt {
    /// When the answer came, or the attempt's time was over.
    pub at: EventTime,
    /// What came of it.
    pub outcome: Outcome,
}

impl Attempt {
    /// An attempt that ended at the given time.
    pub fn new(at: EventTime, outcome: impl Into<Outcome>) -> Self {
        Self { at, outcome: outcome.into() }
    }
}
