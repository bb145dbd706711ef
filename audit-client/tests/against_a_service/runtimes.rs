//! Wherever it is called from, the client works: its pipeline owes nothing to the caller's runtime. Each case emits,
//! flushes in the same tick, waits for the verdict, and shuts down, through the real SDK to a real socket.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::scripted::{Reply, Server, entry};
use audit_client::{AuditClient, EmitError, ShutdownReport};
use tokio::runtime::{Builder, Runtime};

const SOON: Duration = Duration::from_secs(20);
/// How long a service that says nothing is listened to: far longer than a loaded machine needs to take notice.
const MUTE: Duration = Duration::from_mins(1);

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// With neither timers nor I/O: the client must not need the caller's.
fn bare() -> Runtime {
    Builder::new_current_thread().build().expect("a runtime")
}

fn one_worker() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
}

async fn whole_way(client: &AuditClient) -> ShutdownReport {
    let first = client.emit(entry("a")).await.expect("accepted");
    let second = client.try_emit(entry("b")).expect("room");
    client.flush().await.expect("settled");
    first.delivered().await.expect("delivered");
    second.delivered().await.expect("delivered");
    let mut third = client.emit(entry("c")).await.expect("accepted");
    assert!(third.delivered_within(Duration::from_millis(1)).await.is_none(), "it lingers");
    client.shutdown(SOON).await
}

fn whole_way_blocking(client: &AuditClient) -> ShutdownReport {
    let first = client.emit_blocking(entry("a")).expect("accepted");
    let second = client.try_emit(entry("b")).expect("room");
    client.flush_blocking().expect("settled");
    first.delivered_blocking().expect("delivered");
    second.delivered_blocking().expect("delivered");
    let _ = client.emit_blocking(entry("c")).expect("accepted");
    client.shutdown_blocking(SOON)
}

fn is_whole(report: &ShutdownReport) {
    assert_eq!((report.accepted, report.delivered), (3, 3), "{report}");
}

#[test]
fn on_a_current_thread_runtime() {
    for runtime in [current_thread(), bare()] {
        let server = Server::replies([]);
        let report = runtime.block_on(async {
            let client = server.builder().build().await.expect("a client");
            whole_way(&client).await
        });
        is_whole(&report);
    }
}

#[test]
fn on_a_runtime_with_one_worker_from_a_spawned_task() {
    let server = Server::replies([]);
    let runtime = one_worker();
    let report = runtime.block_on(async {
        let client = server.builder().build().await.expect("a client");
        runtime.spawn(async move { whole_way(&client).await }).await.expect("no panic")
    });
    is_whole(&report);
}

#[test]
fn inside_spawn_blocking() {
    for runtime in [current_thread(), one_worker()] {
        let server = Server::replies([]);
        let report = runtime.block_on(async {
            let client = server.builder().build().await.expect("a client");
            runtime.spawn_blocking(move || whole_way_blocking(&client)).await.expect("no panic")
        });
        is_whole(&report);
    }
}

#[test]
fn blocking_on_the_thread_that_drives_a_runtime_blocks_that_thread_and_not_the_pipeline() {
    let server = Server::replies([]);
    let report = current_thread().block_on(async {
        let client = server.builder().build().await.expect("a client");
        whole_way_blocking(&client)
    });
    is_whole(&report);
}

#[test]
fn on_plain_threads_without_any_runtime() {
    let server = Server::replies([]);
    let client = server.builder().build_blocking().expect("a client");
    let emitters: Vec<_> = (0..4)
        .map(|thread| {
            let client = client.clone();
            std::thread::spawn(move || {
                for number in 0..50 {
                    let _ = client.emit_blocking(entry(&format!("{thread}-{number}"))).expect("accepted");
                }
            })
        })
        .collect();
    for emitter in emitters {
        emitter.join().expect("no panic");
    }
    let report = client.shutdown_blocking(SOON);
    assert_eq!((report.accepted, report.delivered), (200, 200));
}

#[test]
fn after_the_applications_runtime_is_gone() {
    let server = Server::replies([]);
    let runtime = one_worker();
    let (client, early) = runtime.block_on(async {
        let client = server.builder().build().await.expect("a client");
        let early = client.emit(entry("early")).await.expect("accepted");
        (client, early)
    });
    drop(runtime);
    let late = client.emit_blocking(entry("late")).expect("accepted");
    client.flush_blocking().expect("settled");
    early.delivered_blocking().expect("delivered");
    late.delivered_blocking().expect("delivered");
    assert_eq!(client.shutdown_blocking(SOON).delivered, 2);
}

