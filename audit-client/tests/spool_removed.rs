//! A client whose spool is removed while it runs: the report counts as kept only what the next run would find.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test")]

use std::time::Duration;

use audit_client::{AuditClient, EmitError, Entry, Failure, NotDelivered, Submission, Submitting, Transport, testing};

/// A service that is never there.
struct Away;

impl Transport for Away {
    fn submit<'a>(&'a self, _: Submission<'a>) -> Submitting<'a> {
        Box::pin(async { Err(Failure::new("away").status(503)) })
    }
}

fn entry(id: &str) -> Entry {
    let data = format!(
        r#"{{"version":"1.0","userIdentity":{{"type":"T","principalId":"p"}},"eventSource":"s","eventName":"N","eventTime":"2026-11-21T10:15:30Z","UID":"{id}","recipientAccountId":"123456789012"}}"#
    );
    Entry::parse(id, data).unwrap()
}

#[test]
fn what_was_removed_with_the_spool_is_lost_and_not_kept() {
    let above = tempfile::tempdir().unwrap();
    let spool = above.path().join("spool");
    let client = AuditClient::builder()
        .channel_arn(testing::CHANNEL_ARN)
        .transport(Away)
        .spool(&spool)
        .linger(Duration::ZERO)
        .build_blocking()
        .unwrap();
    let receipts: Vec<_> = (0..8).map(|number| client.emit_blocking(entry(&format!("e-{number}"))).unwrap()).collect();
    std::fs::remove_dir_all(&spool).unwrap();
    let error = client.emit_blocking(entry("later")).unwrap_err();
    assert!(matches!(error, EmitError::Spool { .. }), "{error:?}");

    let report = client.shutdown_blocking(Duration::from_secs(1));
    assert_eq!((report.accepted, report.kept, report.lost), (8, 0, 8), "{report}");
    for receipt in receipts {
        let outcome = receipt.delivered_blocking();
        assert!(matches!(outcome, Err(NotDelivered::Lost { .. })), "{outcome:?}");
    }
}
