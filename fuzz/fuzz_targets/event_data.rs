//! Any text as an event's data: checked without a panic, and accepted data means the same to another parser.
//!
//! `cargo +nightly fuzz run event_data`
#![no_main]

use audit_core::limits::Side;
use audit_core::schema;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|text: &str| {
    let strict = schema::check(text, Side::Sender);
    match schema::check(text, Side::Receiver) {
        Ok(fields) => {
            let event: Value = serde_json::from_str(text).expect("what is taken is JSON");
            assert_eq!(event["UID"], *fields.uid);
            assert_eq!(event["eventName"], *fields.event_name);
            assert_eq!(event["userIdentity"]["principalId"], *fields.principal_id);
        }
        Err(violation) => {
            assert!(strict.is_err(), "the sender takes what the receiver refuses: {violation}");
            assert!(violation.to_string().len() < 2_000);
        }
    }
});
