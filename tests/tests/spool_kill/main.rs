//! End to end: a program that emits is killed at random moments and restarted, against a lake. No event that `emit` accepted
//! is missing, and none is stored under two eventIDs.
//!
//! The program is `child.rs`. `AUDIT_SPOOL_KILLS=10000` runs more cycles than usual.

#![expect(clippy::unwrap_used, reason = "the lint knows only functions marked as tests to be tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use audit_lake::Lake;

const CYCLES: u64 = 100;
/// Any certificate: the SDK requires one.
const CERTIFICATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../audit-lake/tests/tls/certificate.pem");

struct Target<'a> {
    lake: &'a Lake,
    /// Where the spool is, and no certificate.
    dir: &'a Path,
}

/// What the children printed, and in which phase they were killed.
#[derive(Default)]
struct Printed {
    accepted: BTreeSet<String>,
    /// Event ids by id.
    delivered: BTreeMap<String, String>,
    /// How long the last child that opened the spool took, recovery from earlier kills included.
    opening: Duration,
    killed_while_opening: u64,
    killed_before_any_was_accepted: u64,
    killed_before_any_was_delivered: u64,
    killed_while_delivering: u64,
}

impl Target<'_> {
    fn command(&self) -> Command {
        let key = self.lake.access_key();
        let arn = self.lake.channel_arn();
        let mut command = Command::new(env!("CARGO_BIN_EXE_emits-until-killed"));
        command
            .env("AUDIT_CHANNEL_ARN", arn.as_str())
            .env("AUDIT_ENDPOINT_URL", self.lake.endpoint_url())
            .env("AUDIT_SPOOL_DIR", self.dir.join("spool"))
            .env("AUDIT_KILL_ACCOUNT", arn.account().to_string())
            .env("AWS_ACCESS_KEY_ID", key.id())
            .env("AWS_SECRET_ACCESS_KEY", key.secret())
            // There is no TLS here: reading all of the system's certificates would be most of a start.
            .env("SSL_CERT_FILE", CERTIFICATE)
            .env("SSL_CERT_DIR", self.dir)
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command
    }

    /// Starts a child and kills it at a random moment: while it opens, as soon as it is open, after some lines, or after
    /// some deliveries.
    fn cycle(&self, run: u64, random: &mut Random, printed: &mut Printed) {
        let mut child = self.command().env("AUDIT_KILL_RUN", run.to_string()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut lines_read = Vec::new();
        let mut read = |mut count: u64, beginning: &str| {
            while count > 0 {
                let Some(line) = lines.next() else { return };
                lines_read.push(line.unwrap());
                count -= u64::from(lines_read.last().is_some_and(|line| line.starts_with(beginning)));
            }
        };
        let moment = random.below(4);
        read(1, "opening");
        if moment == 0 {
            std::thread::sleep(printed.opening.mul_f64(random.fraction()));
        } else {
            let start = Instant::now();
            read(1, "open");
            printed.opening = start.elapsed();
            match moment {
                1 => {}
                2 => read(random.below(50), ""),
                _ => read(1 + random.below(20), "delivered"),
            }
            if moment > 1 {
                std::thread::sleep(Duration::from_millis(2).mul_f64(random.fraction()));
            }
        }
        child.kill().unwrap();
        lines_read.extend(lines.map_while(Result::ok));
        let status = child.wait().unwrap();
        assert!(status.code().is_none(), "the child ended by itself: {lines_read:?}");
        printed.take(&lines_read);
    }
}

impl Printed {
    fn take(&mut self, lines_read: &[String]) {
        let (mut accepted, mut delivered) = (0, 0);
        for line in lines_read {
            let words: Vec<&str> = line.split(' ').collect();
            match words[..] {
                ["opening" | "open"] => {}
                ["accepted", id] => {
                    assert!(self.accepted.insert(id.to_owned()), "{id} is accepted twice");
                    accepted += 1;
                }
                ["delivered", id, event_id] => {
                    assert_eq!(self.delivered.insert(id.to_owned(), event_id.to_owned()), None, "{id}");
                    delivered += 1;
                }
                _ => panic!("the child says: {lines_read:#?}"),
            }
        }
        match (lines_read.iter().any(|line| line == "open"), accepted, delivered) {
            (false, ..) => self.killed_while_opening += 1,
            (true, 0, _) => self.killed_before_any_was_accepted += 1,
            (true, _, 0) => self.killed_before_any_was_delivered += 1,
            _ => self.killed_while_delivering += 1,
        }
    }
}

