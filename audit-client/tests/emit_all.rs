//! Many events at once.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test")]

use std::path::Path;
use std::time::Duration;

use audit_client::spool::{SpoolOptions, WhenFull};
use audit_client::testing::{self, Recorder};
use audit_client::{
    AuditClient, ClientBuilder, EmitAllError, EmitError, Entry, Failure, Submission, Submitting, Transport,
};

/// A service that is not there.
struct Away;

impl Transport for Away {
    fn submit<'a>(&'a self, _: Submission<'a>) -> Submitting<'a> {
        Box::pin(async { Err(Failure::new("away").status(503)) })
    }
}

fn entry_for(id: &str, account: &str) -> Entry {
    let data = format!(
        r#"{{"version":"1.0","userIdentity":{{"type":"T","principalId":"p"}},"eventSource":"s","eventName":"N","eventTime":"2026-11-21T10:15:30Z","UID":"{id}","recipientAccountId":"{account}"}}"#
    );
    Entry::parse(id, data).unwrap()
}

fn entries(count: usize) -> Vec<Entry> {
    (0..count).map(|number| entry_for(&format!("e-{number}"), "123456789012")).collect()
}

fn builder() -> ClientBuilder {
    AuditClient::builder().channel_arn(testing::CHANNEL_ARN).transport(Away)
}

fn spooled(dir: &Path) -> AuditClient {
    builder().spool(dir).build_blocking().unwrap()
}

#[tokio::test]
async fn many_events_are_accepted_in_order_and_each_gets_its_receipt() {
    let recorder = Recorder::new();
    let all = entries(1_000);
    let ids: Vec<_> = all.iter().map(|entry| entry.id().clone()).collect();
    let receipts = recorder.client().emit_all(all).await.unwrap();
    assert_eq!(recorder.events().iter().map(|event| event.id().clone()).collect::<Vec<_>>(), ids);
    for (receipt, id) in receipts.into_iter().zip(ids) {
        assert_eq!(receipt.delivered().await.unwrap().id, id);
    }
}

#[tokio::test]
async fn with_a_spool_all_of_them_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let client = spooled(dir.path());
    let receipts = client.emit_all(entries(1_000)).await.unwrap();
    assert_eq!(receipts.len(), 1_000);
    let report = client.shutdown(Duration::from_secs(5)).await;
    assert_eq!((report.accepted, report.kept, report.lost), (1_000, 1_000, 0), "{report}");
}

#[test]
fn an_event_that_cannot_be_accepted_stops_all_of_them() {
    let dir = tempfile::tempdir().unwrap();
    let client = spooled(dir.path());
    let mut all = entries(5);
    all[3] = entry_for("foreign", "999999999999");
    let error = client.emit_all_blocking(all).unwrap_err();
    assert_eq!(error.to_string(), "no event was accepted, because of the one at 3");
    let EmitAllError { accepted, refused, .. } = error;
    assert!(accepted.is_empty());
    assert!(matches!(&refused[..], [(3, EmitError::Recipient { .. })]), "{refused:?}");
    assert_eq!(client.shutdown_blocking(Duration::from_secs(5)).accepted, 0);
}

#[test]
fn what_is_refused_is_named_and_given_back() {
    let dir = tempfile::tempdir().unwrap();
    let options = SpoolOptions::new().max_bytes(SpoolOptions::MIN_MAX_BYTES).when_full(WhenFull::Reject);
    let client = builder().spool(dir.path()).spool_options(options).build_blocking().unwrap();
    let all = entries(500);
    let error = client.emit_all_blocking(all.clone()).unwrap_err();
    let EmitAllError { accepted, refused, .. } = error;
    assert!(!accepted.is_empty());
    assert_eq!(accepted.len() + refused.len(), 500);
    for (at, error) in &refused {
        let EmitError::Spool { entry, .. } = error else { panic!("{error:?}") };
        assert_eq!(**entry, all[*at]);
    }
    let report = client.shutdown_blocking(Duration::from_secs(5));
    assert_eq!((report.accepted, report.kept), (accepted.len() as u64, accepted.len() as u64), "{report}");
}

/// Dropped after its first poll: as a server drops a handler.
#[tokio::test]
async fn what_was_in_line_stays_there_when_the_future_is_dropped() {
    for polls in 0..20 {
        let dir = tempfile::tempdir().unwrap();
        let client = spooled(dir.path());
        let emit = client.emit_all(entries(200));
        tokio::select! {
            biased;
            accepted = emit => drop(accepted.unwrap()),
            () = async { for _ in 0..polls { tokio::task::yield_now().await } } => {}
        }
        let report = client.shutdown(Duration::from_secs(5)).await;
        assert_eq!((report.accepted, report.kept, report.lost), (200, 200, 0), "{report}");
    }
}

#[test]
fn a_client_that_was_shut_down_takes_none() {
    let dir = tempfile::tempdir().unwrap();
    let client = spooled(dir.path());
    let _ = client.shutdown_blocking(Duration::from_secs(5));
    let error = client.emit_all_blocking(entries(3)).unwrap_err();
    assert_eq!(error.to_string(), "no event was accepted, because of 3 of them, the first at 0");
    assert_eq!(error.refused.len(), 3);
    assert!(error.refused.iter().all(|(_, error)| matches!(error, EmitError::ShutDown { .. })), "{error:?}");
    assert!(client.emit_all_blocking(entries(0)).unwrap().is_empty());
}
