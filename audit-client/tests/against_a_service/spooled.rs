//! With a spool: what was accepted is delivered, by this run or by a later one.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use audit_client::spool::{NewRecord, Spool, SpoolError, SpoolOptions, StoppedSpool, WhenFull};
use audit_client::{AuditClient, BuildError, ClientBuilder, EmitError, NotDelivered, Outcome, ShutdownReport};

use crate::scripted::{Reply, Server, entry};

const SOON: Duration = Duration::from_secs(20);

fn builder(server: &Server, directory: &Path) -> ClientBuilder {
    server.builder().spool(directory).spool_options(SpoolOptions::new().name("default"))
}

/// A client on the same spool, once the former one has closed it, for which a short deadline may have left no time.
fn reopened(server: &Server, directory: &Path) -> AuditClient {
    loop {
        match builder(server, directory).build_blocking() {
            Ok(client) => return client,
            Err(BuildError::Spool(SpoolError::Owned { .. })) => std::thread::yield_now(),
            Err(error) => panic!("{error}"),
        }
    }
}

fn adds_up(report: &ShutdownReport) {
    assert_eq!(report.accepted, report.delivered + report.dead + report.kept + report.lost, "{report}");
    assert_eq!(report.kept_ids.len() + report.kept_ids.forgotten(), report.kept);
}

/// A service that is away until it is told to come back.
fn away() -> (Server, Arc<AtomicBool>) {
    let back = Arc::new(AtomicBool::new(false));
    let is_back = back.clone();
    let server = Server::start(
        move |request| {
            if is_back.load(Ordering::SeqCst) { request.taken() } else { Reply::http(503, "") }
        },
    );
    (server, back)
}

fn ids(report_ids: &audit_client::Ids) -> BTreeSet<String> {
    report_ids.iter().map(|id| id.to_string()).collect()
}

#[tokio::test]
async fn what_a_shutdown_keeps_the_next_start_delivers() {
    let directory = tempfile::tempdir().expect("a directory");
    let (server, back) = away();
    let client = builder(&server, directory.path()).build().await.expect("a client");
    let receipt = client.emit(entry("a")).await.expect("on disk");
    for id in ["b", "c"] {
        drop(client.emit(entry(id)).await.expect("on disk"));
    }
    let report = client.shutdown(Duration::from_millis(100)).await;
    adds_up(&report);
    assert_eq!((report.accepted, report.delivered, report.kept, report.lost), (3, 0, 3, 0));
    assert_eq!(ids(&report.kept_ids), ["a", "b", "c"].map(str::to_owned).into());
    assert!(matches!(receipt.delivered().await, Err(NotDelivered::Kept { id, .. }) if id.as_str() == "a"));

    back.store(true, Ordering::SeqCst);
    let client = reopened(&server, directory.path());
    assert_eq!(client.stats().recovered, 3);
    let fresh = client.emit(entry("d")).await.expect("on disk");
    client.flush().await.expect("all settled");
    assert_eq!(fresh.delivered().await.expect("delivered").id.as_str(), "d");
    let report = client.shutdown(SOON).await;
    adds_up(&report);
    assert_eq!((report.accepted, report.recovered, report.delivered, report.kept), (4, 3, 4, 0));
    assert_eq!(ids(&report.delivered_ids), ["a", "b", "c", "d"].map(str::to_owned).into());

    let client = builder(&server, directory.path()).build().await.expect("a client");
    let report = client.shutdown(SOON).await;
    assert_eq!((report.accepted, report.recovered), (0, 0), "nothing is delivered twice");
}

#[tokio::test]
async fn a_flush_in_the_same_tick_as_a_try_emit_waits_for_disk_and_verdict() {
    let directory = tempfile::tempdir().expect("a directory");
    let server = Server::replies([]);
    let client = builder(&server, directory.path()).build().await.expect("a client");
    let receipts: Vec<_> = (0..50).map(|number| client.try_emit(entry(&format!("e{number}"))).expect("room")).collect();
    client.flush().await.expect("settled");
    assert_eq!(client.stats().delivered, 50);
    for receipt in receipts {
        receipt.delivered().await.expect("delivered");
    }
    let report = client.shutdown(SOON).await;
    assert_eq!((report.accepted, report.delivered), (50, 50));
}

