//! What logs and metrics tell, and what they must not: event data, keys, secrets, and the service's words, which may quote
//! the event. One test in a program of its own, since a process has one recorder and one subscriber.
#![cfg(any(feature = "aws", feature = "http"))]
#![expect(clippy::cast_precision_loss, clippy::float_cmp, reason = "small whole numbers")]

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use audit_client::wire::{FailedEntry, PutAuditEventsResponse, SuccessfulEntry};
use audit_client::{AuditClient, Entry, Failure, Submission, Submitting, Transport, metric, testing};
use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};

const SOON: Duration = Duration::from_secs(20);

/// Keeps what metrics are told, under their names and labels.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<BTreeMap<String, f64>>>);

struct Cell(Kept, String);

impl Cell {
    fn change(&self, change: impl FnOnce(&mut f64)) {
        change(self.0.0.lock().expect("metrics").entry(self.1.clone()).or_default());
    }
}

impl CounterFn for Cell {
    fn increment(&self, value: u64) {
        self.change(|cell| *cell += value as f64);
    }
    fn absolute(&self, value: u64) {
        self.change(|cell| *cell = value as f64);
    }
}

impl GaugeFn for Cell {
    fn increment(&self, value: f64) {
        self.change(|cell| *cell += value);
    }
    fn decrement(&self, value: f64) {
        self.change(|cell| *cell -= value);
    }
    fn set(&self, value: f64) {
        self.change(|cell| *cell = value);
    }
}

impl HistogramFn for Cell {
    fn record(&self, _: f64) {
        self.change(|cell| *cell += 1.0);
    }
}

impl Kept {
    fn cell(&self, key: &Key) -> Arc<Cell> {
        let labels: Vec<_> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        Arc::new(Cell(self.clone(), format!("{}{{{}}}", key.name(), labels.join(","))))
    }

    fn get(&self, name: &str, labels: &str) -> f64 {
        self.0.lock().expect("metrics").get(&format!("{name}{{{labels}}}")).copied().unwrap_or(f64::NAN)
    }
}

impl Recorder for Kept {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.cell(key))
    }
    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.cell(key))
    }
    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.cell(key))
    }
}

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("log").extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Fails first, then refuses one entry with words that quote it, and takes the rest.
struct Quotes(AtomicUsize);

impl Transport for Quotes {
    fn submit<'a>(&'a self, submission: Submission<'a>) -> Submitting<'a> {
        let number = self.0.fetch_add(1, Ordering::SeqCst);
        let mut answer = PutAuditEventsResponse::default();
        for entry in submission.batch.entries() {
            let id = entry.id().to_string();
            if id == "refused" {
                let error_message = format!("cannot read {}", entry.event_data());
                answer.failed.push(FailedEntry::new(id, "InvalidData", error_message));
            } else {
                answer.successful.push(SuccessfulEntry::new(&*id, format!("E-{id}")));
            }
        }
        answer.successful.push(SuccessfulEntry::new("foreign", "E"));
        Box::pin(async move {
            match number {
                0 => Err(Failure::new("payload-in-words").status(503)),
                1 => Err(Failure::new("payload-in-words").status(403).code("AccessDeniedException")),
                _ => Ok(answer),
            }
        })
    }
}

fn entry(id: &str) -> Entry {
    let data = format!(
        r#"{{"version":"1.0","userIdentity":{{"type":"Staff","principalId":"alice"}},"eventSource":"orders.example.com","eventName":"RefundIssued","eventTime":"2026-11-21T10:15:30Z","UID":"{id}","requestParameters":{{"iban":"payload-of-the-event"}},"recipientAccountId":"123456789012"}}"#
    );
    Entry::parse(id, data).expect("a valid entry")
}

#[test]
fn logs_and_metrics_tell_what_happens_and_no_secret() {
    let (kept, log) = (Kept::default(), Log::default());
    metrics::set_global_recorder(kept.clone()).expect("the first recorder");
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();

    let quick = || {
        AuditClient::builder()
            .channel_arn(testing::CHANNEL_ARN)
            .linger(Duration::ZERO)
            .hmac_key("2026a", b"the-hmac-key")
    };
    let wait = Duration::from_millis(1);
    let client = quick().backoff(wait, wait).probe(wait, wait).transport(Quotes(AtomicUsize::new(0)));
    let client = client.build_blocking().expect("a client");
    for id in ["taken", "refused"] {
        drop(client.emit_blocking(entry(id)).expect("accepted"));
        client.flush_blocking().expect("settled");
    }
    let stats = client.stats();
    let report = client.shutdown_blocking(SOON);
    assert_eq!((report.delivered, report.dead), (1, 1));

    // A real request to an address where nothing listens, with real keys.
    let to_nowhere = [
        #[cfg(feature = "aws")]
        quick().credentials(audit_client::Credentials::new(
            "AKIDEXAMPLE",
            "the-secret-key",
            Some("the-session-token".into()),
            None,
            "test",
        )),
        #[cfg(feature = "http")]
        quick().over_http().access_key("AKIDEXAMPLE", "the-secret-key"),
    ];
    let mut accepted = 2.0;
    let mut shown = Vec::new();
    for settings in to_nowhere {
        shown.push(format!("{settings:?}"));
        let client = settings.endpoint_url("http://127.0.0.1:1").build_blocking().expect("a client");
        drop(client.emit_blocking(entry("nowhere")).expect("accepted"));
        accepted += 1.0;
        while client.stats().requests < 2 {
            std::thread::yield_now();
        }
        shown.push(format!("{:?} {client:?}", client.stats()));
    }

    assert_eq!(kept.get(metric::ACCEPTED, ""), accepted);
    assert_eq!(kept.get(metric::DELIVERED, ""), 1.0);
    assert_eq!(kept.get(metric::DEAD, "code=InvalidData"), 1.0);
    assert_eq!(kept.get(metric::REQUESTS, "outcome=answered"), 2.0);
    assert_eq!(kept.get(metric::REQUESTS, "outcome=HTTP 503"), 1.0);
    assert_eq!(kept.get(metric::REQUESTS, "outcome=AccessDeniedException"), 1.0);
    assert_eq!(kept.get(metric::ODD_IDS, ""), stats.odd_ids as f64);
    for name in [metric::PENDING, metric::IN_FLIGHT, metric::CONCURRENCY, metric::PAUSED] {
        assert!(kept.get(name, "").is_finite(), "{name}");
    }
    for name in [metric::REQUEST_SECONDS, metric::BATCH_ENTRIES, metric::BATCH_BYTES, metric::DELIVERY_SECONDS] {
        assert!(kept.get(name, "") >= 1.0, "{name}");
    }

    let log = String::from_utf8(log.0.lock().expect("log").clone()).expect("text");
    let ours: String = log.lines().filter(|line| line.contains("audit_client")).collect::<Vec<_>>().join("\n");
    for told in
        ["AccessDeniedException", "paused", "goes on", "dead letter", "id=refused", "InvalidData", "without a shutdown"]
    {
        assert!(ours.contains(told), "{told} is not told:\n{ours}");
    }
    let metrics = format!("{:?}", kept.0.lock().expect("metrics"));
    for secret in ["payload", "the-hmac-key", "the-secret-key", "the-session-token"] {
        assert!(!ours.contains(secret), "{secret} is in the log:\n{ours}");
        assert!(!metrics.contains(secret), "{secret} is in a metric");
        assert!(shown.iter().all(|shown| !shown.contains(secret)), "{secret} is shown: {shown:?}");
    }
}
