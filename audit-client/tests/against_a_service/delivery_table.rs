//! What the service does, and what the client then does: each row against a real socket, through a real transport.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::scripted::{HangUp, Reply, Request, Server, answer, entry};
use audit_client::{AuditClient, NotDelivered, ShutdownReport};
use tokio::net::{TcpSocket, TcpStream};

const SOON: Duration = Duration::from_secs(20);

/// Emits `count` entries and waits for their verdicts; the report must add up.
async fn deliver(client: &AuditClient, count: usize) -> ShutdownReport {
    for number in 0..count {
        drop(client.emit(entry(&format!("e{number}"))).await.expect("accepted"));
    }
    let report = client.shutdown(SOON).await;
    assert_eq!(report.accepted, count as u64);
    assert_eq!(report.accepted, report.delivered + report.dead + report.kept + report.lost, "{report}");
    report
}

/// Everything is delivered to this server, in so many requests.
async fn all_delivered_in(server: &Server, requests: usize) {
    let client = server.builder().build().await.expect("a client");
    let report = deliver(&client, 3).await;
    assert_eq!(report.delivered, 3, "{report}");
    assert_eq!(server.requests().len(), requests);
}

#[tokio::test]
async fn a_request_is_signed_for_the_channels_region_and_carries_every_entry_once() {
    let server = Server::replies([]);
    let client = server.builder().external_id("partner=7/x").build().await.expect("a client");
    let _ = deliver(&client, 3).await;
    let request = &server.requests()[0];
    assert_eq!(request.ids, ["e0", "e1", "e2"]);
    assert!(request.target.starts_with("/PutAuditEvents?"), "{}", request.target);
    assert!(request.target.contains("externalId=partner%3D7%2Fx"), "{}", request.target);
    let authorization = &request.headers["authorization"];
    assert!(authorization.contains("/eu-west-1/cloudtrail-data/aws4_request"), "{authorization}");
    let json: serde_json::Value = serde_json::from_str(&request.body).expect("JSON");
    let first = &json["auditEvents"][0];
    assert_eq!(first["eventData"].as_str(), Some(entry("e0").event_data()));
    assert_eq!(first["eventDataChecksum"].as_str(), Some(entry("e0").checksum().to_string().as_str()));
}

