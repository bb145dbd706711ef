//! The spool beside what one would take instead: the same records, the same durability, in one run.
//!
//! `cargo bench -p audit-bench --features peers --bench spool` shows CPU, writes, syncs and bytes an event, alone and 100 at a time, then how
//! fast a backlog is read back. Every engine runs in a process of its own: CPU and bytes are the kernel's account of it
//! (`/proc`), writes and syncs are counted by `strace -f -c`; without strace those two columns say so. The disk's latency
//! is no figure here: compare what is asked of it.

#![expect(clippy::unwrap_used, reason = "a bench ends where something fails")]
#![expect(clippy::print_stdout, reason = "a bench talks")]
#![expect(clippy::cast_precision_loss, reason = "counts far below 2^52, shown with few digits")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use audit_client::spool::{Spool, SpoolOptions};

const ENGINES: [&str; 4] = ["spool", "fjall", "redb", "rusqlite"];
/// An id and event data of 620 bytes together.
const ID_BYTES: usize = 36;
const DATA_BYTES: usize = 584;

fn record(n: u64) -> (String, String) {
    (format!("{n:0ID_BYTES$}"), format!("{n:0DATA_BYTES$}"))
}

/// Something that keeps records; each call returns when all of them are synced.
trait Engine {
    fn keep(&mut self, records: &[(String, String)]);
}

struct OurSpool(Spool);

impl Engine for OurSpool {
    fn keep(&mut self, records: &[(String, String)]) {
        let appends: Vec<_> = records.iter().map(|(id, data)| self.0.append(id, data)).collect();
        for append in appends {
            append.wait().unwrap();
        }
    }
}

struct Fjall(fjall::Database, fjall::Keyspace);

impl Engine for Fjall {
    fn keep(&mut self, records: &[(String, String)]) {
        let mut batch = self.0.batch().durability(Some(fjall::PersistMode::SyncData));
        for (id, data) in records {
            batch.insert(&self.1, id.as_str(), data.as_str());
        }
        batch.commit().unwrap();
    }
}

struct Redb(redb::Database);

const TABLE: redb::TableDefinition<'_, &str, &str> = redb::TableDefinition::new("queue");

impl Engine for Redb {
    fn keep(&mut self, records: &[(String, String)]) {
        let write = self.0.begin_write().unwrap();
        {
            let mut table = write.open_table(TABLE).unwrap();
            for (id, data) in records {
                table.insert(id.as_str(), data.as_str()).unwrap();
            }
        }
        write.commit().unwrap();
    }
}

struct Sqlite(rusqlite::Connection);

impl Engine for Sqlite {
    fn keep(&mut self, records: &[(String, String)]) {
        let write = self.0.transaction().unwrap();
        {
            let mut insert = write.prepare_cached("insert into queue (id, data) values (?1, ?2)").unwrap();
            for (id, data) in records {
                insert.execute((id, data)).unwrap();
            }
        }
        write.commit().unwrap();
    }
}

fn engine(name: &str, dir: &Path) -> Box<dyn Engine> {
    match name {
        "spool" => Box::new(OurSpool(Spool::open(dir.join("spool"), SpoolOptions::new()).unwrap().0)),
        "fjall" => {
            let db = fjall::Database::builder(dir.join("fjall")).open().unwrap();
            let queue = db.keyspace("queue", fjall::KeyspaceCreateOptions::default).unwrap();
            Box::new(Fjall(db, queue))
        }
        "redb" => Box::new(Redb(redb::Database::create(dir.join("redb")).unwrap())),
        _ => {
            let db = rusqlite::Connection::open(dir.join("sqlite")).unwrap();
            db.pragma_update(None, "journal_mode", "wal").unwrap();
            db.pragma_update(None, "synchronous", "full").unwrap();
            db.execute("create table queue (seq integer primary key, id text, data text)", ()).unwrap();
            Box::new(Sqlite(db))
        }
    }
}

/// What this process used so far: CPU in µs, bytes given to write calls.
fn used() -> (f64, f64) {
    let schedstat = |task: &Path| {
        let text = std::fs::read_to_string(task.join("schedstat")).unwrap_or_default();
        text.split(' ').next().and_then(|nanos| nanos.parse::<f64>().ok()).unwrap_or(0.0)
    };
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let cpu: f64 = tasks.map(|task| schedstat(&task.unwrap().path())).sum();
    let io = std::fs::read_to_string("/proc/self/io").unwrap();
    let bytes = io.lines().find_map(|line| line.strip_prefix("wchar: ")).unwrap().parse().unwrap();
    (cpu / 1000.0, bytes)
}

