//! JSON of other systems: checked against the contract, and hashed.

use std::error::Error;
use std::hint::black_box;

use audit_bench::event::{RefundIssued, Relayed, context, payloads, reason};
use audit_bench::measure::{Row, measure};
use audit_bench::table::{Table, at_most, ratio, time};
use audit_core::limits::Side;
use audit_core::{AuditEvent, Checksum, Entry, schema};
use serde_json::Value;

pub(crate) fn table() -> Result<Table, Box<dyn Error>> {
    let context = context();
    let mut data: Vec<(String, String)> = Vec::new();
    for bytes in [485, 2_000, 20_000] {
        let entry = RefundIssued::new(&reason(bytes)).to_entry(&context)?;
        data.push((format!("{} bytes", entry.event_data().len()), entry.event_data().to_owned()));
    }
    let columns = [
        "what",
        "schema::check",
        "Entry::parse",
        "serde_json::Value",
        "check / Value",
        "parse / Value",
        "of that hash",
        "aim for parse",
    ];
    let mut table = Table::new("Parsing", &columns);
    let mut add = |name: String, text: &str| {
        let rows = measure(
            101,
            vec![
                Row::new("check", || schema::check(black_box(text), Side::Sender)),
                Row::new("parse", || Entry::parse("0190b6c2-6c1e-7cc3-8f0e-2f6c9f1c2a11", black_box(text))),
                Row::new("Value", || serde_json::from_slice::<Value>(black_box(text.as_bytes()))),
                Row::new("hash", || Checksum::of(black_box(text.as_bytes()))),
            ],
        );
        let [check, parse, value, hash] = &rows[..] else { return };
        table.row([
            name,
            time(check.nanos()),
            time(parse.nanos()),
            time(value.nanos()),
            ratio(check.ratio(value)),
            ratio(parse.ratio(value)),
            ratio(hash.ratio(value)),
            at_most(parse.ratio(value), 0.6),
        ]);
    };
    for (name, text) in data {
        add(name, &text);
    }
    // Loaded last: on a larger heap, trees of values take longer.
    let (payloads, whose) = payloads();
    let mut entries =
        payloads.iter().map(|payload| Relayed::new(payload).to_entry(&context)).collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(|entry| entry.event_data().len());
    let median = entries.swap_remove(entries.len() / 2);
    add(format!("the median of {whose}, {} bytes", median.event_data().len()), median.event_data());

    Ok(table)
}
