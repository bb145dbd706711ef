//! What the writer writes, held against `serde_json` and against the schema's own check.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, UNIX_EPOCH};

use audit_core::limits::Field;
use audit_core::{
    AccountId, AuditError, AuditEvent, Context, EncodeError, EncodeFault, Entry, EventDataWriter, EventId, EventTime,
    EventType, Identity, Part, UserIdentity, Violation,
};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

static SAMPLE: EventType = EventType::new("orders.example.com", "Sample\"\n");

/// An event that writes what a test tells it to.
struct Sample<F>(F);

impl<F: Fn(&mut EventDataWriter<'_>) -> Result<(), EncodeError>> AuditEvent for Sample<F> {
    fn event_type(&self) -> &'static EventType {
        &SAMPLE
    }
    fn write(&self, data: &mut EventDataWriter<'_>) -> Result<(), EncodeError> {
        (self.0)(data)
    }
}

fn context() -> Context {
    Context::new(AccountId::from_static("123456789012"))
        .identity(&Identity::new("Staff", "alice@example.com").expect("short"))
        .time(UNIX_EPOCH)
}

fn encode(write: impl Fn(&mut EventDataWriter<'_>) -> Result<(), EncodeError>) -> Result<Entry, EncodeError> {
    Sample(write).to_entry(&context())
}

/// The event as `serde_json` reads it, once it is known that the schema's check takes it as well.
fn read(entry: &Entry) -> Value {
    Entry::parse(entry.id(), entry.event_data()).expect("what is written keeps the contract");
    serde_json::from_str(entry.event_data()).expect("what is written is JSON")
}

fn request<T: Serialize>(value: &T) -> Result<Value, EncodeError> {
    let entry = encode(|data| data.id("1").request("value", value).done())?;
    Ok(read(&entry)["requestParameters"]["value"].clone())
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        proptest::num::f64::NORMAL.prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[\\x00-\\x1f\"\\\\/\u{7f}\u{80}\u{2028}\u{2029}\u{feff}é€😀\u{10ffff}]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            btree_map(any::<String>(), inner, 0..6).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_value_reads_back_as_itself(key in any::<String>(), value in any_json()) {
        let entry = encode(|data| data.id("1").request(&key, &value).additional("again", &value).done()).expect("JSON");
        let event = read(&entry);
        prop_assert_eq!(&event["requestParameters"][&key], &value);
        prop_assert_eq!(&event["additionalEventData"]["again"], &value);
        // To the byte, too: what serde_json writes is what stands there.
        let json = serde_json::to_string(&value).expect("JSON");
        let end = format!("{{\"again\":{json}}}}}");
        prop_assert!(entry.event_data().ends_with(&end));
    }

    #[test]
    fn any_text_is_a_uid_and_its_id_is_derived(id in any::<String>()) {
        let result = encode(|data| data.id(&id).done());
        if id.is_empty() || id.chars().count() > 1_024 {
            prop_assert!(result.is_err());
        } else {
            let entry = result.expect("within the limit");
            prop_assert_eq!(&read(&entry)["UID"], &json!(id));
            prop_assert_eq!(entry.id(), &EventId::derive(&id));
        }
    }

    #[test]
    fn any_time_reads_back_to_the_second(seconds in -62_167_219_200_i64..=253_402_300_799, nanos in 0..1_000_000_000_u32) {
        let time = EventTime::from_unix_seconds(seconds).expect("within the years");
        let system = std::time::SystemTime::from(time) + Duration::from_nanos(nanos.into());
        let entry = encode(|data| data.id("1").time(&system).done()).expect("a time");
        prop_assert_eq!(&read(&entry)["eventTime"], &json!(time.to_string()));
    }
}

#[test]
fn numbers_keep_every_digit() {
    assert_eq!(request(&u64::MAX).expect("JSON"), json!(u64::MAX));
    assert_eq!(request(&i64::MIN).expect("JSON"), json!(i64::MIN));
    let entry = encode(|data| data.id("1").request("big", &i128::MIN).request("bigger", &u128::MAX).done());
    let entry = entry.expect("JSON");
    assert!(entry.event_data().contains("\"big\":-170141183460469231731687303715884105728,"));
    assert!(entry.event_data().contains("\"bigger\":340282366920938463463374607431768211455}"));
    assert_eq!(request(&0.1_f32).expect("JSON"), json!(0.1));
    assert_eq!(request(&f64::MIN_POSITIVE).expect("JSON"), json!(f64::MIN_POSITIVE));
    assert_eq!(request(&f64::NAN).expect("a text"), json!("NaN"));
}

#[test]
fn a_none_is_left_out_and_a_null_is_not() {
    #[derive(Serialize)]
    struct Wrapper(Option<u8>);
    let entry = encode(|data| {
        data.id("1")
            .request("none", &None::<u8>)
            .request("nested", &Some(None::<u8>))
            .request("wrapped", &Wrapper(None))
            .response("none", &None::<u8>)
            .additional("null", &())
            .done()
    });
    let event = read(&entry.expect("JSON"));
    assert_eq!(event.get("requestParameters"), None);
    assert_eq!(event.get("responseElements"), None);
    assert_eq!(event["additionalEventData"], json!({"null": null}));
    let entry = encode(|data| data.id("1").request("a", &None::<u8>).request("b", &1).request("c", &None::<u8>).done());
    assert_eq!(read(&entry.expect("JSON"))["requestParameters"], json!({"b": 1}));
}

#[test]
fn a_map_whose_keys_are_no_text_is_told_with_its_place() {
    let error = request(&HashMap::from([([1_u8, 2], 3)])).unwrap_err();
    assert_eq!(
        error.to_string(),
        "event Sample\"\\u{a} of orders.example.com: `requestParameters.value` cannot be written as JSON: key must be a string"
    );
    assert_eq!(request(&BTreeMap::from([(7, "seven")])).expect("as serde_json writes it"), json!({"7": "seven"}));
}

/// Serializes the same key twice, as serde's `flatten` can.
struct Twice;

impl Serialize for Twice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([("k", 1), ("k", 2)])
    }
}

