//! The program that `spool_kill` kills: it emits without end, with a spool, and prints the fate of its events to stderr.
//!
//! `opening`, then `open`; then `accepted <id>` and `delivered <id> <event id>`, each once that is certain.

use std::io::Write;
use std::sync::mpsc;
use std::time::Duration;

use audit_client::{AuditClient, ClientConfig, Entry, Receipt};

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// One line is one write to the pipe, so none is torn.
fn print(line: &str) -> Result<(), Failed> {
    Ok(std::io::stderr().write_all(format!("{line}\n").as_bytes())?)
}

fn main() -> Result<(), Failed> {
    let (run, account) = (std::env::var("AUDIT_KILL_RUN")?, std::env::var("AUDIT_KILL_ACCOUNT")?);
    print("opening")?;
    let client = ClientConfig::from_env()?.into_builder().linger(Duration::ZERO).build_blocking()?;
    print("open")?;
    std::thread::scope(|scope| {
        // Only a few events in flight: the next start has to deliver the rest.
        let (receipts, waiting) = mpsc::sync_channel(8);
        let emitters: Vec<_> = (0..3)
            .map(|emitter| {
                let (client, receipts, name, account) =
                    (&client, receipts.clone(), format!("{run}-{emitter}"), &account);
                scope.spawn(move || emit(client, &name, account, &receipts))
            })
            .collect();
        drop(receipts);
        for receipt in waiting {
            if let Ok(delivery) = receipt.delivered_blocking() {
                print(&format!("delivered {} {}", delivery.id, delivery.event_id))?;
            }
        }
        emitters.into_iter().try_for_each(|emitter| emitter.join().map_err(|_| "an emitter panicked")?)
    })
}

fn emit(client: &AuditClient, name: &str, account: &str, receipts: &mpsc::SyncSender<Receipt>) -> Result<(), Failed> {
    for n in 0.. {
        let id = format!("{name}-{n}");
        let event_data = format!(
            r#"{{"version":"1.0","userIdentity":{{"type":"Staff","principalId":"alice"}},"eventSource":"orders.example.com","eventName":"RefundIssued","eventTime":"2026-11-21T10:15:30Z","UID":"{id}","recipientAccountId":"{account}"}}"#
        );
        let receipt = client.emit_blocking(Entry::parse(&*id, event_data)?)?;
        print(&format!("accepted {id}"))?;
        receipts.send(receipt)?;
    }
    Ok(())
}
