//! A long backlog: time to the first batch, rate of reading, and the client's memory.

use std::path::Path;
use std::time::{Duration, Instant};

use audit_client::spool::{Spool, SpoolOptions};
use audit_client::testing::CHANNEL_ARN;
use audit_client::wire::{PutAuditEventsResponse, SuccessfulEntry};
use audit_client::{AuditClient, Failure, Submission, Submitting, Transport};

use crate::{aim, ask, cost, record, scratch, verdict};

/// The memory that a client may use over an idle one, for a backlog of any length.
const MEMORY_KIB: f64 = 16.0 * 1024.0;
/// How long a client works on its backlog before its memory is measured: its whole window is read then, and retried.
const WORKS_FOR: Duration = Duration::from_secs(12);

fn options() -> SpoolOptions {
    SpoolOptions::new().max_bytes(8 << 30)
}

/// Returns whether the memory stayed within its bound.
pub(crate) fn measure(events: u64) -> bool {
    let (empty, full) = (scratch(), scratch());
    fill(full.path(), events);
    read_back(full.path());
    compare_memory(empty.path(), full.path(), events)
}

fn fill(dir: &Path, events: u64) {
    let (spool, _reader) = Spool::open(dir, options()).unwrap();
    for from in (0..events).step_by(5000) {
        let records: Vec<_> = (from..events.min(from + 5000)).map(record).collect();
        for append in spool.append_all(records.iter().map(|(id, data)| (id.as_str(), data.as_str()))) {
            append.wait().unwrap();
        }
    }
    spool.close().unwrap();
}

fn compare_memory(empty: &Path, full: &Path, events: u64) -> bool {
    println!("\nMemory of a client, in KiB:\n");
    println!("| the service | spool | now | at most | over idle, at most | aim |\n|---|---|--:|--:|--:|---|");
    let mut bounded = true;
    let services = [("mute", "never answers"), ("500", "answers 500 to everything"), ("yes", "takes everything")];
    for (answer, service) in services {
        let hold = |dir: &Path, events: u64| -> [f64; 2] {
            ask(&["--hold", dir.to_str().unwrap(), answer, &events.to_string()]).try_into().unwrap()
        };
        let [idle_now, idle_most] = hold(empty, 0);
        println!("| {service} | empty | {idle_now} | {idle_most} | | |");
        let [now, most] = hold(full, events);
        let over = most - idle_most;
        println!("| | {events} events | {now} | {most} | {over} | ≤ {MEMORY_KIB}: {} |", aim(over <= MEMORY_KIB));
        bounded &= over <= MEMORY_KIB;
    }
    println!("\nThe backlog takes no more than is allowed: {}", verdict(bounded));
    bounded
}

/// A service that always gives the same answer.
enum Service {
    Mute,
    Fails,
    TakesAll,
}

impl Transport for Service {
    fn submit<'a>(&'a self, submission: Submission<'a>) -> Submitting<'a> {
        Box::pin(async move {
            match self {
                Self::Mute => std::future::pending().await,
                Self::Fails => Err(Failure::new("not now").status(500)),
                Self::TakesAll => {
                    let ids = submission.batch.entries().iter().map(|entry| entry.id().to_string());
                    let successful = ids.map(|id| SuccessfulEntry::new(id.clone(), id)).collect();
                    Ok(PutAuditEventsResponse::new(successful, Vec::new()))
                }
            }
        })
    }
}

/// In a process of its own: a client at work. Prints its memory.
pub(crate) fn hold(dir: &Path, answer: &str, events: u64) -> ! {
    let client = AuditClient::builder()
        .channel_arn(CHANNEL_ARN)
        .transport(match answer {
            "mute" => Service::Mute,
            "500" => Service::Fails,
            _ => Service::TakesAll,
        })
        .attempt_timeout(Duration::from_secs(2))
        .spool(dir)
        .spool_options(options())
        .build_blocking()
        .unwrap();
    if answer == "yes" {
        client.flush_blocking().unwrap();
    } else {
        std::thread::sleep(WORKS_FOR);
        assert_eq!(client.stats().pending, events);
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let kib = |key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap();
        line.trim().trim_end_matches(" kB").to_owned()
    };
    println!("{} {}", kib("VmRSS:"), kib("VmHWM:"));
    std::process::exit(0)
}

fn read_back(dir: &Path) {
    let (start, before) = (Instant::now(), cost::used().0);
    let (spool, mut reader) = Spool::open(dir, options()).unwrap();
    let opened = start.elapsed();
    let first = reader.next_batch(100, 1_000_000).unwrap();
    let until_first = start.elapsed();
    let (mut read, mut bytes) = (0, 0);
    let mut batch = first;
    while !batch.is_empty() {
        read += batch.len();
        bytes += batch.iter().map(|record| record.id.len() + record.event_data.len()).sum::<usize>();
        batch = reader.next_batch(100, 1_000_000).unwrap();
    }
    let (all, cpu) = (start.elapsed(), cost::used().0 - before);
    let speed = bytes as f64 / 1e6 / all.as_secs_f64();
    println!("\nA backlog of {read} events, {} MB, warm cache:", bytes / 1_000_000);
    println!(
        "opened after {opened:.1?}, first batch after {until_first:.1?} (aim: 1 s): {}",
        aim(until_first < Duration::from_secs(1))
    );
    println!("all after {all:.1?}: {speed:.0} MB/s (aim: 500): {}", aim(speed >= 500.0));
    println!("the processor worked {:.1} s on it: {:.0} MB/s", cpu / 1e6, bytes as f64 / cpu);
    drop(spool);
}