#[test]
fn no_object_gets_the_same_key_twice() {
    let duplicates = [
        encode(|data| data.id("1").request("value", &Twice).done()),
        encode(|data| data.id("1").request("value", &[Some(Twice)]).done()),
        encode(|data| data.id("1").flatten(Part::Request, &Twice).done()),
        encode(|data| data.id("1").request("a", &1).flatten(Part::Request, &json!({"a": 2})).done()),
        encode(|data| data.id("1").request("a", &1).request("a", &2).done()),
        encode(|data| data.id("1").__distinct_keys().request("a", &1).flatten(Part::Request, &json!({"a": 2})).done()),
        encode(|data| data.id("1").outcome::<_, Refused>(&Ok(Twice)).done()),
    ];
    for result in duplicates {
        let error = result.unwrap_err();
        assert!(matches!(error.fault(), EncodeFault::Contract(Violation::DuplicateKey { .. })), "{error}");
    }
    let twice = Identity::new("Staff", "alice").and_then(|alice| alice.detail("a", 1)?.detail("a", 2));
    assert!(matches!(twice.unwrap_err().fault(), EncodeFault::Contract(Violation::DuplicateKey { .. })));
}

#[test]
fn flattened_members_stand_among_the_others() {
    let entry = encode(|data| {
        data.id("1")
            .flatten(Part::Request, &BTreeMap::<String, u8>::new())
            .flatten(Part::Request, &None::<HashMap<String, u8>>)
            .flatten(Part::Request, &json!({"b": 2, "c": {"d": []}}))
            .request("e", &5)
            .flatten(Part::Request, &json!({}))
            .done()
    });
    assert_eq!(read(&entry.expect("JSON"))["requestParameters"], json!({"b": 2, "c": {"d": []}, "e": 5}));
    let error = encode(|data| data.id("1").flatten(Part::Request, &[1, 2]).done()).unwrap_err();
    assert!(matches!(error.fault(), EncodeFault::NotAnObject { .. }), "{error}");
}

/// A list in a list in a list: so many levels.
struct Nested(usize);

impl Serialize for Nested {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 == 1 { [0; 0].serialize(serializer) } else { [Nested(self.0 - 1)].serialize(serializer) }
    }
}