#[tokio::test]
async fn dead_letters_lie_in_the_spools_directory_and_are_not_sent_again() {
    let directory = tempfile::tempdir().expect("a directory");
    let server = Server::start(
        |request| if request.number == 1 { Reply::http(500, "") } else { request.refused("InvalidData") },
    );
    let client = builder(&server, directory.path()).build().await.expect("a client");
    let mut letters = client.dead_letters();
    let receipt = client.emit(entry("a")).await.expect("on disk");
    client.flush().await.expect("settled");
    assert!(
        matches!(receipt.delivered().await, Err(NotDelivered::Rejected { code, .. }) if code == "InvalidData".into())
    );
    assert_eq!(letters.next().await.expect("a letter").entry(), Ok(entry("a")));
    let report = client.shutdown(SOON).await;
    adds_up(&report);
    assert_eq!((report.accepted, report.dead), (1, 1));

    let line = std::fs::read_to_string(directory.path().join("default.dead.ndjson")).expect("the dead letters");
    let letter: serde_json::Value = serde_json::from_str(&line).expect("one line of JSON");
    assert_eq!(letter["id"], "a");
    assert_eq!(letter["code"], "InvalidData");
    assert_eq!(letter["message"], "scripted");
    assert_eq!(letter["eventData"], entry("a").event_data());
    assert_eq!(letter["attempts"][0]["outcome"], "HTTP 500");
    assert_eq!(letter["attempts"][1]["outcome"], "InvalidData");

    let client = builder(&server, directory.path()).build().await.expect("a client");
    assert_eq!(client.shutdown(SOON).await.accepted, 0);
}

#[tokio::test]
async fn an_entry_that_one_run_spools_and_the_next_one_sends_keeps_its_checksum() {
    let directory = tempfile::tempdir().expect("a directory");
    let (sent, requests) = std::sync::mpsc::channel();
    let server = Server::start(move |request| {
        let _ = sent.send(request.body.clone());
        request.taken()
    });
    let (spool, _reader) = Spool::open(directory.path(), SpoolOptions::new()).expect("a spool");
    spool.append(entry("a")).await.expect("on disk");
    spool.close().expect("closed");
    let client = builder(&server, directory.path()).build().await.expect("a client");
    client.flush().await.expect("settled");
    let body: serde_json::Value = serde_json::from_str(&requests.recv().expect("a request")).expect("JSON");
    assert_eq!(body["auditEvents"][0]["eventDataChecksum"], entry("a").checksum().to_string());
    assert_eq!(client.shutdown(SOON).await.delivered, 1);
}

#[tokio::test]
async fn bytes_that_changed_on_the_disk_are_a_dead_letter_and_are_not_sent() {
    let directory = tempfile::tempdir().expect("a directory");
    let server = Server::start(|_| panic!("nothing is to be sent"));
    let (spool, _reader) = Spool::open(directory.path(), SpoolOptions::new()).expect("a spool");
    let changed = entry("a").event_data().replace("alice", "mallo");
    assert_ne!(changed, entry("a").event_data());
    spool.append(NewRecord::new("a", changed.as_str(), entry("a").checksum())).await.expect("on disk");
    spool.close().expect("closed");
    let client = builder(&server, directory.path()).build().await.expect("a client");
    let mut letters = client.dead_letters();
    client.flush().await.expect("settled");
    assert_eq!(client.shutdown(SOON).await.dead, 1);
    if let Some(letter) = letters.next().await {
        assert_eq!(letter.code, Outcome::ChecksumMismatch);
    }
    let letters = StoppedSpool::open(directory.path(), SpoolOptions::new()).expect("a spool").dead_letters();
    let letter = letters.expect("letters").letters.remove(0);
    assert_eq!(
        (letter.code, letter.event_data, letter.checksum),
        (Outcome::ChecksumMismatch, changed, entry("a").checksum())
    );
    assert!(letter.message.contains("has changed"), "{}", letter.message);
}

