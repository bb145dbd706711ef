//! Gates without noise: the number of instructions that callgrind counts. `benches/instructions` runs them, also in CI.
//!
//! Valgrind's processor has no SHA instructions, so a hash costs more here than in use: 2,900 a block of 64 bytes.
//! A limit is about 3 % over the count. If a count passes its limit, explain the change; if it falls, lower the limit.

// The macros of the harness make public items.
#![allow(missing_docs, unreachable_pub, unused_qualifications, reason = "the harness's macros write these items")]

use std::hint::black_box;

use audit_bench::event::{RefundIssued, TRAIL_STARTED, context, reason};
use audit_core::limits::Side;
use audit_core::{AuditEvent, Batch, Context, Entry, schema};
use gungraun::{Callgrind, EventKind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main};

fn at_most(instructions: u64) -> LibraryBenchmarkConfig {
    let mut callgrind = Callgrind::default();
    callgrind.hard_limits([(EventKind::Ir, instructions)]);
    let mut config = LibraryBenchmarkConfig::default();
    config.tool(callgrind);
    config
}

/// A text that makes the event this long, and a context. The thread has encoded such an event before.
fn ready(bytes: usize) -> (String, Context) {
    let (reason, context) = (reason(bytes), context());
    drop(black_box(RefundIssued::new(&reason).to_entry(&context)));
    (reason, context)
}

fn event_data(bytes: usize) -> String {
    let (reason, context) = ready(bytes);
    RefundIssued::new(&reason).to_entry(&context).map(|entry| entry.event_data().to_owned()).unwrap_or_default()
}

fn hundred() -> Vec<Entry> {
    let data = event_data(485);
    (0..100).filter_map(|number| Entry::parse(format!("event-{number}"), data.as_str()).ok()).collect()
}

#[library_benchmark(setup = ready)]
#[bench::of_485_bytes(args = (485), config = at_most(29_300))]
#[bench::of_2_kb(args = (2_000), config = at_most(114_500))]
fn value_to_entry((reason, context): (String, Context)) -> Option<Entry> {
    black_box(RefundIssued::new(&reason)).to_entry(&context).ok()
}

#[library_benchmark(setup = event_data)]
#[bench::of_485_bytes(args = (485), config = at_most(11_500))]
#[bench::of_20_kb(args = (20_000), config = at_most(41_400))]
fn schema_check(data: String) -> bool {
    schema::check(black_box(&data), Side::Sender).is_ok()
}

#[library_benchmark(config = at_most(180))]
fn entry_macro() -> Entry {
    black_box(&TRAIL_STARTED).to_entry()
}

#[library_benchmark(setup = hundred, config = at_most(211_000))]
#[bench::of_100()]
fn batch(entries: Vec<Entry>) -> usize {
    let mut batch = Batch::new();
    for entry in entries {
        drop(black_box(batch.push(entry)));
    }
    batch.wire_len()
}

library_benchmark_group!(name = gates, benchmarks = [value_to_entry, schema_check, entry_macro, batch]);
main!(library_benchmark_groups = gates);
