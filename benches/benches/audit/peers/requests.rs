//! From entries to a signed request that is not sent: our transport, and the whole client, beside the SDK alone.

use std::fmt::Write;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use audit_bench::measure::{cpu_time, median};
use audit_bench::plot::{Line, draw};
use audit_bench::table::{Table, at_most, ratio, time};
use audit_client::{AuditClient, AwsTransport, Credentials, Submission, Transport};
use audit_core::{Batch, ChannelArn};
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_cloudtraildata::Client;
use aws_sdk_cloudtraildata::config::retry::RetryConfig;
use aws_sdk_cloudtraildata::types::AuditEvent;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;

use super::{CHANNEL_ARN, Failed, entries};

/// Answers at once that this number of events is stored.
#[derive(Clone, Debug)]
struct Null {
    answers: Arc<[String]>,
    events: Arc<AtomicUsize>,
}

impl Null {
    fn new() -> Self {
        let answer = |events: usize| {
            let mut body = String::from(r#"{"failed":[],"successful":["#);
            for number in 0..events {
                let comma = if number == 0 { "" } else { "," };
                // Writing to a String cannot fail.
                let _ = write!(
                    body,
                    r#"{comma}{{"id":"event-{number}","eventID":"0190b6c2-6c1e-7cc3-8f0e-2f6c9f1c2a11"}}"#
                );
            }
            body.push_str("]}");
            body
        };
        Self { answers: (0..=100).map(answer).collect(), events: Arc::default() }
    }
}

impl HttpConnector for Null {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        black_box(request.body().bytes().map(<[u8]>::len));
        let body = self.answers.get(self.events.load(Ordering::Relaxed)).cloned().unwrap_or_default();
        let answer = StatusCode::try_from(200).map(|ok| HttpResponse::new(ok, SdkBody::from(body)));
        HttpConnectorFuture::ready(answer.map_err(|error| ConnectorError::other(error.into(), None)))
    }
}

impl HttpClient for Null {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

const BATCHES: [usize; 5] = [1, 10, 25, 50, 100];
const TURNS: usize = 41;
const REQUESTS: u32 = 25;

/// The time of one of [`REQUESTS`], in nanoseconds of `clock`.
fn each(clock: impl Fn() -> Duration, work: impl FnOnce() -> Result<(), Failed>) -> Result<f64, Failed> {
    let start = clock();
    work()?;
    Ok(clock().saturating_sub(start).as_secs_f64() * 1e9 / f64::from(REQUESTS))
}

pub(crate) fn table() -> Result<(Table, String), Failed> {
    let null = Null::new();
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::for_tests()))
        .retry_config(RetryConfig::disabled())
        .http_client(null.clone())
        .build();
    let sdk = Client::new(&config);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let channel = ChannelArn::from_static(CHANNEL_ARN);
    let transport = runtime.block_on(AwsTransport::for_channel(&channel, config.clone()))?;
    let client = AuditClient::builder()
        .channel_arn(CHANNEL_ARN)
        .sdk_config(&config)
        .linger(Duration::from_secs(5))
        .build_blocking()?;

    let mut table = Table::new(
        "A batch to a signed request and its answer (null connector), by this thread's processor time; and the whole client, by the clock",
        &[
            "events",
            "bare SDK, prebuilt entries",
            "our transport",
            "ratio",
            "aim",
            "try_emit of each, to flush",
            "events a second",
        ],
    );
    let mut lines = ["bare SDK", "audit-client"].map(|name| Line { name: name.to_owned(), points: Vec::new() });
    let began = Instant::now();
    for count in BATCHES {
        null.events.store(count, Ordering::Relaxed);
        let entries = entries(0, count)?;
        let prebuilt = entries
            .iter()
            .map(|entry| {
                AuditEvent::builder()
                    .id(entry.id().as_str())
                    .event_data(entry.event_data())
                    .event_data_checksum(entry.checksum().to_string())
                    .build()
            })
            .collect::<Result<Vec<_>, _>>()?;
        let mut batch = Batch::new();
        for entry in &entries {
            batch.push(entry.clone())?;
        }
        let (mut bare, mut ours, mut through) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..TURNS {
            bare.push(each(cpu_time, || {
                for _ in 0..REQUESTS {
                    let request =
                        sdk.put_audit_events().channel_arn(CHANNEL_ARN).set_audit_events(Some(prebuilt.clone()));
                    if runtime.block_on(request.send())?.successful().len() != count {
                        return Err("the null connector answered wrongly".into());
                    }
                }
                Ok(())
            })?);
            ours.push(each(cpu_time, || {
                for _ in 0..REQUESTS {
                    let answer = runtime.block_on(transport.submit(Submission::new(&channel, None, &batch)));
                    if answer.map_err(|failure| failure.message)?.successful.len() != count {
                        return Err("the null connector answered wrongly".into());
                    }
                }
                Ok(())
            })?);
            // One after the other: an id may be in flight only once.
            through.push(each(
                || began.elapsed(),
                || {
                    for _ in 0..REQUESTS {
                        for entry in &entries {
                            drop(client.try_emit(entry.clone())?);
                        }
                        client.flush_blocking()?;
                    }
                    Ok(())
                },
            )?);
        }
        let share = median(ours.iter().zip(&bare).map(|(one, other)| one / other).collect());
        let (bare, ours, through) = (median(bare), median(ours), median(through));
        #[allow(clippy::cast_precision_loss, reason = "a hundred has few digits")]
        let count = count as f64;
        let rate = |nanos: f64| count / nanos * 1e9;
        for (line, nanos) in lines.iter_mut().zip([bare, through]) {
            line.points.push((count, rate(nanos)));
        }
        let aim = if count >= 100.0 { at_most(share, 1.05) } else { String::new() };
        let events_a_second = format!("{:.0}", rate(through));
        table.row([format!("{count}"), time(bare), time(ours), ratio(share), aim, time(through), events_a_second]);
    }
    drop(client.shutdown_blocking(Duration::from_secs(10)));
    Ok((table, draw("Throughput to a signed request", "events in a batch", "events a second", &lines)))
}