#[test]
fn what_nests_too_deep_is_an_error_and_not_the_end_of_the_stack() {
    assert!(request(&Nested(98)).is_ok());
    for levels in [99, 10_000_000] {
        let error = request(&Nested(levels)).unwrap_err();
        assert!(matches!(error.fault(), EncodeFault::Contract(Violation::TooDeep { .. })), "{error}");
    }
    let deep = Identity::new("Staff", "alice").and_then(|alice| alice.detail("k", Nested(97)));
    let entry = Sample(|data: &mut EventDataWriter<'_>| data.id("1").user_identity(&deep.clone()?).done());
    assert!(entry.to_entry(&context()).is_ok_and(|entry| Entry::parse("1", entry.event_data()).is_ok()));
    assert!(Identity::new("Staff", "alice").and_then(|alice| alice.detail("k", Nested(98))).is_err());
    let flat = encode(|data| data.id("1").flatten(Part::Request, &json!({"a": 1})).request("b", &Nested(98)).done());
    read(&flat.expect("a flattened object takes no level of its own"));
}

#[test]
fn an_events_own_words_go_before_its_contexts() {
    let address = IpAddr::V6(Ipv6Addr::LOCALHOST);
    let context = context().user_agent("context/1").source_ip(address);
    let bare = Sample(|data: &mut EventDataWriter<'_>| data.id("1").done()).to_entry(&context).expect("whole");
    assert_eq!(
        bare.event_data(),
        concat!(
            r#"{"version":"1.0","eventSource":"orders.example.com","eventName":"Sample\"\n","#,
            r#""recipientAccountId":"123456789012","UID":"1","eventTime":"1970-01-01T00:00:00Z","#,
            r#""userIdentity":{"type":"Staff","principalId":"alice@example.com"},"userAgent":"context/1","#,
            r#""sourceIPAddress":"::1"}"#
        )
    );
    let bob = Identity::new("Staff", "bob").and_then(|bob| bob.detail("mfa", false)).expect("short");
    let own = Sample(|data: &mut EventDataWriter<'_>| {
        data.id("1")
            .time(&Some(EventTime::from_static("2026-11-21T10:15:30Z")))
            .user_identity(&bob)
            .user_agent("own/2")
            .source_ip(&"203.0.113.7:443".parse::<std::net::SocketAddr>().expect("an address"))
            .done()
    });
    let event = read(&own.to_entry(&context).expect("whole"));
    assert_eq!(event["eventTime"], "2026-11-21T10:15:30Z");
    assert_eq!(event["userIdentity"], json!({"type": "Staff", "principalId": "bob", "details": {"mfa": false}}));
    assert_eq!((&event["userAgent"], &event["sourceIPAddress"]), (&json!("own/2"), &json!("203.0.113.7")));
    let silent = Sample(|data: &mut EventDataWriter<'_>| {
        data.id("1").time(&None::<EventTime>).user_agent(&None::<&str>).source_ip(&None::<IpAddr>).done()
    });
    assert_eq!(silent.to_entry(&context).expect("whole").event_data(), bare.event_data());
}

#[test]
fn an_event_without_an_actor_is_an_error() {
    let without = Context::new(AccountId::from_static("123456789012"));
    let error = Sample(|data: &mut EventDataWriter<'_>| data.id("1").done()).to_entry(&without).unwrap_err();
    assert!(matches!(error.fault(), EncodeFault::NoIdentity), "{error}");
}

#[test]
fn the_writer_keeps_its_order_and_wants_an_id() {
    for result in [
        encode(|_| Ok(())),
        encode(|data| data.request("k", &1).done()),
        encode(|data| data.id("1").id("2").done()),
        encode(|data| data.id("1").request("k", &1).user_agent("late").done()),
        encode(|data| data.id("1").response("k", &1).request("k", &1).done()),
        encode(|data| data.id("1").error_message("m").error_code("c").done()),
        // An error that an impl does not pass on is not forgotten.
        encode(|data| {
            data.id("1").id("2");
            Ok(())
        }),
    ] {
        let error = result.unwrap_err();
        assert!(matches!(error.fault(), EncodeFault::Order { .. }), "{error}");
    }
}

#[test]
fn an_events_name_may_come_from_the_event() {
    struct Relayed(&'static str, bool);
    impl AuditEvent for Relayed {
        fn event_type(&self) -> &'static EventType {
            const { &EventType::new("relay.example.com", "Relayed").name_from_field() }
        }
        fn write(&self, data: &mut EventDataWriter<'_>) -> Result<(), EncodeError> {
            if self.1 {
                data.event_name(self.0);
            }
            data.id("1").done()
        }
    }
    let entry = Relayed("repo.create", true).to_entry(&context()).expect("whole");
    assert_eq!(read(&entry)["eventName"], "repo.create");
    let missing = Relayed("", true).to_entry(&context()).unwrap_err();
    assert!(matches!(missing.fault(), EncodeFault::Contract(Violation::Missing(Field::EventName))), "{missing}");
    let never = Relayed("", false).to_entry(&context()).unwrap_err();
    assert!(matches!(never.fault(), EncodeFault::Order { field: Field::EventName }), "{never}");
    assert!(encode(|data| data.event_name("other").id("1").done()).is_err(), "a type's own name cannot be changed");
}

struct Refused(String);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl AuditError for Refused {
    fn error_code(&self) -> Cow<'_, str> {
        "Refused".into()
    }
}

