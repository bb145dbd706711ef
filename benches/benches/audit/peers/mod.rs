//! The client and the lake, beside what else one could hand records to.

mod end_to_end;
mod queues;
mod requests;

use std::error::Error;

use audit_bench::event::{RefundIssued, context, reason};
use audit_client::testing::CHANNEL_ARN;
use audit_core::{AuditEvent, Entry};

type Failed = Box<dyn Error>;

pub(crate) fn tables() -> Result<(String, String), Failed> {
    let (requests, plot) = requests::table()?;
    let tables = [queues::table()?.to_string(), requests.to_string(), end_to_end::table()?.to_string()];
    Ok((tables.join("\n"), plot))
}

/// So many entries of 485 bytes, numbered from `first`.
fn entries(first: usize, count: usize) -> Result<Vec<Entry>, Failed> {
    let reason = reason(485);
    let encoded = RefundIssued::new(&reason).to_entry(&context())?;
    (first..first + count).map(|number| Ok(Entry::parse(format!("event-{number}"), encoded.event_data())?)).collect()
}
