//! Every row of the contract's table, at its limit and on both sides of it, for both ways into an entry: JSON from
//! elsewhere and an event that is encoded.

use std::borrow::Cow;

use audit_core::limits::{Field, Kind, RULES, Side, Unit};
use audit_core::{
    AccountId, AuditEvent, Context, EncodeError, EncodeFault, Entry, EventDataWriter, EventType, Identity,
    ObjectWriter, Part, UserIdentity, Violation, schema,
};
use serde_json::{Map, Value, json};

/// An event that keeps the contract, with every field of the schema.
fn whole_event() -> Map<String, Value> {
    let Value::Object(event) = json!({
        "version": "1.0",
        "userIdentity": {"type": "Staff", "principalId": "alice@example.com", "details": {"mfa": true}},
        "userAgent": "orders-admin/3.2",
        "eventSource": "orders.example.com",
        "eventName": "RefundIssued",
        "eventTime": "2026-11-21T10:15:30Z",
        "UID": "refund/17",
        "requestParameters": {"orderId": "ord_01"},
        "responseElements": {"payout": 1},
        "errorCode": "Late",
        "errorMessage": "too late",
        "sourceIPAddress": "203.0.113.7",
        "recipientAccountId": "123456789012",
        "additionalEventData": {"trace": "t-1"},
    }) else {
        unreachable!("an object literal is an object")
    };
    event
}

/// The whole event with another value at a field.
fn event_with(field: Field, value: Value) -> String {
    let mut event = whole_event();
    set(&mut event, field, Some(value));
    Value::Object(event).to_string()
}

fn event_without(field: Field) -> String {
    let mut event = whole_event();
    set(&mut event, field, None);
    Value::Object(event).to_string()
}

fn set(event: &mut Map<String, Value>, field: Field, value: Option<Value>) {
    let (object, key) = match field.path().split_once('.') {
        Some((outer, key)) => (event[outer].as_object_mut().expect("an object"), key),
        None => (event, field.path()),
    };
    match value {
        Some(value) => drop(object.insert(key.to_owned(), value)),
        None => drop(object.remove(key)),
    }
}

/// An object of just so many bytes of JSON, written with characters of one to four bytes.
fn object_of(bytes: usize) -> Value {
    let mut text = String::from("é€😀");
    let frame = json!({"k": text}).to_string().len();
    text.push_str(&"x".repeat(bytes - frame));
    let object = json!({ "k": text });
    assert_eq!(object.to_string().len(), bytes);
    object
}

fn too_long(field: Field, length: usize, limit: usize, unit: Unit) -> Violation {
    Violation::TooLong { field, length, limit, unit }
}

#[test]
fn the_table_has_every_field_once_and_in_its_place() {
    for (at, rule) in RULES.iter().enumerate() {
        assert_eq!(rule.field as usize, at, "{}", rule.path);
        assert_eq!(rule.field.rule(), rule);
    }
    assert!(schema::check(&Value::Object(whole_event()).to_string(), Side::Sender).is_ok());
}

#[test]
fn texts_are_counted_in_characters_however_many_bytes_they_have() {
    for rule in RULES {
        let Kind::Text { max_chars } = rule.kind else { continue };
        for character in ["a", "é", "€", "😀", "\n", "\""] {
            for side in [Side::Sender, Side::Receiver] {
                for length in [max_chars - 1, max_chars] {
                    let event = event_with(rule.field, character.repeat(length).into());
                    assert!(schema::check(&event, side).is_ok(), "{} × {length} in {}", character, rule.path);
                }
                let event = event_with(rule.field, character.repeat(max_chars + 1).into());
                assert_eq!(
                    schema::check(&event, side).unwrap_err(),
                    too_long(rule.field, max_chars + 1, max_chars, Unit::Characters)
                );
            }
        }
    }
}

#[test]
fn objects_are_counted_in_bytes_as_each_side_counts() {
    for (field, kilobytes) in
        [(Field::RequestParameters, 100), (Field::ResponseElements, 100), (Field::AdditionalEventData, 28)]
    {
        for (side, kilobyte) in [(Side::Sender, 1_000), (Side::Receiver, 1_024)] {
            let limit = kilobytes * kilobyte;
            for length in [limit - 1, limit] {
                assert!(schema::check(&event_with(field, object_of(length)), side).is_ok(), "{length}");
            }
            assert_eq!(
                schema::check(&event_with(field, object_of(limit + 1)), side).unwrap_err(),
                too_long(field, limit + 1, limit, Unit::Bytes)
            );
        }
    }
}

