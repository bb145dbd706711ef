//! The rest of a spool is delivered without its application.

use std::path::Path;
use std::process::Command;

use audit_client::spool::{Spool, SpoolOptions};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_in_a_spool_is_delivered_without_its_application() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("deliver-spool");
    // Left there by an earlier run, if at all.
    let _ = std::fs::remove_dir_all(&folder);
    let lake = audit_lake::Lake::builder().start().await.expect("a lake");
    // Two processes left something.
    let slots: Vec<_> = (0..2).map(|_| Spool::open_slot(&folder, SpoolOptions::new()).expect("a slot").0).collect();
    let account = lake.channel_arn().account();
    for (spool, id) in slots.iter().zip(["refund-1", "refund-2"]) {
        let event_data = format!(
            r#"{{"version":"1.0","userIdentity":{{"type":"Staff","principalId":"alice"}},"eventSource":"orders.example.com","eventName":"RefundIssued","eventTime":"2026-11-21T10:15:30Z","UID":"{id}","recipientAccountId":"{account}"}}"#
        );
        spool.append((id, event_data.as_str())).await.expect("on disk");
    }
    for spool in slots {
        spool.close().expect("closed");
    }

    let output = Command::new(env!("CARGO_BIN_EXE_deliver_spool"))
        .env("AUDIT_SPOOL_DIR", &folder)
        .env("AUDIT_CHANNEL_ARN", lake.channel_arn().as_str())
        .env("AUDIT_ENDPOINT_URL", lake.endpoint_url())
        .env("AWS_ACCESS_KEY_ID", lake.access_key().id())
        .env("AWS_SECRET_ACCESS_KEY", lake.access_key().secret())
        .env_remove("AWS_SESSION_TOKEN")
        .output()
        .expect("the program starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let stored = lake.events().await.expect("events");
    assert_eq!(stored.into_iter().map(|event| event.id).collect::<Vec<_>>(), ["refund-1", "refund-2"]);
}
