//! JSON from elsewhere: whatever comes in, an entry or an error comes out, and nothing that two readers could read
//! differently.

use audit_core::limits::Side;
use audit_core::{Batch, Checksum, Entry, EntryError, EventId, Reason, Violation, schema};
use proptest::prelude::*;
use serde_json::Value;

const EVENT: &str = r#"{"version":"1.0","userIdentity":{"type":"Staff","principalId":"alice@example.com","details":{"department":"support","mfa":true}},"userAgent":"orders-admin/3.2","eventSource":"orders.example.com","eventName":"RefundIssued","eventTime":"2026-11-21T10:15:30Z","UID":"0190b6c2-6c1e-7cc3-8f0e-2f6c9f1c2a11","requestParameters":{"orderId":"ord_01HZX3V7Q8","amountCents":1999,"currency":"EUR","reason":"damaged in transit \u20ac\ud83d\ude00 \"","list":[1,-2.5e3,null,{"a":[]}]},"sourceIPAddress":"203.0.113.7","recipientAccountId":"123456789012"}"#;

fn text_of(event: &Value, path: &str) -> String {
    event.pointer(path).and_then(Value::as_str).expect("the check has seen it").to_owned()
}

/// What holds of every text: a taken one is JSON for `serde_json` too, and says there what it says here.
fn judge(text: &str) {
    for side in [Side::Sender, Side::Receiver] {
        match schema::check(text, side) {
            Ok(fields) => {
                let event: Value = serde_json::from_str(text).expect("what is taken is JSON");
                assert_eq!(fields.version, text_of(&event, "/version"));
                assert_eq!(fields.uid, text_of(&event, "/UID"));
                assert_eq!(fields.event_name, text_of(&event, "/eventName"));
                assert_eq!(fields.principal_id, text_of(&event, "/userIdentity/principalId"));
                assert_eq!(fields.recipient_account_id.as_str(), text_of(&event, "/recipientAccountId"));
            }
            Err(Violation::Syntax { offset, .. } | Violation::TooDeep { offset }) => assert!(offset <= text.len()),
            Err(violation) => assert!(violation.to_string().chars().count() < 400, "{violation}"),
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_judged(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        judge(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn an_event_with_some_bytes_changed_is_judged(
        changes in proptest::collection::vec((0..EVENT.len(), prop_oneof![
            any::<u8>(), proptest::sample::select(b"{}[]:,\"\\ux0-1.eE tfn\n".to_vec()),
        ]), 1..5),
        cut in 0..EVENT.len() * 4,
    ) {
        let mut bytes = EVENT.as_bytes().to_vec();
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        bytes.truncate(cut);
        judge(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn an_event_with_pieces_moved_is_judged(from in 0..EVENT.len(), length in 0..80_usize, to in 0..EVENT.len()) {
        let piece = &EVENT.as_bytes()[from..(from + length).min(EVENT.len())];
        let bytes = [&EVENT.as_bytes()[..to], piece, &EVENT.as_bytes()[to..]].concat();
        judge(&String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn an_entry_is_what_was_given_to_the_byte() {
    let spaced = format!("\n {} \t", EVENT.replace("\":", "\" : "));
    let entry = Entry::parse("a-1", spaced.as_str()).expect("space is JSON's own");
    assert_eq!(entry.event_data(), spaced);
    assert_eq!(entry.checksum(), Checksum::of(spaced.as_bytes()));
    assert_eq!(Entry::parse(EventId::from_static("a-1"), spaced.clone()).expect("an id is an id"), entry);
    let (id, event_data, checksum) = entry.into_parts();
    assert_eq!((id.as_str(), &*event_data, checksum), ("a-1", spaced.as_str(), Checksum::of(spaced.as_bytes())));
}

#[test]
fn an_id_and_data_that_are_wrong_are_told_apart() {
    let chain = |error: EntryError| {
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        (error.to_string(), cause.expect("which rule"))
    };
    let (part, rule) = chain(Entry::parse("a b", EVENT).unwrap_err());
    assert_eq!(part, "the id breaks its rule");
    assert_eq!(rule, "\"a b\" is not an event's id: it must be 1 to 128 of [-_A-Za-z0-9]");
    let (part, rule) = chain(Entry::parse("a", "").unwrap_err());
    assert_eq!(part, "the event data breaks a rule of the contract");
    assert_eq!(rule, "not JSON: expected a value at byte 0");
}

/// Inputs that make careless readers slow: each is checked at two sizes, and the work is counted in what was read, not
/// in time, by the size that makes a quadratic reader take minutes.
#[test]
fn no_input_takes_quadratic_time() {
    let keys: Vec<String> = (0..30_000).map(|at| format!("\"k{at}\":0")).collect();
    let many = format!("{{{}}}", keys.join(","));
    let same_length: Vec<String> = (0..30_000).map(|at| format!("\"{at:06}\":0")).collect();
    let nested = format!("{}{}", "{\"a\":[".repeat(50), "]}".repeat(50));
    for object in [
        many,
        format!("{{{}}}", same_length.join(",")),
        format!("[{}1]", "{},".repeat(80_000)),
        format!("\"{}\"", "\\u00e9".repeat(40_000)),
        format!("[{nested}{}]", ",1".repeat(100_000)),
        "[".repeat(250_000),
        "\"".repeat(250_000),
        format!("\"{}", "\\".repeat(250_000)),
        "9".repeat(250_000),
        " ".repeat(250_000),
    ] {
        let event = EVENT.replacen("{\"department\":\"support\",\"mfa\":true}", &format!("{{\"k\":{object}}}"), 1);
        for _ in 0..20 {
            judge(&event);
        }
    }
}

fn entry(id: usize, bytes: usize) -> Entry {
    let frame = EVENT.replace("support", "").len();
    Entry::parse(format!("entry-{id:03}"), EVENT.replace("support", &"x".repeat(bytes - frame))).expect("fits")
}

#[test]
fn a_batch_takes_100_entries_and_counts_the_body_to_the_byte() {
    let mut batch = Batch::new();
    assert_eq!((batch.len(), batch.is_empty(), batch.wire_len()), (0, true, 18));
    for number in 0..100 {
        assert!(!batch.is_full());
        batch.push(entry(number, 700 + number)).expect("fits");
    }
    let entries = batch.entries().iter().map(|entry| {
        serde_json::json!({
            "id": entry.id(),
            "eventData": entry.event_data(),
            "eventDataChecksum": entry.checksum(),
        })
    });
    let body = serde_json::json!({ "auditEvents": entries.collect::<Vec<_>>() });
    assert_eq!(batch.wire_len(), body.to_string().len());
    let refused = batch.push(entry(100, 700)).unwrap_err();
    assert_eq!((refused.reason, refused.entry.id().as_str(), batch.is_full()), (Reason::Full, "entry-100", true));
}

#[test]
fn a_batch_takes_a_million_bytes_and_not_one_more() {
    let mut batch = Batch::new();
    for number in 0..4 {
        batch.push(entry(number, 240_000)).expect("fits");
    }
    let room = 1_000_000 - batch.wire_len() - 1;
    let frame = entry(4, 1_000).wire_len() - 1_000;
    let refused = batch.push(entry(4, room - frame + 1)).unwrap_err();
    assert_eq!(refused.reason, Reason::TooLarge { bytes: 1_000_001, limit: 1_000_000 });
    assert!(refused.to_string().contains("1000001"), "{refused}");
    batch.push(entry(4, room - frame)).expect("just fits");
    assert_eq!(batch.wire_len(), 1_000_000);
    let refused = batch.push(entry(4, 700)).unwrap_err();
    assert_eq!(refused.reason, Reason::DuplicateId, "an id that is there is told first");
}

#[test]
fn the_largest_event_fits_an_empty_batch_even_if_every_byte_is_escaped() {
    let frame = EVENT.replace("support", "").len();
    let data = EVENT.replace("support", &"\\\"".repeat((256_000 - frame) / 2));
    let entry = Entry::parse("a".repeat(128), data).expect("fits");
    Batch::new().push(entry).expect("at most six bytes for one, and no control character stands bare in JSON");
}

#[test]
fn a_restored_entry_is_the_one_that_was_kept_and_other_bytes_are_refused() {
    for event in [
        EVENT.to_owned(),
        EVENT.replace(r#","recipientAccountId":"123456789012""#, "").replacen(
            '{',
            r#"{"recipientAccountId":"123456789012","#,
            1,
        ),
    ] {
        let entry = Entry::parse("refund-17", event).expect("fits");
        let (id, event_data, checksum) = entry.clone().into_parts();
        let restored = Entry::restore(id.clone(), event_data.clone(), checksum).expect("the same bytes");
        assert_eq!((&restored, restored.recipient_account_id()), (&entry, entry.recipient_account_id()));

        let changed = event_data.replace("alice", "alicf");
        let error = Entry::restore(id.clone(), changed, checksum).unwrap_err();
        assert!(matches!(error, EntryError::Checksum { expected } if expected == checksum), "{error}");
    }
    let error = Entry::restore("a", "{}", Checksum::of(b"{}")).unwrap_err();
    assert!(matches!(error, EntryError::EventData(_)), "{error}");
}

#[test]
fn a_nested_account_is_not_the_recipient_of_a_restored_entry() {
    let event = EVENT.replace(r#","recipientAccountId":"123456789012""#, "").replacen(
        '{',
        r#"{"requestParameters":{"recipientAccountId":"999999999999"},"recipientAccountId":"123456789012","#,
        1,
    );
    let event = event.replacen(r#","requestParameters":{"orderId""#, r#","responseElements":{"orderId""#, 1);
    let entry = Entry::parse("refund-17", event).expect("fits");
    let (id, event_data, checksum) = entry.clone().into_parts();
    assert_eq!(Entry::restore(id, event_data, checksum), Ok(entry));
}
