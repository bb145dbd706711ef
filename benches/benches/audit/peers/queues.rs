//! The cost of handing over one record, on the caller's thread.

use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

use audit_bench::table::Table;
use audit_client::wire::{PutAuditEventsResponse, SuccessfulEntry};
use audit_client::{AuditClient, Submission, Submitting, Transport};
use audit_core::Entry;
use opentelemetry::logs::{LogRecord, Logger, LoggerProvider};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{BatchLogProcessor, LogBatch, LogExporter, SdkLoggerProvider};
use tokio::sync::{mpsc, oneshot};

use super::{CHANNEL_ARN, Failed, entries};

/// A burst of this number of records, then a pause until all are delivered, repeated.
const BURST: usize = 1_000;
const BURSTS: usize = 200;

/// Accepts everything and stores nothing.
struct Sink;

impl Transport for Sink {
    fn submit<'a>(&'a self, submission: Submission<'a>) -> Submitting<'a> {
        Box::pin(async move {
            let taken =
                submission.batch.entries().iter().map(|entry| SuccessfulEntry::new(entry.id().as_str(), "stored"));
            Ok(PutAuditEventsResponse::new(taken.collect(), Vec::new()))
        })
    }
}

#[derive(Debug)]
struct NullExporter;

impl LogExporter for NullExporter {
    async fn export(&self, _: LogBatch<'_>) -> OTelSdkResult {
        Ok(())
    }
}

/// The nanoseconds of each of many calls.
struct Calls(Vec<u64>);

impl Calls {
    /// The value that this number of a thousand calls does not exceed.
    fn per_mille(&self, share: usize) -> u64 {
        self.0.get(self.0.len().saturating_sub(1) * share / 1_000).copied().unwrap_or_default()
    }
}

/// Measures each call of `hand_over` on this number of threads, in bursts of entries; `settle` waits until they are delivered.
fn calls<R: Send>(
    threads: usize,
    hand_over: impl Fn(Entry) -> R + Sync,
    settle: impl Fn() -> Result<(), Failed>,
) -> Result<Calls, Failed> {
    let mut nanos = Vec::with_capacity(BURST * BURSTS);
    for burst in 0..BURSTS {
        let shares: Vec<Vec<Entry>> = (0..threads)
            .map(|thread| entries((burst * threads + thread) * BURST, BURST / threads))
            .collect::<Result<_, _>>()?;
        let hand_over = &hand_over;
        let measured = thread::scope(|scope| {
            let running: Vec<_> = shares
                .into_iter()
                .map(|share| {
                    scope.spawn(move || {
                        let mut nanos = Vec::with_capacity(share.len());
                        // The returned value is dropped after the measurement, as an application drops it later.
                        let mut kept = Vec::with_capacity(share.len());
                        for entry in share {
                            let start = Instant::now();
                            kept.push(hand_over(entry));
                            nanos.push(u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX));
                        }
                        (nanos, kept)
                    })
                })
                .collect();
            running.into_iter().filter_map(|thread| thread.join().ok()).collect::<Vec<_>>()
        });
        settle()?;
        // The first bursts warm up.
        if burst >= BURSTS / 10 {
            nanos.extend(measured.into_iter().flat_map(|(nanos, _)| nanos));
        }
    }
    nanos.sort_unstable();
    Ok(Calls(nanos))
}

fn client(threads: usize) -> Result<Calls, Failed> {
    let client = AuditClient::builder()
        .channel_arn(CHANNEL_ARN)
        .capacity_entries(1 << 20)
        .capacity_bytes(1 << 30)
        .transport(Sink)
        .build_blocking()?;
    let calls = calls(threads, |entry| client.try_emit(entry), || Ok(client.flush_blocking()?))?;
    let report = client.shutdown_blocking(Duration::from_secs(30));
    if report.accepted != report.delivered {
        return Err(format!("{} accepted, {} delivered", report.accepted, report.delivered).into());
    }
    Ok(calls)
}

fn tokio_channel(threads: usize) -> Result<Calls, Failed> {
    let (sender, mut receiver) = mpsc::channel::<(Entry, oneshot::Sender<()>)>(1 << 20);
    let consumer = thread::spawn(move || {
        while let Some((entry, receipt)) = receiver.blocking_recv() {
            drop(entry);
            let _ = receipt.send(());
        }
    });
    let hand_over = |entry: Entry| {
        let (receipt, delivered) = oneshot::channel();
        sender.try_send((entry, receipt)).map(|()| delivered).ok()
    };
    let calls = calls(threads, hand_over, || {
        while sender.capacity() < sender.max_capacity() {
            thread::yield_now();
        }
        Ok(())
    })?;
    drop(sender);
    consumer.join().map_err(|_| "the consumer failed")?;
    Ok(calls)
}

fn tracing_appender(threads: usize) -> Result<Calls, Failed> {
    let (writer, _guard) =
        tracing_appender::non_blocking::NonBlockingBuilder::default().lossy(true).finish(std::io::sink());
    let hand_over = |entry: Entry| {
        let result = writer.clone().write_all(entry.event_data().as_bytes());
        (entry, result)
    };
    // It has no flush, so pause long enough that its queue is never full.
    calls(threads, hand_over, || {
        thread::sleep(Duration::from_millis(2));
        Ok(())
    })
}

fn open_telemetry(threads: usize) -> Result<Calls, Failed> {
    let provider =
        SdkLoggerProvider::builder().with_log_processor(BatchLogProcessor::builder(NullExporter).build()).build();
    let logger = provider.logger("audit");
    let hand_over = |entry: Entry| {
        let mut record = logger.create_log_record();
        let (_, event_data, _) = entry.into_parts();
        record.set_body(event_data.into_owned().into());
        logger.emit(record);
    };
    calls(threads, hand_over, || Ok(provider.force_flush()?))
}

pub(crate) fn table() -> Result<Table, Failed> {
    type Measure = fn(usize) -> Result<Calls, Failed>;
    let ways: [(&str, &str, Measure); 4] = [
        ("try_emit of an Entry, with receipt", "every event", client),
        ("tokio mpsc try_send with a oneshot", "nothing: no batches, no retries", tokio_channel),
        ("tracing-appender non_blocking, lossy", "nothing: drops when full", tracing_appender),
        ("OpenTelemetry BatchLogProcessor", "nothing: drops when full", open_telemetry),
    ];
    let columns = ["handing over 485 bytes", "1 thread p50", "p99.9", "4 threads p50", "p99.9", "accounts for", "aim"];
    let mut table = Table::new("The caller's thread (each figure with the clock's own 20 to 40 ns)", &columns);
    let (mut own, mut rows) = (None, Vec::new());
    for (name, accounts, measure) in ways {
        let (one, four) = (measure(1)?, measure(4)?);
        let p50 = one.per_mille(500);
        own.get_or_insert(p50);
        rows.push((name, accounts, one, four, p50));
    }
    let own = own.unwrap_or_default();
    for (name, accounts, one, four, p50) in rows {
        let met = |met: bool| if met { "met" } else { "missed" };
        let aim = match name {
            name if name.starts_with("try_emit") => format!("≤ 200 ns: {}", met(own <= 200)),
            name if name.starts_with("Open") => format!("ahead of it: {}", met(own < p50)),
            _ => String::new(),
        };
        let nanos = |calls: &Calls, share| format!("{} ns", calls.per_mille(share));
        table.row([
            name.to_owned(),
            nanos(&one, 500),
            nanos(&one, 999),
            nanos(&four, 500),
            nanos(&four, 999),
            accounts.to_owned(),
            aim,
        ]);
    }
    Ok(table)
}
