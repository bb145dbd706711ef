//! An exact gate: how often handing over an event allocates on the thread of who emits it. No noise moves that.

use allocation_counter::measure;
use audit_client::testing::CHANNEL_ARN;
use audit_client::wire::{PutAuditEventsResponse, SuccessfulEntry};
use audit_client::{AuditClient, Entry, Receipt, Submission, Submitting, Transport};

const EVENTS: usize = 1_000;

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

fn entries(round: usize) -> Vec<Entry> {
    let entry = |id: String| {
        let event_data = format!(
            r#"{{"version":"1.0","userIdentity":{{"type":"Staff","principalId":"alice"}},"eventSource":"orders.example.com","eventName":"RefundIssued","eventTime":"2026-11-21T10:15:30Z","UID":"{id}","recipientAccountId":"123456789012"}}"#
        );
        Entry::parse(id, event_data).expect("a good entry")
    };
    (0..EVENTS).map(|number| entry(format!("event-{round}-{number}"))).collect()
}

#[test]
fn handing_over_an_entry_allocates_once_for_its_receipt() {
    let client = AuditClient::builder().channel_arn(CHANNEL_ARN).transport(Sink).build_blocking().expect("a client");
    let mut fewest = u64::MAX;
    // What is kept for all events grows in the first rounds.
    for round in 0..5 {
        let entries = entries(round);
        let mut receipts: Vec<Receipt> = Vec::with_capacity(EVENTS);
        let counted = measure(|| {
            for entry in entries {
                receipts.push(client.try_emit(entry).expect("accepted"));
            }
        });
        fewest = fewest.min(counted.count_total);
        client.flush_blocking().expect("all settled");
    }
    let (events, growth) = (u64::try_from(EVENTS).expect("a few"), 20);
    assert!((events..=events + growth).contains(&fewest), "{fewest} allocations for {EVENTS} events");
}
