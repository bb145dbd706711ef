//! End to end: a program that emits is killed at any moment, again and again, and started anew against a lake. No event
//! that `emit` accepted is missing, and none is stored under two eventIDs.
//!
//! The child is this test binary, started with `AUDIT_KILL_RUN` set. `AUDIT_SPOOL_KILLS=10000` runs more cycles.

#![expect(clippy::unwrap_used, reason = "the lint knows only functions marked as tests to be tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use audit_client::{ClientConfig, Entry};
use audit_lake::Lake;

/// The cycles end at this time unless more were asked for; their number is told.
const BUDGET: Duration = Duration::from_mins(3);
const CYCLES: u64 = 1_000;

fn entry(id: &str, account: &str) -> Entry {
    let event_data = format!(
        r#"{{"version":"1.0","userIdentity":{{"type":"Staff","principalId":"alice"}},"eventSource":"orders.example.com","eventName":"RefundIssued","eventTime":"2026-11-21T10:15:30Z","UID":"{id}","recipientAccountId":"{account}"}}"#
    );
    Entry::parse(id, event_data).unwrap()
}

/// What runs in the child: three threads emit, and tell each id once it is accepted. Deliveries go on behind them.
#[test]
fn child() {
    let Ok(run) = std::env::var("AUDIT_KILL_RUN") else { return };
    let account = std::env::var("AUDIT_KILL_ACCOUNT").unwrap();
    let client = ClientConfig::from_env().unwrap().into_builder().linger(Duration::ZERO).build_blocking().unwrap();
    std::thread::scope(|scope| {
        for emitter in 0..3 {
            let (client, run, account) = (&client, &run, &account);
            scope.spawn(move || {
                for n in 0.. {
                    let id = format!("{run}-{emitter}-{n}");
                    drop(client.emit_blocking(entry(&id, account)).unwrap());
                    // One line is one write to the pipe, so none is torn.
                    std::io::stderr().write_all(format!("accepted {id}\n").as_bytes()).unwrap();
                }
            });
        }
    });
}

struct Target<'a> {
    lake: &'a Lake,
    spool: &'a Path,
}

impl Target<'_> {
    fn command(&self) -> Command {
        let key = self.lake.access_key();
        let arn = self.lake.channel_arn();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "child", "--nocapture"])
            .env("AUDIT_CHANNEL_ARN", arn.as_str())
            .env("AUDIT_ENDPOINT_URL", self.lake.endpoint_url())
            .env("AUDIT_SPOOL_DIR", self.spool)
            .env("AUDIT_KILL_ACCOUNT", arn.account().to_string())
            .env("AWS_ACCESS_KEY_ID", key.id())
            .env("AWS_SECRET_ACCESS_KEY", key.secret())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command
    }

    /// Starts a child, lets it accept a random number of events, kills it; gives the ids that it told.
    fn cycle(&self, run: u64, random: &mut Random) -> Vec<String> {
        let mut child = self.command().env("AUDIT_KILL_RUN", run.to_string()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut told = Vec::new();
        for _ in 0..random.below(40) {
            told.extend(lines.next().map(|line| line.unwrap()));
        }
        child.kill().unwrap();
        told.extend(lines.map_while(Result::ok));
        let status = child.wait().unwrap();
        assert!(status.code().is_none(), "the child ended by itself: {told:?}");
        told.iter().filter_map(|line| Some(line.strip_prefix("accepted ")?.to_owned())).collect()
    }
}

/// A small generator: which moment it is does not matter, only that there are many.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

#[test]
fn what_emit_accepted_is_stored_once_however_often_the_process_is_killed() {
    let asked: Option<u64> = std::env::var("AUDIT_SPOOL_KILLS").ok().map(|cycles| cycles.parse().unwrap());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let lake = runtime.block_on(Lake::builder().start()).unwrap();
    let spool = lake.data_dir().join("spool-of-the-child");
    let target = Target { lake: &lake, spool: &spool };
    let mut random = Random(7);
    let mut accepted = BTreeSet::new();
    let start = Instant::now();
    let mut ran = 0;
    while ran < asked.unwrap_or(CYCLES) && (asked.is_some() || start.elapsed() < BUDGET) {
        accepted.extend(target.cycle(ran, &mut random));
        ran += 1;
    }

    // One more start, which is left to finish.
    let key = lake.access_key();
    let client = audit_client::AuditClient::builder()
        .channel_arn(lake.channel_arn().as_str())
        .endpoint_url(lake.endpoint_url())
        .credentials(audit_client::Credentials::new(key.id(), key.secret(), None, None, "test"))
        .spool(&spool)
        .build_blocking()
        .unwrap();
    client.flush_blocking().unwrap();
    let report = client.shutdown_blocking(Duration::from_mins(1));
    assert_eq!((report.kept, report.dead, report.lost), (0, 0, 0), "{report}");

    let mut stored: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for event in runtime.block_on(lake.events()).unwrap() {
        stored.entry(event.id).or_default().insert(event.event_id);
    }
    let missing: Vec<_> = accepted.iter().filter(|id| !stored.contains_key(*id)).collect();
    assert!(missing.is_empty(), "of {} accepted, {} are missing: {missing:?}", accepted.len(), missing.len());
    let twice: Vec<_> = stored.iter().filter(|(_, event_ids)| event_ids.len() > 1).collect();
    assert!(twice.is_empty(), "under two eventIDs: {twice:?}");
    println!("{ran} kills, {} accepted, {} stored, in {:?}", accepted.len(), stored.len(), start.elapsed());
    assert!(ran > 0 && !accepted.is_empty());
}
