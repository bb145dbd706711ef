//! What can be seen of a client from outside: [`Stats`] in the process, and the same figures as metrics.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use audit_spool::Outcome;

pub mod metric;
pub(crate) mod tap;

/// A client's figures at one moment.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Stats {
    /// Events accepted, those that were found in the spool included.
    pub accepted: u64,
    /// Of those, the ones that an earlier run or another process had left.
    pub recovered: u64,
    /// Events delivered.
    pub delivered: u64,
    /// Dead letters.
    pub dead: u64,
    /// Accepted events without a verdict.
    pub pending: u64,
    /// Requests sent.
    pub requests: u64,
    /// Entries that were sent again, each time counted.
    pub retried: u64,
    /// Ids in answers that the request did not carry, or that were named again.
    pub odd_ids: u64,
    /// Requests on their way.
    pub in_flight: u64,
    /// How many requests may be on their way at once, as far as throttling has not halved it.
    pub concurrency: f64,
    /// Why delivery stands still, if it does.
    pub paused: Option<Pause>,
    /// The latest request that failed as a whole.
    pub last_failure: Option<LastFailure>,
    /// Dead letters that a stream could not hold because its reader did not read.
    pub dead_letters_missed: u64,
}

impl Stats {
    pub(crate) fn new(figures: Figures, seen: Seen, dead_letters_missed: u64) -> Self {
        let Figures { accepted, recovered, delivered, dead, pending } = figures;
        let Seen { requests, retried, odd_ids, in_flight, concurrency, paused, last_failure } = seen;
        Self {
            accepted,
            recovered,
            delivered,
            dead,
            pending,
            requests,
            retried,
            odd_ids,
            in_flight,
            concurrency,
            paused,
            last_failure,
            dead_letters_missed,
        }
    }
}

/// Delivery waits until an operator repairs the cause; it probes slowly, and resumes by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pause {
    /// The service's code, such as `ChannelNotFound`, or the client's own: `CredentialsNotLoaded`, `CertificateNotTrusted`,
    /// `RequestNotSendable`.
    pub code: Outcome,
    /// The service's or the transport's words, up to 1,024 characters.
    pub message: String,
    /// Since when.
    pub since: SystemTime,
}

/// A request that failed as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LastFailure {
    /// The service's code, the HTTP status, or that there was no answer.
    pub outcome: Outcome,
    /// What happened, in words, up to 1,024 characters. Of a request without an answer, the innermost cause comes first.
    pub message: String,
    /// When.
    pub at: SystemTime,
}

/// What the delivery loop lets be seen.
#[derive(Debug, Default)]
pub(crate) struct Observed(Mutex<Seen>);

#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) requests: u64,
    pub(crate) retried: u64,
    pub(crate) odd_ids: u64,
    pub(crate) in_flight: u64,
    pub(crate) concurrency: f64,
    pub(crate) paused: Option<Pause>,
    pub(crate) last_failure: Option<LastFailure>,
}

impl Observed {
    pub(crate) fn update(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.lock());
    }

    pub(crate) fn seen(&self) -> Seen {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The figures at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    pub(crate) accepted: u64,
    pub(crate) recovered: u64,
    pub(crate) delivered: u64,
    pub(crate) dead: u64,
    pub(crate) pending: u64,
}
