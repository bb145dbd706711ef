//! `AuditValue`: values that hide their protected fields wherever they stand, and nowhere show them.

use std::collections::{BTreeMap, HashMap};

use audit_core::{
    AccountId, AuditEvent, AuditValue, Context, EncodeError, EncodeFault, EventCatalog, HmacKeys, Identity,
};

const SECRET: &str = "DE89370400440532013000";

#[derive(AuditValue)]
struct Payment {
    amount_cents: u64,
    #[audit(hmac)]
    iban: String,
    #[audit(redact)]
    holder: &'static str,
    note: Option<String>,
    #[audit(skip)]
    session: &'static str,
    #[audit(rename = "lines", with = Vec::len)]
    parts: Vec<u8>,
    #[audit(skip_if = String::is_empty)]
    reference: String,
    #[audit(hmac)]
    bic: Option<&'static str>,
    #[audit(redact, skip_if = Option::is_none)]
    pin: Option<u16>,
}

fn payment() -> Payment {
    Payment {
        amount_cents: 5,
        iban: SECRET.to_owned(),
        holder: "SECRET holder",
        note: None,
        session: "SECRET session",
        parts: vec![1, 2],
        reference: String::new(),
        bic: None,
        pin: None,
    }
}

#[derive(AuditValue)]
#[audit(rename_all = "snake_case")]
enum Method {
    Cash,
    #[audit(name = "transfer")]
    Transfer {
        #[audit(nested)]
        by_payment: Box<Payment>,
        tries: u8,
    },
    Card(#[audit(rename = "pan", hmac)] u64, #[audit(skip)] u8),
}

/// A type of the application, between the event and the value.
#[derive(serde::Serialize)]
struct Order<T> {
    payment: Option<T>,
}

#[derive(AuditEvent)]
#[audit(source = "a.example.com", generate_id)]
struct Paid<'a, T> {
    #[audit(nested)]
    payment: &'a Payment,
    #[audit(nested)]
    list: Vec<Option<Payment>>,
    #[audit(nested)]
    by_name: BTreeMap<String, Payment>,
    #[audit(nested, response)]
    none: Option<Payment>,
    #[audit(nested)]
    methods: Vec<Method>,
    #[audit(nested)]
    generic: T,
    #[audit(additional)]
    order: Order<Payment>,
    #[audit(flatten)]
    flat: HashMap<&'static str, Payment>,
}

fn paid(payment: &Payment) -> Paid<'_, [Payment; 0]> {
    let methods =
        vec![Method::Cash, Method::Transfer { by_payment: Box::new(self::payment()), tries: 2 }, Method::Card(4111, 1)];
    Paid {
        payment,
        list: vec![None, Some(self::payment())],
        by_name: BTreeMap::from([("one".to_owned(), self::payment())]),
        none: None,
        methods,
        generic: [],
        order: Order { payment: Some(self::payment()) },
        flat: HashMap::from([("flat", self::payment())]),
    }
}

fn context() -> Context {
    Context::new(AccountId::from_static("123456789012"))
        .identity(&Identity::new("Service", "shop").expect("a right identity"))
        .time(std::time::UNIX_EPOCH)
}

#[test]
fn protected_fields_are_hidden_wherever_the_value_stands() {
    let keys = HmacKeys::new().add("k", b"key");
    let mask = keys.search(SECRET).remove(0);
    let shown = serde_json::json!({ "amountCents": 5, "iban": mask, "holder": "[REDACTED]", "lines": 2 });
    let entry = paid(&payment()).to_entry(&context().hmac_key("k", b"key")).unwrap();
    assert!(!entry.event_data().contains("SECRET") && !entry.event_data().contains(SECRET));
    let data: serde_json::Value = serde_json::from_str(entry.event_data()).unwrap();
    assert_eq!(
        data["requestParameters"],
        serde_json::json!({
            "payment": shown,
            "list": [null, shown],
            "byName": { "one": shown },
            "methods": ["Cash", { "transfer": { "by_payment": shown, "tries": 2 } }, { "Card": { "pan": keys.search(&4111).remove(0) } }],
            "generic": [],
            "flat": shown,
        })
    );
    assert_eq!(data["additionalEventData"], serde_json::json!({ "order": { "payment": shown } }));
    assert!(data.get("responseElements").is_none());
}

#[derive(AuditValue)]
struct Redacted(#[audit(redact, rename = "a")] &'static str);

#[test]
fn outside_of_an_event_nothing_hidden_is_written() {
    for value in [serde_json::to_string(&payment()), serde_json::to_string(&[payment()])] {
        let error = value.unwrap_err().to_string();
        assert_eq!(error, "the hmac field `iban` is written only in an audit event");
    }
    assert!(serde_json::to_value(Method::Card(4111, 1)).is_err());
    // What is only redacted is redacted everywhere.
    assert_eq!(serde_json::to_string(&Redacted("SECRET")).unwrap(), r#"{"a":"[REDACTED]"}"#);
}

#[derive(AuditEvent)]
#[audit(source = "a.example.com", generate_id)]
struct One<T> {
    value: T,
}

#[test]
fn a_missing_key_is_named_with_its_path() {
    let error = One { value: [payment()] }.to_entry(&context()).unwrap_err();
    assert!(
        matches!(error.fault(), EncodeFault::NoHmacKey { key } if key == "requestParameters.value.iban"),
        "{error}"
    );
    let error = One { value: payment() }.to_entry(&context().hmac_key("not an id", b"key")).unwrap_err();
    assert!(matches!(error.fault(), EncodeFault::HmacKeyId), "{error}");
    // Nothing is left over for the next event.
    let error = One { value: BTreeMap::from([((1, 2), 3)]) }.to_entry(&context()).unwrap_err();
    assert!(matches!(error.fault(), EncodeFault::NotJson { .. }), "{error}");
    assert!(One { value: 1 }.to_entry(&context()).is_ok());
}

/// A value whose `Serialize` encodes an event of its own, with another key, and then fails.
struct Encodes(bool);

impl serde::Serialize for Encodes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let inner = One { value: payment() }.to_entry(&context().hmac_key("inner", b"other"));
        assert!(inner.expect("a right event").event_data().contains("hmac-sha256:inner:"));
        if self.0 { serializer.serialize_u8(1) } else { Err(serde::ser::Error::custom(SECRET)) }
    }
}

