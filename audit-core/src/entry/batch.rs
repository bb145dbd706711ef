//! What fits one request.

use std::collections::HashSet;
use std::fmt;

use super::Entry;
use super::size::BODY_FRAME_BYTES;
use crate::limits::{MAX_ENTRIES, Side};
use crate::names::EventId;

/// Up to 100 entries with distinct ids that fit one request's body of 1,000,000 bytes.
///
/// ```
/// use audit_core::{Batch, Entry, Reason};
/// # let event_data = r#"{"version":"1.0","userIdentity":{"type":"T","principalId":"p"},"eventSource":"s","eventName":"n","eventTime":"2026-11-21T10:15:30Z","UID":"u","recipientAccountId":"123456789012"}"#;
/// let entry = Entry::parse("refund-17", event_data)?;
/// let mut batch = Batch::new();
/// batch.push(entry.clone()).expect("the first entry of a batch always fits");
/// let refused = batch.push(entry).unwrap_err();
/// assert_eq!(refused.reason, Reason::DuplicateId);
/// assert_eq!(refused.entry.id().as_str(), "refund-17");
/// # Ok::<(), audit_core::EntryError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Batch {
    entries: Vec<Entry>,
    ids: HashSet<EventId>,
    /// The entries' bytes on the wire, a comma with each.
    bytes: usize,
}

impl Batch {
    /// An empty batch.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an entry, or gives it back with the reason why it does not fit. Every entry fits an empty batch.
    pub fn push(&mut self, entry: Entry) -> Result<(), DoesNotFit> {
        match self.admit(&entry) {
            Ok(()) => {
                self.entries.push(entry);
                Ok(())
            }
            Err(reason) => Err(DoesNotFit { entry: Box::new(entry), reason }),
        }
    }

    /// Counts the entry in, if there is room for it.
    fn admit(&mut self, entry: &Entry) -> Result<(), Reason> {
        if self.entries.len() == MAX_ENTRIES {
            return Err(Reason::Full);
        }
        let entry_bytes = entry.wire_len();
        let (bytes, limit) = (BODY_FRAME_BYTES + self.bytes + entry_bytes, Side::Sender.request_bytes());
        if bytes > limit {
            let is_twin = self.ids.contains(entry.id());
            return Err(if is_twin { Reason::DuplicateId } else { Reason::TooLarge { bytes, limit } });
        }
        if !self.ids.insert(entry.id().clone()) {
            return Err(Reason::DuplicateId);
        }
        self.bytes += entry_bytes + 1;
        Ok(())
    }

    /// How many entries it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether no further entry fits, however small.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.entries.len() == MAX_ENTRIES
    }

    /// The bytes of the request's body as it goes on the wire.
    #[must_use]
    pub fn wire_len(&self) -> usize {
        // Commas stand between entries, so there is one less than entries.
        BODY_FRAME_BYTES + self.bytes.saturating_sub(1)
    }

    /// The entries, in the order in which they came.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entries, given away.
    #[must_use]
    pub fn into_entries(self) -> Vec<Entry> {
        self.entries
    }
}

/// An entry that a batch did not take.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DoesNotFit {
    /// The entry, unharmed.
    pub entry: Box<Entry>,
    /// Why.
    pub reason: Reason,
}

/// Why a batch does not take an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// It has 100 entries.
    Full,
    /// The request would be over its limit.
    TooLarge {
        /// The bytes that the body would have.
        bytes: usize,
        /// The most that it may have.
        limit: usize,
    },
    /// It has an entry with this id.
    DuplicateId,
}

impl fmt::Display for DoesNotFit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.entry.id();
        match self.reason {
            Reason::Full => write!(f, "entry {id} does not fit: a request carries at most {MAX_ENTRIES} entries"),
            Reason::TooLarge { bytes, limit } => {
                write!(
                    f,
                    "entry {id} does not fit: the request would have {bytes} bytes, and at most {limit} are allowed"
                )
            }
            Reason::DuplicateId => write!(f, "entry {id} does not fit: the request has an entry with this id"),
        }
    }
}

impl std::error::Error for DoesNotFit {}
