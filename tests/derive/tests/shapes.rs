//! Types that look unlikely and are allowed.
#![deny(warnings)]
#![allow(
    clippy::all,
    clippy::pedantic,
    reason = "the types are odd on purpose; what is generated for them is linted in tests/hygiene"
)]
// Fields that are redacted or skipped are never read.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use audit_core::{AccountId, AuditEvent, Context, EncodeError, EventCatalog, Identity, NamesActor, UserIdentity};
use serde::Serialize;

fn context() -> Context {
    Context::new(AccountId::from_static("123456789012"))
        .identity(&Identity::new("Service", "shop").expect("a right identity"))
        .hmac_key("2026a", b"key")
        .time(std::time::UNIX_EPOCH)
}

fn json(event: &(impl AuditEvent + ?Sized)) -> serde_json::Value {
    let entry = event.to_entry(&context()).expect("a right event");
    serde_json::from_str(entry.event_data()).expect("JSON")
}

fn error(event: &impl AuditEvent) -> EncodeError {
    event.to_entry(&context()).expect_err("a wrong event")
}

/// The rule that the event breaks, as the error's cause says it.
fn rule(event: &impl AuditEvent) -> String {
    let error = error(event);
    std::error::Error::source(&error).expect("a rule").to_string()
}

fn request(event: &(impl AuditEvent + ?Sized)) -> String {
    json(event)["requestParameters"].to_string()
}

fn names_actor<T: NamesActor + ?Sized>() {}

#[derive(Serialize)]
struct Tagged<T, const N: usize>(T);

