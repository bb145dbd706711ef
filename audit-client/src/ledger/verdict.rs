//! What became of one entry.

use std::time::Duration;

use audit_core::EventId;
use audit_spool::Outcome;

/// What became of an entry.
pub(crate) type Verdict = Result<Delivery, NotDelivered>;

/// The service has the event.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delivery {
    /// The entry's own id.
    pub id: EventId,
    /// The id that the service gave the event.
    pub event_id: String,
    /// How many requests carried the entry, the last one included.
    pub attempts: u32,
}

/// Why an event was not delivered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotDelivered {
    /// The service refuses this entry for good, or it fits no request: it is a dead letter.
    #[error("event {id} is refused for good with {code}: {message}")]
    #[non_exhaustive]
    Rejected {
        /// The entry's id.
        id: EventId,
        /// The service's code, such as `InvalidData`, or what the client found.
        code: Outcome,
        /// The service's words.
        message: String,
        /// How many requests carried it.
        attempts: u32,
    },
    /// It could not be delivered for as long as `give_up_after` allows: it is a dead letter.
    #[error(
        "event {id} was given up after {attempts} attempts in {waited:?}; {}",
        .last.as_ref().map_or_else(|| "the last one has not ended".to_owned(), |last| format!("the last one failed with {last}"))
    )]
    #[non_exhaustive]
    GaveUp {
        /// The entry's id.
        id: EventId,
        /// The configured time.
        waited: Duration,
        /// How many requests carried it.
        attempts: u32,
        /// What the last attempt ended with, if there was one.
        last: Option<Outcome>,
    },
    /// The client was shut down before; the event is on disk, and the next start with the same spool goes on.
    #[error("event {id} was not delivered before the shutdown; it is kept in the spool")]
    #[non_exhaustive]
    Kept {
        /// The entry's id.
        id: EventId,
    },
    /// The client ended before, and there is no spool: this process has forgotten the event.
    #[error(
        "event {id} was not delivered before the client ended and is lost{}",
        if *.in_doubt { "; a request with it went unanswered, so the service may have it" } else { "" }
    )]
    #[non_exhaustive]
    Lost {
        /// The entry's id.
        id: EventId,
        /// Whether a request that carried it got no answer, so that the service may have it all the same.
        in_doubt: bool,
    },
}

impl NotDelivered {
    /// The entry's id.
    pub fn id(&self) -> &EventId {
        match self {
            Self::Rejected { id, .. } | Self::GaveUp { id, .. } | Self::Kept { id } | Self::Lost { id, .. } => id,
        }
    }
}
