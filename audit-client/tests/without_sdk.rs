//! The client without the feature `aws`: a transport of one's own takes the SDK's place.
#![cfg(not(any(feature = "aws", feature = "http")))]
#![allow(clippy::unwrap_used, reason = "a test")]

use std::time::Duration;

use audit_client::wire::{PutAuditEventsResponse, SuccessfulEntry};
use audit_client::{AuditClient, BuildError, Entry, Submission, Submitting, Transport, testing};

struct Takes;

impl Transport for Takes {
    fn submit<'a>(&'a self, submission: Submission<'a>) -> Submitting<'a> {
        Box::pin(async move {
            let entries = submission.batch.entries().iter();
            let successful = entries.map(|entry| SuccessfulEntry::new(entry.id().as_str(), "E")).collect();
            Ok(PutAuditEventsResponse::new(successful, Vec::new()))
        })
    }
}

#[test]
fn a_given_transport_delivers_and_none_is_an_error_that_says_what_to_do() {
    let builder = || AuditClient::builder().channel_arn(testing::CHANNEL_ARN);
    let error = builder().build_blocking().unwrap_err();
    assert!(
        matches!(error, BuildError::NoTransport) && error.to_string().contains("feature `http` or `aws`"),
        "{error}"
    );

    let client = builder().transport(Takes).linger(Duration::ZERO).build_blocking().unwrap();
    let account = testing::CHANNEL_ARN.split(':').nth(4).unwrap();
    let data = format!(
        r#"{{"version":"1.0","userIdentity":{{"type":"T","principalId":"p"}},"eventSource":"s","eventName":"N","eventTime":"2026-11-21T10:15:30Z","UID":"u","recipientAccountId":"{account}"}}"#
    );
    let receipt = client.emit_blocking(Entry::parse("a", data).unwrap()).unwrap();
    assert_eq!(receipt.delivered_blocking().unwrap().event_id, "E");
    let report = client.shutdown_blocking(Duration::from_secs(5));
    assert_eq!((report.accepted, report.delivered), (1, 1));
}