#[test]
fn an_event_has_at_most_256_kilobytes_as_each_side_counts() {
    let frame = event_with(Field::Details, object_of(1_000)).len() - 1_000;
    for (side, limit) in [(Side::Sender, 256_000), (Side::Receiver, 262_144)] {
        assert_eq!(side.event_data_bytes(), limit);
        for length in [limit - 1, limit] {
            assert!(schema::check(&event_with(Field::Details, object_of(length - frame)), side).is_ok());
        }
        let event = event_with(Field::Details, object_of(limit + 1 - frame));
        assert_eq!(schema::check(&event, side).unwrap_err(), too_long(Field::EventData, limit + 1, limit, Unit::Bytes));
    }
    assert_eq!((Side::Sender.request_bytes(), Side::Receiver.request_bytes()), (1_000_000, 1_048_576));
}

#[test]
fn a_required_field_must_be_there_and_not_be_empty() {
    for rule in RULES.iter().filter(|rule| rule.field != Field::EventData) {
        let without = schema::check(&event_without(rule.field), Side::Receiver).map(drop);
        if rule.required {
            assert_eq!(without, Err(Violation::Missing(rule.field)), "{}", rule.path);
        } else {
            assert_eq!(without, Ok(()), "{}", rule.path);
        }
        let empty = schema::check(&event_with(rule.field, "".into()), Side::Receiver).map(drop);
        match (rule.kind, rule.required) {
            (Kind::Text { .. } | Kind::Time | Kind::Account, true) => {
                assert_eq!(empty, Err(Violation::Missing(rule.field)), "{}", rule.path);
            }
            (Kind::Text { .. }, false) => assert_eq!(empty, Ok(()), "{}", rule.path),
            _ => assert!(empty.is_err(), "{}", rule.path),
        }
    }
}

#[test]
fn a_value_of_another_kind_is_told_with_what_it_is() {
    for rule in RULES.iter().filter(|rule| rule.field != Field::EventData) {
        for (value, found) in [
            (json!(1), "a number"),
            (json!(null), "null"),
            (json!(true), "a boolean"),
            (json!([{}]), "an array"),
            (json!({}), "an object"),
            (json!("text"), "a string"),
        ] {
            let fits = match rule.kind {
                Kind::Object { .. } => value.is_object(),
                _ => value.is_string(),
            };
            if fits {
                continue;
            }
            let error = schema::check(&event_with(rule.field, value), Side::Receiver).unwrap_err();
            assert_eq!(error, Violation::WrongType { field: rule.field, found });
            assert!(error.to_string().contains(rule.path), "{error}");
        }
    }
    for (whole, found) in [("[]", "an array"), ("\"{}\"", "a string"), (" 17 ", "a number"), ("null", "null")] {
        let error = schema::check(whole, Side::Receiver).unwrap_err();
        assert_eq!(error, Violation::WrongType { field: Field::EventData, found });
    }
}

#[test]
fn a_field_that_the_schema_does_not_have_is_refused() {
    for (path, object) in [("colour", false), ("userIdentity.name", true), ("eventname", false), ("", false)] {
        let mut event = whole_event();
        if object {
            event["userIdentity"]["name"] = json!("x");
        } else {
            event.insert(path.to_owned(), json!("x"));
        }
        let error = schema::check(&Value::Object(event).to_string(), Side::Receiver).unwrap_err();
        assert_eq!(error, Violation::UnknownField(path.to_owned()));
    }
}

#[test]
fn the_sender_writes_the_z_and_the_receiver_does_not_need_it() {
    let event = event_with(Field::EventTime, "2026-11-21T10:15:30".into());
    assert!(schema::check(&event, Side::Receiver).is_ok());
    assert_eq!(schema::check(&event, Side::Sender).unwrap_err(), Violation::BadTime("2026-11-21T10:15:30".into()));
}

#[test]
fn addresses_and_accounts_are_themselves() {
    for good in ["0.0.0.0", "::1", "2001:db8::1", "::ffff:203.0.113.7"] {
        assert!(schema::check(&event_with(Field::SourceIpAddress, good.into()), Side::Sender).is_ok(), "{good}");
    }
    for bad in ["None", "1.2.3", "1.2.3.4:80", "[::1]", "fe80::1%eth0", "01.2.3.4", " 1.2.3.4"] {
        let error = schema::check(&event_with(Field::SourceIpAddress, bad.into()), Side::Receiver).unwrap_err();
        assert_eq!(error, Violation::BadIpAddress(bad.into()));
    }
    for bad in ["12345678901", "1234567890123", "12345678901a", "１２３４５６７８９０１２"] {
        let error = schema::check(&event_with(Field::RecipientAccountId, bad.into()), Side::Receiver).unwrap_err();
        assert_eq!(error, Violation::BadAccount(bad.into()));
    }
}

