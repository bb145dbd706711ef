//! Fills a lake with events whose texts are hard on spreadsheets and terminals. `events.py` compares what `audit-lake events` shows
//! of them.

use std::time::Duration;

use audit_client::{AuditClient, ChannelArn, Entry, EventId};
use audit_lake::Lake;
use serde_json::json;

type Failed = Box<dyn std::error::Error>;

const EVENTS: usize = 1_000;
const ACCOUNT: &str = "123456789012";
const PIECES: [&str; 24] = [
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\r",
    "\n",
    "\r\n",
    ",",
    ";",
    "\"",
    "'",
    "|",
    " ",
    "\\",
    "1",
    "cmd",
    "ö",
    "👍",
    "\u{202E}",
    "\u{200B}",
    "\u{FF1D}",
    "\u{FF0D}",
    "\u{E0041}",
];
const ADDRESSES: [&str; 5] = ["203.0.113.7", "::ffff:203.0.113.7", "2001:DB8:0:0::1", "2001:db8::1", "198.51.100.23"];
const SOURCES: [&str; 3] = ["orders.example.com", "logins.example.com", "=1;+2"];

/// Pseudorandom numbers, the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or_default() % bound
    }

    fn text(&mut self, least: usize) -> String {
        (0..least + self.below(6)).map(|_| PIECES[self.below(PIECES.len())]).collect()
    }
}

fn event(numbers: &mut Numbers, at: usize) -> String {
    let mut event = json!({
        "version": "1.0",
        "userIdentity": { "type": numbers.text(1), "principalId": numbers.text(1) },
        "eventSource": SOURCES[numbers.below(SOURCES.len())],
        "eventName": numbers.text(1),
        "eventTime": format!("2026-11-{:02}T{:02}:00:00Z", 1 + numbers.below(20), numbers.below(24)),
        "UID": format!("{at}{}", numbers.text(0)),
        "recipientAccountId": ACCOUNT,
    });
    for field in ["userAgent", "errorCode", "errorMessage"] {
        if numbers.below(3) == 0 {
            event[field] = numbers.text(0).into();
        }
    }
    if numbers.below(2) == 0 {
        event["sourceIPAddress"] = ADDRESSES[numbers.below(ADDRESSES.len())].into();
    }
    event.to_string()
}

#[tokio::main]
async fn main() -> Result<(), Failed> {
    let folder = std::env::args().nth(1).ok_or("name the folder for the lake's data")?;
    let channels: Vec<ChannelArn> = ["orders", "logins"]
        .iter()
        .map(|id| format!("arn:aws:cloudtrail:eu-west-1:{ACCOUNT}:channel/{id}").try_into())
        .collect::<Result<_, _>>()?;
    let builder = Lake::builder().data_dir(folder).account(ACCOUNT.parse()?);
    let lake = channels.iter().cloned().fold(builder, audit_lake::LakeBuilder::channel).start().await?;
    let mut numbers = Numbers(12);
    for channel in channels {
        let key = lake.access_key();
        let client = AuditClient::builder()
            .channel_arn(channel.to_string())
            .endpoint_url(lake.endpoint_url())
            .access_key(key.id(), key.secret())
            .build()
            .await?;
        for at in 0..EVENTS / 2 {
            let data = event(&mut numbers, at);
            let id = EventId::derive(&format!("-{at}"));
            let checksum = audit_lake::Checksum::of(data.as_bytes());
            client.emit(Entry::restore(id, data, checksum)?).await?;
        }
        let report = client.shutdown(Duration::from_mins(1)).await;
        if report.delivered != EVENTS as u64 / 2 {
            return Err(format!("not all were delivered: {report:?}").into());
        }
    }
    lake.shutdown().await;
    Ok(())
}
