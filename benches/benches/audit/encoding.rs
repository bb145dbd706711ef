//! From a value to a checked, checksummed entry.

use std::error::Error;
use std::hint::black_box;

use audit_bench::event::{
    RefundIssued, Relayed, context, json_by_hand, json_relayed, payloads, reason, typed_by_hand, typed_relayed,
};
use audit_bench::measure::{Measured, Row, measure};
use audit_bench::table::{Table, at_most, ratio, time};
use audit_core::{AuditEvent, Checksum, Entry, StaticEntry, entry};

const CONSTANT: StaticEntry = entry!("trail-started", {
    "version": "1.0",
    "userIdentity": { "type": "Service", "principalId": "shop" },
    "eventSource": "shop.example.com",
    "eventName": "TrailStarted",
    "eventTime": "2026-11-21T10:15:30Z",
    "UID": "trail-started",
    "recipientAccountId": "123456789012",
});

pub(crate) fn tables() -> Result<Vec<Table>, Box<dyn Error>> {
    let mut tables = Vec::new();
    for (bytes, aims) in [(485, [1.35, 0.55, 0.16]), (2_000, [1.2, 1.0, 1.0]), (20_000, [1.2, 1.0, 1.0])] {
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
    let rows = vec![Row::new("entry! → Entry", || black_box(&CONSTANT).to_entry())];
    let constant = measure(101, rows);
    let mut table = Table::new("A constant event", &["what", "time", "allocations", "aim"]);
    for row in &constant {
        let aim = if row.allocations == 0 { "no hash, no allocation: met" } else { "no allocation: missed" };
        table.row([row.name.clone(), format!("{:.1} ns", row.nanos()), row.allocations.to_string(), aim.to_owned()]);
    }
    tables.push(table);
    Ok(tables)
}

/// The same for payloads from elsewhere.
pub(crate) fn payload_table() -> Result<Table, Box<dyn Error>> {
    let (context, (payloads, whose)) = (context(), payloads());
    let entries: Vec<Entry> =
        payloads.iter().map(|payload| Relayed::new(payload).to_entry(&context)).collect::<Result<_, _>>()?;
    let bytes: usize = entries.iter().map(|entry| entry.event_data().len()).sum();
    let count = entries.len();
    let rows = vec![
        Row::new("value → Entry", || {
            payloads.iter().filter(|payload| Relayed::new(black_box(payload)).to_entry(&context).is_ok()).count()
        }),
        Row::new("SHA-256 of the same bytes: the floor", || {
            entries
                .iter()
                .fold(0, |sum, entry| sum ^ Checksum::of(black_box(entry.event_data()).as_bytes()).as_bytes()[0])
        }),
        Row::new("typed serde struct + sha2 + base64", || {
            payloads.iter().map(|payload| typed_relayed(black_box(payload)).0.len()).sum::<usize>()
        }),
        Row::new("json! + sha2 + base64", || {
            payloads.iter().map(|payload| json_relayed(black_box(payload)).0.len()).sum::<usize>()
        }),
    ];
    let title =
        format!("Encoding {count} events with {whose}, {} bytes each on average; figures for one", bytes / count);
    Ok(against(&title, &measure(21, rows), u32::try_from(count)?, [1.2, 1.0, 1.0]))
}

/// The first row against each of the others.
fn against(title: &str, rows: &[Measured], events: u32, aims: [f64; 3]) -> Table {
    let mut table = Table::new(title, &["what", "time", "value → Entry is", "allocations", "aim"]);
    for (number, row) in rows.iter().enumerate() {
        let share = rows[0].ratio(row);
        let allocations = row.allocations / u64::from(events);
        let aim = match number.checked_sub(1) {
            Some(other) => at_most(share, aims[other]),
            None => format!("≤ 2 allocations: {}", if allocations <= 2 { "met" } else { "missed" }),
        };
        let share = if number == 0 { String::new() } else { ratio(share) };
        table.row([row.name.clone(), time(row.nanos() / f64::from(events)), share, allocations.to_string(), aim]);
    }
    table
}
