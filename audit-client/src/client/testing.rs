//! For applications' own unit tests: a client that records what it is given, without a network and without AWS.
//!
//! ```
//! use audit_client::testing::Recorder;
//! # use audit_client::{AuditClient, Entry};
//! # fn refund(audit: &AuditClient) {
//! #     let data = r#"{"version":"1.0","userIdentity":{"type":"Staff","principalId":"alice"},"eventSource":"orders.example.com","eventName":"RefundIssued","eventTime":"2026-11-21T10:15:30Z","UID":"r-1","requestParameters":{"amountCents":1999},"recipientAccountId":"123456789012"}"#;
//! #     let _ = audit.emit_blocking(Entry::parse("r-1", data).expect("valid")).expect("accepted");
//! # }
//!
//! let audit = Recorder::new();
//! refund(&audit.client());
//!
//! let refund = audit.only("RefundIssued");
//! assert_eq!(refund.request("amountCents"), 1999);
//! ```

use std::fmt;
use std::time::Duration;

use audit_core::wire::{PutAuditEventsResponse, SuccessfulEntry};
use audit_core::{Entry, EventId};
use serde_json::Value;

use super::AuditClient;
use super::builder::ClientBuilder;
use crate::observe::tap::Tap;
use crate::transport::submit::{Submission, Submitting, Transport};

/// The channel of a recording client: account 123456789012, region eu-west-1.
pub const CHANNEL_ARN: &str = "arn:aws:cloudtrail:eu-west-1:123456789012:channel/EXAMPLE8-0558-4f7e-a06a-43969EXAMPLE";

/// Makes clients, and has what was emitted through them as soon as `emit` returns. Every event is delivered.
///
/// Its methods panic with a readable message where an expectation does not hold: it belongs into tests.
#[derive(Clone)]
pub struct Recorder {
    client: AuditClient,
    tap: Tap,
}

impl Recorder {
    /// A recorder with its client.
    ///
    /// # Panics
    ///
    /// When the system gives no thread.
    #[expect(clippy::new_without_default, reason = "it starts a thread: that should be seen where it happens")]
    pub fn new() -> Self {
        Self::with(|builder| builder)
    }

    /// A recorder whose client has further settings, such as an `hmac_key`.
    ///
    /// # Panics
    ///
    /// When a setting is wrong, or the system gives no thread.
    pub fn with(settings: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Self {
        let tap = Tap::default();
        let builder = AuditClient::builder().channel_arn(CHANNEL_ARN).linger(Duration::ZERO).transport(TakesAll);
        match settings(builder).tap(tap.clone()).build_blocking() {
            Ok(client) => Self { client, tap },
            #[expect(clippy::panic, reason = "documented: a test's set-up failed")]
            Err(error) => panic!("no recording client: {error}"),
        }
    }

    /// The client to give to the code under test.
    pub fn client(&self) -> AuditClient {
        self.client.clone()
    }

    /// Everything emitted so far, in order.
    pub fn events(&self) -> Vec<RecordedEvent> {
        let parse = |entry: &Entry| serde_json::from_str(entry.event_data()).unwrap_or(Value::Null);
        self.tap.entries().into_iter().map(|entry| RecordedEvent { json: parse(&entry), entry }).collect()
    }

    /// Everything emitted so far with this event name, in order.
    pub fn named(&self, event_name: &str) -> Vec<RecordedEvent> {
        self.events().into_iter().filter(|event| event.name() == event_name).collect()
    }

    /// The one event with this name.
    ///
    /// # Panics
    ///
    /// When there is none, or more than one; the message lists what was emitted.
    pub fn only(&self, event_name: &str) -> RecordedEvent {
        let mut named = self.named(event_name);
        match (named.pop(), named.is_empty()) {
            (Some(event), true) => event,
            #[expect(clippy::panic, reason = "documented: this is an assertion")]
            (found, _) => {
                let count = named.len() + usize::from(found.is_some());
                let emitted: Vec<_> = self.events().iter().map(|event| event.name().to_owned()).collect();
                panic!("expected one event named {event_name}, found {count}; emitted were: {emitted:?}")
            }
        }
    }

    /// Forgets what was recorded.
    pub fn clear(&self) {
        self.tap.clear();
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("events", &self.tap.len()).finish_non_exhaustive()
    }
}

/// An event as it would have been sent.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedEvent {
    entry: Entry,
    json: Value,
}

impl RecordedEvent {
    /// The entry: id, event data, checksum.
    pub fn entry(&self) -> &Entry {
        &self.entry
    }

    /// The entry's id.
    pub fn id(&self) -> &EventId {
        self.entry.id()
    }

    /// The whole event data.
    pub fn json(&self) -> &Value {
        &self.json
    }

    /// `eventName`
    pub fn name(&self) -> &str {
        self.json["eventName"].as_str().unwrap_or_default()
    }

    /// `eventSource`
    pub fn source(&self) -> &str {
        self.json["eventSource"].as_str().unwrap_or_default()
    }

    /// `userIdentity.principalId`
    pub fn principal_id(&self) -> &str {
        self.json["userIdentity"]["principalId"].as_str().unwrap_or_default()
    }

    /// What `requestParameters` has under this key; null if nothing.
    pub fn request(&self, key: &str) -> &Value {
        &self.json["requestParameters"][key]
    }

    /// What `responseElements` has under this key; null if nothing.
    pub fn response(&self, key: &str) -> &Value {
        &self.json["responseElements"][key]
    }

    /// `errorCode`, if there is one.
    pub fn error_code(&self) -> Option<&str> {
        self.json["errorCode"].as_str()
    }
}

/// A service that takes everything.
struct TakesAll;

impl Transport for TakesAll {
    fn submit<'a>(&'a self, submission: Submission<'a>) -> Submitting<'a> {
        let taken = submission.batch.entries().iter();
        let successful = taken
            .map(|entry| {
                let event_id: String = format!("recorded-{}", entry.id()).chars().take(128).collect();
                SuccessfulEntry::new(entry.id().as_str(), event_id)
            })
            .collect();
        Box::pin(async move { Ok(PutAuditEventsResponse::new(successful, Vec::new())) })
    }
}
