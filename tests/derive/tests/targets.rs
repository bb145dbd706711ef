//! `target`: what an event was done to.
#![deny(warnings)]
#![allow(
    clippy::option_option,
    clippy::items_after_statements,
    clippy::repr_packed_without_abi,
    reason = "the types are odd on purpose"
)]

use std::fmt;

use audit_core::{AccountId, AuditEvent, Context, EncodeError, EventCatalog, EventDataWriter, EventType, Identity};
use serde_json::{Value, json};

fn context() -> Context {
    Context::new(AccountId::from_static("123456789012"))
        .identity(&Identity::new("Service", "shop").expect("a right identity"))
        .time(std::time::UNIX_EPOCH)
}

fn event_data(event: &impl AuditEvent) -> Value {
    let entry = event.to_entry(&context()).expect("a right event");
    serde_json::from_str(entry.event_data()).expect("JSON")
}

fn additional(event: &impl AuditEvent) -> Value {
    event_data(event)["additionalEventData"].take()
}

struct Number(u8);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "No. {}", self.0)
    }
}

fn without_unit(meters: &&str) -> String {
    meters.trim_end_matches('m').to_owned()
}

#[derive(AuditEvent)]
#[audit(source = "a", generate_id)]
struct Everything<'a, T, U: ?Sized> {
    #[audit(target = "Generic")]
    generic: T,
    #[audit(additional)]
    note: &'a str,
    #[audit(skip, target = "Unsized")]
    referred: &'a U,
    #[audit(target = "Maybe")]
    maybe: Option<T>,
    #[audit(skip, target = "Maybe")]
    referred_maybe: &'a Option<u8>,
    #[audit(skip, target = "Twice")]
    twice: Option<Option<&'a str>>,
    #[audit(skip, target = "Number")]
    number: Number,
    #[audit(with = without_unit, target = "Length")]
    length: &'a str,
    #[audit(skip_if = str::is_empty, target = "Text")]
    text: &'a str,
    #[audit(response, target = "A type, with | in it")]
    last: Box<u16>,
}

#[test]
fn each_kind_of_value_becomes_a_target_in_the_order_of_fields() {
    let event = Everything {
        generic: 1,
        note: "n",
        referred: "whole",
        maybe: Some(2),
        referred_maybe: &Some(3),
        twice: Some(Some("4")),
        number: Number(5),
        length: "6m",
        text: "7",
        last: Box::new(8),
    };
    let targets = [
        ("Generic", "1"),
        ("Unsized", "whole"),
        ("Maybe", "2"),
        ("Maybe", "3"),
        ("Twice", "4"),
        ("Number", "No. 5"),
        ("Length", "6"),
        ("Text", "7"),
        ("A type, with | in it", "8"),
    ];
    let targets: Vec<Value> = targets.map(|(name, id)| json!({ "type": name, "id": id })).into();
    assert_eq!(additional(&event), json!({ "note": "n", "targets": targets }));
    let data = event_data(&event);
    assert_eq!(data["requestParameters"], json!({ "generic": 1, "maybe": 2, "length": "6", "text": "7" }));
    assert_eq!(data["responseElements"], json!({ "last": 8 }));
}

#[test]
fn what_is_none_or_left_out_is_no_target() {
    #[derive(AuditEvent)]
    #[audit(source = "a", generate_id)]
    struct Nothing<'a> {
        #[audit(target = "A")]
        a: Option<u8>,
        #[audit(skip, target = "B")]
        b: &'a Option<u8>,
        #[audit(skip, target = "C")]
        c: Option<Option<u8>>,
        #[audit(skip, target = "D", skip_if = str::is_empty)]
        d: &'a str,
    }
    let data = event_data(&Nothing { a: None, b: &None, c: Some(None), d: "" });
    assert_eq!(data.get("additionalEventData"), None);
    assert_eq!(data.get("requestParameters"), None);
}

