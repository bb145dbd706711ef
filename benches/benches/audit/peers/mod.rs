//! The client and the lake, beside other libraries that take records.

pub(crate) mod end_to_end;
pub(crate) mod queues;
pub(crate) mod requests;
pub(crate) mod web;

use std::error::Error;

use audit_bench::event::{RefundIssued, context, reason};
use audit_client::testing::CHANNEL_ARN;
use audit_core::{AuditEvent, Entry};

type Failed = Box<dyn Error>;

/// Entries of 485 bytes, numbered from `first`.
fn entries(first: usize, count: usize) -> Result<Vec<Entry>, Failed> {
    let reason = reason(485);
    let encoded = RefundIssued::new(&reason).to_entry(&context())?;
    (first..first + count).map(|number| Ok(Entry::parse(format!("event-{number}"), encoded.event_data())?)).collect()
}