#[test]
fn text_that_is_no_json_is_told_as_that_even_if_a_field_before_is_wrong() {
    let event = r#"{"eventName":17,"colour":1,"#;
    assert!(matches!(schema::check(event, Side::Receiver), Err(Violation::Syntax { offset: 27, .. })));
    let event = r#"{"eventName":17,"version":"1","version":"1"}"#;
    assert!(matches!(schema::check(event, Side::Receiver), Err(Violation::DuplicateKey { .. })));
}

/// An event whose every text and object has a length of its own.
struct Sized {
    field: Field,
    text: String,
}

static SIZED: EventType = EventType::new("orders.example.com", "Sized");

struct Who<'a>(&'a Sized);

impl UserIdentity for Who<'_> {
    fn identity_type(&self) -> Cow<'_, str> {
        self.0.at(Field::IdentityType).unwrap_or("Staff").into()
    }
    fn principal_id(&self) -> Cow<'_, str> {
        self.0.at(Field::PrincipalId).unwrap_or("alice").into()
    }
    fn details(&self, details: &mut ObjectWriter<'_>) -> Result<(), EncodeError> {
        details.field("k", &self.0.at(Field::Details)).done()
    }
}

impl Sized {
    fn at(&self, field: Field) -> Option<&str> {
        (self.field == field).then_some(self.text.as_str())
    }
}

impl AuditEvent for Sized {
    fn event_type(&self) -> &'static EventType {
        &SIZED
    }
    fn write(&self, data: &mut EventDataWriter<'_>) -> Result<(), EncodeError> {
        data.id(self.at(Field::Uid).unwrap_or("1"))
            .user_identity(&Who(self))
            .user_agent(&self.at(Field::UserAgent))
            .request("k", &self.at(Field::RequestParameters))
            .response("k", &self.at(Field::ResponseElements))
            .error_code(&self.at(Field::ErrorCode))
            .error_message(&self.at(Field::ErrorMessage))
            .field(Part::Additional, "k", &self.at(Field::AdditionalEventData))
            .done()
    }
}

fn encode(field: Field, text: String) -> Result<Entry, EncodeError> {
    Sized { field, text }.to_entry(&Context::new(AccountId::from_static("123456789012")))
}

#[test]
fn an_encoded_event_meets_the_same_limits() {
    let written =
        [Field::IdentityType, Field::PrincipalId, Field::UserAgent, Field::Uid, Field::ErrorCode, Field::ErrorMessage];
    for field in written {
        let limit = field.max_chars().expect("a text");
        for length in [limit - 1, limit] {
            let entry = encode(field, "é".repeat(length)).expect("within the limit");
            assert!(Entry::parse(entry.id(), entry.event_data()).is_ok(), "{}", field.path());
        }
        let longer = encode(field, "é".repeat(limit + 1));
        if matches!(field, Field::IdentityType | Field::Uid) {
            let error = longer.unwrap_err();
            assert_eq!(error.field(), Some(field));
            assert_eq!(error.event_type(), Some(("orders.example.com", "Sized")));
        } else {
            // What may come from outside is cut.
            let entry = longer.expect("cut");
            assert!(Entry::parse(entry.id(), entry.event_data()).is_ok(), "{}", field.path());
        }
    }
    for field in [Field::RequestParameters, Field::ResponseElements, Field::AdditionalEventData] {
        let limit = field.max_bytes(Side::Sender).expect("an object with a limit");
        let text = |bytes: usize| "x".repeat(bytes - r#"{"k":""}"#.len());
        for length in [limit - 1, limit] {
            let entry = encode(field, text(length)).expect("within the limit");
            assert!(Entry::parse(entry.id(), entry.event_data()).is_ok(), "{}", field.path());
        }
        let error = encode(field, text(limit + 1)).unwrap_err();
        assert_eq!(error.field(), Some(field), "{error}");
    }
    let frame = encode(Field::Details, String::new()).expect("short").event_data().len();
    for length in [255_999, 256_000] {
        assert_eq!(encode(Field::Details, "x".repeat(length - frame)).expect("fits").event_data().len(), length);
    }
    assert_eq!(encode(Field::Details, "x".repeat(256_001 - frame)).unwrap_err().field(), Some(Field::EventData));
}

#[test]
fn an_empty_required_text_is_missing_in_an_encoded_event_too() {
    for field in [Field::IdentityType, Field::Uid] {
        let error = encode(field, String::new()).unwrap_err();
        assert_eq!(error.field(), Some(field));
        assert!(matches!(error.fault(), EncodeFault::Contract(Violation::Missing(_))), "{error}");
    }
    assert!(Identity::new("", "p").is_err());
}
