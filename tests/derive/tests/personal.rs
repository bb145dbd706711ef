//! `#[audit(personal)]` changes the catalog, and nothing else.

use std::net::IpAddr;

use audit_core::{AccountId, AuditEvent, AuditValue, Context, EventCatalog, Identity};
use serde_json::{Value, json};

fn event_data(event: &impl AuditEvent) -> Value {
    let context = Context::new(AccountId::from_static("123456789012"))
        .identity(&Identity::new("Service", "shop").expect("a right identity"))
        .hmac_key("2026a", b"a test's key, of thirty-two bytes");
    let entry = event.to_entry(&context).expect("a right event");
    serde_json::from_str(entry.event_data()).expect("JSON")
}

#[derive(AuditValue)]
struct Recipient {
    #[audit(personal, rename = "fullName")]
    name: &'static str,
    #[audit(personal, hmac)]
    phone: &'static str,
    parcels: u8,
}

#[derive(AuditEvent)]
#[audit(source = "a", generate_id)]
struct Marked {
    #[audit(source_ip, personal)]
    from: IpAddr,
    #[audit(personal)]
    email: Option<&'static str>,
    #[audit(skip, target = "Customer", personal)]
    customer: u64,
    order: u64,
}

#[derive(AuditEvent)]
#[audit(source = "a", generate_id)]
struct Nested {
    #[audit(nested)]
    to: Vec<Recipient>,
}

#[derive(AuditEvent)]
#[audit(source = "a", generate_id)]
struct Unmarked {
    order: u64,
}

#[test]
fn the_catalog_tells_which_fields_are_personal_data() {
    let [marked] = Marked::EVENT_TYPES else { panic!("one type") };
    let personal: Vec<_> = marked.fields.iter().filter(|field| field.personal).map(|field| field.rust_type).collect();
    assert_eq!(personal, ["IpAddr", "Option<&'static str>", "u64"]);
    assert!(marked.holds_personal_data());

    let [nested] = Nested::EVENT_TYPES else { panic!("one type") };
    assert!(nested.holds_personal_data() && !nested.fields[0].personal);
    let shown = serde_json::to_value(nested).expect("JSON")["fields"][0]["value"]["list"]["object"].clone();
    let personal: Vec<_> = shown.as_array().expect("fields").iter().map(|field| &field["personal"] == true).collect();
    assert_eq!(personal, [true, true, false], "{shown}");

    assert!(!Unmarked::EVENT_TYPES[0].holds_personal_data());
}

#[test]
fn the_event_stays_as_it_is() {
    let event = Marked { from: [192, 0, 2, 1].into(), email: None, customer: 4, order: 7 };
    let data = event_data(&event);
    assert_eq!(data["requestParameters"], json!({ "order": 7 }));
    assert_eq!(data["additionalEventData"]["targets"][0]["id"], "4");
    let nested = event_data(&Nested { to: vec![Recipient { name: "Ada", phone: "1", parcels: 2 }] });
    assert_eq!(nested["requestParameters"]["to"][0]["fullName"], "Ada");
    assert_eq!(event_data(&Unmarked { order: 1 })["requestParameters"]["order"], 1);
}
