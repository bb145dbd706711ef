//! Every recipe of docs/recipes.md does what the page says.

#![expect(clippy::unwrap_used, reason = "the lint knows only functions marked as tests to be tests")]

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use audit_client::spool::SpoolOptions;
use audit_client::testing::{CHANNEL_ARN, Recorder};
use audit_client::{AuditClient, ClientBuilder, EventId, Identity};
use audit_lake::Lake;
use serde_json::json;

mod page {
    #![allow(dead_code, missing_docs, unreachable_pub, reason = "as readers see it")]
    include!(concat!(env!("OUT_DIR"), "/recipes.rs"));
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// Settings of a client of this lake.
fn to(lake: &Lake) -> ClientBuilder {
    let key = lake.access_key();
    AuditClient::builder()
        .channel_arn(lake.channel_arn().as_str())
        .endpoint_url(lake.endpoint_url())
        .access_key(key.id(), key.secret())
}

#[tokio::test]
async fn a_failed_login_is_audited_whatever_the_stranger_types() {
    let recorder = Recorder::new();
    for typed in ["mallory", "", " \t ", &"ä".repeat(5_000), "\u{0}\"\\\n\u{2028}"] {
        let _receipt =
            page::a_failed_login::login_failed(&recorder.client(), typed, address("2001:db8::1"), "WrongPassword")
                .await
                .expect(typed);
    }
    let events = recorder.named("LoginFailed");
    let principals: Vec<_> = events.iter().map(|event| event.principal_id().chars().count()).collect();
    assert_eq!(principals, [7, 1, 1, 1024, 3]);
    assert_eq!(events[1].principal_id(), "-");
    assert_eq!(events[0].json()["userIdentity"]["type"], "Unauthenticated");
    assert_eq!(events[0].error_code(), Some("WrongPassword"));
}

#[tokio::test]
async fn an_anonymous_actor_is_the_session() {
    let recorder = Recorder::new();
    let _receipt =
        page::an_anonymous_actor::link_opened(&recorder.client(), "session-7", address("203.0.113.7"), "plan.pdf")
            .await
            .unwrap();
    let event = recorder.only("LinkOpened");
    assert_eq!(event.json()["userIdentity"], json!({"type": "Anonymous", "principalId": "session-7"}));
    assert_eq!(event.json()["sourceIPAddress"], "203.0.113.7");
}

#[tokio::test]
async fn an_impersonated_user_is_a_detail_of_the_actor() {
    use page::an_impersonated_user::{Customer, Support, address_changed};

    let recorder = Recorder::new();
    let (support, customer) = (Support { email: "alice@example.com" }, Customer { id: "customer-7" });
    let _receipt = address_changed(&recorder.client(), &support, &customer, 7).await.unwrap();
    let event = recorder.only("AddressChanged");
    assert_eq!(event.principal_id(), "alice@example.com");
    let customer = json!({"type": "Customer", "principalId": "customer-7"});
    assert_eq!(event.json()["userIdentity"]["details"], json!({"onBehalfOf": customer}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_runs_twice_has_one_event() {
    let lake = Lake::builder().start().await.unwrap();
    let client = to(&lake).build().await.unwrap();
    let job = page::a_background_job::Job {
        event: EventId::generate(),
        queued_at: SystemTime::now().try_into().unwrap(),
        requested_by: "alice@example.com".to_owned(),
        export_id: 7,
    };
    let stored = serde_json::to_string(&job).unwrap();
    for _run in 0..2 {
        let job = serde_json::from_str(&stored).unwrap();
        page::a_background_job::export_made(&client, &job).await.unwrap().delivered().await.unwrap();
    }
    assert_eq!(lake.events().await.unwrap().len(), 1);
    lake.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_leaves_its_event_in_the_spool_if_the_lake_is_away() {
    let lake = Lake::builder().start().await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let run = |settings: ClientBuilder| {
        let settings = settings.spool(dir.path());
        tokio::task::block_in_place(|| page::a_command_that_ends_at_once::revoke(settings, "alice", "key-1").unwrap())
    };
    // No process listens there.
    assert!(run(to(&lake).endpoint_url("http://127.0.0.1:9")));
    assert!(lake.events().await.unwrap().is_empty());
    assert!(run(to(&lake)));
    assert_eq!(lake.events().await.unwrap().len(), 2);
    lake.shutdown().await;
}

#[tokio::test]
async fn processes_that_are_alike_take_free_slots() {
    use page::rolling_restarts_and_several_processes::start;

    let dir = tempfile::tempdir().unwrap();
    let settings = || AuditClient::builder().channel_arn(CHANNEL_ARN).endpoint_url("http://127.0.0.1:9");
    let mut clients = Vec::new();
    for name in ["default", "default-1", "default-2"] {
        clients.push(start(settings(), dir.path()).await.unwrap());
        assert!(dir.path().join(format!("{name}.lock")).exists());
    }
    let named = || settings().spool(dir.path()).spool_options(SpoolOptions::new().name("shop-7")).build();
    clients.push(named().await.unwrap());
    assert!(named().await.unwrap_err().to_string().contains("shop-7"));
}

#[tokio::test]
async fn a_transfer_has_an_event_before_and_after_its_commit() {
    use page::before_or_after_the_commit::{Booked, TransferError, transfer};

    let recorder = Recorder::new();
    let (client, by) = (recorder.client(), Identity::new("Customer", "alice").unwrap());
    let booked = transfer(&client, &by, 1999, async { Ok(Booked { booking_id: 7 }) }).await.unwrap();
    assert_eq!(booked.booking_id, 7);
    let (begun, ended) = (recorder.only("TransferBegun"), recorder.only("TransferEnded"));
    assert_ne!(begun.id(), ended.id());
    assert_eq!(begun.request("attempt"), ended.request("attempt"));
    assert_eq!(ended.response("bookingId"), 7);

    recorder.clear();
    transfer(&client, &by, 1999, async { Err(TransferError::NoFunds) }).await.unwrap_err();
    assert_eq!(recorder.only("TransferEnded").error_code(), Some("NoFunds"));

    // Without an event, nothing happens.
    let _ = client.shutdown(Duration::from_secs(1)).await;
    let refused = transfer(&client, &by, 1999, async { panic!("it was not audited") }).await;
    assert!(matches!(refused, Err(TransferError::NotAudited(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tests_in_the_recipe_pass() {
    page::a_lake_in_your_tests::inviting_emits_user_invited().await.unwrap();
    page::a_lake_in_your_tests::an_invitation_is_stored().await.unwrap();
}