#[test]
fn a_receipt_is_answered_on_another_runtime_than_that_of_its_emit() {
    let server = Server::replies([]);
    let client = server.prompt().build_blocking().expect("a client");
    let receipt = current_thread().block_on(client.emit(entry("a"))).expect("accepted");
    bare().block_on(receipt.delivered()).expect("delivered");
    let mut receipt = current_thread().block_on(client.emit(entry("b"))).expect("accepted");
    bare().block_on(receipt.delivered_within(SOON)).expect("in time").expect("delivered");
    let _ = client.shutdown_blocking(SOON);
}

#[test]
fn receipts_outlive_the_client() {
    let server = Server::replies([]);
    let runtime = current_thread();
    let client = runtime.block_on(server.builder().build()).expect("a client");
    let receipt = client.emit_blocking(entry("a")).expect("accepted");
    let _ = client.shutdown_blocking(SOON);
    drop((client, runtime));
    receipt.delivered_blocking().expect("delivered");
}

#[test]
fn a_shutdown_ends_at_its_deadline_whatever_the_service_does() {
    for deadline in [0, 1, 50, 200] {
        let server = Server::start(|_| Reply::RawThenSilence(Vec::new()));
        let client = server.prompt().attempt_timeout(MUTE).build_blocking().expect("a client");
        for number in 0..500 {
            let _ = client.emit_blocking(entry(&format!("e{number}"))).expect("accepted");
        }
        let deadline = Duration::from_millis(deadline);
        let start = Instant::now();
        let report = client.shutdown_blocking(deadline);
        let took = start.elapsed();
        assert!(took >= deadline && took < MUTE / 2, "{took:?} for {deadline:?}");
        assert_eq!((report.accepted, report.delivered, report.lost), (500, 0, 500));
        assert_eq!(report.lost_ids.len(), 500);
    }
}

#[test]
fn a_shutdown_ends_at_its_deadline_when_a_transport_blocks_the_pipelines_thread() {
    struct Blocks(Arc<AtomicBool>);
    impl audit_client::Transport for Blocks {
        fn submit<'a>(&'a self, _: audit_client::Submission<'a>) -> audit_client::Submitting<'a> {
            while !self.0.load(Ordering::SeqCst) {
                std::thread::yield_now();
            }
            Box::pin(async { Err(audit_client::Failure::new("too late")) })
        }
    }
    let released = Arc::new(AtomicBool::new(false));
    let client = AuditClient::builder()
        .channel_arn(crate::scripted::CHANNEL_ARN)
        .linger(Duration::ZERO)
        .transport(Blocks(released.clone()))
        .build_blocking()
        .expect("a client");
    let receipt = client.emit_blocking(entry("a")).expect("accepted");
    while client.stats().requests == 0 {
        std::thread::yield_now();
    }
    let report = client.shutdown_blocking(Duration::from_millis(100));
    assert!(!released.swap(true, Ordering::SeqCst), "the shutdown came back while the thread was blocked");
    assert_eq!((report.accepted, report.lost, report.in_doubt), (1, 1, 1));
    assert!(receipt.delivered_blocking().is_err());
}

/// Many threads emit while another shuts down: the report has those events that were accepted, and no others.
#[test]
fn emits_that_race_a_shutdown_are_in_the_report_or_were_refused() {
    for round in 0..20 {
        let server = Server::replies([]);
        let client = server.prompt().capacity_entries(20).build_blocking().expect("a client");
        let emitters: Vec<_> = (0..4)
            .map(|thread| {
                let client = client.clone();
                std::thread::spawn(move || {
                    let mut accepted = Vec::new();
                    for number in 0.. {
                        let id = format!("{thread}-{number}");
                        match client.emit_blocking(entry(&id)) {
                            Ok(_) => accepted.push(id),
                            Err(EmitError::ShutDown { .. }) => break,
                            Err(error) => panic!("{error}"),
                        }
                    }
                    accepted
                })
            })
            .collect();
        while client.stats().accepted < round * 10 {
            std::thread::yield_now();
        }
        let report = client.shutdown_blocking(SOON);
        let mut accepted: Vec<String> =
            emitters.into_iter().flat_map(|emitter| emitter.join().expect("no panic")).collect();
        let mut told: Vec<String> = report.delivered_ids.iter().map(|id| id.to_string()).collect();
        accepted.sort();
        told.sort();
        assert_eq!(told, accepted);
        assert_eq!((report.accepted, report.delivered), (told.len() as u64, told.len() as u64));
    }
}