#[test]
fn an_outcome_is_response_elements_or_an_error() {
    let outcome = |outcome: Result<Value, Refused>| {
        let entry = encode(|data| data.id("1").request("k", &1).response("first", &0).outcome(&outcome).done());
        read(&entry.expect("JSON"))
    };
    assert_eq!(outcome(Ok(json!({"a": {"b": 1}})))["responseElements"], json!({"first": 0, "a": {"b": 1}}));
    assert_eq!(outcome(Ok(json!({})))["responseElements"], json!({"first": 0}));
    assert_eq!(outcome(Ok(json!([1])))["responseElements"], json!({"first": 0, "result": [1]}));
    assert_eq!(outcome(Ok(json!("paid")))["responseElements"], json!({"first": 0, "result": "paid"}));
    let alone = |entry: Result<Entry, EncodeError>| read(&entry.expect("JSON")).get("responseElements").cloned();
    assert_eq!(alone(encode(|data| data.id("1").outcome::<(), Refused>(&Ok(())).done())), None);
    assert_eq!(alone(encode(|data| data.id("1").outcome::<_, Refused>(&Ok(None::<u8>)).done())), None);

    let failed = outcome(Err(Refused("no".into())));
    assert_eq!((&failed["errorCode"], &failed["errorMessage"]), (&json!("Refused"), &json!("no")));
    let long = outcome(Err(Refused("é".repeat(300))));
    assert_eq!(long["errorMessage"], json!(format!("{}…", "é".repeat(255))));
}

/// A text from outside must not decide whether the event is recorded.
#[test]
fn texts_from_outside_are_cut_and_not_refused() {
    let long = "é\n".repeat(1_000);
    let cut = |limit: usize| json!(long.chars().take(limit - 1).chain(['…']).collect::<String>());
    let entry = encode(|data| data.id("1").user_agent(&long).error_code(&long).error_message(&long).done());
    let event = read(&entry.expect("cut"));
    assert_eq!(event["userAgent"], cut(1_024));
    assert_eq!((&event["errorCode"], &event["errorMessage"]), (&cut(256), &cut(256)));
    let fits = "é".repeat(1_024);
    assert_eq!(read(&encode(|data| data.id("1").user_agent(&fits).done()).expect("fits"))["userAgent"], json!(fits));

    let event = Sample(|data: &mut EventDataWriter<'_>| data.id("1").done());
    let from_context = event.to_entry(&context().user_agent(&long)).expect("cut");
    assert_eq!(read(&from_context)["userAgent"], cut(1_024));
}

/// A failure that says nothing.
struct Nameless;

impl std::fmt::Display for Nameless {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Ok(())
    }
}

impl AuditError for Nameless {
    fn error_code(&self) -> Cow<'_, str> {
        "".into()
    }
}

#[test]
fn an_empty_text_is_none_and_hides_no_failure() {
    let event = |code: &str, message: &str| {
        let entry = encode(|data| data.id("1").user_agent("").error_code(code).error_message(message).done());
        let event = read(&entry.expect("an event"));
        assert_eq!(event.get("userAgent"), None);
        (event.get("errorCode").cloned(), event.get("errorMessage").cloned())
    };
    assert_eq!(event("", ""), (None, None));
    assert_eq!(event("", "no"), (Some(json!("Unknown")), Some(json!("no"))));
    assert_eq!(event("Refused", ""), (Some(json!("Refused")), None));
    let agent_of_the_context = Sample(|data: &mut EventDataWriter<'_>| data.id("1").user_agent("").done());
    let entry = agent_of_the_context.to_entry(&context().user_agent("curl/8")).expect("an event");
    assert_eq!(read(&entry)["userAgent"], "curl/8");

    let entry = encode(|data| data.id("1").outcome::<(), _>(&Err(Nameless)).done()).expect("an event");
    assert_eq!(read(&entry)["errorCode"], "Unknown");
}

#[test]
fn a_principal_of_any_length_is_recorded_and_stays_distinct() {
    struct Typed(String);
    impl UserIdentity for Typed {
        fn identity_type(&self) -> Cow<'_, str> {
            "Unauthenticated".into()
        }
        fn principal_id(&self) -> Cow<'_, str> {
            (&self.0).into()
        }
    }
    let principal = |typed: &str| {
        let event = Sample(|data: &mut EventDataWriter<'_>| data.id("1").user_identity(&Typed(typed.into())).done());
        let principal = read(&event.to_entry(&context()).expect("recorded"))["userIdentity"]["principalId"].clone();
        let built = Identity::new("Unauthenticated", typed).expect("an identity");
        assert_eq!(principal, built.principal_id().into_owned());
        principal.as_str().expect("text").to_owned()
    };
    assert_eq!(principal(""), "-");
    assert_eq!(principal(&"é".repeat(1_024)), "é".repeat(1_024));
    let (long, other) = (principal(&"\"".repeat(1_025)), principal(&"\"".repeat(1_026)));
    assert_eq!((long.chars().count(), other.chars().count()), (1_024, 1_024));
    assert_ne!(long, other);
    let hash = "…sha256:";
    assert!(long.starts_with(&"\"".repeat(952)) && long.contains(hash), "{long}");
}

