//! A process that keeps events is killed at any moment, again and again; what was accepted is there.
//!
//! The child is this test binary, started with `AUDIT_SPOOL_CHILD` set. `AUDIT_SPOOL_KILLS=10000` runs more cycles than usual.

#![expect(clippy::unwrap_used, reason = "the lint knows only functions marked as tests to be tests")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use audit_spool::{Spool, SpoolOptions};

const CYCLES: u64 = 100;

fn options() -> SpoolOptions {
    SpoolOptions::new().segment_bytes(20_000)
}

fn event_data(id: &str) -> String {
    format!("{{\"of\":\"{id}\",\"padding\":\"{}\"}}", "x".repeat(id.len() * 37 % 500))
}

/// What runs in the child: four threads append, and print each id once it is kept; what comes back is printed and acknowledged.
#[test]
fn child() {
    let Some(dir) = std::env::var_os("AUDIT_SPOOL_CHILD").map(PathBuf::from) else { return };
    let run = std::env::var("AUDIT_SPOOL_RUN").unwrap();
    let (spool, mut reader) = Spool::open(dir, options()).unwrap();
    // One line is one write to the pipe, so none is torn.
    let print = |line: String| std::io::stderr().write_all(line.as_bytes()).unwrap();
    std::thread::scope(|scope| {
        for emitter in 0..4 {
            let (spool, run) = (&spool, &run);
            scope.spawn(move || {
                for n in 0.. {
                    let id = format!("{run}-{emitter}-{n}");
                    let seq = spool.append((id.as_str(), event_data(&id).as_str())).wait().unwrap();
                    print(format!("kept {seq} {id}\n"));
                }
            });
        }
        loop {
            for record in reader.next_batch(7, 100_000).unwrap() {
                assert_eq!(record.event_data, event_data(&record.id));
                // Printed before it is acknowledged: what the parent has not read must still be there.
                print(format!("done {} {}\n", record.seq, record.id));
                spool.ack(record.seq);
            }
        }
    });
}

/// Starts a child, lets it work for a random time, kills it, and returns what it printed.
fn cycle(dir: &Path, run: u64, random: &mut fastrand::Rng) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture"])
        .env("AUDIT_SPOOL_CHILD", dir)
        .env("AUDIT_SPOOL_RUN", run.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut printed = Vec::new();
    // A random number of lines, so that the kill falls into every part of the work, also into the start.
    for _ in 0..random.u32(0..60) {
        printed.extend(lines.next().map(|line| line.unwrap()));
    }
    child.kill().unwrap();
    printed.extend(lines.map_while(Result::ok));
    let status = child.wait().unwrap();
    assert!(status.code().is_none(), "the child ended by itself: {printed:?}");
    printed
}

#[test]
fn what_was_kept_when_the_process_was_killed_is_there_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let cycles = std::env::var("AUDIT_SPOOL_KILLS").map_or(CYCLES, |cycles| cycles.parse().unwrap());
    let mut random = fastrand::Rng::with_seed(6);
    let mut kept: BTreeMap<String, u64> = BTreeMap::new();
    let mut done: BTreeMap<String, u64> = BTreeMap::new();
    let start = Instant::now();
    for run in 0..cycles {
        for line in cycle(dir.path(), run, &mut random) {
            let mut words = line.split(' ');
            let (Some(what), Some(seq), Some(id)) = (words.next(), words.next(), words.next()) else { continue };
            let Ok(seq) = seq.parse() else { continue };
            match what {
                "kept" => kept.insert(id.to_owned(), seq),
                "done" => done.insert(id.to_owned(), seq),
                _ => None,
            };
        }
    }
    let (spool, mut reader) = Spool::open(&dir, options()).unwrap();
    loop {
        let batch = reader.next_batch(100, 1_000_000).unwrap();
        if batch.is_empty() {
            break;
        }
        for record in batch {
            assert_eq!(record.event_data, event_data(&record.id));
            done.insert(record.id, record.seq);
        }
    }
    let lost: Vec<_> = kept.iter().filter(|(id, seq)| done.get(*id) != Some(seq)).collect();
    assert!(lost.is_empty(), "of {} kept, {} are lost: {lost:?}", kept.len(), lost.len());
    assert_eq!(spool.status().damage.events, 0);
    println!("{cycles} kills, {} events kept, none lost, in {:?}", kept.len(), start.elapsed());
    // With too few events, this test proves nothing.
    assert!(kept.len() as u64 > cycles, "only {} events in {cycles} cycles", kept.len());
}
