//! Who acts, for whom and from where: owned, carried to another process, and in the scope of a task.

use std::net::IpAddr;

use audit_client::{AuditEvent, Carried, EventId, Identity, testing};
use serde_json::{Value, json};

#[derive(AuditEvent)]
#[audit(source = "orders.example.com")]
struct OrderPlaced {
    #[audit(id)]
    event: EventId,
    order: u64,
}

fn placed(order: u64) -> OrderPlaced {
    OrderPlaced { event: EventId::generate(), order }
}

fn identity(kind: &str, principal: &str) -> Identity {
    Identity::new(kind, principal).expect("a right identity")
}

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

/// What was recorded, without what differs from event to event.
fn recorded(recorder: &testing::Recorder) -> Vec<Value> {
    let mut events: Vec<Value> = recorder.events().iter().map(|event| event.json().clone()).collect();
    for event in &mut events {
        let event = event.as_object_mut().expect("an object");
        for key in ["UID", "eventTime"] {
            event.remove(key).expect("always there");
        }
    }
    events
}

#[tokio::test]
async fn a_context_is_owned_and_all_of_it_is_on_record() {
    let recorder = testing::Recorder::new();
    let acting = recorder
        .client()
        .acting_as(&identity("Staff", "alice"))
        .on_behalf_of(&identity("Customer", "c-17"))
        .source_ip(address("203.0.113.7"))
        .user_agent("till/7")
        .additional("requestId", "r-1");
    let other = acting.acting_as(&identity("Service", "refunds"));
    tokio::spawn(async move {
        acting.emit(&placed(1)).await.expect("room");
        other.emit(&placed(2)).await.expect("room");
    })
    .await
    .expect("no panic");
    let events = recorded(&recorder);
    let on_behalf_of = json!({"onBehalfOf": {"type": "Customer", "principalId": "c-17"}});
    for (event, kind, principal) in [(&events[0], "Staff", "alice"), (&events[1], "Service", "refunds")] {
        assert_eq!(event["userIdentity"], json!({"type": kind, "principalId": principal, "details": on_behalf_of}));
        assert_eq!((&event["sourceIPAddress"], &event["userAgent"]), (&json!("203.0.113.7"), &json!("till/7")));
        assert_eq!(event["additionalEventData"], json!({"requestId": "r-1"}));
    }
}

#[tokio::test]
async fn what_is_carried_to_another_process_makes_the_same_event() {
    let recorder = testing::Recorder::new();
    let alice =
        identity("Staff", "alice \"\n").detail("mfa", json!({"at": [1, 2.5, null], "n": u64::MAX})).expect("a detail");
    let acting = recorder
        .client()
        .acting_as(&alice)
        .on_behalf_of(&identity("Service", "portal"))
        .on_behalf_of(&identity("Customer", "c-17"))
        .source_ip(address("2001:db8::1"))
        .user_agent("till/7 é")
        .additional("requestId", &json!({"a\"": [1]}));
    acting.emit(&placed(1)).await.expect("room");
    let payload = serde_json::to_string(&acting.carry()).expect("JSON");
    let carried: Carried = serde_json::from_str(&payload).expect("what was written");
    assert_eq!(carried, acting.carry());
    assert!(!payload.contains("123456789012"), "no account: {payload}");
    recorder.client().resume(&carried).emit(&placed(1)).await.expect("room");
    let events = recorded(&recorder);
    assert_eq!(events[0], events[1]);
}