#[derive(AuditValue)]
struct Outer {
    first: Encodes,
    #[audit(hmac)]
    hidden: Encodes,
}

#[test]
fn each_event_has_its_own_key_and_no_error_shows_a_hidden_value() {
    let with_key = context().hmac_key("outer", b"key");
    let entry = One { value: Outer { first: Encodes(true), hidden: Encodes(true) } }.to_entry(&with_key).unwrap();
    assert!(entry.event_data().contains(r#""hidden":"hmac-sha256:outer:"#), "{}", entry.event_data());
    let error: EncodeError =
        One { value: Outer { first: Encodes(true), hidden: Encodes(false) } }.to_entry(&with_key).unwrap_err();
    assert!(!error.to_string().contains(SECRET) && !format!("{error:?}").contains(SECRET), "{error:?}");
    assert!(error.to_string().contains("`hidden`"), "{error}");
}

#[derive(AuditEvent)]
#[audit(source = "a.example.com", generate_id)]
struct Plain {
    #[audit(nested)]
    payment: Payment,
    #[audit(nested)]
    method: Option<Vec<Method>>,
    #[audit(nested, response)]
    names: BTreeMap<String, Payment>,
}

#[test]
fn the_catalog_and_the_schema_show_what_is_inside() {
    let catalog = serde_json::to_value(Plain::EVENT_TYPES).unwrap();
    let payment = &catalog[0]["fields"][0]["value"]["object"];
    assert_eq!(
        payment[1],
        serde_json::json!({ "key": "iban", "rustType": "String", "optional": false, "protection": "hmac" })
    );
    assert_eq!(payment[2]["protection"], "redact");
    assert_eq!(payment.as_array().unwrap().len(), 8);
    let methods = &catalog[0]["fields"][1]["value"]["orNull"]["list"]["oneOf"];
    assert_eq!(methods[0], serde_json::json!({ "name": "Cash" }));
    assert_eq!(methods[1]["variant"][0], "transfer");

    let schema = Plain::EVENT_TYPES[0].json_schema();
    let request = &schema["properties"]["requestParameters"];
    assert_eq!(request["required"], serde_json::json!(["payment"]));
    let payment = &request["properties"]["payment"];
    assert_eq!(payment["properties"]["holder"], serde_json::json!({ "const": "[REDACTED]" }));
    assert_eq!(payment["properties"]["iban"]["type"], "string");
    assert_eq!(payment["additionalProperties"], false);
    assert_eq!(request["properties"]["method"]["items"]["oneOf"][0], serde_json::json!({ "const": "Cash" }));
    let names = &schema["properties"]["responseElements"]["properties"]["names"];
    assert_eq!(&names["additionalProperties"], payment);
    let event = Plain { payment: self::payment(), method: None, names: BTreeMap::new() };
    assert!(event.to_entry(&context().hmac_key("k", b"key")).is_ok());
}

#[test]
fn a_value_may_be_behind_pointers_and_in_the_details_of_an_identity() {
    let with_key = context().hmac_key("k", b"key");
    let entry = One { value: (Box::new(payment()), Some(&payment())) }.to_entry(&with_key).unwrap();
    assert_eq!(entry.event_data().matches("hmac-sha256:k:").count(), 2);
    assert!(Identity::new("a", "b").unwrap().detail("payment", payment()).is_err());
}

#[derive(AuditEvent)]
#[audit(source = "a.example.com", generate_id)]
struct Nested {
    #[audit(nested)]
    payments: Vec<Option<Payment>>,
}

#[test]
fn a_missing_key_is_found_before_any_event_wherever_the_field_is() {
    fn check<E: EventCatalog>() -> Result<(), String> {
        for context in [context().hmac_key("k", b"key"), context().hmac_key("not an id", b"key")] {
            let checked = context.check_event_type(&E::EVENT_TYPES[0]).map_err(|error| error.fault().clone());
            assert!(matches!(checked, Ok(()) | Err(EncodeFault::HmacKeyId)), "{checked:?}");
        }
        context().check_event_type(&E::EVENT_TYPES[0]).map_err(|error| error.to_string())
    }
    let at = |path: &str, name: &str| {
        Err(format!(
            "event {name} of a.example.com: `{path}` is an hmac field, and there is no key; give one with `.hmac_key(id, key)`, \
             or to audit-client in AUDIT_HMAC_KEY=<id>:<key>"
        ))
    };
    assert_eq!(check::<Nested>(), at("requestParameters.payments.iban", "Nested"));
    assert_eq!(check::<One<Payment>>(), Ok(()), "the catalog does not know what is inside of it");
    // The event says the same.
    let error = Nested { payments: vec![Some(payment())] }.to_entry(&context()).unwrap_err();
    assert_eq!(Err(error.to_string()), check::<Nested>());
}
