//! The AWS SDK for Rust. Arguments: endpoint, table, results; see `table.py`.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::{Duration, SystemTime};

use aws_config::timeout::TimeoutConfig;
use aws_sdk_cloudtraildata::config::retry::RetryConfig;
use aws_sdk_cloudtraildata::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_cloudtraildata::error::SdkError;
use aws_sdk_cloudtraildata::operation::put_audit_events::PutAuditEventsError;
use aws_sdk_cloudtraildata::types::AuditEvent;
use aws_sdk_cloudtraildata::{Client, Config};
use aws_smithy_async::time::{SharedTimeSource, TimeSource};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Case {
    name: String,
    channel: String,
    external_id: Option<String>,
    entries: Vec<Entry>,
    key: Key,
    region: String,
    skew: i64,
    burst: usize,
    expect: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    id: String,
    event_data: String,
    event_data_checksum: Option<String>,
}

#[derive(Deserialize)]
struct Key {
    id: String,
    secret: String,
    token: Option<String>,
}

/// A clock that is off by so many seconds.
#[derive(Debug)]
struct Skewed(i64);

impl TimeSource for Skewed {
    fn now(&self) -> SystemTime {
        let offset = Duration::from_secs(self.0.unsigned_abs());
        if self.0 < 0 { SystemTime::now() - offset } else { SystemTime::now() + offset }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [endpoint, table, results] = &arguments[..] else { return Err("arguments: endpoint, table, results".into()) };
    let cases: Vec<Case> = serde_json::from_slice(&std::fs::read(table)?)?;
    let mut outcomes = BTreeMap::new();
    for case in &cases {
        let calls: Vec<_> =
            (0..case.burst).map(|_| tokio::spawn(call(client(endpoint, case), request(case)))).collect();
        let mut answers = Vec::new();
        for call in calls {
            answers.push(call.await??);
        }
        // Of calls at the same time, the one that tells the most.
        let telling = answers.iter().find(|answer| answer["error"] == case.expect["error"]).unwrap_or(&answers[0]);
        outcomes.insert(case.name.clone(), telling.clone());
    }
    std::fs::write(results, serde_json::to_vec(&outcomes)?)?;
    Ok(())
}

fn client(endpoint: &str, case: &Case) -> Client {
    let Key { id, secret, token } = &case.key;
    Client::from_conf(
        Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(endpoint)
            .region(Region::new(case.region.clone()))
            .credentials_provider(Credentials::new(id, secret, token.clone(), None, "conformance"))
            .retry_config(RetryConfig::disabled())
            .timeout_config(TimeoutConfig::builder().operation_timeout(Duration::from_secs(30)).build())
            .time_source(SharedTimeSource::new(Skewed(case.skew)))
            .build(),
    )
}

/// What a call sends: channel, external ID, entries.
type Request = (String, Option<String>, Vec<AuditEvent>);

fn request(case: &Case) -> Result<Request, String> {
    let entry = |entry: &Entry| {
        AuditEvent::builder()
            .id(&entry.id)
            .event_data(&entry.event_data)
            .set_event_data_checksum(entry.event_data_checksum.clone())
            .build()
            .map_err(|error| error.to_string())
    };
    let entries = case.entries.iter().map(entry).collect::<Result<_, _>>()?;
    Ok((case.channel.clone(), case.external_id.clone(), entries))
}

async fn call(client: Client, request: Result<Request, String>) -> Result<Value, String> {
    let (channel, external_id, entries) = request?;
    let sent = client
        .put_audit_events()
        .channel_arn(channel)
        .set_external_id(external_id)
        .set_audit_events(Some(entries))
        .send()
        .await;
    match sent {
        Ok(answer) => {
            let successful: BTreeMap<_, _> =
                answer.successful().iter().map(|entry| (entry.id(), entry.event_id())).collect();
            let failed: BTreeMap<_, _> = answer.failed().iter().map(|entry| (entry.id(), entry.error_code())).collect();
            Ok(json!({ "ok": { "successful": successful, "failed": failed } }))
        }
        Err(SdkError::ServiceError(context)) => {
            let typed = match context.err() {
                PutAuditEventsError::ChannelInsufficientPermission(_) => Some("ChannelInsufficientPermission"),
                PutAuditEventsError::ChannelNotFound(_) => Some("ChannelNotFound"),
                PutAuditEventsError::ChannelUnsupportedSchema(_) => Some("ChannelUnsupportedSchema"),
                PutAuditEventsError::DuplicatedAuditEventId(_) => Some("DuplicatedAuditEventId"),
                PutAuditEventsError::InvalidChannelArn(_) => Some("InvalidChannelARN"),
                PutAuditEventsError::UnsupportedOperationException(_) => Some("UnsupportedOperationException"),
                _ => None,
            };
            let metadata = context.err().meta();
            if metadata.message().is_none_or(str::is_empty) {
                return Err(format!("an error without a message: {context:?}"));
            }
            Ok(json!({ "error": metadata.code(), "status": context.raw().status().as_u16(), "typed": typed }))
        }
        Err(other) => Err(format!("no answer: {other:?}")),
    }
}
