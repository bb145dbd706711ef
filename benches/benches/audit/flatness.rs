//! The cost of one event, as the number of events and of types grows.

use std::error::Error;
use std::fmt::Write;
use std::hint::black_box;

use audit_bench::event::context;
use audit_bench::measure::{cpu_time, median};
use audit_bench::plot::{Line, draw};
use audit_bench::table::Table;
use audit_core::{AuditEvent, Context, EncodeError, EventDataWriter, EventType, Identity};

/// An event of one of many types.
struct Numbered {
    event_type: &'static EventType,
    number: u64,
}

impl AuditEvent for Numbered {
    fn event_type(&self) -> &'static EventType {
        self.event_type
    }

    fn write(&self, data: &mut EventDataWriter<'_>) -> Result<(), EncodeError> {
        data.id(&self.number)
            .request("orderId", "ord_01HZX3V7Q8")
            .request("amountCents", &self.number)
            .request("currency", "EUR")
            .done()
    }
}

/// Nanoseconds an event, over this number of events, their types in turn.
fn cost(events: u64, types: &[&'static EventType], context: &Context) -> Result<f64, EncodeError> {
    let start = cpu_time();
    for (number, event_type) in (0..events).zip(types.iter().cycle()) {
        black_box(Numbered { event_type, number }.to_entry(context)?);
    }
    #[allow(clippy::cast_precision_loss, reason = "a million has few digits")]
    Ok(cpu_time().saturating_sub(start).as_secs_f64() * 1e9 / events as f64)
}

pub(crate) fn table() -> Result<(String, String), Box<dyn Error>> {
    const EVENTS: [u64; 4] = [1_000, 10_000, 100_000, 1_000_000];
    const TYPES: [usize; 3] = [1, 10, 100];
    let context = context().identity(&Identity::new("Staff", "alice@example.com")?);
    let types: Vec<&'static EventType> = (0..100)
        .map(|number| {
            &*Box::leak(Box::new(EventType::new(
                "orders.example.com",
                String::leak(format!("RefundIssued{number:03}")),
            )))
        })
        .collect();
    // The rows take turns, so that a slow minute of the machine affects all of them.
    let mut figures = vec![vec![Vec::new(); EVENTS.len()]; TYPES.len()];
    for turn in 0..15 {
        for (row, count) in figures.iter_mut().zip(TYPES) {
            for (cell, events) in row.iter_mut().zip(EVENTS) {
                if events < 1_000_000 || turn % 5 == 0 {
                    cell.push(cost(events, &types[..count], &context)?);
                }
            }
        }
    }
    let mut table = Table::new(
        "What one event costs, by how many there are and of how many types",
        &["types", "1,000", "10,000", "100,000", "1,000,000"],
    );
    let (mut lines, mut all) = (Vec::new(), Vec::new());
    for (row, count) in figures.into_iter().zip(TYPES) {
        let row: Vec<f64> = row.into_iter().map(median).collect();
        table.row([count.to_string()].into_iter().chain(row.iter().map(|nanos| format!("{nanos:.0} ns"))));
        #[allow(clippy::cast_precision_loss, reason = "a million has few digits")]
        let points = EVENTS.iter().map(|events| *events as f64).zip(row.iter().copied()).collect();
        lines.push(Line { name: format!("{count} event types"), points });
        all.extend(row);
    }
    let (low, high) = all.iter().fold((f64::MAX, 0.0_f64), |(low, high), nanos| (low.min(*nanos), high.max(*nanos)));
    let spread = (high - low) / (high + low);
    let mut text = table.to_string();
    let verdict = if spread <= 0.1 { "met" } else { "missed" };
    writeln!(text, "\nAll within ± {:.0} % of their middle (aim: ± 10 %: {verdict}).", spread * 100.0)?;
    Ok((text, draw("Cost of one event", "number of events", "ns an event", &lines)))
}
