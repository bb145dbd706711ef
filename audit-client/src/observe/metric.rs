//! The names under which the [`metrics`](https://docs.rs/metrics) crate's recorder gets the figures.

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
/// Gauge: 1 while delivery is paused until an operator repairs the cause.
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