#[tokio::test]
async fn a_spool_that_another_client_has_is_refused_and_its_owner_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let server = Server::replies([]);
    let client = builder(&server, directory.path()).build().await.expect("a client");
    let error = builder(&server, directory.path()).build().await.expect_err("owned");
    assert!(matches!(error, BuildError::Spool(_)));
    assert!(error.to_string().contains(&std::process::id().to_string()), "{error}");
    let other = builder(&server, directory.path()).spool_options(SpoolOptions::new().name("other")).build().await;
    let _ = other.expect("a spool of its own").shutdown(SOON).await;
    let _ = client.shutdown(SOON).await;
}

#[tokio::test]
async fn a_backlog_beyond_the_window_is_delivered_whole() {
    const EVENTS: u64 = 10_000;
    let directory = tempfile::tempdir().expect("a directory");
    let (server, back) = away();
    let client = builder(&server, directory.path()).build().await.expect("a client");
    for number in 0..EVENTS {
        drop(client.try_emit(entry(&format!("e{number}"))).expect("room"));
    }
    let report = client.shutdown(Duration::from_millis(300)).await;
    adds_up(&report);
    assert_eq!((report.accepted, report.kept), (EVENTS, EVENTS));

    back.store(true, Ordering::SeqCst);
    let client = reopened(&server, directory.path());
    client.flush().await.expect("settled");
    let report = client.shutdown(SOON).await;
    assert_eq!((report.accepted, report.recovered, report.delivered), (EVENTS, EVENTS, EVENTS));
    assert_eq!(ids(&report.delivered_ids).len() as u64, EVENTS);
    let full = server.requests().iter().filter(|request| request.ids.len() == 100).count();
    assert!(full as u64 >= EVENTS / 100, "full batches");
}

#[tokio::test]
async fn an_emit_that_is_dropped_after_its_first_poll_is_delivered_and_accounted_for() {
    let directory = tempfile::tempdir().expect("a directory");
    let server = Server::replies([]);
    let client = builder(&server, directory.path()).build().await.expect("a client");
    let mut told = BTreeSet::new();
    for number in 0..500 {
        let id = format!("e{number}");
        let emit = client.emit(entry(&id));
        tokio::select! {
            biased;
            accepted = emit => {
                drop(accepted.expect("on disk"));
                told.insert(id);
            }
            () = async { for _ in 0..number % 40 { tokio::task::yield_now().await } } => {}
        }
    }
    let report = client.shutdown(SOON).await;
    adds_up(&report);
    assert!(told.len() < 500, "some were dropped");
    assert_eq!((report.delivered, report.kept, report.lost), (500, 0, 0), "{report}");
    let delivered = ids(&report.delivered_ids);
    assert!(told.is_subset(&delivered));
    let on_the_server: BTreeSet<String> = server.requests().into_iter().flat_map(|request| request.ids).collect();
    assert_eq!(on_the_server, delivered);
}

