//! What a context brings to an event: for whom the actor acts, and additional members.

use std::borrow::Cow;

use audit_core::{
    AccountId, AuditEvent, Context, EncodeError, EncodeFault, Entry, EventDataWriter, EventType, Identity,
    ObjectWriter, Part, UserIdentity,
};
use proptest::prelude::*;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

/// An event that writes what a test tells it to.
struct Sample<F>(F);

impl<F: Fn(&mut EventDataWriter<'_>) -> Result<(), EncodeError>> AuditEvent for Sample<F> {
    fn event_type(&self) -> &'static EventType {
        const { &EventType::new("orders.example.com", "Sample") }
    }
    fn write(&self, data: &mut EventDataWriter<'_>) -> Result<(), EncodeError> {
        (self.0)(data)
    }
}

fn identity(kind: &str, principal: &str) -> Identity {
    Identity::new(kind, principal).expect("a right identity")
}

fn empty() -> Context {
    Context::new(AccountId::from_static("123456789012")).time(std::time::UNIX_EPOCH)
}

fn context() -> Context {
    empty().identity(&identity("Staff", "alice@example.com"))
}

/// The event as `serde_json` reads it, once it is known that the whole contract is kept.
fn read(entry: &Entry) -> Value {
    Entry::parse(entry.id(), entry.event_data()).expect("what is written keeps the contract");
    serde_json::from_str(entry.event_data()).expect("what is written is JSON")
}