#[test]
fn constant_expressions_stand_in_types_and_discriminants() {
    #[derive(AuditEvent)]
    #[audit(source = "a", generate_id)]
    struct Wide<const N: usize = { 1 + 1 }> {
        four: [u8; 2 + 2],
        two: [[u8; 1 + 1]; if true { 1 } else { 0 }],
        tagged: Tagged<
            u8,
            {
                let three = 3;
                three * 3
            },
        >,
        of: Tagged<u8, N>,
    }
    let wide: Wide = Wide { four: [1, 2, 3, 4], two: [[5, 6]], tagged: Tagged(7), of: Tagged(8) };
    assert_eq!(<Wide>::EVENT_TYPES[0].fields[1].rust_type, "[[u8; 1 + 1]; if true { 1 } else { 0 }]");
    assert_eq!(request(&wide), r#"{"four":[1,2,3,4],"of":8,"tagged":7,"two":[[5,6]]}"#);

    #[derive(AuditEvent)]
    #[audit(source = "a", generate_id)]
    #[repr(u8)]
    enum Numbered {
        One = { 0 + 1 },
        Two { a: u8 } = if true { 2 } else { 3 },
    }
    assert_eq!(json(&Numbered::One)["eventName"], "One");
    assert_eq!(request(&Numbered::Two { a: 1 }), r#"{"a":1}"#);
}

macro_rules! event {
    ($(#[$meta:meta])* $vis:vis $name:ident<$lifetime:lifetime> { $source:expr, $key:literal, $with:path, $($field:ident: $ty:ty),* } $($variant:ident)*) => {
        #[derive(AuditEvent)]
        #[audit(source = $source)]
        $(#[$meta])*
        $vis struct $name<$lifetime> {
            #[audit(id)]
            id: &$lifetime str,
            #[audit(rename = $key, with = $with)]
            len: &$lifetime str,
            $(#[audit(skip_if = Option::is_none)] $field: Option<$ty>,)*
        }

        #[derive(AuditEvent)]
        #[audit(source = $source, generate_id)]
        $vis enum Variants<$lifetime> {
            $($variant { a: &$lifetime str, #[audit(with = $with)] b: &$lifetime str },)*
        }
    };
}

event! {
    /// Made by a macro.
    #[audit(version = "7", name = "Made")]
    pub(crate) FromMacro<'a> { "macro.example.com", "length", str::len, one: Vec<u8>, two: (u8, &'a str) } First Second
}

#[test]
fn a_macro_makes_types_of_any_fragments() {
    let event = FromMacro { id: "1", len: "four", one: Some(vec![1]), two: None };
    assert_eq!(request(&event), r#"{"length":4,"one":[1]}"#);
    let event_type = &FromMacro::EVENT_TYPES[0];
    assert_eq!((event_type.source, event_type.name, event_type.version), ("macro.example.com", "Made", "7"));
    assert_eq!(event_type.doc, "Made by a macro.");
    assert_eq!(event_type.fields[3].rust_type, "Option<(u8, &'a str)>");
    assert_eq!(request(&Variants::Second { a: "x", b: "yz" }), r#"{"a":"x","b":2}"#);
}

#[derive(Serialize, AuditEvent)]
#[serde(bound = "T: Serialize")]
#[audit(source = "a")]
struct Tree<T> {
    #[audit(id)]
    id: u64,
    value: T,
    children: Vec<Tree<T>>,
    parent: Option<Box<Tree<T>>>,
}

#[test]
fn a_type_may_contain_itself() {
    let leaf = |id| Tree { id, value: id, children: vec![], parent: None };
    let tree = Tree { id: 1, value: 2, children: vec![leaf(3)], parent: Some(Box::new(leaf(4))) };
    assert!(request(&tree).contains(r#""children":[{"children":[],"id":3,"parent":null,"value":3}]"#));
}

#[derive(AuditEvent)]
#[audit(source = "a")]
struct Unsized<T: ?Sized> {
    #[audit(id)]
    id: u64,
    tail: T,
}

#[test]
fn the_last_field_may_have_no_size() {
    let event: &Unsized<[u8]> = &Unsized { id: 1, tail: [1, 2, 3] };
    assert_eq!(request(event), r#"{"tail":[1,2,3]}"#);
    let of_text: Box<Unsized<Option<&str>>> = Box::new(Unsized { id: 1, tail: Some("x") });
    assert_eq!(request(&of_text), r#"{"tail":"x"}"#);
}

trait Lending {
    type Item<'x>;
}

trait Reads<T> {}
impl Reads<&[u8]> for u8 {}

struct Opaque<T: ?Sized>(Box<T>);

impl<T: ?Sized> Serialize for Opaque<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(1)
    }
}

#[derive(AuditEvent)]
#[audit(source = "a", generate_id)]
struct Lent<T: Lending> {
    of: Opaque<dyn for<'x> Reads<T::Item<'x>>>,
}

#[test]
fn a_lifetime_of_a_trait_object_stays_within_it() {
    struct Bytes;
    impl Lending for Bytes {
        type Item<'x> = &'x [u8];
    }
    assert_eq!(request(&Lent::<Bytes> { of: Opaque(Box::new(1u8)) }), r#"{"of":1}"#);
}

trait Family {
    type Member;
    type Other: Family;
}

struct Numbers;

impl Family for Numbers {
    type Member = u8;
    type Other = Self;
}

/// Bound only by what is used: nothing here asks anything of `F` or of `Unused`.
#[derive(AuditEvent)]
#[audit(source = "a")]
struct Associated<F: Family, Unused, I>
where
    I: Iterator,
{
    #[audit(id)]
    id: u64,
    direct: F::Member,
    nested: Vec<Option<F::Member>>,
    qualified: <F as Family>::Member,
    twice: <<F as Family>::Other as Family>::Member,
    items: BTreeMap<String, I::Item>,
    #[audit(skip)]
    unused: Unused,
    marker: std::marker::PhantomData<(F, fn(I))>,
    #[audit(redact)]
    secret: Option<Unused>,
}

#[test]
fn parameters_are_bound_only_by_what_is_used() {
    struct Nothing;
    let event = Associated::<Numbers, Nothing, std::iter::Empty<char>> {
        id: 1,
        direct: 2,
        nested: vec![Some(3), None],
        qualified: 4,
        twice: 5,
        items: BTreeMap::from([("six".to_owned(), '6')]),
        unused: Nothing,
        marker: std::marker::PhantomData,
        secret: None,
    };
    assert_eq!(
        request(&event),
        r#"{"direct":2,"items":{"six":"6"},"marker":null,"nested":[3,null],"qualified":4,"secret":"[REDACTED]","twice":5}"#
    );
}

#[derive(AuditEvent)]
#[audit(source = "a")]
struct Actors<'a, T, U: ?Sized> {
    #[audit(id)]
    id: &'a dyn fmt::Display,
    #[audit(user_identity)]
    by: Option<&'a (dyn UserIdentity + Send + Sync)>,
    generic: T,
    unsized_: &'a U,
}

#[derive(AuditEvent)]
#[audit(source = "a", generate_id)]
enum Mixed<A> {
    #[audit(name = "With")]
    With {
        #[audit(user_identity)]
        by: A,
    },
    Skipped {
        #[audit(user_identity, skip_if = never)]
        by: Arc<A>,
    },
}

fn never<T>(_: &T) -> bool {
    false
}

#[test]
fn an_actor_may_be_behind_anything() {
    let alice = Identity::new("Staff", "alice").expect("a right identity");
    let by = |by| json(&Actors { id: &1, by, generic: 'x', unsized_: "y" })["userIdentity"]["principalId"].clone();
    assert_eq!(by(Some(&alice)), "alice");
    assert_eq!(by(None), "shop", "left to the context");
    names_actor::<Mixed<Box<dyn UserIdentity>>>();
    let boxed: Box<dyn UserIdentity> = Box::new(alice.clone());
    assert_eq!(json(&Mixed::With { by: boxed })["userIdentity"]["principalId"], "alice");
    assert_eq!(json(&Mixed::Skipped { by: Arc::new(alice) })["userIdentity"]["principalId"], "alice");
}

#[derive(Debug)]
struct Failed;

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("failed")
    }
}

impl audit_core::AuditError for Failed {
    fn error_code(&self) -> std::borrow::Cow<'_, str> {
        "Failed".into()
    }
}

type Outcome<T> = Result<T, Failed>;

#[derive(AuditEvent)]
#[audit(source = "a", generate_id)]
struct Ended<'a, T, E> {
    #[audit(response)]
    first: u8,
    #[audit(outcome)]
    outcome: &'a Result<T, E>,
}

#[derive(AuditEvent)]
#[audit(source = "a", generate_id)]
struct Aliased<T> {
    #[audit(outcome)]
    outcome: Outcome<Vec<T>>,
}

#[test]
fn an_outcome_may_be_borrowed_or_have_another_name() {
    let ended = Ended::<_, Failed> { first: 1, outcome: &Ok(BTreeMap::from([("second", 2)])) };
    assert_eq!(json(&ended)["responseElements"].to_string(), r#"{"first":1,"second":2}"#);
    let twice = Ended::<_, Failed> { first: 1, outcome: &Ok(BTreeMap::from([("first", 2)])) };
    assert!(rule(&twice).contains("first"), "{}", rule(&twice));
    let failed = json(&Ended::<(), _> { first: 1, outcome: &Err(Failed) });
    assert_eq!((&failed["errorCode"], &failed["responseElements"]["first"]), (&"Failed".into(), &1.into()));
    assert_eq!(json(&Aliased { outcome: Ok(vec![1]) })["responseElements"].to_string(), r#"{"result":[1]}"#);
}

#[derive(AuditEvent)]
#[audit(source = "a\n\"b\"\\", version = "é", name = "N\u{2028}")]
#[allow(non_snake_case, non_camel_case_types)]
struct r#struct {
    #[audit(id)]
    r#type: &'static str,
    #[audit(rename = "with space \"and\" \\ and @?~*#\n")]
    r#match: u8,
    größe: u8,
    __: u8,
    camelCase: u8,
    A: u8,
    #[deprecated]
    old: u8,
}

#[derive(AuditEvent)]
#[audit(source = "a", generate_id)]
#[allow(non_camel_case_types, non_snake_case)]
enum r#enum {
    r#fn {
        r#in: u8,
        größe: u8,
        CamelCase: u8,
        #[deprecated]
        old: u8,
    },
}

#[test]
fn names_and_texts_may_be_anything() {
    #[allow(deprecated)]
    let event = r#struct { r#type: "\u{0}", r#match: 1, größe: 2, __: 3, camelCase: 4, A: 5, old: 6 };
    let json = json(&event);
    assert_eq!((&json["eventSource"], &json["eventName"]), (&"a\n\"b\"\\".into(), &"N\u{2028}".into()));
    let request = &json["requestParameters"];
    for (key, value) in
        [("with space \"and\" \\ and @?~*#\n", 1), ("größe", 2), ("__", 3), ("camelCase", 4), ("a", 5), ("old", 6)]
    {
        assert_eq!(request[key], value, "{key}");
    }
    assert_eq!(r#struct::EVENT_TYPES[0].fields[1].key, "with space \"and\" \\ and @?~*#\n");
    #[allow(deprecated)]
    let variant = r#enum::r#fn { r#in: 1, größe: 2, CamelCase: 3, old: 4 };
    assert_eq!(self::request(&variant), r#"{"camelCase":3,"größe":2,"in":1,"old":4}"#);
    assert_eq!(r#enum::EVENT_TYPES[0].name, "fn");
}

mod named_like_the_library {
    #[derive(audit_core::AuditEvent)]
    #[audit(source = "a", generate_id)]
    pub(crate) struct AuditEvent<EventType, Serialize> {
        pub(crate) event_type: EventType,
        pub(crate) write: Serialize,
    }

    impl<A, B> AuditEvent<A, B> {
        /// Inherent, and in the way of a careless call.
        pub(crate) fn write(&self) {}
        pub(crate) fn of(&self) {}
        pub(crate) const EVENT_TYPES: u8 = 0;
    }
}

#[test]
fn a_type_may_be_named_like_what_is_generated() {
    let event = named_like_the_library::AuditEvent { event_type: 1, write: 2 };
    event.write();
    event.of();
    assert_eq!(named_like_the_library::AuditEvent::<(), ()>::EVENT_TYPES, 0);
    assert_eq!(request(&event), r#"{"eventType":1,"write":2}"#);
}

/// Constants of the type itself, and of its parameters.
#[derive(AuditEvent)]
#[audit(source = Self::SOURCE, version = concat!("1", ".", "5"))]
struct OwnConstants {
    #[audit(id)]
    id: u64,
    #[audit(rename = Self::KEY)]
    a: u8,
    #[audit(rename = OTHER)]
    b: u8,
}

const OTHER: &str = "other";

impl OwnConstants {
    const SOURCE: &'static str = "own.example.com";
    const KEY: &'static str = "own";
}

#[derive(AuditEvent)]
#[audit(source = "a")]
struct SameKeys {
    #[audit(id)]
    id: u64,
    #[audit(rename = OTHER)]
    a: u8,
    other: u8,
}

#[test]
fn constants_may_be_the_types_own_and_are_compared_when_written() {
    let event = OwnConstants { id: 1, a: 2, b: 3 };
    assert_eq!(request(&event), r#"{"other":3,"own":2}"#);
    assert_eq!(event.event_type().source, "own.example.com");
    assert_eq!(event.event_type().version, "1.5");
    let rule = rule(&SameKeys { id: 1, a: 2, other: 3 });
    assert!(rule.contains("other"), "{rule}");
}

#[derive(AuditEvent)]
#[audit(source = "a", generate_id)]
struct Options {
    none: Option<Option<u8>>,
    some_none: Option<Option<u8>>,
    #[audit(hmac)]
    hashed_none: Option<String>,
    #[audit(redact)]
    redacted_none: Option<u8>,
    unit: (),
    #[audit(flatten)]
    flat: Option<BTreeMap<String, u8>>,
    #[audit(with = twice)]
    with_none: u8,
    #[audit(skip_if = Option::is_some, hmac)]
    skipped: Option<u8>,
}

fn twice(value: &u8) -> Option<u8> {
    value.checked_mul(2)
}

#[test]
fn none_leaves_the_key_out_wherever_it_comes_from() {
    let event = Options {
        none: None,
        some_none: Some(None),
        hashed_none: None,
        redacted_none: None,
        unit: (),
        flat: None,
        with_none: 200,
        skipped: Some(1),
    };
    assert_eq!(request(&event), r#"{"redactedNone":"[REDACTED]","unit":null}"#);
}

#[derive(AuditEvent)]
#[audit(source = "a", generate_id)]
struct Flat<'a> {
    a: u8,
    #[audit(flatten)]
    more: BTreeMap<&'a str, u8>,
}

#[test]
fn a_flattened_key_that_is_there_already_is_an_error() {
    assert_eq!(request(&Flat { a: 1, more: BTreeMap::from([("b", 2)]) }), r#"{"a":1,"b":2}"#);
    let rule = rule(&Flat { a: 1, more: BTreeMap::from([("a", 2)]) });
    assert!(rule.contains("\"a\""), "{rule}");
}

#[test]
fn what_keeps_a_schema_is_what_is_written() {
    let schema = Options::EVENT_TYPES[0].json_schema();
    assert_eq!(schema["properties"]["requestParameters"]["required"], serde_json::json!(["redactedNone"]));
    assert!(
        schema["properties"]["requestParameters"].get("additionalProperties").is_none(),
        "it has a flattened field"
    );
    let catalog = serde_json::to_value(Options::EVENT_TYPES).expect("a catalog is JSON");
    assert_eq!(
        catalog[0]["fields"][2],
        serde_json::json!({
            "key": "hashedNone", "role": "request", "rustType": "Option<String>", "optional": true, "protection": "hmac",
        })
    );
}

#[derive(AuditEvent)]
#[audit(source = "a", generate_id)]
struct LeftOut<'a> {
    #[audit(user_identity, skip_if = never)]
    by: &'a Identity,
    #[audit(time, skip_if = always)]
    at: std::time::SystemTime,
    #[audit(user_agent, skip_if = str::is_empty)]
    agent: String,
    #[audit(source_ip, skip_if = std::net::IpAddr::is_loopback)]
    from: std::net::IpAddr,
    #[audit(error_code, skip_if = str::is_empty)]
    code: &'a str,
    #[audit(error_message, with = str::trim, skip_if = str::is_empty)]
    message: &'a str,
    #[audit(additional, skip_if = <[u8]>::is_empty, with = <[u8]>::len)]
    bytes: Vec<u8>,
}

fn always<T>(_: &T) -> bool {
    true
}

#[test]
fn every_role_that_may_be_left_out_can_be() {
    let by = Identity::new("Staff", "alice").expect("a right identity");
    let event = |text: &'static str, from: [u8; 4], bytes: &[u8]| LeftOut {
        by: &by,
        at: std::time::SystemTime::now(),
        agent: text.to_owned(),
        from: from.into(),
        code: text,
        message: text,
        bytes: bytes.to_vec(),
    };
    let without = json(&event("", [127, 0, 0, 1], &[]));
    assert_eq!(
        (&without["eventTime"], &without["userIdentity"]["principalId"]),
        (&"1970-01-01T00:00:00Z".into(), &"alice".into())
    );
    for field in ["userAgent", "sourceIPAddress", "errorCode", "errorMessage", "additionalEventData"] {
        assert!(without.get(field).is_none(), "{field}");
    }
    let with = json(&event(" x ", [203, 0, 113, 7], &[1, 2]));
    assert_eq!((&with["userAgent"], &with["sourceIPAddress"]), (&" x ".into(), &"203.0.113.7".into()));
    assert_eq!((&with["errorCode"], &with["errorMessage"]), (&" x ".into(), &"x".into()));
    assert_eq!(with["additionalEventData"].to_string(), r#"{"bytes":2}"#);
}

/// As crates offer them for serde's `with`.
mod cents {
    pub(crate) fn serialize<S: serde::Serializer>(cents: &u32, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}.{:02}", cents / 100, cents % 100))
    }

    pub(crate) mod option {
        pub(crate) fn serialize<S: serde::Serializer>(cents: &Option<u32>, serializer: S) -> Result<S::Ok, S::Error> {
            match cents {
                Some(cents) => super::serialize(cents, serializer),
                None => serializer.serialize_none(),
            }
        }
    }
}

#[derive(AuditEvent)]
#[audit(source = "a", generate_id)]
enum Priced {
    One {
        #[audit(with = cents::serialize)]
        amount: u32,
        #[audit(with = "cents::option::serialize")]
        none: Option<u32>,
        #[audit(with = cents::serialize, hmac)]
        hashed: u32,
        #[audit(with = cents::serialize, skip_if = always)]
        skipped: u32,
        #[audit(with = collect_failure::serialize)]
        failing: Option<u8>,
    },
}

mod collect_failure {
    pub(crate) fn serialize<S: serde::Serializer>(value: &Option<u8>, serializer: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => serializer.serialize_u8(*value),
            None => Err(serde::ser::Error::custom("there is none")),
        }
    }
}

#[test]
fn serdes_functions_work_under_their_name() {
    let event = |failing| Priced::One { amount: 1999, none: None, hashed: 1, skipped: 2, failing };
    // `printf %s 0.01 | openssl dgst -sha256 -hmac key`
    let hashed = "hmac-sha256:2026a:9b05be08022f607cacf2eaaacc427f490a191a0d0bc6e04b62fd6f69ee6e43b6";
    assert_eq!(request(&event(Some(1))), format!(r#"{{"amount":"19.99","failing":1,"hashed":"{hashed}"}}"#));
    assert!(error(&event(None)).to_string().contains("there is none"));
}

macro_rules! of_forty_fields {
    ($($field:ident)*) => {
        /// Large | wide.
        #[derive(AuditEvent)]
        #[audit(source = "a.example.com", generate_id)]
        struct OfForty {
            $($field: u8,)*
        }
    };
}
of_forty_fields! {
    a0 a1 a2 a3 a4 a5 a6 a7 a8 a9 b0 b1 b2 b3 b4 b5 b6 b7 b8 b9 c0 c1 c2 c3 c4 c5 c6 c7 c8 c9 d0 d1 d2 d3 d4 d5 d6 d7 d8 d9
}

#[test]
fn a_struct_may_have_many_fields() {
    let [event_type] = OfForty::EVENT_TYPES else { panic!("one event type") };
    assert_eq!((event_type.name, event_type.doc), ("OfForty", "Large | wide."));
    let keys: Vec<_> = event_type.fields.iter().map(|field| field.key).collect();
    assert_eq!((keys.len(), keys[0], keys[39]), (40, "a0", "d9"));
}

#[derive(AuditEvent)]
#[audit(source = "a|b", name = "c|d", generate_id)]
struct WithBars {
    #[audit(rename = "x|y")]
    bits: [u8; 1 | 2],
}

#[test]
fn a_bar_may_stand_in_any_text() {
    let [event_type] = WithBars::EVENT_TYPES else { panic!("one event type") };
    assert_eq!((event_type.source, event_type.name, event_type.version), ("a|b", "c|d", "1.0"));
    assert_eq!((event_type.fields[0].key, event_type.fields[0].rust_type), ("x|y", "[u8; 1|2]"));
}