/// Whoever was told "accepted" is in the report: delivered, or kept and delivered by the next run.
#[test]
fn emits_that_race_a_shutdown_are_in_the_report_or_were_refused() {
    for round in 0..10 {
        let directory = tempfile::tempdir().expect("a directory");
        let server = Server::start(|request| if request.number % 2 == 0 { Reply::Close } else { request.taken() });
        let client = server.prompt().spool(directory.path()).build_blocking().expect("a client");
        let emitters: Vec<_> = (0..4)
            .map(|thread| {
                let client = client.clone();
                std::thread::spawn(move || {
                    let (mut accepted, mut unknown) = (BTreeSet::new(), BTreeSet::new());
                    for number in 0.. {
                        let id = format!("{thread}-{number}");
                        let emitted = if number % 3 == 0 {
                            client.try_emit(entry(&id))
                        } else {
                            client.emit_blocking(entry(&id))
                        };
                        match emitted {
                            Ok(_) => {
                                accepted.insert(id);
                            }
                            Err(EmitError::ShutDown { .. }) => break,
                            Err(EmitError::Spool { .. }) => std::thread::yield_now(),
                            // The disk was too slow for the report.
                            Err(EmitError::Unknown { id, .. }) => {
                                unknown.insert(id.to_string());
                            }
                            Err(error) => panic!("{error}"),
                        }
                    }
                    (accepted, unknown)
                })
            })
            .collect();
        while client.stats().accepted < 20 {
            std::thread::yield_now();
        }
        let report = client.shutdown_blocking(Duration::from_millis(round * 4));
        let (mut accepted, mut unknown) = (BTreeSet::new(), BTreeSet::new());
        for emitter in emitters {
            let (told, perhaps) = emitter.join().expect("no panic");
            accepted.extend(told);
            unknown.extend(perhaps);
        }
        adds_up(&report);
        let client = reopened(&server, directory.path());
        let later = client.shutdown_blocking(SOON);
        assert_eq!(later.accepted, later.delivered, "{later}");
        let mut delivered = ids(&report.delivered_ids);
        delivered.extend(ids(&later.delivered_ids));
        let lost = ids(&report.lost_ids);
        assert!(accepted.difference(&delivered).all(|id| lost.contains(id)), "nothing that was accepted is missing");
        let told: BTreeSet<String> = accepted.union(&unknown).cloned().collect();
        assert_eq!(
            delivered.difference(&told).collect::<Vec<_>>(),
            Vec::<&String>::new(),
            "nothing else was delivered"
        );
        if unknown.is_empty() {
            assert_eq!(report.accepted, accepted.len() as u64, "{report}");
        }
    }
}

