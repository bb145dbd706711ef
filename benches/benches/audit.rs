//! Encoding and parsing, beside the hash alone and what one would write by hand.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "it prints its table, and stops where something is wrong")]
use audit_bench::event::{RefundIssued, context, json_by_hand, reason, typed_by_hand};
use audit_bench::measure::{Row, measure};
use audit_core::{AuditEvent, Checksum, Entry};
use std::hint::black_box;

fn main() {
    for bytes in [485, 2_000, 20_000] {
        let reason = reason(bytes);
        let (context, event) = (context(), RefundIssued::new(&reason));
        let entry = event.to_entry(&context).unwrap();
        let data = entry.event_data();
        let rows = measure(
            101,
            vec![
                Row::new("floor", || Checksum::of(black_box(data).as_bytes())),
                Row::new("entry", || black_box(&event).to_entry(&context)),
                Row::new("typed", || typed_by_hand(black_box(&reason))),
                Row::new("json", || json_by_hand(black_box(&reason))),
                Row::new("check", || audit_core::schema::check(black_box(data), audit_core::limits::Side::Sender)),
                Row::new("parse", || Entry::parse(entry.id(), black_box(data))),
                Row::new("value", || serde_json::from_str::<serde_json::Value>(black_box(data))),
                Row::new("wire_len", || black_box(&entry).wire_len()),
            ],
        );
        println!("{} bytes", data.len());
        for row in &rows {
            println!(
                "  {:10} {:9.1} ns  {:.3} floor  {:.3} typed {:.3} json {:.3} value",
                row.name,
                row.nanos(),
                row.ratio(&rows[0]),
                row.ratio(&rows[2]),
                row.ratio(&rows[3]),
                row.ratio(&rows[6])
            );
        }
    }
}
