//! How many events a second a lake takes: `cargo run --release -p audit-lake --example throughput -- [seconds] [connections] [folder]`
//!
//! Requests of 100 events of 485 bytes, each with its checksum, signed and written out beforehand, so that the sender costs
//! little beside the lake, which runs in the same process. Every request is answered after its commit was synced. The
//! folder lies in the current one by default, since the temporary folder may be no disk at all.

use std::error::Error;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use audit_core::Checksum;
use audit_lake::Lake;
use serde_json::json;
use tokio::net::TcpStream;

#[path = "../tests/signed_http/mod.rs"]
mod signed_http;

use signed_http::Call;

const EVENTS: usize = 100;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let seconds: u32 = arguments.next().map_or(Ok(10), |text| text.parse())?;
    let connections: usize = arguments.next().map_or(Ok(16), |text| text.parse())?;
    let folder = arguments.next().unwrap_or_else(|| "throughput-data".to_owned());

    let lake = Lake::builder().data_dir(&folder).start().await?;
    // Enough for 100,000 events a second; who is faster ends earlier.
    let requests = usize::try_from(seconds)? * 1_000;
    let run = std::process::id();
    let written: Vec<Vec<u8>> = (0..requests).map(|request| write_request(&lake, run, request)).collect();
    let written = Arc::new(written);
    let next = Arc::new(AtomicUsize::new(0));

    let (began, cpu_before) = (Instant::now(), cpu_seconds());
    let senders: Vec<_> = (0..connections)
        .map(|_| {
            let (written, next, address) = (Arc::clone(&written), Arc::clone(&next), lake.address());
            tokio::spawn(async move {
                let mut stream = TcpStream::connect(address).await.expect("a connection");
                stream.set_nodelay(true).expect("a socket");
                let mut taken = 0_u32;
                let mut slowest = 0.0_f64;
                while began.elapsed().as_secs_f64() < f64::from(seconds) {
                    let Some(request) = written.get(next.fetch_add(1, Ordering::Relaxed)) else { break };
                    let sent = Instant::now();
                    tokio::io::AsyncWriteExt::write_all(&mut stream, request).await.expect("written");
                    let answer = signed_http::read_answer(&mut stream).await.expect("an answer");
                    assert_eq!(answer.status, 200, "{answer:?}");
                    taken += answer.body["successful"]
                        .as_array()
                        .map_or(0, |entries| u32::try_from(entries.len()).unwrap_or(0));
                    slowest = slowest.max(sent.elapsed().as_secs_f64());
                }
                (taken, slowest)
            })
        })
        .collect();
    let (mut taken, mut slowest) = (0_u32, 0.0_f64);
    for sender in senders {
        let (this, slow) = sender.await?;
        taken += this;
        slowest = slowest.max(slow);
    }
    let elapsed = began.elapsed().as_secs_f64();
    writeln!(
        std::io::stdout().lock(),
        "{taken} events in {elapsed:.2} s over {connections} connections: {:.0} events a second; slowest answer {:.0} ms",
        f64::from(taken) / elapsed,
        slowest * 1_000.0
    )?;
    if let (Some(before), Some(after)) = (cpu_before, cpu_seconds()) {
        let cpu = after - before;
        writeln!(
            std::io::stdout().lock(),
            "processor time: {cpu:.2} s, {:.1} microseconds an event, sender included; {:.2} processors were had",
            cpu * 1_000_000.0 / f64::from(taken),
            cpu / elapsed
        )?;
    }
    lake.shutdown().await;
    Ok(())
}

/// What this process has used so far, where Linux tells: in its hundredths of a second.
fn cpu_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // User and system time are the 12th and 13th after the name, which may hold anything but ends in the last parenthesis.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / 100.0)
}

fn write_request(lake: &Lake, run: u32, request: usize) -> Vec<u8> {
    let entries: Vec<_> = (0..EVENTS)
        .map(|event| {
            let uid = format!("0190b6c2-{run:08x}-{request:08x}-{event:010x}");
            let data = format!(
                r#"{{"version":"1.0","userIdentity":{{"type":"Staff","principalId":"user{}@example.com","details":{{"department":"support","mfa":true}}}},"userAgent":"orders-admin/3.2","eventSource":"orders.example.com","eventName":"RefundIssued{}","eventTime":"2026-11-21T10:{:02}:{:02}Z","UID":"{uid}","requestParameters":{{"orderId":"ord_01HZX3V7Q8","amountCents":1999,"currency":"EUR","reason":"damaged in transit"}},"sourceIPAddress":"203.0.113.7","recipientAccountId":"{}"}}"#,
                event % 50,
                event % 7,
                request / 60 % 60,
                request % 60,
                lake.channel_arn().account()
            );
            json!({ "id": uid, "eventData": data, "eventDataChecksum": Checksum::of(data.as_bytes()) })
        })
        .collect();
    Call::to(lake).entries(&entries).to_bytes()
}
