//! The policies, on paused time: a test that waits an hour takes no time, and the same each time.

use std::time::Duration;

use tokio::time::Instant;

use super::script::{Script, all_refused, all_taken};
use crate::sample_entries::{entry, padded_entry, sized_entry};
use crate::spool::WhenFull;
use crate::testing::CHANNEL_ARN;
use crate::transport::submit::Failure;
use crate::{
    AuditClient, ClientBuilder, EmitError, EntryErrorCode, FlushError, NotDelivered, Outcome, Receipt, ShutdownReport,
};

const SECOND: Duration = Duration::from_secs(1);

fn builder(script: &Script) -> ClientBuilder {
    AuditClient::builder().channel_arn(CHANNEL_ARN).seed(17).transport(script.clone())
}

async fn client(script: &Script) -> AuditClient {
    builder(script).build_here().await.expect("a client")
}

async fn emit(client: &AuditClient, id: &str) -> Receipt {
    client.emit(entry(id)).await.expect("accepted")
}

async fn emit_all(client: &AuditClient, count: usize) -> Vec<Receipt> {
    let mut receipts = Vec::new();
    for number in 0..count {
        receipts.push(emit(client, &format!("e{number}")).await);
    }
    receipts
}

fn adds_up(report: &ShutdownReport) {
    assert_eq!(report.accepted, report.delivered + report.dead + report.kept + report.lost, "{report}");
    assert_eq!(report.delivered_ids.len() + report.delivered_ids.forgotten(), report.delivered);
    assert_eq!(report.dead_ids.len(), report.dead);
    assert_eq!(report.lost_ids.len(), report.lost);
}

#[tokio::test(start_paused = true)]
async fn a_partial_batch_lingers_and_then_goes() {
    let script = Script::default();
    let client = client(&script).await;
    let start = Instant::now();
    let receipts = emit_all(&client, 3).await;
    for receipt in receipts {
        let delivery = receipt.delivered().await.expect("delivered");
        assert_eq!(delivery.event_id, format!("E-{}", delivery.id));
        assert_eq!(delivery.attempts, 1);
    }
    let seen = script.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].ids, ["e0", "e1", "e2"]);
    assert_eq!(seen[0].at - start, Duration::from_millis(200));
}