/// A small generator: the moments must vary; the quality of randomness does not matter.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(self.0 >> 32).unwrap()
    }

    fn below(&mut self, limit: u64) -> u64 {
        u64::from(self.next()) % limit
    }

    /// From 0 to 1.
    fn fraction(&mut self) -> f64 {
        f64::from(self.next()) / f64::from(u32::MAX)
    }
}

#[test]
fn what_emit_accepted_is_stored_once_however_often_the_process_is_killed() {
    let cycles = std::env::var("AUDIT_SPOOL_KILLS").map_or(CYCLES, |cycles| cycles.parse().unwrap());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let lake = runtime.block_on(Lake::builder().start()).unwrap();
    let dir = lake.data_dir().join("of-the-children");
    std::fs::create_dir(&dir).unwrap();
    let target = Target { lake: &lake, dir: &dir };
    let (mut random, mut printed) = (Random(7), Printed::default());
    let start = Instant::now();
    for run in 0..cycles {
        target.cycle(run, &mut random, &mut printed);
    }
    let took = start.elapsed();

    // One more start, which runs to its end.
    let key = lake.access_key();
    let client = audit_client::AuditClient::builder()
        .channel_arn(lake.channel_arn().as_str())
        .endpoint_url(lake.endpoint_url())
        .access_key(key.id(), key.secret())
        .spool(dir.join("spool"))
        .build_blocking()
        .unwrap();
    client.flush_blocking().unwrap();
    let report = client.shutdown_blocking(Duration::from_mins(1));
    assert_eq!((report.kept, report.dead, report.lost), (0, 0, 0), "{report}");

    let mut stored: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for event in runtime.block_on(lake.events()).unwrap() {
        assert!(event.event_data.contains(&format!(r#""UID":"{}""#, event.id)), "{event:?} has another's data");
        stored.entry(event.id).or_default().insert(event.event_id);
    }
    let missing: Vec<_> = printed.accepted.iter().filter(|id| !stored.contains_key(*id)).collect();
    let twice: Vec<_> = stored.iter().filter(|(_, event_ids)| event_ids.len() > 1).collect();
    println!(
        "{cycles} kills in {took:.1?}: {} while opening, {} before any was accepted, {} before any was delivered, {} later; \
         {} events accepted, {} stored, {} missing, {} stored twice; {} deliveries were printed",
        printed.killed_while_opening,
        printed.killed_before_any_was_accepted,
        printed.killed_before_any_was_delivered,
        printed.killed_while_delivering,
        printed.accepted.len(),
        stored.len(),
        missing.len(),
        twice.len(),
        printed.delivered.len(),
    );
    assert!(missing.is_empty(), "of {} accepted, {} are missing: {missing:?}", printed.accepted.len(), missing.len());
    assert!(twice.is_empty(), "under two eventIDs: {twice:?}");
    for (id, event_id) in &printed.delivered {
        assert_eq!(stored[id].first(), Some(event_id), "{id} is stored under another eventID than its sender printed");
    }
    // With too few events, too few moments were hit, and the test would prove nothing.
    assert!(printed.accepted.len() as u64 > cycles, "only {} events in {cycles} cycles", printed.accepted.len());
    let before_a_delivery = printed.killed_before_any_was_accepted + printed.killed_before_any_was_delivered;
    for (moment, kills) in [
        ("while it opens", printed.killed_while_opening),
        ("before a delivery", before_a_delivery),
        ("while it delivers", printed.killed_while_delivering),
    ] {
        assert!(kills > 0, "no child was killed {moment}");
    }
}