/// In a process of its own: keeps events, and tells what that took for each.
fn run_one(name: &str, groups: u64, group: u64) {
    let dir = tempfile::tempdir_in(std::env::current_dir().unwrap()).unwrap();
    let mut engine = engine(name, dir.path());
    let all: Vec<Vec<_>> = (0..groups).map(|g| (0..group).map(|n| record(g * group + n)).collect()).collect();
    let before = used();
    for records in &all {
        engine.keep(records);
    }
    let after = used();
    let events = (groups * group) as f64;
    println!("{} {}", (after.0 - before.0) / events, (after.1 - before.1) / events);
    // What happens at the end is not part of the price of an event.
    std::process::exit(0);
}

fn this_program() -> String {
    std::env::current_exe().unwrap().to_str().unwrap().to_owned()
}

fn arguments(name: &str, groups: u64, group: u64) -> Vec<String> {
    vec!["--one".to_owned(), name.to_owned(), groups.to_string(), group.to_string()]
}

/// Calls of write and of sync by `strace -c`: what `groups` groups take beyond what none take.
fn count(name: &str, groups: u64, group: u64) -> Option<(f64, f64)> {
    let calls = |groups: u64| -> Option<BTreeMap<String, f64>> {
        let output = Command::new("strace")
            .args([
                "-f",
                "-c",
                "-U",
                "name,calls",
                "-e",
                "trace=write,pwrite64,writev,pwritev,pwritev2,fsync,fdatasync,msync,sync_file_range",
            ])
            .arg(this_program())
            .args(arguments(name, groups, group))
            .stdout(Stdio::null())
            .output()
            .ok()?;
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let lines = text.lines().filter_map(|line| {
            let mut words = line.split_whitespace();
            Some((words.next()?.to_owned(), words.next()?.parse().ok()?))
        });
        Some(lines.collect())
    };
    let (none, some) = (calls(0)?, calls(groups)?);
    let sum = |counts: &BTreeMap<String, f64>, what: &str| -> f64 {
        counts.iter().filter(|(call, _)| call.contains(what)).map(|(_, calls)| calls).sum()
    };
    let each = |what| (sum(&some, what) - sum(&none, what)) / (groups * group) as f64;
    Some((each("write"), each("sync")))
}

fn compare(groups: u64, group: u64) {
    println!("\n{} events of 620 bytes, {group} at a time; for each event:", groups * group);
    println!("| engine | CPU µs | writes | syncs | bytes |\n|---|---|---|---|---|");
    for name in ENGINES {
        let output = Command::new(this_program()).args(arguments(name, groups, group)).output().unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let (cpu, bytes) = text.trim().split_once(' ').unwrap();
        let (cpu, bytes): (f64, f64) = (cpu.parse().unwrap(), bytes.parse().unwrap());
        let (writes, syncs) = count(name, groups, group)
            .map_or(("no strace".to_owned(), "no strace".to_owned()), |(writes, syncs)| {
                (format!("{writes:.2}"), format!("{syncs:.2}"))
            });
        println!("| {name} | {cpu:.1} | {writes} | {syncs} | {bytes:.0} |");
    }
}

/// How soon a backlog comes, and how fast.
fn backlog(events: u64) {
    let dir = tempfile::tempdir_in(std::env::current_dir().unwrap()).unwrap();
    let options = || SpoolOptions::new().max_bytes(8 << 30);
    let (spool, _reader) = Spool::open(dir.path(), options()).unwrap();
    for from in (0..events).step_by(5000) {
        let appends: Vec<_> = (from..events.min(from + 5000))
            .map(|n| {
                let (id, data) = record(n);
                spool.append(&id, &data)
            })
            .collect();
        for append in appends {
            append.wait().unwrap();
        }
    }
    spool.close().unwrap();
    let start = Instant::now();
    let (spool, mut reader) = Spool::open(dir.path(), options()).unwrap();
    let first = reader.next_batch(100, 1_000_000).unwrap();
    let until_first = start.elapsed();
    let (mut read, mut bytes) = (first.len(), 0);
    loop {
        let batch = reader.next_batch(100, 1_000_000).unwrap();
        if batch.is_empty() {
            break;
        }
        read += batch.len();
        bytes += batch.iter().map(|record| record.id.len() + record.event_data.len()).sum::<usize>();
    }
    let all = start.elapsed();
    let memory = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let memory = memory.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("VmHWM: unknown").to_owned();
    println!("\nA backlog of {read} events, {} MB, warm cache:", bytes / 1_000_000);
    println!(
        "first batch after {until_first:.1?}; all after {all:.1?}: {:.0} MB/s",
        bytes as f64 / 1e6 / all.as_secs_f64()
    );
    println!("peak memory of this process, with the writing before: {memory}");
    drop(spool);
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, one, name, groups, group] = &arguments[..]
        && one == "--one"
    {
        return run_one(name, groups.parse().unwrap(), group.parse().unwrap());
    }
    compare(2_000, 1);
    compare(200, 100);
    backlog(1_000_000);
}
