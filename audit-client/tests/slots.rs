//! Clients of several processes over one spool directory.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test")]

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use audit_client::spool::{Spool, SpoolOptions};
use audit_client::wire::{PutAuditEventsResponse, SuccessfulEntry};
use audit_client::{AuditClient, Entry, Submission, Submitting, Transport, testing};

/// A service that takes everything, and remembers the ids.
#[derive(Clone, Default)]
struct Takes(Arc<Mutex<Vec<String>>>);

impl Transport for Takes {
    fn submit<'a>(&'a self, submission: Submission<'a>) -> Submitting<'a> {
        let ids: Vec<String> = submission.batch.entries().iter().map(|entry| entry.id().to_string()).collect();
        self.0.lock().unwrap().extend(ids.iter().cloned());
        let successful = ids.iter().map(|id| SuccessfulEntry::new(id.as_str(), "E")).collect();
        Box::pin(async { Ok(PutAuditEventsResponse::new(successful, Vec::new())) })
    }
}

fn entry(id: &str) -> Entry {
    let data = format!(
        r#"{{"version":"1.0","userIdentity":{{"type":"T","principalId":"p"}},"eventSource":"s","eventName":"N","eventTime":"2026-11-21T10:15:30Z","UID":"{id}","recipientAccountId":"123456789012"}}"#
    );
    Entry::parse(id, data).unwrap()
}

async fn client(spool: &Path, transport: &Takes) -> AuditClient {
    let builder = AuditClient::builder().channel_arn(testing::CHANNEL_ARN).transport(transport.clone());
    builder.spool(spool).linger(Duration::ZERO).build().await.unwrap()
}

#[tokio::test]
async fn a_second_process_starts_and_each_delivers_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let transport = Takes::default();
    let (one, two) = (client(dir.path(), &transport).await, client(dir.path(), &transport).await);
    one.emit(entry("a")).await.unwrap().delivered().await.unwrap();
    two.emit(entry("b")).await.unwrap().delivered().await.unwrap();
    for client in [one, two] {
        let report = client.shutdown(Duration::from_secs(5)).await;
        assert_eq!((report.accepted, report.delivered), (1, 1), "{report}");
    }
}

#[tokio::test]
async fn what_a_process_left_that_does_not_come_back_is_delivered_by_another() {
    let dir = tempfile::tempdir().unwrap();
    let slots: Vec<_> = (0..3).map(|_| Spool::open_slot(dir.path(), SpoolOptions::new()).unwrap().0).collect();
    for (number, slot) in slots.iter().enumerate() {
        slot.append(entry(&format!("left-{number}"))).await.unwrap();
    }
    for slot in &slots {
        slot.close().unwrap();
    }
    let transport = Takes::default();
    let client = client(dir.path(), &transport).await;
    while transport.0.lock().unwrap().len() < 3 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let report = client.shutdown(Duration::from_secs(5)).await;
    assert_eq!((report.accepted, report.recovered, report.delivered), (3, 3, 3), "{report}");
    let mut ids = transport.0.lock().unwrap().clone();
    ids.sort();
    assert_eq!(ids, ["left-0", "left-1", "left-2"]);
}