#[tokio::test(start_paused = true)]
async fn a_full_batch_does_not_linger() {
    let script = Script::default();
    let client = client(&script).await;
    let start = Instant::now();
    let receipts = emit_all(&client, 250).await;
    drop(receipts);
    client.flush().await.expect("all settled");
    let sizes: Vec<_> = script.seen().iter().map(|seen| seen.ids.len()).collect();
    assert_eq!(sizes, [100, 100, 50]);
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_fills_up_bit_by_bit_does_not_linger() {
    let script = Script::default();
    let client = client(&script).await;
    let start = Instant::now();
    let mut last = None;
    for (round, size) in [1, 30, 69, 1, 99].into_iter().enumerate() {
        for number in 0..size {
            last = Some(emit(&client, &format!("e{round}-{number}")).await);
        }
        // The pipeline has its turn, and waits for more.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    last.expect("the last one").delivered().await.expect("delivered");
    assert_eq!(start.elapsed(), Duration::from_millis(5));
    let sizes: Vec<_> = script.seen().iter().map(|seen| seen.ids.len()).collect();
    assert_eq!(sizes, [100, 100]);
}

#[tokio::test(start_paused = true)]
async fn no_event_lingers_longer_than_it_may_however_they_come() {
    for (every, takes) in [(110, 300), (7, 500), (150, 20), (199, 250), (200, 1), (60, 1_000)] {
        let script = Script::default().takes(Duration::from_millis(takes));
        let client = client(&script).await;
        let start = Instant::now();
        let mut emitted = Vec::new();
        for number in 0..40 {
            emitted.push((format!("e{number}"), Instant::now()));
            drop(emit(&client, &format!("e{number}")).await);
            tokio::time::sleep(Duration::from_millis(every)).await;
        }
        client.flush().await.expect("all settled");
        let seen = script.seen();
        for (id, at) in emitted {
            let sent = seen.iter().find(|seen| seen.ids.contains(&id)).expect("sent");
            let lingered = sent.at - at;
            assert!(lingered <= Duration::from_millis(200), "{id}, {:?} after the start: {lingered:?}", at - start);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_escapes_fill_does_not_linger() {
    let script = Script::default();
    let client = client(&script).await;
    for id in ["a", "b"] {
        drop(emit(&client, id).await);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let start = Instant::now();
    let mut receipts = Vec::new();
    for number in 0..24 {
        // A quote in a string of the event takes two bytes there, and four on the wire.
        let entry = padded_entry(&format!("big{number}"), &"\\\"".repeat(20_000));
        receipts.push(client.emit(entry).await.expect("accepted"));
    }
    receipts.swap_remove(0).delivered().await.expect("delivered");
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_is_full_of_bytes_does_not_linger() {
    let script = Script::default();
    let client = client(&script).await;
    drop(emit(&client, "small").await);
    tokio::time::sleep(Duration::from_millis(1)).await;
    let start = Instant::now();
    let mut receipts = Vec::new();
    for number in 0..12 {
        receipts.push(client.emit(sized_entry(&format!("big{number}"), 90_000)).await.expect("accepted"));
    }
    receipts.swap_remove(0).delivered().await.expect("delivered");
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_request_never_has_more_than_a_million_bytes() {
    let script = Script::default();
    let client = client(&script).await;
    for number in 0..30 {
        drop(client.emit(sized_entry(&format!("big{number}"), 90_000)).await.expect("accepted"));
    }
    client.flush().await.expect("all settled");
    let seen = script.seen();
    assert!(seen.iter().all(|seen| seen.wire_len <= 1_000_000));
    assert_eq!(seen.iter().map(|seen| seen.ids.len()).collect::<Vec<_>>(), [11, 11, 8]);
}

#[tokio::test(start_paused = true)]
async fn a_flush_in_the_same_tick_as_the_emit_waits_for_it() {
    let script = Script::default().takes(SECOND);
    let client = client(&script).await;
    let start = Instant::now();
    let receipt = client.try_emit(entry("a")).expect("room");
    client.flush().await.expect("settled");
    assert_eq!(start.elapsed(), SECOND);
    assert!(receipt.delivered().await.is_ok());
    client.flush().await.expect("nothing to wait for");
    assert_eq!(start.elapsed(), SECOND);
}

#[tokio::test(start_paused = true)]
async fn an_id_given_twice_travels_in_two_requests() {
    let script = Script::default();
    let client = client(&script).await;
    for id in ["a", "b", "a", "c", "a"] {
        drop(emit(&client, id).await);
    }
    client.flush().await.expect("settled");
    let ids: Vec<_> = script.seen().into_iter().map(|seen| seen.ids).collect();
    assert_eq!(ids, [vec!["a", "b", "c"], vec!["a"], vec!["a"]]);
}

#[tokio::test(start_paused = true)]
async fn an_id_given_twice_is_judged_in_the_order_of_acceptance_however_slow_the_first_answer_is() {
    let script = Script::default().after(SECOND, all_refused("Throttling"));
    let client = client(&script).await;
    let first = emit(&client, "a").await;
    let _full_batches_are_due_at_once = emit_all(&client, 300).await;
    let second = emit(&client, "a").await;
    assert_eq!(first.delivered().await.expect("after a retry").attempts, 2);
    assert_eq!(second.delivered().await.expect("after the first").attempts, 1);
    let carried = script.seen().into_iter().filter(|seen| seen.ids.contains(&"a".to_owned()));
    let times: Vec<_> = carried.map(|seen| seen.at).collect();
    assert_eq!(times.len(), 3);
    assert!(times[1] - times[0] >= SECOND, "the second did not overtake the first's retry");
    adds_up(&client.shutdown(SECOND).await);
}

#[tokio::test(start_paused = true)]
async fn an_id_given_twice_is_given_up_twice_when_nothing_can_be_delivered() {
    let script = Script::default().otherwise(|_| Err(Failure::new("down")));
    let client = builder(&script).give_up_after(Some(SECOND)).build_here().await.expect("a client");
    let receipts = [emit(&client, "a").await, emit(&client, "a").await];
    for receipt in receipts {
        assert!(matches!(receipt.delivered().await, Err(NotDelivered::GaveUp { .. })));
    }
    adds_up(&client.shutdown(SECOND).await);
}

#[tokio::test(start_paused = true)]
async fn entry_codes_lead_where_the_contract_says() {
    for (code, requests, dies) in [
        ("FieldTooLong", 1, true),
        ("FieldNotFound", 1, true),
        ("InvalidData", 1, true),
        ("InvalidRecipient", 1, true),
        ("InvalidEventSource", 1, true),
        ("InvalidChecksum", 2, true),
        ("AccountNotSubscribed", 3, false),
        ("Throttling", 3, false),
        ("InternalFailure", 3, false),
        ("SomethingNew", 3, false),
    ] {
        let script = Script::default().then(all_refused(code)).then(all_refused(code));
        let client = client(&script).await;
        let verdict = emit(&client, "a").await.delivered().await;
        assert_eq!(script.seen().len(), requests, "{code}");
        match verdict {
            Err(NotDelivered::Rejected { code: told, attempts, .. }) => {
                assert!(dies && told == code.into() && attempts as usize == requests, "{code}: {told} {attempts}");
            }
            other => assert!(!dies && other.is_ok(), "{code}: {other:?}"),
        }
        let report = client.shutdown(SECOND).await;
        adds_up(&report);
        assert_eq!(report.dead, u64::from(dies), "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_intact_entry_whose_checksum_is_refused_is_sent_once_more_as_it_is() {
    let script = Script::default().then(all_refused("InvalidChecksum"));
    let client = client(&script).await;
    assert_eq!(emit(&client, "a").await.delivered().await.expect("delivered").attempts, 2);
}

#[tokio::test(start_paused = true)]
async fn throttled_entries_slow_the_client_down_within_that_answer() {
    let script = Script::default().then(all_refused("Throttling"));
    let client = client(&script).await;
    drop(emit(&client, "a").await);
    client.flush().await.expect("settled");
    tokio::time::sleep(SECOND).await;
    // Halved from 8, and one success since.
    let after = client.stats().concurrency;
    assert!((after - 4.25).abs() < 1e-9, "{after}");
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_comes_with_its_reason_and_history() {
    let script = Script::default().fail(Failure::new("").status(503)).then(all_refused("InvalidData"));
    let (letters, callback) = std::sync::mpsc::channel();
    let client =
        builder(&script).on_dead_letter(move |letter| drop(letters.send(letter))).build_here().await.expect("a client");
    let mut stream = client.dead_letters();
    drop(emit(&client, "a").await);
    let letter = stream.next().await.expect("a letter");
    assert_eq!((letter.id.as_str(), letter.message.as_str()), ("a", "m"));
    assert_eq!(letter.code, EntryErrorCode::InvalidData.into());
    assert_eq!(letter.attempt_count, 2);
    let outcomes: Vec<_> = letter.attempts.iter().map(|attempt| attempt.outcome.to_string()).collect();
    assert_eq!(outcomes, ["HTTP 503", "InvalidData"]);
    assert_eq!(callback.recv().expect("called"), letter);
    assert_eq!(client.shutdown(SECOND).await.dead, 1);
    assert!(stream.next().await.is_none(), "the stream ends with the client");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_delivered_is_given_up_after_its_time() {
    let script = Script::default().otherwise(|_| Err(Failure::new("refused")));
    let client = builder(&script).give_up_after(60 * SECOND).build_here().await.expect("a client");
    let mut letters = client.dead_letters();
    let start = Instant::now();
    let verdict = emit(&client, "a").await.delivered().await;
    assert!(matches!(verdict, Err(NotDelivered::GaveUp { .. })), "{verdict:?}");
    let waited = start.elapsed();
    assert!(waited >= 59 * SECOND && waited <= 60 * SECOND, "{waited:?}");
    let letter = letters.next().await.expect("a letter");
    assert_eq!(letter.code, Outcome::GaveUp);
    assert!(letter.attempts.len() <= 8 && letter.attempt_count >= 8);
    adds_up(&client.shutdown(SECOND).await);
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_failures_later_it_still_tries_and_has_grown_by_nothing() {
    let mut failures = 0;
    let script = Script::default().otherwise(move |ids| {
        failures += 1;
        if failures <= 10_000 { Err(Failure::new("").status(500)) } else { all_taken(ids) }
    });
    let client = builder(&script).give_up_after(None).build_here().await.expect("a client");
    let delivery = emit(&client, "a").await.delivered().await.expect("delivered at last");
    assert_eq!(delivery.attempts, 10_001);
    assert_eq!(client.stats().requests, 10_001);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_ends_at_its_timeout() {
    let script = Script::default().after(3_600 * SECOND, all_taken);
    let client = client(&script).await;
    let start = Instant::now();
    let delivery = emit(&client, "a").await.delivered().await.expect("delivered");
    assert_eq!(delivery.attempts, 2);
    let took = start.elapsed();
    assert!(took >= 10 * SECOND && took < 11 * SECOND, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn an_oversized_entry_is_found_among_a_hundred_in_at_most_14_requests() {
    for culprit in 0..100 {
        let name = format!("e{culprit}");
        let guilty = name.clone();
        let script = Script::default().otherwise(move |ids| {
            if ids.contains(&guilty) { Err(Failure::new("too large").status(413)) } else { all_taken(ids) }
        });
        let client = client(&script).await;
        drop(emit_all(&client, 100).await);
        client.flush().await.expect("settled");
        let requests = script.seen().len();
        assert!(requests <= 14, "{name}: {requests} requests");
        let report = client.shutdown(SECOND).await;
        adds_up(&report);
        assert_eq!((report.delivered, report.dead), (99, 1), "{name}");
        assert!(report.dead_ids.contains(&name));
    }
}

#[tokio::test(start_paused = true)]
async fn several_oversized_entries_are_all_found() {
    let script = Script::default().otherwise(|ids| {
        let too_large = ids.iter().any(|id| id.ends_with('7'));
        if too_large {
            Err(Failure::new("").status(413).code("RequestEntityTooLargeException"))
        } else {
            all_taken(ids)
        }
    });
    let client = client(&script).await;
    drop(emit_all(&client, 100).await);
    client.flush().await.expect("settled");
    let report = client.shutdown(SECOND).await;
    adds_up(&report);
    assert_eq!((report.delivered, report.dead), (90, 10));
}

#[tokio::test(start_paused = true)]
async fn a_lower_limit_on_the_way_costs_requests_but_no_events() {
    // A proxy that lets 30 entries through.
    let script = Script::default()
        .otherwise(|ids| if ids.len() > 30 { Err(Failure::new("").status(413)) } else { all_taken(ids) });
    let client = client(&script).await;
    drop(emit_all(&client, 300).await);
    client.flush().await.expect("settled");
    let report = client.shutdown(SECOND).await;
    assert_eq!((report.delivered, report.dead), (300, 0));
}

#[tokio::test(start_paused = true)]
async fn a_duplicated_id_splits_the_batch_and_goes_on() {
    let script = Script::default().fail(Failure::new("").status(400).code("DuplicatedAuditEventId"));
    let client = client(&script).await;
    drop(emit_all(&client, 9).await);
    client.flush().await.expect("settled");
    let mut sizes: Vec<_> = script.seen().iter().map(|seen| seen.ids.len()).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [4, 5, 9]);
    assert_eq!(client.shutdown(SECOND).await.delivered, 9);
}

#[tokio::test(start_paused = true)]
async fn a_lone_entry_that_is_called_a_duplicate_is_sent_again() {
    let script = Script::default()
        .fail(Failure::new("").status(400).code("DuplicatedAuditEventId"))
        .fail(Failure::new("").status(400).code("DuplicatedAuditEventId"));
    let client = client(&script).await;
    assert_eq!(emit(&client, "a").await.delivered().await.expect("delivered").attempts, 3);
}

#[tokio::test(start_paused = true)]
async fn what_must_be_repaired_pauses_delivery_says_so_and_goes_on_by_itself() {
    for code in [
        "AccessDeniedException",
        "ChannelNotFound",
        "InvalidChannelARN",
        "ChannelInsufficientPermission",
        "ChannelUnsupportedSchema",
        "UnsupportedOperationException",
        "OptInRequired",
    ] {
        let start = Instant::now();
        let script = Script::default().otherwise(move |ids| {
            let repaired = start.elapsed() >= 195 * SECOND;
            if repaired { all_taken(ids) } else { Err(Failure::new("no").status(403).code(code)) }
        });
        let client = client(&script).await;
        let receipts = emit_all(&client, 500).await;
        tokio::time::sleep(70 * SECOND).await;
        let pause = client.stats().paused.expect("paused");
        assert_eq!((pause.code, pause.message.as_str()), (code.into(), "no"));
        for receipt in receipts {
            receipt.delivered().await.expect("delivered after the repair");
        }
        let seen = script.seen();
        let probes: Vec<_> = seen.iter().map(|seen| (seen.at - start).as_secs()).collect();
        // All that goes out before the first answer; then one probe at a time, ever later.
        let first = probes.iter().filter(|seconds| **seconds == 0).count();
        assert!((1..=5).contains(&first), "{code}: {probes:?}");
        assert_eq!(probes[first..first + 6], [5, 15, 35, 75, 135, 195], "{code}");
        assert!(client.stats().paused.is_none());
        adds_up(&client.shutdown(SECOND).await);
    }
}

#[tokio::test(start_paused = true)]
async fn a_channel_without_destination_pauses_delivery() {
    let refuse = all_refused("AccountNotSubscribed");
    let mut answers = 0;
    let script = Script::default().otherwise(move |ids| {
        answers += 1;
        if answers <= 3 { refuse(ids) } else { all_taken(ids) }
    });
    let client = client(&script).await;
    let receipt = emit(&client, "a").await;
    tokio::time::sleep(SECOND).await;
    assert_eq!(client.stats().paused.expect("paused").code, "AccountNotSubscribed".into());
    assert_eq!(receipt.delivered().await.expect("delivered").attempts, 4);
}

#[tokio::test(start_paused = true)]
async fn spent_credentials_are_renewed_and_the_request_goes_again_at_once() {
    for code in ["ExpiredTokenException", "UnrecognizedClientException"] {
        let script = Script::default().fail(Failure::new("").status(403).code(code));
        let client = client(&script).await;
        let start = Instant::now();
        assert_eq!(emit(&client, "a").await.delivered().await.expect("delivered").attempts, 2);
        assert_eq!(script.renewals(), 1);
        assert_eq!(start.elapsed(), Duration::from_millis(200), "no more than the linger");
    }
}

#[tokio::test(start_paused = true)]
async fn credentials_that_stay_refused_pause_delivery_and_are_renewed_before_each_probe() {
    let mut answers = 0;
    let script = Script::default().otherwise(move |ids| {
        answers += 1;
        if answers <= 5 { Err(Failure::new("").status(403).code("ExpiredTokenException")) } else { all_taken(ids) }
    });
    let client = client(&script).await;
    let receipt = emit(&client, "a").await;
    tokio::time::sleep(SECOND).await;
    assert_eq!(client.stats().paused.expect("paused").code, "ExpiredTokenException".into());
    assert_eq!(receipt.delivered().await.expect("delivered").attempts, 6);
    assert_eq!(script.renewals(), 5);
}

#[tokio::test(start_paused = true)]
async fn the_services_wait_is_honoured() {
    let script =
        Script::default().fail(Failure::new("").code("ThrottlingException").status(400).retry_after(33 * SECOND));
    let client = client(&script).await;
    drop(emit(&client, "a").await);
    client.flush().await.expect("settled");
    let seen = script.seen();
    assert_eq!(seen[1].at - seen[0].at, 33 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn throttling_halves_what_is_on_its_way_at_once() {
    let script =
        Script::default().takes(SECOND).after(SECOND, |_| Err(Failure::new("").status(429))).otherwise(all_taken);
    let client = client(&script).await;
    drop(emit_all(&client, 3_000).await);
    client.flush().await.expect("settled");
    let seen = script.seen();
    assert_eq!(seen.iter().map(|seen| seen.with).max(), Some(8));
    let restart = seen[8].at;
    let in_the_next_round = seen[8..].iter().filter(|seen| seen.at < restart + SECOND).count();
    assert!((1..=5).contains(&in_the_next_round), "{in_the_next_round}");
    adds_up(&client.shutdown(SECOND).await);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_names_no_entry_is_sent_again() {
    let script = Script::default().then(|_| Ok(crate::wire::PutAuditEventsResponse::default()));
    let client = client(&script).await;
    assert_eq!(emit(&client, "a").await.delivered().await.expect("delivered").attempts, 2);
}

#[tokio::test(start_paused = true)]
async fn only_the_ids_that_an_answer_leaves_out_are_sent_again() {
    let script = Script::default().then(|ids| all_taken(&ids[..2])).then(|ids| {
        let mut answer = all_taken(ids)?;
        let first = answer.successful[0].clone();
        answer.successful.push(first);
        answer.successful.push(crate::wire::SuccessfulEntry::new("never-sent", "E"));
        Ok(answer)
    });
    let client = client(&script).await;
    drop(emit_all(&client, 5).await);
    client.flush().await.expect("settled");
    let seen = script.seen();
    assert_eq!(seen[1].ids, ["e2", "e3", "e4"]);
    assert_eq!(client.stats().odd_ids, 2);
    let report = client.shutdown(SECOND).await;
    assert_eq!((report.accepted, report.delivered), (5, 5));
}

#[tokio::test(start_paused = true)]
async fn a_panicking_transport_is_a_failed_attempt() {
    let script = Script::default().then(|_| panic!("a bug of the transport's"));
    let client = client(&script).await;
    assert_eq!(emit(&client, "a").await.delivered().await.expect("delivered").attempts, 2);
}

#[tokio::test(start_paused = true)]
async fn emit_waits_for_room_and_can_be_cancelled_without_a_trace() {
    let script = Script::default().takes(SECOND);
    let client = builder(&script).capacity_entries(1).build_here().await.expect("a client");
    drop(emit(&client, "a").await);
    assert!(matches!(client.try_emit(entry("b")), Err(EmitError::Full { entry }) if entry.id().as_str() == "b"));
    let waiting = tokio::time::timeout(SECOND / 2, client.emit(entry("c"))).await;
    assert!(waiting.is_err(), "there was no room");
    drop(emit(&client, "d").await);
    client.flush().await.expect("settled");
    let ids: Vec<_> = script.seen().into_iter().flat_map(|seen| seen.ids).collect();
    assert_eq!(ids, ["a", "d"]);
    let report = client.shutdown(SECOND).await;
    assert_eq!((report.accepted, report.delivered), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_sends_what_lingers_and_reports_when_all_is_settled() {
    let script = Script::default().takes(SECOND);
    let client = client(&script).await;
    let start = Instant::now();
    let receipts = emit_all(&client, 150).await;
    let report = client.shutdown(100 * SECOND).await;
    assert_eq!(start.elapsed(), SECOND);
    adds_up(&report);
    assert_eq!((report.accepted, report.delivered), (150, 150));
    assert!(report.is_complete() && report.delivered_ids.contains("e149"));
    for receipt in receipts {
        receipt.delivered().await.expect("delivered");
    }
    assert!(matches!(client.emit(entry("late")).await, Err(EmitError::ShutDown { id }) if id.as_str() == "late"));
    assert!(matches!(client.try_emit(entry("late")), Err(EmitError::ShutDown { .. })));
    assert_eq!(client.shutdown(SECOND).await.delivered, 150, "the same report again");
    assert_eq!(client.flush().await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn at_the_deadline_the_rest_is_lost_by_name_and_the_doubtful_are_told_apart() {
    let script = Script::default().then(all_taken).after(3_600 * SECOND, all_taken);
    let client = builder(&script).max_concurrency(1).build_here().await.expect("a client");
    let receipts = emit_all(&client, 250).await;
    let start = Instant::now();
    let flush = {
        let client = client.clone();
        tokio::spawn(async move { client.flush().await })
    };
    tokio::task::yield_now().await;
    let report = client.shutdown(2 * SECOND).await;
    assert_eq!(start.elapsed(), 2 * SECOND);
    adds_up(&report);
    assert_eq!((report.accepted, report.delivered, report.lost, report.in_doubt), (250, 100, 150, 100));
    assert_eq!(flush.await.expect("no panic"), Err(FlushError::ShutDown));
    let mut doubtful = 0;
    for receipt in receipts {
        if let Err(lost) = receipt.delivered().await {
            assert!(report.lost_ids.contains(lost.id().as_str()));
            doubtful += usize::from(matches!(lost, NotDelivered::Lost { in_doubt: true, .. }));
        }
    }
    assert_eq!(doubtful, 100);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_does_not_wait_out_a_backoff_but_tries_once_more() {
    let script = Script::default().fail(Failure::new("no").status(403).code("ChannelNotFound"));
    let client = client(&script).await;
    drop(emit(&client, "a").await);
    tokio::time::sleep(SECOND).await;
    assert!(client.stats().paused.is_some());
    let report = client.shutdown(SECOND).await;
    assert_eq!((report.delivered, report.lost), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_receipt_can_be_asked_with_a_deadline_and_asked_again() {
    let script = Script::default().takes(5 * SECOND);
    let client = client(&script).await;
    let mut receipt = emit(&client, "a").await;
    assert_eq!(receipt.delivered_within(SECOND).await, None);
    let delivery = receipt.delivered_within(100 * SECOND).await.expect("in time").expect("delivered");
    assert_eq!(delivery.id.as_str(), "a");
}

#[tokio::test(start_paused = true)]
async fn an_entry_for_another_account_is_refused() {
    let script = Script::default();
    let client = client(&script).await;
    let data = entry("a").event_data().replace("123456789012", "999999999999");
    let foreign = audit_core::Entry::parse("a", data).expect("valid in itself");
    let error = client.emit(foreign).await.expect_err("refused");
    assert!(error.to_string().contains("999999999999") && error.to_string().contains("123456789012"), "{error}");
    // The account stands elsewhere than at the end: still found.
    let data = r#"{"recipientAccountId" : "123456789012","version":"1.0","userIdentity":{"type":"Staff","principalId":"alice"},"eventSource":"s","eventName":"n","eventTime":"2026-11-21T10:15:30Z","UID":"u"}"#;
    drop(client.emit(audit_core::Entry::parse("b", data).expect("valid")).await.expect("accepted"));
    assert_eq!(client.shutdown(SECOND).await.accepted, 1);
}

#[tokio::test(start_paused = true)]
async fn dropping_the_last_handle_still_delivers_what_it_can() {
    let script = Script::default().takes(SECOND);
    let client = client(&script).await;
    let receipt = emit(&client, "a").await;
    drop(client);
    assert!(receipt.delivered().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn dropping_the_last_handle_does_not_leave_a_thread_for_ever() {
    let script = Script::default().otherwise(|_| Err(Failure::new("away")));
    let client = client(&script).await;
    let receipt = emit(&client, "a").await;
    drop(client);
    assert!(matches!(receipt.delivered().await, Err(NotDelivered::Lost { in_doubt: true, .. })));
}

#[tokio::test(start_paused = true)]
async fn a_part_of_a_batch_that_stays_too_large_for_a_broken_service_is_given_up_too() {
    let script = Script::default().fail(Failure::new("").status(413)).otherwise(|_| Err(Failure::new("away")));
    let client = builder(&script).give_up_after(30 * SECOND).build_here().await.expect("a client");
    let receipts = emit_all(&client, 10).await;
    for receipt in receipts {
        assert!(matches!(receipt.delivered().await, Err(NotDelivered::GaveUp { .. })));
    }
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_does_not_override_the_wait_that_the_service_asked_for() {
    let script = Script::default().fail(Failure::new("").status(429).retry_after(3 * SECOND));
    let client = client(&script).await;
    drop(emit(&client, "a").await);
    tokio::time::sleep(SECOND).await;
    assert_eq!(client.shutdown(60 * SECOND).await.delivered, 1);
    let seen = script.seen();
    assert_eq!(seen[1].at - seen[0].at, 3 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_callback_may_emit_the_dead_letter_again_however_little_room_there_is() {
    let script = Script::default().then(all_refused("InvalidData"));
    let slot = std::sync::Arc::new(std::sync::OnceLock::<AuditClient>::new());
    let (told, again) = std::sync::mpsc::channel();
    let in_callback = slot.clone();
    let client = builder(&script)
        .capacity_entries(1)
        .on_dead_letter(move |letter| {
            let client = in_callback.get().expect("set before the first event");
            let _ = told.send(client.emit_blocking(letter.entry().expect("an entry")).is_ok());
        })
        .build_here()
        .await
        .expect("a client");
    slot.set(client.clone()).expect("once");
    let verdict = emit(&client, "a").await.delivered().await;
    assert!(matches!(verdict, Err(NotDelivered::Rejected { .. })));
    while client.stats().delivered == 0 {
        tokio::time::sleep(SECOND).await;
    }
    assert!(again.recv().expect("called"));
}

#[tokio::test(start_paused = true)]
async fn a_callback_that_panics_does_not_end_the_client() {
    let script = Script::default().then(all_refused("InvalidData"));
    let client =
        builder(&script).on_dead_letter(|_| panic!("a bug of the application's")).build_here().await.expect("a client");
    drop(emit(&client, "a").await.delivered().await);
    emit(&client, "b").await.delivered().await.expect("delivered");
    let report = client.shutdown(SECOND).await;
    assert_eq!((report.delivered, report.dead), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_stream_of_dead_letters_asked_for_after_the_end_has_ended() {
    let client = client(&Script::default()).await;
    let _ = client.shutdown(SECOND).await;
    assert!(client.dead_letters().next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_not_read_holds_so_many_and_counts_the_rest() {
    let script = Script::default().otherwise(all_refused("InvalidData"));
    let client = client(&script).await;
    let mut letters = client.dead_letters();
    drop(emit_all(&client, 1_500).await);
    client.flush().await.expect("settled");
    assert_eq!(client.stats().dead_letters_missed, 1_500 - 1_024);
    let _ = client.shutdown(SECOND).await;
    let mut held = 0;
    while letters.next().await.is_some() {
        held += 1;
    }
    assert_eq!(held, 1_024);
}

#[tokio::test(start_paused = true)]
async fn a_receipt_that_has_answered_answers_the_same_again() {
    let client = client(&Script::default()).await;
    let mut receipt = emit(&client, "a").await;
    let first = receipt.delivered_within(60 * SECOND).await.expect("in time");
    assert_eq!(receipt.delivered_within(Duration::ZERO).await, Some(first.clone()));
    assert_eq!(receipt.delivered().await, first);
}

#[tokio::test(start_paused = true)]
async fn the_longest_of_all_times_is_no_overflow() {
    let script = Script::default().fail(Failure::new("").retry_after(Duration::MAX)).fail(Failure::new("").status(404));
    let client = builder(&script)
        .linger(Duration::MAX)
        .attempt_timeout(Duration::MAX)
        .give_up_after(Duration::MAX)
        .backoff(Duration::MAX, Duration::MAX)
        .probe(Duration::MAX, Duration::MAX)
        .build_here()
        .await
        .expect("a client");
    let mut receipt = emit(&client, "a").await;
    assert_eq!(receipt.delivered_within(SECOND).await, None);
    let flushed = tokio::time::timeout(SECOND, client.flush()).await;
    assert!(flushed.is_err(), "the first attempt failed");
    let report = client.shutdown(Duration::MAX).await;
    assert_eq!(report.delivered, 1);
}

#[tokio::test(start_paused = true)]
async fn a_transport_that_panics_when_it_shall_renew_its_credentials_is_a_failed_attempt() {
    struct Bug;
    impl crate::Transport for Bug {
        fn submit<'a>(&'a self, _: crate::Submission<'a>) -> crate::Submitting<'a> {
            Box::pin(async { Err(Failure::new("").code("ExpiredToken")) })
        }
        fn renew_credentials(&self) {
            panic!("a bug of the transport's");
        }
    }
    let client = AuditClient::builder().channel_arn(CHANNEL_ARN).transport(Bug).build_here().await.expect("a client");
    drop(emit(&client, "a").await);
    tokio::time::sleep(60 * SECOND).await;
    assert!(client.stats().requests > 2, "it is caught");
    adds_up(&client.shutdown(SECOND).await);
}

#[test]
fn every_waiter_is_answered_when_the_loop_ends() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let script = Script::default().takes(60 * SECOND);
    let (client, receipt, mut letters) = runtime.block_on(async {
        let client = builder(&script).build_here().await.expect("a client");
        let receipt = emit(&client, "a").await;
        let letters = client.dead_letters();
        (client, receipt, letters)
    });
    drop(runtime);
    assert!(matches!(receipt.delivered_blocking(), Err(NotDelivered::Lost { .. })));
    assert!(matches!(client.emit_blocking(entry("b")), Err(EmitError::ShutDown { .. })));
    assert_eq!(client.flush_blocking(), Err(FlushError::ShutDown));
    assert!(pollster::block_on(letters.next()).is_none());
    let report = client.shutdown_blocking(SECOND);
    adds_up(&report);
    assert_eq!((report.accepted, report.lost), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn capacity_in_bytes_bounds_what_waits() {
    let script = Script::default().takes(SECOND);
    let client = builder(&script).capacity_bytes(1_000_000).build_here().await.expect("a client");
    let mut taken = 0;
    let full = loop {
        match client.try_emit(sized_entry(&format!("e{taken}"), 90_000)) {
            Ok(_) => taken += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(full, EmitError::Full { .. }) && (10..=11).contains(&taken), "{taken}: {full}");
    client.flush().await.expect("settled");
    drop(client.try_emit(sized_entry("more", 90_000)).expect("room again"));
}

/// Whatever is emitted, cancelled, dropped, flushed and answered, in whatever order: every accepted id stands in exactly
/// one list of the report, and its receipt says the same.
#[tokio::test(start_paused = true)]
async fn the_account_is_exact_under_any_interleaving() {
    for seed in 0..150 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut moods = random.fork();
        let script =
            Script::default().takes(Duration::from_millis(random.u64(0..300))).otherwise(move |ids| {
                match moods.u8(0..12) {
                    0 => Err(Failure::new("away")),
                    1 => Err(Failure::new("").status(413)),
                    2 => Err(Failure::new("").status(400).code("DuplicatedAuditEventId")),
                    3 => Err(Failure::new("").status(429)),
                    4 => Err(Failure::new("").status(403).code("ExpiredTokenException")),
                    5 => all_refused("InvalidData")(ids),
                    6 => all_refused("InternalFailure")(ids),
                    7 => all_taken(&ids[..ids.len() / 2]),
                    8 => panic!("a bug of the transport's"),
                    _ => all_taken(ids),
                }
            });
        let client = builder(&script)
            .seed(seed)
            .capacity_entries(random.usize(1..400))
            .give_up_after(Duration::from_secs(random.u64(1..60)))
            .build_here()
            .await
            .expect("a client");
        let tasks: Vec<_> = (0..4)
            .map(|task| {
                let (client, mut random) = (client.clone(), random.fork());
                tokio::spawn(async move {
                    let mut receipts = Vec::new();
                    for number in 0..random.usize(1..120) {
                        // Some ids are given twice.
                        let id = format!("{task}-{}", number - number % random.usize(1..3));
                        match random.u8(0..8) {
                            0 => receipts.extend(client.try_emit(entry(&id)).ok()),
                            1 => {
                                let limit = Duration::from_millis(random.u64(0..20));
                                let emitted = tokio::time::timeout(limit, client.emit(entry(&id))).await;
                                receipts.extend(emitted.ok().and_then(Result::ok));
                            }
                            2 => tokio::time::sleep(Duration::from_millis(random.u64(0..200))).await,
                            3 => drop(tokio::time::timeout(SECOND, client.flush()).await),
                            _ => receipts.extend(client.emit(entry(&id)).await.ok()),
                        }
                    }
                    receipts
                })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(random.u64(0..4_000))).await;
        let deadline = Duration::from_millis(random.u64(0..3_000));
        let start = Instant::now();
        let report = client.shutdown(deadline).await;
        assert!(start.elapsed() <= deadline + Duration::from_millis(50), "seed {seed}");
        adds_up(&report);
        let mut told = std::collections::BTreeMap::<_, i64>::new();
        for (kind, ids) in [(0, &report.delivered_ids), (1, &report.dead_ids), (2, &report.lost_ids)] {
            for id in ids {
                *told.entry((id.to_string(), kind)).or_default() += 1;
            }
        }
        for task in tasks {
            for receipt in task.await.expect("no panic") {
                let (id, kind) = match receipt.delivered().await {
                    Ok(delivery) => (delivery.id, 0),
                    Err(lost @ NotDelivered::Lost { .. }) => (lost.id().clone(), 2),
                    Err(dead) => (dead.id().clone(), 1),
                };
                *told.entry((id.to_string(), kind)).or_default() -= 1;
            }
        }
        assert!(told.values().all(|count| *count == 0), "seed {seed}: {report}: {told:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_throttles_one_entry_of_each_batch_is_not_left_ever_longer() {
    let script = Script::default().otherwise(|ids| {
        let mut answer = all_taken(&ids[1..])?;
        answer.failed = all_refused("Throttling")(&ids[..1])?.failed;
        if ids.len() == 1 { all_taken(ids) } else { Ok(answer) }
    });
    let client = client(&script).await;
    let start = Instant::now();
    drop(emit_all(&client, 5_000).await);
    client.flush().await.expect("settled");
    assert!(start.elapsed() < 60 * SECOND, "{:?}", start.elapsed());
    assert_eq!(client.shutdown(SECOND).await.delivered, 5_000);
}

#[tokio::test(start_paused = true)]
async fn an_emit_without_room_is_refused_at_once_or_after_its_time_and_gives_the_entry_back() {
    for (limit, waits) in
        [(None, Duration::ZERO), (Some(Duration::ZERO), Duration::ZERO), (Some(3 * SECOND), 3 * SECOND)]
    {
        let script = Script::default().takes(8 * SECOND);
        let builder = builder(&script).capacity_entries(2);
        let builder = match limit {
            None => builder.when_full(WhenFull::Reject),
            Some(limit) => builder.emit_timeout(limit),
        };
        let client = builder.build_here().await.expect("a client");
        drop(emit_all(&client, 2).await);
        let start = Instant::now();
        let error = client.emit(entry("late")).await.expect_err("there is no room");
        assert_eq!(start.elapsed(), waits, "{limit:?}");
        assert!(error.to_string().starts_with("there is no room for event late"), "{error}");
        let EmitError::Full { entry: back } = error else { panic!("{error}") };
        assert_eq!(*back, entry("late"));
        client.flush().await.expect("settled");
        client.emit(*back).await.expect("there is room again");
        let report = client.shutdown(100 * SECOND).await;
        adds_up(&report);
        assert_eq!((report.accepted, report.delivered), (3, 3));
    }
}

#[tokio::test(start_paused = true)]
async fn an_emit_that_gets_room_within_its_time_is_accepted_and_one_that_waits_at_the_shutdown_is_not() {
    let script = Script::default().takes(2 * SECOND);
    let builder = builder(&script).capacity_entries(1).linger(Duration::ZERO).emit_timeout(3_600 * SECOND);
    let client = builder.build_here().await.expect("a client");
    drop(emit(&client, "a").await);
    drop(emit(&client, "b").await);
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.emit(entry("c")).await.map(drop) }
    });
    tokio::task::yield_now().await;
    let report = client.shutdown(SECOND / 2).await;
    assert!(matches!(waiting.await.expect("no panic"), Err(EmitError::ShutDown { .. })));
    assert_eq!(report.accepted, 2);
}