#[test]
fn what_is_carried_is_small_and_what_is_not_carried_as_it_was_written_is_refused() {
    let recorder = testing::Recorder::new();
    let long = "\u{1}".repeat(1_024);
    let mut actor = identity("Staff", &long).detail("long", &long).expect("a detail");
    for key in ["a", "b"] {
        actor = actor.detail(key, "x".repeat(9_000)).expect("a detail");
    }
    let acting = (0..4).fold(recorder.client().acting_as(&actor), |acting, _| acting.on_behalf_of(&actor));
    let acting = acting.user_agent(&long).additional("small", &1).additional("large", &"y".repeat(20_000));
    let carried = acting.carry();
    let written = serde_json::to_value(&carried).expect("JSON");
    let texts = [&written["userIdentity"], &written["userAgent"]];
    let texts = texts.into_iter().chain(written["onBehalfOf"].as_array().expect("four"));
    assert!(texts.map(|text| text.as_str().expect("a text").len()).sum::<usize>() <= 8_000, "{written}");
    let read: Carried = serde_json::from_value(written.clone()).expect("what was written");
    assert_eq!(read, carried);
    recorder.client().resume(&read).emit_blocking(&placed(1)).expect("still a right event");
    recorder.clear();

    let small = recorder.client().acting_as(&identity("Staff", "alice")).additional("id", &1).carry();
    let good = serde_json::to_value(&small).expect("JSON");
    let refused = |change: &dyn Fn(&mut Value)| {
        let mut changed = good.clone();
        change(&mut changed);
        serde_json::from_value::<Carried>(changed).expect_err("refused").to_string()
    };
    let newer = refused(&|value| value["version"] = json!(2));
    assert!(newer.contains("version 2") && newer.contains("update"), "{newer}");
    let empty = refused(&|value| value["userIdentity"] = json!(r#"{"type":"","principalId":"a"}"#));
    assert!(empty.contains("userIdentity.type"), "{empty}");
    for identity in ["", "[]", "{", r#"{"type":"a","principalId":"b","x":1}"#, r#"{"type":"a","type":"a"}"#] {
        assert!(refused(&|value| value["userIdentity"] = json!(identity)).contains("carried context"), "{identity}");
    }
    let deep = "[".repeat(100) + &"]".repeat(100);
    assert!(refused(&|value| value["additional"] = json!([["id", deep]])).contains("deep"));
    assert!(refused(&|value| value["additional"] = json!([["id", "1,\"other\":2"]])).contains("carried context"));
    assert!(refused(&|value| value["userAgent"] = json!("x".repeat(8_001))).contains("8000"));
    let one = r#"{"type":"a","principalId":"b"}"#;
    assert!(refused(&|value| value["onBehalfOf"] = json!(vec![one; 250])).contains("carried context"));

    // What is read can be resumed, and the events are right ones.
    for details in ["{ }", r#"{"\u006fnBehalfOf":{"type":"x","principalId":"y"}}"#] {
        let mut value = good.clone();
        value["userIdentity"] = json!(format!(r#"{{"type":"a","principalId":"b","details":{details}}}"#));
        value["onBehalfOf"] = json!([one]);
        let read: Carried = serde_json::from_value(value).expect("a right one");
        recorder.client().resume(&read).emit_blocking(&placed(2)).expect("a right event");
        recorder.clear();
    }
    assert!(!format!("{small:?}").contains("alice"));
}

#[cfg(feature = "ambient")]
mod ambient {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use audit_client::{ActingAs, Context, spawn, spawn_blocking};
    use tokio::task::JoinSet;

    use super::*;

    /// The name of the actor in whose scope this runs, as three calls below a handler would find it.
    async fn actor(recorder: &testing::Recorder, order: u64) -> Option<String> {
        let acting = ActingAs::current()?;
        tokio::task::yield_now().await;
        acting.emit(&placed(order)).await.expect("room");
        let events = recorder.events();
        let event = events.iter().find(|event| event.json()["requestParameters"]["order"] == order).expect("recorded");
        event.json()["userIdentity"]["principalId"].as_str().map(str::to_owned)
    }

    #[tokio::test]
    async fn outside_of_a_scope_there_is_no_actor_and_scopes_nest() {
        let recorder = &testing::Recorder::new();
        let alice = recorder.client().acting_as(&identity("Staff", "alice"));
        let bob = recorder.client().acting_as(&identity("Staff", "bob"));
        assert!(actor(recorder, 0).await.is_none());
        alice
            .scope(async {
                assert_eq!(actor(recorder, 1).await.as_deref(), Some("alice"));
                bob.scope(async { assert_eq!(actor(recorder, 2).await.as_deref(), Some("bob")) }).await;
                assert_eq!(actor(recorder, 3).await.as_deref(), Some("alice"));
            })
            .await;
        assert!(actor(recorder, 4).await.is_none());
        bob.sync_scope(|| assert!(ActingAs::current().is_some()));
        assert!(ActingAs::current().is_none());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn a_scope_reaches_tasks_that_take_it_along_and_no_others() {
        let recorder = Arc::new(testing::Recorder::new());
        let alice = recorder.client().acting_as(&identity("Staff", "alice"));
        alice
            .scope(async {
                let of = |order| {
                    let recorder = recorder.clone();
                    async move { actor(&recorder, order).await }
                };
                assert_eq!(tokio::spawn(of(1)).await.expect("no panic"), None);
                assert_eq!(spawn(of(2)).await.expect("no panic").as_deref(), Some("alice"));
                let mut tasks = JoinSet::new();
                tasks.spawn(ActingAs::in_scope(of(3)));
                tasks.spawn(of(4));
                let mut found: Vec<_> = tasks.join_all().await;
                found.sort();
                assert_eq!(found, [None, Some("alice".to_owned())]);
                assert!(spawn_blocking(|| ActingAs::current().is_some()).await.expect("no panic"));
            })
            .await;
        assert!(spawn(async { ActingAs::current().is_none() }).await.expect("no panic"));
        assert!(spawn_blocking(|| ActingAs::current().is_none()).await.expect("no panic"));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_hundred_tasks_with_different_actors_are_not_mixed_up_whatever_becomes_of_some() {
        let recorder = Arc::new(testing::Recorder::new());
        let mut tasks = JoinSet::new();
        for number in 0..100_u64 {
            let acting = recorder.client().acting_as(&identity("Staff", &number.to_string()));
            let recorder = recorder.clone();
            tasks.spawn(async move {
                let work = acting.scope(async {
                    for round in 0..10 {
                        let found = actor(&recorder, number * 10 + round).await;
                        assert_eq!(found, Some(number.to_string()));
                        assert!(number % 10 != 1, "some tasks panic");
                    }
                });
                tokio::select! {
                    () = work => {}
                    // Some are dropped in the middle.
                    () = tokio::time::sleep(Duration::from_millis(1)), if number % 10 == 2 => {}
                }
                assert!(ActingAs::current().is_none());
            });
        }
        let mut panics = 0;
        while let Some(ended) = tasks.join_next().await {
            panics += usize::from(ended.is_err());
        }
        assert_eq!(panics, 10);
        // The threads of the pool have none left.
        for _ in 0..20 {
            assert!(tokio::spawn(async { ActingAs::current().is_none() }).await.expect("no panic"));
        }
    }

    /// What a server knows of a request.
    #[derive(Default)]
    struct Served {
        described: AtomicUsize,
        emitted: AtomicUsize,
    }

    impl audit_client::__Request for Served {
        fn describe(&self, context: Context) -> Context {
            self.described.fetch_add(1, Ordering::Relaxed);
            context.source_ip(address("203.0.113.7"))
        }
        fn emitted(&self) {
            self.emitted.fetch_add(1, Ordering::Relaxed);
        }
        fn exempt(&self, _: &'static str) {}
    }

    #[tokio::test]
    async fn a_request_is_described_at_its_first_event_and_learns_of_each() {
        let recorder = testing::Recorder::new();
        let of_request = Arc::new(audit_client::__OfRequest::new(recorder.client(), Served::default()));
        let request = of_request.request();
        of_request.scope(async {}).await;
        assert_eq!(request.described.load(Ordering::Relaxed), 0);

        let acting = async || ActingAs::current().expect("in a scope").acting_as(&identity("Staff", "alice"));
        let alice = of_request.scope(acting()).await;
        alice.emit(&placed(1)).await.expect("room");
        alice.try_emit(&placed(2)).expect("room");
        assert_eq!(request.emitted.load(Ordering::Relaxed), 2);
        assert_eq!(request.described.load(Ordering::Relaxed), 1);
        let client = recorder.client();
        of_request
            .scope(async {
                let entry = client.acting_as(&identity("Staff", "bob")).encode(&placed(3)).expect("a right event");
                client.emit(entry).await.expect("room");
            })
            .await;
        assert_eq!(request.emitted.load(Ordering::Relaxed), 3, "by the plain client inside of the scope");
        client.acting_as(&identity("Staff", "bob")).emit(&placed(4)).await.expect("room");
        assert_eq!(request.emitted.load(Ordering::Relaxed), 3, "outside");
        let addresses: Vec<_> = recorded(&recorder).iter().map(|event| event["sourceIPAddress"].clone()).collect();
        let known = json!("203.0.113.7");
        assert_eq!(addresses, [known.clone(), known.clone(), known, Value::Null]);
    }
}