#[test]
fn hidden_values_are_found_but_not_read() {
    let keyed = context().hmac_key("2026a", b"Jefe");
    let entry = Sample(|data: &mut EventDataWriter<'_>| {
        data.id("1")
            .hmac(Part::Request, "text", "what do ya want for nothing?")
            .hmac(Part::Request, "list", &[1, 2])
            .hmac(Part::Request, "none", &None::<&str>)
            .redact(Part::Request, "card")
            .done()
    });
    let event = read(&entry.to_entry(&keyed).expect("keyed"));
    assert_eq!(
        event["requestParameters"],
        json!({
            // RFC 4231, test case 2.
            "text": "hmac-sha256:2026a:5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            // printf '[1,2]' | openssl dgst -sha256 -hmac Jefe
            "list": "hmac-sha256:2026a:3f978ca6d3a3981ec607eed20f758afafb8c3f3be30b494c7a39d1e310f6e967",
            "card": "[REDACTED]",
        })
    );
    let error = entry.to_entry(&context()).unwrap_err();
    assert!(matches!(error.fault(), EncodeFault::NoHmacKey { .. }), "{error}");
    assert!(!error.to_string().contains("want"), "{error}");
}

#[test]
fn no_debug_output_shows_a_key_or_an_events_data() {
    let alice = Identity::new("Staff", "alice").and_then(|alice| alice.detail("iban", "DE02120300000000202051"));
    let alice = alice.expect("short");
    let context =
        Context::new(AccountId::from_static("123456789012")).identity(&alice).hmac_key("2026a", b"a-secret-key");
    let entry = Sample(|data: &mut EventDataWriter<'_>| data.id("1").request("iban", "DE02120300000000202051").done())
        .to_entry(&context)
        .expect("whole");
    let mut batch = audit_core::Batch::new();
    batch.push(entry.clone()).expect("fits");
    let shown = format!("{context:?} {alice:?} {entry:?} {batch:?}");
    for secret in ["DE02", "a-secret-key", "97, 45, 115"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn an_event_that_encodes_another_while_it_is_encoded_gets_both_right() {
    struct Inner;
    impl Serialize for Inner {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let entry = encode(|data| data.id("inner").request("k", &1).done()).map_err(serde::ser::Error::custom)?;
            serializer.serialize_str(entry.event_data())
        }
    }
    let event = read(&encode(|data| data.id("outer").request("inner", &Inner).done()).expect("both"));
    let inner: Value = serde_json::from_str(event["requestParameters"]["inner"].as_str().expect("text")).expect("JSON");
    assert_eq!((&event["UID"], &inner["UID"]), (&json!("outer"), &json!("inner")));
}

fn entry_of(event: impl AuditEvent) -> Entry {
    event.to_entry(&context()).expect("whole")
}

#[test]
fn pointers_to_events_and_identities_are_events_and_identities() {
    let event = Sample(|data: &mut EventDataWriter<'_>| data.id("1").done());
    let expected = event.to_entry(&context()).expect("whole");
    let boxed: Box<dyn AuditEvent> = Box::new(Sample(|data: &mut EventDataWriter<'_>| data.id("1").done()));
    assert_eq!(entry_of(&event), expected);
    assert_eq!(entry_of(boxed), expected);
    assert_eq!(entry_of(std::sync::Arc::new(event)), expected);
    let who: Box<dyn UserIdentity> = Box::new(Identity::new("Staff", "alice@example.com").expect("short"));
    let context = Context::new(AccountId::from_static("123456789012")).identity(&who).time(UNIX_EPOCH);
    let event = Sample(|data: &mut EventDataWriter<'_>| data.id("1").done());
    assert_eq!(event.to_entry(&context).expect("whole"), expected);
}
