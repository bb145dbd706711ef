//! What goes into a spool and comes out of it.

use std::borrow::Cow;
use std::fmt;

use audit_core::{Checksum, Entry, EntryError};

/// What is put into a spool: an id, event data, and the checksum that was taken where the entry was made.
///
/// Usually a reference to an [`Entry`]. From a pair of an id and event data, the checksum is taken now: only for data that
/// is made here and now, never for data that was read back.
#[derive(Clone, PartialEq, Eq)]
pub struct NewRecord<'a> {
    pub(crate) id: Cow<'a, str>,
    pub(crate) event_data: Cow<'a, str>,
    pub(crate) checksum: Checksum,
}

impl<'a> NewRecord<'a> {
    /// With the checksum that travels with the entry.
    pub fn new(id: impl Into<Cow<'a, str>>, event_data: impl Into<Cow<'a, str>>, checksum: Checksum) -> Self {
        Self { id: id.into(), event_data: event_data.into(), checksum }
    }
}

/// Shows the id and the length: event data is the business of those who may read the record.
impl fmt::Debug for NewRecord<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(f, "NewRecord", None, &self.id, &self.event_data)
    }
}

impl<'a> From<&'a Entry> for NewRecord<'a> {
    fn from(entry: &'a Entry) -> Self {
        Self::new(entry.id().as_str(), entry.event_data(), entry.checksum())
    }
}

impl From<Entry> for NewRecord<'_> {
    fn from(entry: Entry) -> Self {
        let (id, event_data, checksum) = entry.into_parts();
        Self { id: id.as_str().to_owned().into(), event_data, checksum }
    }
}

impl<'a> From<(&'a str, &'a str)> for NewRecord<'a> {
    fn from((id, event_data): (&'a str, &'a str)) -> Self {
        Self::new(id, event_data, Checksum::of(event_data.as_bytes()))
    }
}

/// A record that was read back.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// Its place in the spool: acknowledge it by this.
    pub seq: u64,
    /// The entry's id.
    pub id: String,
    /// The entry's event data, byte for byte.
    pub event_data: String,
    /// The checksum that the entry was made with. Nothing has compared it with the event data yet.
    pub checksum: Checksum,
}

impl Record {
    /// The entry, if the event data still has the checksum that it was made with.
    pub fn entry(&self) -> Result<Entry, EntryError> {
        Entry::restore(self.id.as_str(), self.event_data.clone(), self.checksum)
    }
}

/// Shows the id and the length, and no event data.
impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(f, "Record", Some(self.seq), &self.id, &self.event_data)
    }
}

impl<'a> From<&'a Record> for NewRecord<'a> {
    fn from(record: &'a Record) -> Self {
        Self::new(record.id.as_str(), record.event_data.as_str(), record.checksum)
    }
}

fn show(f: &mut fmt::Formatter<'_>, name: &str, seq: Option<u64>, id: &str, event_data: &str) -> fmt::Result {
    let mut shown = f.debug_struct(name);
    if let Some(seq) = seq {
        shown.field("seq", &seq);
    }
    shown.field("id", &id).field("event_data_bytes", &event_data.len()).finish_non_exhaustive()
}
