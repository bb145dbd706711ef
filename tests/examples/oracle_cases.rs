//! Prints how this project encodes many values, one JSON object a line, for `tests/oracles/run` to compare with independent
//! programs.
#![allow(clippy::print_stdout, reason = "its output is its purpose")]

use audit_core::{
    AccountId, AuditEvent, Checksum, Context, EncodeError, EventDataWriter, EventId, EventType, Identity,
};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

struct Sample<'a>(&'a str, &'a Value);

impl AuditEvent for Sample<'_> {
    fn event_type(&self) -> &'static EventType {
        const { &EventType::new("oracle.example.com", "Sample") }
    }
    fn write(&self, data: &mut EventDataWriter<'_>) -> Result<(), EncodeError> {
        data.id(self.0).request("value", self.1).done()
    }
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
    leaf.prop_recursive(5, 48, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            btree_map(any::<String>(), inner, 0..6).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let context =
        Context::new(AccountId::from_static("123456789012")).identity(&Identity::new("Oracle", "nobody-here")?);
    let mut runner = TestRunner::deterministic();
    for number in 0..2_000 {
        let value = any_json().new_tree(&mut runner).map_err(|reason| reason.to_string())?.current();
        let entry = Sample(&format!("event/{number}"), &value).to_entry(&context)?;
        println!(
            "{}",
            json!({
                "kind": "event",
                "id": entry.id(),
                "eventData": entry.event_data(),
                "checksum": entry.checksum(),
                "uid": format!("event/{number}"),
                // Numbers as text, so that no reader rounds them.
                "value": value.to_string(),
            })
        );
    }
    let lengths = (0..=300).chain([1_000, 4_095, 4_096, 65_536, 99_991, 255_999, 256_000]);
    for length in lengths {
        let data = vec("[ -~]", length).new_tree(&mut runner).map_err(|reason| reason.to_string())?.current().concat();
        let constant = (length <= Checksum::MAX_CONSTANT_BYTES).then(|| Checksum::of_constant(data.as_bytes()));
        println!(
            "{}",
            json!({"kind": "checksum", "data": data, "checksum": Checksum::of(data.as_bytes()), "constant": constant})
        );
    }
    for _ in 0..2_000 {
        let source = any::<String>().new_tree(&mut runner).map_err(|reason| reason.to_string())?.current();
        println!("{}", json!({"kind": "id", "source": source, "id": EventId::derive(&source)}));
        let source = "[-_A-Za-z0-9 .]{0,140}".new_tree(&mut runner).map_err(|reason| reason.to_string())?.current();
        println!("{}", json!({"kind": "id", "source": source, "id": EventId::derive(&source)}));
    }
    Ok(())
}
