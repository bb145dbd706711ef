//! What can be seen of a client from outside: [`Stats`] in the process, and the same figures as metrics.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use crate::delivery::Pause;
use crate::ledger::Figures;

/// The names under which the [`metrics`] crate's recorder gets the figures.
pub mod metric {
    /// Counter: events accepted. In memory it rises when the pipeline takes them in, up to [`linger`] later.
    ///
    /// [`linger`]: crate::ClientBuilder::linger
    pub const ACCEPTED: &str = "audit_client_events_accepted_total";
    /// Counter: events delivered.
    pub const DELIVERED: &str = "audit_client_events_delivered_total";
    /// Counter: dead letters, with the label `code`.
    pub const DEAD: &str = "audit_client_events_dead_total";
    /// Counter: entries sent again.
    pub const RETRIED: &str = "audit_client_entries_retried_total";
    /// Counter: requests, with the label `outcome`: `answered`, or the code, the status or `no answer`.
    pub const REQUESTS: &str = "audit_client_requests_total";
    /// Counter: ids in answers that were foreign to the request, or named again.
    pub const ODD_IDS: &str = "audit_client_answer_odd_ids_total";
    /// Gauge: accepted events without a verdict.
    pub const PENDING: &str = "audit_client_events_pending";
    /// Gauge: requests on their way.
    pub const IN_FLIGHT: &str = "audit_client_requests_in_flight";
    /// Gauge: how many requests may be on their way at once.
    pub const CONCURRENCY: &str = "audit_client_concurrency_limit";
    /// Gauge: 1 while delivery is paused until somebody repairs something.
    pub const PAUSED: &str = "audit_client_paused";
    /// Histogram: seconds from sending a request to its answer.
    pub const REQUEST_SECONDS: &str = "audit_client_request_seconds";
    /// Histogram: entries in a request.
    pub const BATCH_ENTRIES: &str = "audit_client_batch_entries";
    /// Histogram: bytes in a request's body.
    pub const BATCH_BYTES: &str = "audit_client_batch_bytes";
    /// Histogram: seconds from an event's coming, as far as the pipeline can tell, to its delivery: too many by a linger at
    /// most.
    pub const DELIVERY_SECONDS: &str = "audit_client_delivery_seconds";
}

/// A client's figures at one moment.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Stats {
    /// Events accepted, those that were found in the spool included.
    pub accepted: u64,
    /// Of those, the ones that an earlier run had left in the spool.
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
    /// Dead letters that a stream could not hold because nobody read it.
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

/// A request that failed as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LastFailure {
    /// The service's code, the HTTP status, or that there was no answer.
    pub outcome: String,
    /// What happened, in words.
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
