//! From end to end: entries of an audit log become events, the client delivers them to a lake, and the report accounts for
//! every line.
//!
//! ```sh
//! cargo run --bin quickstart                    # 40 sample entries, into a lake in ./quickstart-lake
//! cargo run --bin quickstart -- FILE.ndjson     # your own
//! AUDIT_CHANNEL_ARN=arn:… cargo run --bin quickstart   # to that channel, with credentials from AWS's usual chain
//! ```
#![allow(clippy::print_stdout, reason = "its output is its purpose")]

use std::collections::BTreeMap;
use std::error::Error;
use std::time::Duration;

use audit_client::{AuditClient, ChannelArn, Receipt};
use audit_examples::github::GithubEvent;
use audit_lake::Lake;

const SAMPLE: &str = include_str!("../../data/github-audit-log.ndjson");
const LAKE_FOLDER: &str = "quickstart-lake";
/// A lake stores events by channel: with the same channel, a second run finds the events of the first one.
const CHANNEL: ChannelArn =
    ChannelArn::from_static("arn:aws:cloudtrail:eu-west-1:123456789012:channel/quickstart-0000-4000-8000-000000000000");

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let log = match std::env::args().nth(1) {
        Some(file) => std::fs::read_to_string(&file).map_err(|error| format!("cannot read {file}: {error}"))?,
        None => SAMPLE.to_owned(),
    };
    let (client, lake) = start().await?;

    let mut account = Account::default();
    let mut sent = Vec::new();
    for (number, line) in (1..).zip(log.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        match GithubEvent::from_line(line) {
            Err(line) => account.refuse(number, line.action.as_deref().unwrap_or("(not an entry)"), &line.why),
            Ok(event) => match client.emit(&event).await {
                Err(why) => account.refuse(number, &event.action, &why),
                Ok(receipt) => sent.push((number, event.action, receipt)),
            },
        }
    }
    // After the shutdown, every receipt has an answer, also if nothing could be delivered.
    let report = client.shutdown(Duration::from_secs(30)).await;
    account.wait_for(sent).await;

    account.print();
    if let Some(lake) = lake {
        show_a_record(&lake).await?;
        lake.shutdown().await;
    }
    println!("{report}");
    Ok(())
}

/// A client of the channel in the environment; without one there, a client of a new lake.
async fn start() -> Result<(AuditClient, Option<Lake>), Box<dyn Error>> {
    if let Ok(channel) = std::env::var("AUDIT_CHANNEL_ARN") {
        let client = AuditClient::builder().channel_arn(channel).build().await?;
        println!("Sending to the channel that AUDIT_CHANNEL_ARN names.\n");
        return Ok((client, None));
    }
    let lake = Lake::builder().data_dir(LAKE_FOLDER).channel(CHANNEL).start().await?;
    println!("A lake listens at {} and keeps its data in ./{LAKE_FOLDER}.\n", lake.endpoint_url());
    let key = lake.access_key();
    let client = AuditClient::builder()
        .channel_arn(lake.channel_arn().as_str())
        .endpoint_url(lake.endpoint_url())
        .access_key(key.id(), key.secret())
        .build()
        .await?;
    Ok((client, Some(lake)))
}

/// The result for every line.
#[derive(Default)]
struct Account {
    /// Counts of delivered and of refused events, by event name.
    by_name: BTreeMap<String, (u64, u64)>,
    /// Reasons, by line.
    refused: BTreeMap<u64, String>,
}

impl Account {
    fn refuse(&mut self, number: u64, name: &str, why: &(dyn Error + 'static)) {
        let causes = std::iter::successors(Some(why), |error| (*error).source());
        let why = causes.map(ToString::to_string).collect::<Vec<_>>().join(": ");
        self.by_name.entry(name.to_owned()).or_default().1 += 1;
        self.refused.insert(number, format!("{name}: {why}"));
    }

    async fn wait_for(&mut self, sent: Vec<(u64, String, Receipt)>) {
        for (number, name, receipt) in sent {
            match receipt.delivered().await {
                Ok(_) => self.by_name.entry(name).or_default().0 += 1,
                Err(why) => self.refuse(number, &name, &why),
            }
        }
    }

    fn print(&self) {
        let width = self.by_name.keys().map(|name| name.chars().count()).max().unwrap_or(0);
        println!("{:width$}  delivered  rejected", "event name");
        for (name, (delivered, rejected)) in &self.by_name {
            println!("{name:width$}  {delivered:>9}  {rejected:>8}");
        }
        if !self.refused.is_empty() {
            println!("\nNot delivered, and why:");
        }
        for (number, why) in &self.refused {
            println!("  line {number}: {why}");
        }
        println!();
    }
}

async fn show_a_record(lake: &Lake) -> Result<(), Box<dyn Error>> {
    let events = lake.events().await?;
    println!("{} events are stored. One of them in full:", events.len());
    if let Some(event) = events.last() {
        println!("{:#}\n", event.record());
    }
    Ok(())
}
