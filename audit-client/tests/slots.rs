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

#[tokio::test]
async fn a_flush_after_the_start_waits_for_what_others_left() {
    const EVENTS: usize = 1_700;
    let dir = tempfile::tempdir().unwrap();
    let slots: Vec<_> = (0..3).map(|_| Spool::open_slot(dir.path(), SpoolOptions::new()).unwrap().0).collect();
    let entries: Vec<_> = (0..EVENTS).map(|number| entry(&format!("left-{number}"))).collect();
    for append in slots[2].append_all(&entries) {
        append.wait().unwrap();
    }
    slots[0].append(entry("own")).await.unwrap();
    for slot in &slots {
        slot.close().unwrap();
    }
    let transport = Takes::default();
    let client = client(dir.path(), &transport).await;
    client.flush().await.unwrap();
    assert_eq!(transport.0.lock().unwrap().len(), EVENTS + 1);
    let report = client.shutdown(Duration::from_secs(5)).await;
    let all = EVENTS as u64 + 1;
    assert_eq!((report.accepted, report.recovered, report.delivered), (all, all, all), "{report}");
}

#[tokio::test]
async fn an_event_that_another_process_leaves_later_is_delivered_by_one_that_runs() {
    let dir = tempfile::tempdir().unwrap();
    let transport = Takes::default();
    let client = client(dir.path(), &transport).await;
    client.flush().await.unwrap();
    let (other, _reader) = Spool::open_slot(dir.path(), SpoolOptions::new()).unwrap();
    other.append(entry("left")).await.unwrap();
    other.close().unwrap();
    while transport.0.lock().unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let report = client.shutdown(Duration::from_secs(5)).await;
    assert_eq!((report.accepted, report.recovered, report.delivered), (1, 1, 1), "{report}");
}

/// A service that is not there.
struct Away;

impl Transport for Away {
    fn submit<'a>(&'a self, _: Submission<'a>) -> Submitting<'a> {
        Box::pin(async { Err(audit_client::Failure::new("away").status(503)) })
    }
}

/// Whatever a shutdown finds of others' events, moved or not: all of it is in some slot, and the next process delivers it once.
#[tokio::test]
async fn a_shutdown_in_the_middle_leaves_all_that_others_left_on_disk() {
    const EVENTS: usize = 3_000;
    for round in 0..4 {
        let dir = tempfile::tempdir().unwrap();
        let slots: Vec<_> = (0..2).map(|_| Spool::open_slot(dir.path(), SpoolOptions::new()).unwrap().0).collect();
        let entries: Vec<_> = (0..EVENTS).map(|number| entry(&format!("left-{number}"))).collect();
        for append in slots[1].append_all(&entries) {
            append.wait().unwrap();
        }
        for slot in &slots {
            slot.close().unwrap();
        }
        let builder = AuditClient::builder().channel_arn(testing::CHANNEL_ARN).transport(Away);
        let away = builder.spool(dir.path()).build().await.unwrap();
        while away.stats().recovered < round * 400 {
            tokio::task::yield_now().await;
        }
        let report = away.shutdown(Duration::from_secs(5)).await;
        assert_eq!((report.accepted, report.kept, report.lost), (report.recovered, report.recovered, 0), "{report}");

        let transport = Takes::default();
        let client = client(dir.path(), &transport).await;
        client.flush().await.unwrap();
        assert_eq!(client.shutdown(Duration::from_secs(5)).await.delivered, EVENTS as u64);
        let mut ids = transport.0.lock().unwrap().clone();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), EVENTS, "round {round}");
    }
}
