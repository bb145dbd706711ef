//! From a value to a checked, checksummed entry.

use std::error::Error;
use std::hint::black_box;

use audit_bench::event::{
    RefundIssued, Relayed, TRAIL_STARTED, context, json_by_hand, json_relayed, payloads, reason, typed_by_hand,
    typed_relayed,
};
use audit_bench::measure::{Measured, Row, measure};
use audit_bench::table::{Table, at_most, ratio, time};
use audit_core::{AuditEvent, Checksum, Entry};
use serde_json::value::{RawValue, to_raw_value};

pub(crate) fn tables() -> Result<Vec<Table>, Box<dyn Error>> {
    let mut tables = Vec::new();
    for (bytes, aims) in [(485, &[1.35, 0.55, 0.16][..]), (2_000, &[1.2]), (20_000, &[1.2])] {
        let (context, reason) = (context(), reason(bytes));
        let event = RefundIssued::new(&reason);
        let entry = event.to_entry(&context)?;
        let data = entry.event_data();
        let rows = vec![
            Row::new("value → Entry", || black_box(&event).to_entry(&context)),
            Row::new("SHA-256 of the same bytes: the floor", || Checksum::of(black_box(data).as_bytes())),
            Row::new("typed serde struct + sha2 + base64", || typed_by_hand(black_box(&reason))),
            Row::new("json! + sha2 + base64", || json_by_hand(black_box(&reason))),
        ];
        let table = against(&format!("Encoding an event of {} bytes", data.len()), &measure(101, rows), 1, aims);
        tables.push(table);
    }
    let rows = vec![Row::new("entry! → Entry", || black_box(&TRAIL_STARTED).to_entry())];
    let constant = measure(101, rows);
    let mut table = Table::new("A constant event", &["what", "time", "allocations", "aim"]);
    for row in &constant {
        let aim = if row.allocations == 0 { "no hash, no allocation: met" } else { "no allocation: missed" };
        table.row([row.name.clone(), format!("{:.1} ns", row.nanos()), row.allocations.to_string(), aim.to_owned()]);
    }
    tables.push(table);
    Ok(tables)
}

/// The same for payloads of other systems: as trees, and as the text received.
pub(crate) fn payload_tables() -> Result<[Table; 2], Box<dyn Error>> {
    let (context, (payloads, whose)) = (context(), payloads());
    let texts: Vec<Box<RawValue>> = payloads.iter().map(to_raw_value).collect::<Result<_, _>>()?;
    let entries: Vec<Entry> =
        payloads.iter().map(|payload| Relayed::new(payload).to_entry(&context)).collect::<Result<_, _>>()?;
    let bytes: usize = entries.iter().map(|entry| entry.event_data().len()).sum();
    let count = entries.len();
    let floor = || {
        Row::new("SHA-256 of the same bytes: the floor", || {
            entries
                .iter()
                .fold(0, |sum, entry| sum ^ Checksum::of(black_box(entry.event_data()).as_bytes()).as_bytes()[0])
        })
    };
    let trees = vec![
        Row::new("value → Entry", || {
            payloads.iter().filter(|payload| Relayed::new(black_box(*payload)).to_entry(&context).is_ok()).count()
        }),
        floor(),
        Row::new("typed serde struct + sha2 + base64", || {
            payloads.iter().map(|payload| typed_relayed(black_box(payload)).0.len()).sum::<usize>()
        }),
        Row::new("json! + sha2 + base64", || {
            payloads.iter().map(|payload| json_relayed(black_box(payload)).0.len()).sum::<usize>()
        }),
    ];
    let raw = vec![
        Row::new("value → Entry, its payload a RawValue", || {
            texts.iter().filter(|text| Relayed::new(black_box(*text)).to_entry(&context).is_ok()).count()
        }),
        floor(),
        Row::new("typed serde struct + sha2 + base64", || {
            texts.iter().map(|text| typed_relayed(black_box(text)).0.len()).sum::<usize>()
        }),
    ];
    let title = |what: &str| {
        format!("Encoding {count} events with {whose} {what}, {} bytes each on average; figures for one", bytes / count)
    };
    let events = u32::try_from(count)?;
    Ok([
        against(&title("as trees"), &measure(21, trees), events, &[1.2]),
        against(&title("as text"), &measure(21, raw), events, &[1.2]),
    ])
}

/// The ratio of the first row to each of the others, with its aim.
fn against(title: &str, rows: &[Measured], events: u32, aims: &[f64]) -> Table {
    let mut table = Table::new(title, &["what", "time", "value → Entry is", "allocations", "aim"]);
    for (number, row) in rows.iter().enumerate() {
        let share = rows[0].ratio(row);
        let allocations = row.allocations / u64::from(events);
        let aim = match number.checked_sub(1) {
            Some(other) => aims.get(other).map(|&aim| at_most(share, aim)).unwrap_or_default(),
            None => format!("≤ 2 allocations: {}", if allocations <= 2 { "met" } else { "missed" }),
        };
        let share = if number == 0 { String::new() } else { ratio(share) };
        table.row([row.name.clone(), time(row.nanos() / f64::from(events)), share, allocations.to_string(), aim]);
    }
    table
}
