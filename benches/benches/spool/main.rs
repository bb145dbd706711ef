//! The spool beside its alternatives: the same records, the same durability, in one run.
//!
//! `cargo bench -p audit-bench --features peers --bench spool` shows
//! - [`cost`]: CPU, writes, syncs and bytes for an event, one and 100 at a time, with the spool held against its specification:
//!   one write and one sync for a group, at most 64 bytes over the payload;
//! - [`backlog`]: time to the first batch and rate of reading of a million events, and the client's memory.
//!
//! `-- cost` or `-- backlog` shows one of them. Every engine runs in a process of its own. The disk's latency is not measured: compare the calls. The exit
//! code is not 0 if the spool breaks its specification or the client its memory bound; times are only reported.

#![expect(clippy::unwrap_used, reason = "a bench ends at the first failure")]
#![expect(clippy::print_stdout, reason = "a bench prints")]
#![expect(clippy::cast_precision_loss, reason = "counts far below 2^52, shown with few digits")]

mod backlog;
mod cost;
mod engines;

use std::path::Path;
use std::process::{Command, ExitCode};

const ID_BYTES: usize = 36;
const DATA_BYTES: usize = 584;
/// An id and event data together.
const RECORD_BYTES: usize = ID_BYTES + DATA_BYTES;

/// An event as the client takes it, always of the same length.
fn record(n: u64) -> (String, String) {
    let id = format!("{n:0ID_BYTES$}");
    let before = format!(
        r#"{{"version":"1.0","userIdentity":{{"type":"Staff","principalId":"alice"}},"eventSource":"orders.example.com","eventName":"RefundIssued","eventTime":"2026-11-21T10:15:30Z","UID":"{id}","requestParameters":{{"padding":""#
    );
    let after = r#""},"recipientAccountId":"123456789012"}"#;
    let padding = DATA_BYTES - before.len() - after.len();
    let data = format!("{before}{}{after}", "x".repeat(padding));
    (id, data)
}

/// The folder of the files: beside this program in the build's folder, so that it is on a disk and not in memory.
fn scratch() -> tempfile::TempDir {
    tempfile::tempdir_in(std::env::current_exe().unwrap().parent().unwrap()).unwrap()
}

/// This program once more, in a process of its own.
fn this_program(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(arguments);
    command
}

/// What it says.
fn ask(arguments: &[&str]) -> Vec<f64> {
    let output = this_program(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().split_whitespace().map(|figure| figure.parse().unwrap()).collect()
}

fn verdict(holds: bool) -> &'static str {
    if holds { "held" } else { "BROKEN" }
}

fn aim(met: bool) -> &'static str {
    if met { "met" } else { "missed" }
}

fn main() -> ExitCode {
    // Cargo adds the argument that is left out here.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["--one", name, groups, group] => cost::run_one(name, groups.parse().unwrap(), group.parse().unwrap()),
        ["--hold", dir, answer, events] => backlog::hold(Path::new(dir), answer, events.parse().unwrap()),
        _ => {}
    }
    let asked = |what: &str| words.contains(&what) || !words.iter().any(|word| ["cost", "backlog"].contains(word));
    let mut holds = true;
    if asked("cost") {
        holds &= cost::compare(2_000, 1);
        holds &= cost::compare(200, 100);
    }
    if asked("backlog") {
        holds &= backlog::measure(1_000_000);
    }
    if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
