//! Over loopback into a lake: the client, durable at both ends, beside loops written by hand, durable at one end.

use std::time::{Duration, Instant};

use audit_bench::table::{Table, ratio};
use audit_client::{AuditClient, EmitError};
use audit_core::{ChannelArn, Entry};
use audit_lake::Lake;
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_sdk_cloudtraildata::Client;
use aws_sdk_cloudtraildata::types::AuditEvent;

use super::{CHANNEL_ARN, Failed, entries};

/// How many events go through the client; `AUDIT_BENCH_EVENTS` overrides it.
const EVENTS: usize = 100_000;
/// How many tasks emit at once, each waiting until its event is on disk before it emits the next, as the handlers of a
/// server's requests do.
const EMITTERS: usize = 256;

fn wire(entry: &Entry) -> Result<AuditEvent, Failed> {
    Ok(AuditEvent::builder()
        .id(entry.id().as_str())
        .event_data(entry.event_data())
        .event_data_checksum(entry.checksum().to_string())
        .build()?)
}

/// Sends entries in requests of this size, one after the other, and returns the events a second.
async fn by_hand(client: &Client, entries: &[Entry], batch: usize) -> Result<f64, Failed> {
    let start = Instant::now();
    for chunk in entries.chunks(batch) {
        let events = chunk.iter().map(wire).collect::<Result<Vec<_>, _>>()?;
        let answer = client.put_audit_events().channel_arn(CHANNEL_ARN).set_audit_events(Some(events)).send().await?;
        if answer.successful().len() != chunk.len() {
            return Err(format!("{:?}", answer.failed()).into());
        }
    }
    Ok(rate(entries.len(), start.elapsed()))
}

#[allow(clippy::cast_precision_loss, reason = "a million has few digits")]
fn rate(events: usize, time: Duration) -> f64 {
    events as f64 / time.as_secs_f64()
}

pub(crate) fn table() -> Result<Table, Failed> {
    let events = std::env::var("AUDIT_BENCH_EVENTS").ok().and_then(|text| text.parse().ok()).unwrap_or(EVENTS);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let folders = tempfile::tempdir()?;
    let lake = runtime.block_on(
        Lake::builder().data_dir(folders.path().join("lake")).channel(ChannelArn::from_static(CHANNEL_ARN)).start(),
    )?;
    let key = lake.access_key();
    let credentials = Credentials::new(key.id(), key.secret(), None, None, "bench");
    let config = aws_sdk_cloudtraildata::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("eu-west-1"))
        .endpoint_url(lake.endpoint_url())
        .credentials_provider(credentials.clone())
        .build();
    let sdk = Client::from_conf(config);
    let client = AuditClient::builder()
        .channel_arn(CHANNEL_ARN)
        .endpoint_url(lake.endpoint_url())
        .credentials(credentials)
        .spool(folders.path().join("spool"))
        .build_blocking()?;

    let singly = entries(0, (events / 200).max(100))?;
    let batches = entries(1_000_000, events / 4)?;
    let ours = entries(10_000_000, events)?;
    let singly = runtime.block_on(by_hand(&sdk, &singly, 1))?;
    let hundreds = runtime.block_on(by_hand(&sdk, &batches, 100))?;
    let mut shares: Vec<Vec<Entry>> = (0..EMITTERS).map(|_| Vec::new()).collect();
    for (number, entry) in ours.into_iter().enumerate() {
        shares[number % EMITTERS].push(entry);
    }
    let start = Instant::now();
    runtime.block_on(async {
        let emitters: Vec<_> = shares
            .into_iter()
            .map(|share| {
                let client = client.clone();
                tokio::spawn(async move {
                    for entry in share {
                        drop(client.emit(entry).await?);
                    }
                    Ok::<_, EmitError>(())
                })
            })
            .collect();
        for emitter in emitters {
            emitter.await??;
        }
        client.flush().await?;
        Ok::<_, Failed>(())
    })?;
    let through = rate(events, start.elapsed());
    let report = client.shutdown_blocking(Duration::from_mins(1));
    runtime.block_on(lake.shutdown());
    if report.delivered != u64::try_from(events)? {
        return Err(format!("{} of {events} delivered", report.delivered).into());
    }

    let mut table = Table::new(
        format!(
            "End to end over loopback into audit-lake, which syncs before it answers; {events} events of 485 bytes"
        ),
        &["way", "events a second", "audit-client is", "aim"],
    );
    for (name, events_a_second, aim) in [
        ("audit-client, with a spool that syncs before emit returns, 256 tasks", through, None),
        ("by hand, an event a request", singly, Some(20.0)),
        ("by hand, a hundred a request", hundreds, Some(1.0)),
    ] {
        let share = through / events_a_second;
        let verdict = aim.map(|aim| format!("≥ {aim} ×: {}", if share >= aim { "met" } else { "missed" }));
        let share = if aim.is_some() { ratio(share) } else { String::new() };
        table.row([name.to_owned(), format!("{events_a_second:.0}"), share, verdict.unwrap_or_default()]);
    }
    Ok(table)
}
