//! Many events from 8 tasks through a service that fails at random in every way of the delivery table: each accepted id
//! ends with exactly one verdict, each delivered id is with the service, and memory stays small.
//!
//! 20,000 events by default; `AUDIT_SOAK_EVENTS` and `AUDIT_SOAK_SEED` say otherwise. A million, in release mode:
//! `AUDIT_SOAK_EVENTS=1000000 cargo test --release -p audit-client --test against_a_service soak -- --nocapture`

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use audit_client::{NotDelivered, Receipt};

use crate::scripted::{Reply, Request, SECRET, Server, answer, entry};

const TASKS: usize = 8;
/// How many verdicts a task leaves open.
const WINDOW: usize = 1_000;
/// What the client may take in memory, with the service and the test beside it.
const MOST_KILOBYTES: u64 = 64 << 10;

fn setting(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// One bit an event.
struct Bits(Vec<u64>);

impl Bits {
    fn new(events: usize) -> Self {
        Self(vec![0; events.div_ceil(64)])
    }

    /// Sets one; gives whether it was set before.
    fn set(&mut self, at: usize) -> bool {
        let before = self.get(at);
        self.0[at / 64] |= 1 << (at % 64);
        before
    }

    fn get(&self, at: usize) -> bool {
        self.0[at / 64] >> (at % 64) & 1 == 1
    }

    fn count(&self) -> u64 {
        self.0.iter().map(|bits| u64::from(bits.count_ones())).sum()
    }
}

fn number(id: &str) -> usize {
    id.strip_prefix("s-").and_then(|number| number.parse().ok()).expect("an id of the soak's")
}

/// Refused for good, always.
fn is_invalid(number: usize) -> bool {
    number % 997 == 7
}

/// Too large for the service, always.
fn is_oversized(number: usize) -> bool {
    number % 4_999 == 3
}

/// The service at its worst.
fn misbehave(request: &Request, random: &mut fastrand::Rng, stored: &mut Bits) -> Reply {
    if request.access_key().len() % 2 == 1 {
        return Reply::error(403, "ExpiredTokenException");
    }
    let numbers: Vec<usize> = request.ids.iter().map(|id| number(id)).collect();
    if numbers.iter().any(|number| is_oversized(*number)) {
        return Reply::http(413, "too large");
    }
    let mut refused = Vec::new();
    let mut taken = Vec::new();
    let mut unnamed = Vec::new();
    let moody = random.u8(..) < 40;
    for (id, number) in request.ids.iter().zip(&numbers) {
        let mood = if moody { random.u8(..) } else { u8::MAX };
        if is_invalid(*number) {
            refused.push((id.clone(), "InvalidData".to_owned()));
        } else if mood < 10 {
            refused.push((id.clone(), "Throttling".to_owned()));
        } else if mood < 20 {
            refused.push((id.clone(), "InternalFailure".to_owned()));
        } else if mood < 30 {
            unnamed.push(*number);
        } else {
            taken.push(id.clone());
        }
    }
    let fate = random.u8(..);
    // Taken, whatever the answer then is.
    if fate < 240 || fate.is_multiple_of(2) {
        for id in &taken {
            stored.set(number(id));
        }
        for number in unnamed.iter().filter(|number| number.is_multiple_of(2)) {
            stored.set(*number);
        }
    }
    if fate < 200 {
        return Reply::ok(&answer(&taken, &refused));
    }
    match fate {
        200..204 => {
            let mut named = taken.clone();
            named.extend(taken.first().cloned());
            named.push("s-foreign".to_owned());
            Reply::ok(&answer(&named, &refused))
        }
        204..208 => Reply::Close,
        208..212 => {
            let whole = Reply::ok(&answer(&taken, &refused)).bytes();
            let part = random.usize(..whole.len());
            Reply::Raw(whole[..part].to_vec())
        }
        212..214 => Reply::RawThenSilence(Vec::new()),
        214..217 => Reply::ok("{}"),
        217..220 => Reply::ok(""),
        220..223 => Reply::ok("garbage"),
        223..226 => Reply::Raw(b"\x15\x03\x01\x00\x02".to_vec()),
        226..230 => Reply::http(500, ""),
        230..233 => Reply::http(502, "<html>"),
        233..236 => Reply::error(503, "ServiceUnavailable"),
        236..238 => Reply::http(504, ""),
        238..240 => Reply::error(408, "RequestTimeoutException"),
        240..244 => Reply::error(400, "ThrottlingException"),
        244..247 => Reply::http(429, "").header("x-amz-retry-after", "3"),
        247..250 => Reply::error(403, "ExpiredTokenException"),
        250..252 => Reply::error(400, "ChannelNotFound"),
        252..254 => Reply::error(400, "DuplicatedAuditEventId"),
        _ => Reply::error(403, "AccessDeniedException"),
    }
}

#[derive(Default)]
struct Counted {
    delivered: u64,
    dead: u64,
}

async fn settle(receipt: Receipt, verdicts: &Mutex<Bits>, counted: &mut Counted) {
    let number = number(receipt.id().as_str());
    assert!(!verdicts.lock().expect("verdicts").set(number), "a second verdict for {number}");
    match receipt.delivered().await {
        Ok(delivery) => {
            assert_eq!(delivery.event_id, format!("E-s-{number}"));
            assert!(!is_invalid(number) && !is_oversized(number));
            counted.delivered += 1;
        }
        Err(NotDelivered::Rejected { code, .. }) => {
            assert!(is_invalid(number) || is_oversized(number), "{number}: {code}");
            counted.dead += 1;
        }
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn every_event_of_a_soak_has_exactly_one_verdict() {
    if is_alone("soak::every_event_of_a_soak_has_exactly_one_verdict") {
        soak(setting("AUDIT_SOAK_EVENTS", 20_000), None);
    }
}

#[test]
fn every_event_of_a_spooled_soak_has_exactly_one_verdict() {
    if is_alone("soak::every_event_of_a_spooled_soak_has_exactly_one_verdict") {
        let directory = tempfile::tempdir().expect("a directory");
        soak(setting("AUDIT_SOAK_EVENTS", 20_000) / 10, Some(directory.path()));
    }
}

/// Whether this is a process that runs only this test; otherwise starts one, since peak memory is counted by process.
fn is_alone(test: &str) -> bool {
    if std::env::var_os("AUDIT_SOAK_ALONE").is_some() {
        return true;
    }
    let status = std::process::Command::new(std::env::current_exe().expect("this program"))
        .args([test, "--exact", "--nocapture"])
        .env("AUDIT_SOAK_ALONE", "1")
        .status()
        .expect("this program starts");
    assert!(status.success(), "{test}: {status}");
    false
}

#[expect(clippy::print_stdout, reason = "the figures of a run")]
fn soak(events: usize, spool: Option<&Path>) {
    let seed = setting("AUDIT_SOAK_SEED", 1) as u64;
    let stored = Arc::new(Mutex::new(Bits::new(events)));
    let server = {
        let (stored, mut random) = (stored.clone(), fastrand::Rng::with_seed(seed));
        Server::start(move |request| misbehave(request, &mut random, &mut stored.lock().expect("stored"))).forgetful()
    };
    let start = Instant::now();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("runtime");
    let (report, stats, counted) = runtime.block_on(async {
        let settings = match spool {
            Some(directory) => server.prompt().spool(directory),
            None => server.prompt(),
        };
        let client = settings
            .access_key("AKIDEXAMPLE1", SECRET)
            .attempt_timeout(Duration::from_millis(300))
            .backoff(Duration::from_micros(100), Duration::from_millis(5))
            .probe(Duration::from_millis(1), Duration::from_millis(5))
            .build()
            .await
            .expect("a client");
        let verdicts = Arc::new(Mutex::new(Bits::new(events)));
        let tasks: Vec<_> = (0..TASKS)
            .map(|task| {
                let (client, verdicts) = (client.clone(), verdicts.clone());
                tokio::spawn(async move {
                    let (mut open, mut counted) = (VecDeque::new(), Counted::default());
                    for number in (task..events).step_by(TASKS) {
                        open.push_back(client.emit(entry(&format!("s-{number}"))).await.expect("accepted"));
                        if open.len() > WINDOW {
                            settle(open.pop_front().expect("one"), &verdicts, &mut counted).await;
                        }
                    }
                    for receipt in open {
                        settle(receipt, &verdicts, &mut counted).await;
                    }
                    counted
                })
            })
            .collect();
        let mut all = Counted::default();
        for task in tasks {
            let counted = task.await.expect("no panic");
            all.delivered += counted.delivered;
            all.dead += counted.dead;
        }
        let report = client.shutdown(Duration::from_mins(1)).await;
        assert_eq!(verdicts.lock().expect("verdicts").count(), events as u64);
        (report, client.stats(), all)
    });
    let took = start.elapsed();
    assert_eq!(report.accepted, events as u64);
    assert_eq!((report.delivered, report.dead), (counted.delivered, counted.dead), "{report}");
    assert_eq!((report.kept, report.lost), (0, 0), "{report}");
    let stored = stored.lock().expect("stored");
    for id in &report.delivered_ids {
        assert!(stored.get(number(id.as_str())), "{id} was called delivered, and the service does not have it");
    }
    let megabytes = peak_kilobytes().map(|kilobytes| kilobytes / 1024);
    println!(
        "soak, seed {seed}: {report}; {} requests, {} entries sent again, peak memory {megabytes:?} MiB, {took:?}",
        stats.requests, stats.retried
    );
    if let Some(kilobytes) = peak_kilobytes() {
        assert!(kilobytes < MOST_KILOBYTES, "{kilobytes} KiB");
    }
}

/// The most memory that this process has had, where the system tells.
fn peak_kilobytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().strip_suffix(" kB")?.trim().parse().ok()
}
