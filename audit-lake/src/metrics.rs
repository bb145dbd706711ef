//! What the service counts, for Prometheus.

use std::fmt;

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

/// A name of the wire: one of a fixed set, so that no sender can make up labels.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
pub(crate) struct Code(pub(crate) &'static str);

impl EncodeLabelValue for Code {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        self.0.encode(encoder)
    }
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ByCode {
    code: Code,
}

/// Everything that is counted, and the registry that writes it out.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<ByCode, Counter>,
    entries: Family<ByCode, Counter>,
    request_seconds: Histogram,
    commit_seconds: Histogram,
    commit_events: Histogram,
    failed_commits: Counter,
    connections: Gauge,
    pruned: Counter,
    retention_waits: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        // From a quarter of a millisecond to 8 seconds.
        let seconds = || Histogram::new(exponential_buckets(0.000_25, 2.0, 16));
        let mut metrics = Self {
            registry: Registry::with_prefix("audit_lake"),
            requests: Family::default(),
            entries: Family::default(),
            request_seconds: seconds(),
            commit_seconds: seconds(),
            commit_events: Histogram::new(exponential_buckets(1.0, 4.0, 8)),
            failed_commits: Counter::default(),
            connections: Gauge::default(),
            pruned: Counter::default(),
            retention_waits: Gauge::default(),
        };
        let registry = &mut metrics.registry;
        registry.register("requests", "Requests by their answer: ok, or the error's code", metrics.requests.clone());
        registry.register(
            "entries",
            "Entries by their verdict: stored, repeated, or the entry error's code",
            metrics.entries.clone(),
        );
        registry.register_with_unit(
            "request",
            "How long requests took, from their head to their answer",
            Unit::Seconds,
            metrics.request_seconds.clone(),
        );
        registry.register_with_unit("commit", "How long commits took", Unit::Seconds, metrics.commit_seconds.clone());
        registry.register("commit_events", "How many events commits held", metrics.commit_events.clone());
        registry.register("failed_commits", "Commits that failed", metrics.failed_commits.clone());
        registry.register("connections", "Open connections", metrics.connections.clone());
        registry.register("pruned_events", "Events deleted at the end of their retention", metrics.pruned.clone());
        registry.register(
            "retention_waits",
            "1 while no event is deleted because the clock may be wrong",
            metrics.retention_waits.clone(),
        );
        metrics
    }
}

impl Metrics {
    pub(crate) fn request(&self, code: &'static str, seconds: f64) {
        self.requests.get_or_create(&ByCode { code: Code(code) }).inc();
        self.request_seconds.observe(seconds);
    }

    pub(crate) fn entry(&self, code: &'static str) {
        self.entries.get_or_create(&ByCode { code: Code(code) }).inc();
    }

    pub(crate) fn commit(&self, events: usize, seconds: f64) {
        self.commit_seconds.observe(seconds);
        #[expect(clippy::cast_precision_loss, reason = "some ten thousand at most")]
        self.commit_events.observe(events as f64);
    }

    pub(crate) fn failed_commit(&self) {
        self.failed_commits.inc();
    }

    pub(crate) fn pruned(&self, events: usize) {
        self.pruned.inc_by(u64::try_from(events).unwrap_or(u64::MAX));
    }

    pub(crate) fn retention_waits(&self, waits: bool) {
        self.retention_waits.set(waits.into());
    }

    /// Counts a connection for as long as what this gives back lives.
    pub(crate) fn connection(&self) -> OpenConnection {
        self.connections.inc();
        OpenConnection(self.connections.clone())
    }

    /// Everything, in the `OpenMetrics` text format, which Prometheus reads.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string fails only if a metric does not know how to write itself.
        if encode(&mut text, &self.registry).is_err() {
            tracing::error!("the metrics could not be written");
        }
        text
    }
}

/// One more open connection, while it lives.
#[derive(Debug)]
pub(crate) struct OpenConnection(Gauge);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.dec();
    }
}