#[tokio::test]
async fn a_full_spool_refuses_or_waits_as_it_was_told_and_takes_again_when_there_is_room() {
    let directory = tempfile::tempdir().expect("a directory");
    let (server, back) = away();
    let small = SpoolOptions::new().max_bytes(SpoolOptions::MIN_MAX_BYTES).when_full(WhenFull::Reject);
    let client = server.prompt().spool(directory.path()).spool_options(small).build().await.expect("a client");
    let mut accepted = 0;
    let refused = loop {
        match client.emit(entry(&format!("e{accepted}"))).await {
            Ok(_) => accepted += 1,
            Err(error) => break error,
        }
    };
    assert!(
        matches!(&refused, EmitError::Spool { entry: back, .. } if *back.id() == entry(&format!("e{accepted}")).id().clone())
    );
    back.store(true, Ordering::SeqCst);
    client.flush().await.expect("settled");
    loop {
        match client.emit(entry("again")).await {
            Ok(receipt) => break drop(receipt),
            Err(EmitError::Spool { .. }) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    }
    let report = client.shutdown(SOON).await;
    adds_up(&report);
    assert_eq!((report.accepted, report.delivered), (accepted + 1, accepted + 1));
}

#[tokio::test]
async fn an_emit_that_waits_for_room_on_disk_is_refused_by_a_shutdown() {
    let directory = tempfile::tempdir().expect("a directory");
    let (server, _) = away();
    let small = SpoolOptions::new().max_bytes(SpoolOptions::MIN_MAX_BYTES);
    let client = server.prompt().spool(directory.path()).spool_options(small).build().await.expect("a client");
    let emitter = {
        let client: AuditClient = client.clone();
        tokio::spawn(async move {
            let mut accepted = 0;
            loop {
                match client.emit(entry(&format!("e{accepted}"))).await {
                    Ok(_) => accepted += 1,
                    Err(error) => break (accepted, error),
                }
            }
        })
    };
    let mut more = 0;
    while client.try_emit(entry(&format!("more{more}"))).is_ok() {
        more += 1;
        tokio::task::yield_now().await;
    }
    let report = client.shutdown(Duration::from_millis(50)).await;
    let (accepted, error) = emitter.await.expect("no panic");
    assert!(matches!(error, EmitError::ShutDown { .. }), "{error}");
    adds_up(&report);
    assert_eq!(report.accepted, accepted + more, "{report}");
    assert!(report.lost <= more, "only what did not wait for the disk can be lost");
}

#[tokio::test]
async fn a_receipt_hears_of_its_own_event_also_when_another_has_its_id() {
    let directory = tempfile::tempdir().expect("a directory");
    let back = Arc::new(AtomicBool::new(false));
    let is_back = back.clone();
    let server =
        Server::start(move |request| match (is_back.load(Ordering::SeqCst), request.body.contains("second")) {
            (false, _) => Reply::http(503, ""),
            (true, false) => request.taken(),
            (true, true) => request.refused("InvalidData"),
        });
    let client = server.prompt().spool(directory.path()).build().await.expect("a client");
    let second = audit_client::Entry::parse("a", entry("a").event_data().replace("alice", "second")).expect("valid");
    drop(client.emit(entry("a")).await.expect("on disk"));
    let receipt = client.emit(second).await.expect("on disk");
    back.store(true, Ordering::SeqCst);
    assert!(matches!(receipt.delivered().await, Err(NotDelivered::Rejected { .. })));
    let report = client.shutdown(SOON).await;
    assert_eq!((report.delivered, report.dead), (1, 1));
}

/// So long that only a shutdown that does not use it up comes back.
const HOURS: Duration = Duration::from_hours(9);

#[test]
fn a_shutdown_does_not_wait_for_a_channel_that_fails_when_everything_is_on_disk() {
    type Service = fn() -> Server;
    let services: [(&str, Service); 5] = [
        ("it fails", || Server::start(|_| Reply::http(503, ""))),
        ("it hangs up", || Server::start(|_| Reply::Close)),
        ("it is silent", || Server::start(|_| Reply::RawThenSilence(Vec::new()))),
        ("it refuses the channel", || Server::start(|_| Reply::error(403, "ChannelInsufficientPermission"))),
        ("it asks for a longer wait", || {
            Server::start(|_| Reply::error(429, "ThrottlingException").header("retry-after", "99999999"))
        }),
    ];
    for (what, service) in services {
        for has_failed_before in [false, true] {
            let directory = tempfile::tempdir().expect("a directory");
            let server = service();
            let client = server.builder().linger(if has_failed_before { Duration::ZERO } else { HOURS });
            let client = client
                .attempt_timeout(Duration::from_millis(200))
                .spool(directory.path())
                .build_blocking()
                .expect("a client");
            for id in ["a", "b"] {
                drop(client.emit_blocking(entry(id)).expect("on disk"));
            }
            drop(client.try_emit(entry("c")).expect("room"));
            while has_failed_before && client.stats().last_failure.is_none() {
                std::thread::yield_now();
            }
            let deadline = if what.contains("longer wait") { Duration::from_mins(9) } else { HOURS };
            let report = client.shutdown_blocking(deadline);
            adds_up(&report);
            assert_eq!((report.accepted, report.kept), (3, 3), "{what}: {report}");
            assert!(!server.requests().is_empty(), "{what}: it tries once more");
            assert_eq!(reopened(&Server::replies([]), directory.path()).shutdown_blocking(SOON).delivered, 3, "{what}");
        }
    }
}

#[test]
fn a_shutdown_waits_for_a_channel_that_fails_if_it_is_told_to() {
    for keeps_trying in [false, true] {
        let directory = tempfile::tempdir().expect("a directory");
        let server = Server::start(|request| if request.number <= 20 { Reply::http(503, "") } else { request.taken() });
        let client = builder(&server, directory.path()).shutdown_keeps_trying(keeps_trying);
        let client = client.build_blocking().expect("a client");
        drop(client.emit_blocking(entry("a")).expect("on disk"));
        let report = client.shutdown_blocking(HOURS);
        assert_eq!((report.delivered, report.kept), if keeps_trying { (1, 0) } else { (0, 1) }, "{report}");
    }
}