#[tokio::test]
async fn a_connection_that_is_not_taken_ends_at_the_connect_timeout_not_at_the_attempts() {
    // A queue of one: when it is full, the system leaves further connections without any answer.
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
    let listener = socket.listen(1).expect("listening");
    let address = listener.local_addr().expect("an address");
    let mut queued = Vec::new();
    while let Ok(connected) = tokio::time::timeout(Duration::from_millis(200), TcpStream::connect(address)).await {
        queued.push(connected.expect("in the queue"));
    }
    let client = Server::replies([])
        .prompt()
        .endpoint_url(format!("http://{address}"))
        .connect_timeout(Duration::from_millis(100))
        .attempt_timeout(Duration::from_hours(1))
        .build()
        .await
        .expect("a client");
    drop(client.emit(entry("e0")).await.expect("accepted"));
    let failure = tokio::time::timeout(SOON, async {
        loop {
            if let Some(failure) = client.stats().last_failure {
                return failure;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    let failure = failure.await.expect("an hour before the attempt's own end");
    assert!(failure.message.contains("timed out") || failure.message.contains("timeout"), "{failure:?}");
    assert_eq!(client.shutdown(Duration::ZERO).await.lost, 1);
}

#[tokio::test]
async fn the_wire_length_that_batches_are_cut_by_is_the_length_on_the_wire() {
    let server = Server::replies([]);
    let client = server.builder().build().await.expect("a client");
    let _ = deliver(&client, 100).await;
    let mut batch = audit_client::wire::Batch::new();
    for number in 0..100 {
        batch.push(entry(&format!("e{number}"))).expect("room");
    }
    let sent: usize = server.requests().iter().map(|request| request.body.len()).sum();
    assert_eq!(sent, batch.wire_len());
}

#[tokio::test]
async fn a_mute_service_costs_one_attempt_timeout() {
    let server = Server::replies([Reply::RawThenSilence(Vec::new())]);
    let client = server.builder().attempt_timeout(Duration::from_millis(300)).build().await.expect("a client");
    let report = deliver(&client, 3).await;
    assert_eq!(report.delivered, 3);
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_service_that_stalls_half_way_costs_one_attempt_timeout() {
    let whole = Reply::ok(&answer(&["e0".to_owned()], &[])).bytes();
    for part in [10, whole.len() / 2, whole.len() - 1] {
        let server = Server::replies([Reply::RawThenSilence(whole[..part].to_vec())]);
        let client = server.builder().attempt_timeout(Duration::from_millis(300)).build().await.expect("a client");
        assert_eq!(deliver(&client, 3).await.delivered, 3);
        assert_eq!(server.requests().len(), 2);
    }
}

#[tokio::test]
async fn a_service_that_hangs_up_is_tried_again() {
    for way in [HangUp::OnConnect, HangUp::BeforeBody, HangUp::DuringBody] {
        let server = Server::replies([]).hang_up(&[way]);
        all_delivered_in(&server, 1).await;
        assert_eq!(server.connections(), 2, "{way:?}");
    }
    all_delivered_in(&Server::replies([Reply::Close]), 2).await;
}

#[tokio::test]
async fn a_truncated_answer_is_no_answer() {
    let whole = Reply::ok(&answer(&["e0".to_owned(), "e1".to_owned()], &[])).bytes();
    for part in [1, 12, 40, whole.len() - 1] {
        all_delivered_in(&Server::replies([Reply::Raw(whole[..part].to_vec())]), 2).await;
    }
}

#[tokio::test]
async fn a_200_without_sense_is_no_answer() {
    for body in ["", "{}", "null", "[]", "garbage", "{\"successful\":", "{\"successful\":[{}]}", "\u{0}\u{1}"] {
        all_delivered_in(&Server::replies([Reply::ok(body)]), 2).await;
    }
    all_delivered_in(&Server::replies([Reply::Raw(b"SSH-2.0-OpenSSH_9.6\r\n".to_vec())]), 2).await;
}

#[tokio::test]
async fn only_ids_that_the_answer_does_not_name_are_sent_again() {
    let server = Server::replies([Reply::ok(&answer(&["e1".to_owned()], &[]))]);
    all_delivered_in(&server, 2).await;
    assert_eq!(server.requests()[1].ids, ["e0", "e2"]);
}

#[tokio::test]
async fn ids_that_are_foreign_or_named_twice_are_ignored_and_reported() {
    let names = |ids: &[&str]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
    let body = answer(
        &names(&["e0", "e0", "foreign", "e1"]),
        &[("e1".to_owned(), "InvalidData".to_owned()), ("other".to_owned(), "InvalidData".to_owned())],
    );
    let server = Server::replies([Reply::ok(&body)]);
    let client = server.builder().build().await.expect("a client");
    let report = deliver(&client, 3).await;
    assert_eq!((report.delivered, report.dead), (3, 0));
    // e1 was both taken and refused, so its state is unknown; e2 was not named.
    assert_eq!(server.requests()[1].ids, ["e1", "e2"]);
    assert_eq!(client.stats().odd_ids, 4);
}

#[tokio::test]
async fn each_entry_code_leads_where_the_contract_says() {
    for (code, dies, requests) in [
        ("FieldTooLong", true, 1),
        ("FieldNotFound", true, 1),
        ("InvalidData", true, 1),
        ("InvalidRecipient", true, 1),
        ("InvalidEventSource", true, 1),
        ("InvalidChecksum", true, 2),
        ("AccountNotSubscribed", false, 3),
        ("Throttling", false, 3),
        ("InternalFailure", false, 3),
    ] {
        let server =
            Server::start(move |request| if request.number <= 2 { request.refused(code) } else { request.taken() });
        let client = server.prompt().build().await.expect("a client");
        let verdict = client.emit(entry("a")).await.expect("accepted").delivered().await;
        match verdict {
            Ok(delivery) => assert!(!dies && delivery.attempts == 3, "{code}"),
            Err(NotDelivered::Rejected { code: told, message, .. }) => {
                assert!(dies && told == code.into() && message == "scripted", "{code}: {told} {message}");
            }
            Err(other) => panic!("{code}: {other}"),
        }
        assert_eq!(server.requests().len(), requests, "{code}");
        let _ = client.shutdown(SOON).await;
    }
}

#[tokio::test]
async fn an_oversized_entry_is_found_and_the_other_99_are_delivered() {
    for reply in [Reply::http(413, "<html>too large</html>"), Reply::error(413, "RequestEntityTooLargeException")] {
        let server =
            Server::start(
                move |request| {
                    if request.ids.iter().any(|id| id == "e49") { reply.clone() } else { request.taken() }
                },
            );
        let client = server.builder().build().await.expect("a client");
        let report = deliver(&client, 100).await;
        assert_eq!((report.delivered, report.dead), (99, 1));
        assert!(report.dead_ids.contains("e49"));
        assert!(server.requests().len() <= 14, "{}", server.requests().len());
    }
}

#[tokio::test]
async fn throttling_in_each_of_its_forms_halves_concurrency_and_passes() {
    for reply in [
        Reply::error(400, "ThrottlingException"),
        Reply::http(429, ""),
        Reply::http(429, "").header("x-amz-retry-after", "1"),
    ] {
        let server = Server::replies([reply]);
        let client = server.prompt().build().await.expect("a client");
        drop(client.emit(entry("a")).await.expect("accepted").delivered().await.expect("delivered"));
        drop(client.emit(entry("b")).await.expect("accepted").delivered().await.expect("delivered"));
        let concurrency = client.stats().concurrency;
        assert!((4.0..4.6).contains(&concurrency), "{concurrency}");
        let _ = client.shutdown(SOON).await;
    }
}

#[tokio::test]
async fn the_services_own_wait_is_honoured() {
    let server = Server::replies([Reply::error(400, "ThrottlingException").header("x-amz-retry-after", "400")]);
    let client = server.prompt().build().await.expect("a client");
    let start = Instant::now();
    client.emit(entry("a")).await.expect("accepted").delivered().await.expect("delivered");
    assert!(start.elapsed() >= Duration::from_millis(400));
    let _ = client.shutdown(SOON).await;
}

#[tokio::test]
async fn the_services_own_faults_pass() {
    for status in [500, 502, 503, 504, 408] {
        all_delivered_in(&Server::replies([Reply::http(status, ""), Reply::http(status, "<html>")]), 3).await;
    }
    all_delivered_in(&Server::replies([Reply::error(503, "ServiceUnavailable")]), 2).await;
    all_delivered_in(&Server::replies([Reply::error(408, "RequestTimeoutException")]), 2).await;
    all_delivered_in(&Server::replies([Reply::error(400, "RequestAbortedException")]), 2).await;
}

#[tokio::test]
async fn what_must_be_repaired_pauses_and_goes_on_by_itself() {
    for (status, code) in [
        (403, "AccessDeniedException"),
        (400, "ChannelNotFound"),
        (400, "InvalidChannelARN"),
        (400, "ChannelInsufficientPermission"),
        (400, "ChannelUnsupportedSchema"),
        (400, "UnsupportedOperationException"),
        (403, "OptInRequired"),
    ] {
        let repaired = Arc::new(AtomicUsize::new(0));
        let gate = repaired.clone();
        let server =
            Server::start(
                move |request: &Request| {
                    if gate.load(Ordering::SeqCst) == 0 { Reply::error(status, code) } else { request.taken() }
                },
            );
        let client = server.prompt().build().await.expect("a client");
        let receipt = client.emit(entry("a")).await.expect("accepted");
        while server.requests().len() < 3 {
            tokio::task::yield_now().await;
        }
        let pause = client.stats().paused.expect("paused");
        assert_eq!((pause.code, pause.message.as_str()), (code.into(), "scripted"));
        repaired.store(1, Ordering::SeqCst);
        receipt.delivered().await.expect("delivered after the repair");
        assert_eq!(client.shutdown(SOON).await.delivered, 1);
    }
}

#[tokio::test]
async fn a_duplicated_id_splits_the_batch() {
    let server = Server::replies([Reply::error(400, "DuplicatedAuditEventId")]);
    all_delivered_in(&server, 3).await;
}

#[tokio::test]
async fn a_refused_connection_is_tried_again() {
    let address = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.local_addr().expect("an address")
    };
    let client = Server::replies([])
        .prompt()
        .endpoint_url(format!("http://{address}"))
        .build()
        .await
        .expect("building sends nothing");
    drop(client.emit(entry("a")).await.expect("accepted"));
    while client.stats().requests < 5 {
        tokio::task::yield_now().await;
    }
    let report = client.shutdown(Duration::from_millis(50)).await;
    assert_eq!((report.accepted, report.lost), (1, 1));
}