#[test]
fn a_dropped_build_leaves_no_client_behind() {
    let server = Server::replies([]);
    drop(server.builder().build());
    let runtime = current_thread();
    runtime.block_on(async {
        let building = server.builder().build();
        tokio::select! {
            biased;
            () = std::future::ready(()) => {}
            _ = building => {}
        }
    });
    assert_eq!(server.connections(), 0);
}

/// What a program looks like that returns early.
async fn fails_after_an_event(client: AuditClient) -> Result<(), std::io::Error> {
    let _shutdown = client.shutdown_on_drop(SOON);
    let _receipt = client.emit(entry("a")).await.expect("accepted");
    Err(std::io::Error::other("no input"))
}

#[test]
fn a_guard_shuts_the_client_down_on_an_early_return_on_every_runtime() {
    for runtime in [current_thread(), bare(), one_worker()] {
        for is_spawned in [false, true] {
            let server = Server::replies([]);
            let client = server.builder().build_blocking().expect("a client");
            let work = fails_after_an_event(client.clone());
            let failed = if is_spawned {
                runtime.block_on(async { tokio::spawn(work).await.expect("no panic") })
            } else {
                runtime.block_on(work)
            };
            assert!(failed.is_err());
            let ids: Vec<_> = server.requests().into_iter().flat_map(|request| request.ids).collect();
            assert_eq!(ids, ["a"]);
            assert!(matches!(client.emit_blocking(entry("b")), Err(EmitError::ShutDown { .. })));
            assert!(client.shutdown_blocking(SOON).is_complete(), "the report of the first shutdown");
        }
    }
}

#[test]
fn a_guard_shuts_the_client_down_when_its_thread_panics_and_when_its_task_is_aborted() {
    let server = Server::replies([]);
    let client = server.builder().build_blocking().expect("a client");
    let inside = client.clone();
    let panicked = std::thread::spawn(move || {
        let _shutdown = inside.shutdown_on_drop(SOON);
        let _receipt = inside.emit_blocking(entry("a")).expect("accepted");
        panic!("a bug of the application's");
    });
    assert!(panicked.join().is_err());
    assert!(client.shutdown_blocking(SOON).is_complete());

    let client = server.builder().build_blocking().expect("a client");
    let inside = client.clone();
    current_thread().block_on(async move {
        let task = tokio::spawn(async move {
            let _shutdown = inside.shutdown_on_drop(SOON);
            let _receipt = inside.emit(entry("b")).await.expect("accepted");
            std::future::pending::<()>().await;
        });
        tokio::task::yield_now().await;
        task.abort();
        assert!(task.await.expect_err("aborted").is_cancelled());
    });
    let report = client.shutdown_blocking(SOON);
    assert!(report.is_complete() && report.accepted == 1, "{report}");
}

#[test]
fn a_guard_after_a_shutdown_waits_for_nothing_and_one_without_events_ends_at_once() {
    let server = Server::replies([]);
    let hours = Duration::from_hours(9);
    let client = server.builder().build_blocking().expect("a client");
    let guard = client.shutdown_on_drop(hours);
    assert!(client.shutdown_blocking(SOON).is_complete());
    drop(guard);
    drop(server.builder().build_blocking().expect("a client").shutdown_on_drop(hours));
}

/// tokio tells such a task to wait until the thread is free. The thread is not free before the call returns.
#[test]
fn a_task_that_has_used_up_its_turn_can_block_its_thread() {
    async fn use_up_the_turn() {
        while tokio::task::coop::has_budget_remaining() {
            tokio::task::consume_budget().await;
        }
    }
    for runtime in [current_thread(), one_worker()] {
        let server = Server::replies([]);
        let client = server.builder().build_blocking().expect("a client");
        let inside = client.clone();
        let task = async move {
            use_up_the_turn().await;
            let receipt = inside.emit_blocking(entry("a")).expect("accepted");
            inside.flush_blocking().expect("settled");
            receipt.delivered_blocking().expect("delivered");
            drop(inside.shutdown_on_drop(SOON));
        };
        runtime.block_on(async { tokio::spawn(task).await }).expect("no panic");
        assert!(client.shutdown_blocking(SOON).is_complete());
    }
}