#[derive(AuditEvent)]
#[audit(source = "a")]
enum Order {
    Paid {
        #[audit(id)]
        id: u8,
        #[audit(target = "Order")]
        order: u64,
    },
    Moved(#[audit(id)] u8, #[audit(skip, target = "Order")] u64, #[audit(additional, rename = "why")] &'static str),
}

#[test]
fn variants_and_packed_structs_have_targets() {
    assert_eq!(additional(&Order::Paid { id: 1, order: 2 }), json!({ "targets": [{ "type": "Order", "id": "2" }] }));
    let moved = additional(&Order::Moved(1, 3, "w"));
    assert_eq!(moved, json!({ "why": "w", "targets": [{ "type": "Order", "id": "3" }] }));

    #[derive(AuditEvent)]
    #[audit(source = "a", generate_id)]
    #[repr(packed)]
    struct Packed {
        #[audit(skip, target = "Order")]
        small: u8,
        #[audit(target = "Order")]
        large: u64,
    }
    let targets = json!({ "targets": [{ "type": "Order", "id": "1" }, { "type": "Order", "id": "2" }] });
    assert_eq!(additional(&Packed { small: 1, large: 2 }), targets);
}

#[test]
fn the_catalog_and_the_schema_have_the_types_of_targets() {
    const WAREHOUSE: &str = "Warehouse";
    #[derive(AuditEvent)]
    #[audit(source = "a", generate_id)]
    struct Sent {
        #[audit(target = WAREHOUSE)]
        to: u8,
    }
    assert_eq!(additional(&Sent { to: 1 }), json!({ "targets": [{ "type": "Warehouse", "id": "1" }] }));

    let targets = |types: &[EventType]| {
        types.iter().flat_map(|of| of.fields).map(|field| (field.role.as_str(), field.target)).collect::<Vec<_>>()
    };
    assert_eq!(targets(Sent::EVENT_TYPES), [("request", "Warehouse")]);
    let expected = [("id", ""), ("request", "Order"), ("id", ""), ("additional", ""), ("target", "Order")];
    assert_eq!(targets(Order::EVENT_TYPES), expected);
    assert_eq!(
        serde_json::to_value(Order::EVENT_TYPES).expect("JSON")[0]["fields"][1],
        json!({ "key": "order", "role": "request", "rustType": "u64", "optional": false, "protection": "none", "target": "Order" })
    );
    let schema = Order::EVENT_TYPES[0].json_schema();
    let additional = &schema["properties"]["additionalEventData"];
    assert_eq!(additional["properties"]["targets"]["items"]["properties"]["type"]["enum"], json!(["Order"]));
    assert_eq!(additional["required"], json!(["targets"]));
}

struct ByHand(Vec<&'static str>, &'static str);

impl AuditEvent for ByHand {
    fn event_type(&self) -> &'static EventType {
        const { &EventType::new("a", "ByHand") }
    }
    fn write(&self, data: &mut EventDataWriter<'_>) -> Result<(), EncodeError> {
        data.id("1").target("First", &1);
        for id in &self.0 {
            data.target("Order", id);
        }
        data.additional(self.1, &true).done()
    }
}

#[test]
fn targets_keep_the_limit_and_the_keys_of_their_object() {
    let targets = json!([{ "type": "First", "id": "1" }, { "type": "Order", "id": "2" }]);
    assert_eq!(additional(&ByHand(vec!["2"], "own")), json!({ "own": true, "targets": targets }));
    let rule = |event: &ByHand| {
        let error = event.to_entry(&context()).expect_err("a broken rule");
        std::error::Error::source(&error).expect("which rule").to_string()
    };
    let alike = rule(&ByHand(vec!["2"], "targets"));
    assert!(alike.contains("targets"), "{alike}");
    let too_large = rule(&ByHand(vec!["ord_17"; 2_000], "own"));
    assert!(too_large.contains("additionalEventData"), "{too_large}");

    struct Fails;
    impl fmt::Display for Fails {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            Err(fmt::Error)
        }
    }
    #[derive(AuditEvent)]
    #[audit(source = "a", generate_id)]
    struct Failing {
        #[audit(skip, target = "Order")]
        order: Fails,
    }
    let error = Failing { order: Fails }.to_entry(&context()).expect_err("its Display fails");
    assert!(error.to_string().contains("targets"), "{error}");
}