fn plain(context: &Context) -> Value {
    read(&Sample(|data: &mut EventDataWriter<'_>| data.id("1").done()).to_entry(context).expect("an event"))
}

#[test]
fn the_actor_stays_and_those_on_whose_behalf_they_act_stand_in_the_details() {
    let customer = identity("Customer", "c-17").detail("tier", "gold").expect("a detail");
    let on_behalf_of = json!({"type": "Customer", "principalId": "c-17", "details": {"tier": "gold"}});
    let event = plain(&context().on_behalf_of(&customer));
    let staff = json!({"type": "Staff", "principalId": "alice@example.com", "details": {"onBehalfOf": on_behalf_of}});
    assert_eq!(event["userIdentity"], staff);
    // In either order.
    assert_eq!(plain(&empty().on_behalf_of(&customer).identity(&identity("Staff", "alice@example.com"))), event);

    // An actor that the event names itself.
    let named = |actor: Identity| {
        let event = Sample(move |data: &mut EventDataWriter<'_>| data.id("1").user_identity(&actor).done());
        read(&event.to_entry(&context().on_behalf_of(&customer)).expect("an event"))["userIdentity"].clone()
    };
    let bob = identity("Staff", r#"bob","details":{"#);
    let with_details = bob.clone().detail("mfa", json!({"details": {"onBehalfOf": 1}})).expect("a detail");
    assert_eq!(named(bob)["details"], json!({"onBehalfOf": on_behalf_of}));
    let details = json!({"mfa": {"details": {"onBehalfOf": 1}}, "onBehalfOf": on_behalf_of});
    assert_eq!(named(with_details)["details"], details);
    let own = identity("Staff", "bob").detail("onBehalfOf", "somebody else").expect("a detail");
    assert_eq!(named(own)["details"], json!({"onBehalfOf": "somebody else"}));
}

#[test]
fn four_can_act_on_behalf_of_one_another_and_a_fifth_is_an_error() {
    let chain = |length: usize| {
        (0..length).fold(context(), |context, at| context.on_behalf_of(&identity("Service", &at.to_string())))
    };
    let event = plain(&chain(4));
    let mut actor = &event["userIdentity"];
    for at in 0..4 {
        actor = &actor["details"]["onBehalfOf"];
        assert_eq!(actor["principalId"], at.to_string());
    }
    assert_eq!(actor.get("details"), None);
    let error = Sample(|data: &mut EventDataWriter<'_>| data.id("1").done()).to_entry(&chain(5)).expect_err("five");
    assert!(matches!(error.fault(), EncodeFault::OnBehalfOf { limit: 4, .. }), "{error}");
}

#[test]
fn those_who_act_for_one_another_nest_no_deeper_than_the_contract_allows() {
    let deep = (0..90).fold(json!(1), |inner, _| json!([inner]));
    let customer = identity("Customer", "c").detail("deep", &deep).expect("not too deep by itself");
    let event = plain(&context().on_behalf_of(&customer));
    assert_eq!(event["userIdentity"]["details"]["onBehalfOf"]["details"]["deep"], deep);
    let too_deep =
        (0..3).fold(context(), |context, _| context.on_behalf_of(&identity("A", "a"))).on_behalf_of(&customer);
    let error = Sample(|data: &mut EventDataWriter<'_>| data.id("1").done()).to_entry(&too_deep).expect_err("too deep");
    assert!(matches!(error.fault(), EncodeFault::Contract(audit_core::Violation::TooDeep { .. })), "{error}");
}

/// Hides its number.
struct Caller;

impl UserIdentity for Caller {
    fn identity_type(&self) -> Cow<'_, str> {
        "Caller".into()
    }
    fn principal_id(&self) -> Cow<'_, str> {
        "c".into()
    }
    fn details(&self, details: &mut ObjectWriter<'_>) -> Result<(), EncodeError> {
        details.hmac("phone", "+49 228 1").done()
    }
}

#[test]
fn hidden_values_of_a_context_get_the_key_that_comes_later() {
    let late = context().on_behalf_of(&Caller);
    assert!(!format!("{late:?}").contains("228"), "{late:?}");
    let error = Sample(|data: &mut EventDataWriter<'_>| data.id("1").done()).to_entry(&late).expect_err("no key");
    assert!(matches!(error.fault(), EncodeFault::NoHmacKey { .. }), "{error}");
    let early = plain(&context().hmac_key("k", b"key").on_behalf_of(&Caller));
    assert_eq!(plain(&late.hmac_key("k", b"key")), early);
    let phone = &early["userIdentity"]["details"]["onBehalfOf"]["details"]["phone"];
    assert!(phone.as_str().is_some_and(|phone| phone.starts_with("hmac-sha256:k:")), "{phone}");
}

/// A value whose `Serialize` fails, and says something that must not be told.
struct Fails;

impl Serialize for Fails {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("secret"))
    }
}

#[test]
fn additional_members_of_the_context_stand_beside_those_of_the_event_whose_keys_win() {
    let context = context()
        .additional("requestId", "r-1")
        .additional("none", &None::<u8>)
        .additional("tenant", &1)
        .additional("tenant", &json!({"id": 2}))
        .additional("a\"b", &3);
    assert_eq!(plain(&context)["additionalEventData"], json!({"requestId": "r-1", "tenant": {"id": 2}, "a\"b": 3}));

    let event = Sample(|data: &mut EventDataWriter<'_>| {
        data.id("1")
            .additional("requestId", "own")
            .flatten(Part::Additional, &json!({"a\"b": "own", "x": {"tenant": 0}}))
            .target("Order", &17)
            .done()
    });
    let event = read(&event.to_entry(&context.additional("targets", &0)).expect("an event"));
    let own = json!({
        "requestId": "own", "a\"b": "own", "x": {"tenant": 0}, "tenant": {"id": 2}, "targets": [{"type": "Order", "id": "17"}],
        "targets_": 0
    });
    assert_eq!(event["additionalEventData"], own);
}

#[test]
fn a_value_of_the_context_that_cannot_be_written_does_not_suppress_the_event() {
    let deep = (0..200).fold(json!(1), |inner, _| json!([inner]));
    let event = plain(&context().additional("fails", &Fails).additional("deep", &deep).additional("fine", &1));
    assert_eq!(
        event["additionalEventData"],
        json!({
            "cut": ["additionalEventData.fails", "additionalEventData.deep"],
            "fails": {"omitted": "its Serialize fails"},
            "deep": {"omitted": "it nests too deep, or has a key twice"},
            "fine": 1,
        })
    );
}

#[test]
fn what_is_too_large_is_replaced_by_its_length_and_hash() {
    let context = context().additional("agent", &"x".repeat(20_000)).additional("header", &"y".repeat(9_000));
    let event = plain(&context);
    // printf '"%s"' $(printf 'x%.0s' {1..20000}) | sha256sum
    let agent =
        json!({"omittedBytes": 20_002, "sha256": "e03d9e85eec7bdc57d99d7347dc8df60e467ba0bcf8d242db601ce4c6c01798a"});
    assert_eq!(event["additionalEventData"]["agent"], agent);
    assert_eq!(event["additionalEventData"]["header"], "y".repeat(9_000));
    assert_eq!(event["additionalEventData"]["cut"], json!(["additionalEventData.agent"]));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_a_context_adds_makes_an_event_fail_or_takes_a_key_from_it(
        own in prop::collection::btree_map("[a-e]{1,2}", 0_usize..27_900, 0..3),
        added in prop::collection::vec(("[a-e]{1,2}|cut|targets", 0_usize..40_000), 0..5),
        request in 0_usize..99_000,
        response in 0_usize..99_000,
    ) {
        let mut left = 27_900_usize;
        let own: Vec<_> = own.into_iter().map(|(key, length)| {
            let length = length.min(left.saturating_sub(20));
            left = left.saturating_sub(length + 20);
            (key, "o".repeat(length))
        }).collect();
        let context = added.iter().fold(context(), |context, (key, length)| context.additional(key, &"\n".repeat(*length / 2)));
        let event = Sample(|data: &mut EventDataWriter<'_>| {
            data.id("1").request("r", &"r".repeat(request)).response("r", &"r".repeat(response));
            for (key, text) in &own {
                data.additional(key, text);
            }
            data.done()
        });
        let event = read(&event.to_entry(&context).expect("the event's own data fits"));
        for (key, text) in &own {
            prop_assert_eq!(&event["additionalEventData"][key], text);
        }
    }
}

#[test]
fn a_targets_id_that_is_too_long_is_cut_and_no_two_become_one() {
    let forged = context().additional("targets", &[1]).additional("cut", &"forged");
    let ids = ["a", "b"].map(|end| {
        let long = "x".repeat(30_000) + end;
        let event = Sample(move |data: &mut EventDataWriter<'_>| data.id("1").target("File", &long).done());
        let additional = read(&event.to_entry(&forged).expect("an event"))["additionalEventData"].clone();
        assert_eq!((&additional["targets_"], &additional["cut_"]), (&json!([1]), &json!("forged")));
        assert_eq!(additional.get("cut"), None);
        additional["targets"][0]["id"].as_str().expect("a text").to_owned()
    });
    assert!(ids.iter().all(|id| id.chars().count() == 1_024 && id.contains("…sha256:")) && ids[0] != ids[1]);
}
