//! The cost of keeping an event: CPU and bytes by the kernel's account of a process (`/proc`), writes and syncs by
//! `strace -f -c`.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use crate::engines::{ENGINES, engine};
use crate::{RECORD_BYTES, ask, record, scratch, this_program, verdict};

/// How often each engine has its turn. Of CPU times, the median is reported.
const TURNS: usize = 7;
/// The bytes that the spool may write for an event beside the event.
const OVERHEAD_BYTES: f64 = 64.0;

/// What this process has used so far: CPU in µs, bytes passed to write calls.
pub(crate) fn used() -> (f64, f64) {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let nanos: f64 = tasks
        .map(|task| {
            let text = std::fs::read_to_string(task.unwrap().path().join("schedstat")).unwrap_or_default();
            text.split(' ').next().and_then(|nanos| nanos.parse::<f64>().ok()).unwrap_or(0.0)
        })
        .sum();
    let io = std::fs::read_to_string("/proc/self/io").unwrap();
    let bytes = io.lines().find_map(|line| line.strip_prefix("wchar: ")).unwrap().parse().unwrap();
    (nanos / 1000.0, bytes)
}

/// In a process of its own: keeps events, and prints what each one took.
pub(crate) fn run_one(name: &str, groups: u64, group: u64) -> ! {
    let dir = scratch();
    let mut engine = engine(name, dir.path());
    let all: Vec<Vec<_>> = (0..groups).map(|g| (0..group).map(|n| record(g * group + n)).collect()).collect();
    let before = used();
    for records in &all {
        engine.keep(records);
    }
    let after = used();
    let events = (groups * group).max(1) as f64;
    println!("{} {}", (after.0 - before.0) / events, (after.1 - before.1) / events);
    // Work at the end is not part of the cost of an event.
    let _ = dir.close();
    std::process::exit(0)
}

/// Calls for all groups, beyond what the engine makes for none.
struct Calls {
    writes: f64,
    /// Of files.
    syncs: f64,
    /// Of directories, and of files by engines that sync more than data.
    full_syncs: f64,
}

fn count(name: &str, groups: u64, group: u64) -> Option<Calls> {
    let calls = |groups: u64| -> Option<BTreeMap<String, f64>> {
        let program = this_program(&["--one", name, &groups.to_string(), &group.to_string()]);
        let trace = "trace=write,pwrite64,writev,pwritev,pwritev2,fsync,fdatasync,msync,sync_file_range";
        let mut strace = Command::new("strace");
        strace.args(["-f", "-c", "-U", "name,calls", "-e", trace]).arg(program.get_program()).args(program.get_args());
        let output = strace.stdout(Stdio::null()).output().ok()?;
        assert!(output.status.success(), "strace: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let lines = text.lines().filter_map(|line| {
            let mut words = line.split_whitespace();
            Some((words.next()?.to_owned(), words.next()?.parse().ok()?))
        });
        Some(lines.collect())
    };
    let (none, some) = (calls(0)?, calls(groups)?);
    let sum = |which: &dyn Fn(&str) -> bool| -> f64 {
        let of = |counts: &BTreeMap<String, f64>| {
            counts.iter().filter(|(call, _)| which(call)).map(|(_, calls)| calls).sum::<f64>()
        };
        of(&some) - of(&none)
    };
    Some(Calls {
        writes: sum(&|call| call.contains("write")),
        syncs: sum(&|call| call.contains("sync") && call != "fsync"),
        full_syncs: sum(&|call| call == "fsync"),
    })
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Returns whether the spool kept its specification.
pub(crate) fn compare(groups: u64, group: u64) -> bool {
    let events = (groups * group) as f64;
    println!("\n{events} events of {RECORD_BYTES} bytes, {group} at a time; for each event:\n");
    println!("| engine | CPU µs | spool is | writes | syncs | bytes |\n|---|--:|--:|--:|--:|--:|");
    let arguments = [groups.to_string(), group.to_string()];
    let mut cpu = [const { Vec::new() }; ENGINES.len()];
    let mut bytes = [0.0; ENGINES.len()];
    for _ in 0..TURNS {
        for (engine, name) in ENGINES.iter().enumerate() {
            let figures = ask(&["--one", name, &arguments[0], &arguments[1]]);
            cpu[engine].push(figures[0]);
            bytes[engine] = figures[1];
        }
    }
    let mut spool = None;
    for (engine, name) in ENGINES.iter().enumerate() {
        let ratio = median(cpu[0].iter().zip(&cpu[engine]).map(|(spool, other)| spool / other).collect());
        let calls = count(name, groups, group);
        let [writes, syncs] = match &calls {
            Some(calls) => [calls.writes, calls.syncs + calls.full_syncs].map(|calls| format!("{:.3}", calls / events)),
            None => ["no strace"; 2].map(str::to_owned),
        };
        println!(
            "| {name} | {:.1} | {ratio:.2} × | {writes} | {syncs} | {:.0} |",
            median(cpu[engine].clone()),
            bytes[engine]
        );
        spool = spool.or(calls);
    }
    println!();
    let over = bytes[0] - RECORD_BYTES as f64;
    let is_small = over <= OVERHEAD_BYTES;
    println!(
        "The spool writes {over:.1} bytes over the payload (specified: at most {OVERHEAD_BYTES}): {}",
        verdict(is_small)
    );
    let Some(spool) = spool else {
        println!("Without strace, writes and syncs were not counted: NOT HELD AGAINST THE SPECIFICATION");
        return false;
    };
    let groups = groups as f64;
    let is_one = spool.writes <= groups && spool.syncs <= groups && spool.writes > 0.0;
    println!(
        "It made {} writes and {} fdatasyncs for {groups} groups (specified: one of each): {}",
        spool.writes,
        spool.syncs,
        verdict(is_one)
    );
    // One segment holds everything, and its name is synced once.
    let names = spool.full_syncs <= 1.0;
    println!(
        "It synced the directory {} times for one new segment (specified: once): {}",
        spool.full_syncs,
        verdict(names)
    );
    is_small && is_one && names
}
