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

use std::collections::HashMap;
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
/// Its methods panic with a readable message where an expectation does not hold: it belongs into tests. So do they, and the drop of
/// the recorder, where two events of a source had the same id and other data: the second would have become a dead letter.
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
    ///
    /// # Panics
    ///
    /// When an id was used twice.
    #[track_caller]
    pub fn events(&self) -> Vec<RecordedEvent> {
        let parse = |entry: &Entry| serde_json::from_str(entry.event_data()).unwrap_or(Value::Null);
        let events: Vec<_> =
            self.tap.entries().into_iter().map(|entry| RecordedEvent { json: parse(&entry), entry }).collect();
        if let Some(reused) = reused_id(&events) {
            // Said once.
            self.tap.clear();
            #[expect(clippy::panic, reason = "documented: this is an assertion")]
            {
                panic!("{reused}");
            }
        }
        events
    }

    /// Everything emitted so far with this event name, in order.
    ///
    /// # Panics
    ///
    /// When an id was used twice.
    #[track_caller]
    pub fn named(&self, event_name: &str) -> Vec<RecordedEvent> {
        self.events().into_iter().filter(|event| event.name() == event_name).collect()
    }

    /// The one event with this name.
    ///
    /// # Panics
    ///
    /// When there is none, or more than one; the message lists what was emitted.
    #[track_caller]
    pub fn only(&self, event_name: &str) -> RecordedEvent {
        let mut named = self.named(event_name);
        match (named.pop(), named.is_empty()) {
            (Some(event), true) => event,
            #[expect(clippy::panic, reason = "documented: this is an assertion")]
            (found, _) => {
                let count = named.len() + usize::from(found.is_some());
                let emitted = names(&self.events());
                panic!("expected one event named {event_name}, found {count}; emitted were: {emitted}")
            }
        }
    }

    /// Forgets what was recorded.
    pub fn clear(&self) {
        self.tap.clear();
    }
}

/// The names in the order of their first events, each with how often it is there.
fn names(events: &[RecordedEvent]) -> String {
    let mut names: Vec<(&str, usize)> = Vec::new();
    for event in events {
        match names.iter_mut().find(|(name, _)| *name == event.name()) {
            Some((_, times)) => *times += 1,
            None => names.push((event.name(), 1)),
        }
    }
    if names.is_empty() {
        return "none".to_owned();
    }
    let each =
        names.into_iter().map(|(name, times)| if times == 1 { name.to_owned() } else { format!("{times} × {name}") });
    each.collect::<Vec<_>>().join(", ")
}

/// What is wrong where two events of a source have the same id and other data.
fn reused_id(events: &[RecordedEvent]) -> Option<String> {
    let mut seen: HashMap<(&str, &str), &RecordedEvent> = HashMap::new();
    for event in events {
        let first = seen.entry((event.source(), event.id().as_str())).or_insert(event);
        if first.entry.event_data() != event.entry.event_data() {
            let (id, source) = (event.json["UID"].as_str().unwrap_or_default(), event.source());
            let (one, two) = (first.name(), event.name());
            let differs = |key: &&String| first.json[key.as_str()] != event.json[key.as_str()];
            let members = |json: &Value| json.as_object().into_iter().flat_map(|all| all.keys()).cloned().collect();
            let mut keys: Vec<String> = members(&first.json);
            keys.extend(members(&event.json));
            let mut keys: Vec<&str> = keys.iter().filter(differs).map(String::as_str).collect();
            keys.sort_unstable();
            keys.dedup();
            return Some(format!(
                "the id {id} of {source} was used for two events, {one} and {two}, which differ in {}: the service takes the \
                 second for a retry of the first and refuses it. An id is that of an event, not of the thing that it is about: \
                 use EventId::generate(), or #[audit(generate_id)]. If it is the same event, all of it has to be the same, also \
                 its time: keep that with the id, in a field with #[audit(time)]",
                keys.join(", ")
            ));
        }
    }
    None
}

impl Drop for Recorder {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            drop(self.events());
        }
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

    /// `sourceIPAddress`, if there is one.
    pub fn ip(&self) -> Option<&str> {
        self.json["sourceIPAddress"].as_str()
    }

    /// `userAgent`, if there is one.
    pub fn user_agent(&self) -> Option<&str> {
        self.json["userAgent"].as_str()
    }

    /// What `additionalEventData` has under this key; null if nothing.
    pub fn additional(&self, key: &str) -> &Value {
        &self.json["additionalEventData"][key]
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

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use audit_core::Entry;

    use super::Recorder;

    fn entry(id: &str, source: &str, name: &str, more: &str) -> Entry {
        let data = format!(
            r#"{{"version":"1.0","userIdentity":{{"type":"Staff","principalId":"alice"}},"eventSource":"{source}","eventName":"{name}","eventTime":"2026-11-21T10:15:30Z","UID":"{id}","recipientAccountId":"123456789012"{more}}}"#
        );
        Entry::parse(id, data).expect("a right event")
    }

    fn emit(recorder: &Recorder, entry: Entry) {
        drop(recorder.client().emit_blocking(entry).expect("room"));
    }

    /// What a test that does this fails with, and where.
    fn failure(test: impl FnOnce() + std::panic::UnwindSafe) -> String {
        let panic = catch_unwind(test).expect_err("a failure");
        panic.downcast_ref::<String>().expect("a text").clone()
    }

    #[test]
    fn an_id_that_is_used_twice_with_other_data_fails_the_test() {
        let used_twice = || {
            let recorder = Recorder::new();
            emit(&recorder, entry("2026-17", "shop.example.com", "InvoiceSent", ""));
            emit(&recorder, entry("2026-17", "shop.example.com", "InvoicePaid", ""));
            recorder
        };
        let by_assertion = failure(|| drop(used_twice().only("InvoicePaid")));
        let by_drop = failure(|| drop(used_twice()));
        for text in [by_assertion, by_drop] {
            assert!(
                text.starts_with(
                    "the id 2026-17 of shop.example.com was used for two events, InvoiceSent and InvoicePaid"
                ),
                "{text}"
            );
        }
    }

    #[test]
    fn a_retry_and_another_source_may_have_the_same_id() {
        let recorder = Recorder::new();
        emit(&recorder, entry("7", "shop.example.com", "Sent", ""));
        emit(&recorder, entry("7", "shop.example.com", "Sent", ""));
        emit(&recorder, entry("7", "bank.example.com", "Sent", ""));
        assert_eq!(recorder.events().len(), 3);
    }

    #[test]
    fn a_failure_counts_equal_names() {
        let text = failure(|| {
            let recorder = Recorder::new();
            for id in ["1", "2", "3"] {
                emit(&recorder, entry(id, "shop.example.com", if id == "2" { "Paid" } else { "Sent" }, ""));
            }
            drop(recorder.only("Sent"));
        });
        assert_eq!(text, "expected one event named Sent, found 2; emitted were: 2 × Sent, Paid");
        let text = failure(|| drop(Recorder::new().only("Sent")));
        assert_eq!(text, "expected one event named Sent, found 0; emitted were: none");
    }

    #[test]
    fn what_the_context_added_can_be_asserted() {
        let more = r#","sourceIPAddress":"192.0.2.1","userAgent":"till/7","additionalEventData":{"requestId":"r-1"}"#;
        let recorder = Recorder::new();
        emit(&recorder, entry("1", "shop.example.com", "Sent", more));
        let event = recorder.only("Sent");
        assert_eq!((event.ip(), event.user_agent()), (Some("192.0.2.1"), Some("till/7")));
        assert_eq!(event.additional("requestId"), "r-1");
    }
}
