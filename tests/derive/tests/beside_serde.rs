//! A type may derive `Serialize` beside, for other purposes, if it says what its `#[serde(…)]` means for the audit trail.

use audit_core::{AccountId, AuditEvent, Context, Identity};

#[derive(AuditEvent, serde::Serialize)]
#[audit(source = "a.example.com", rename_all = "snake_case")]
#[serde(rename_all = "UPPERCASE", tag = "type")]
struct Event {
    #[audit(id)]
    #[serde(rename = "identifier", skip)]
    id: u8,
    #[serde(skip)]
    #[audit(request)]
    shown: u8,
    #[serde(skip_serializing_if = "Option::is_none", rename = "n")]
    #[audit(rename = "note")]
    note: Option<u8>,
    #[serde(skip)]
    #[audit(skip)]
    password: u8,
}

#[test]
fn both_have_their_own_json() {
    let event = Event { id: 1, shown: 2, note: Some(3), password: 4 };
    assert_eq!(serde_json::to_string(&event).unwrap(), r#"{"type":"Event","n":3}"#);
    let context = Context::new(AccountId::from_static("123456789012"));
    let entry = event.to_entry(&context.identity(&Identity::new("Service", "shop").unwrap())).unwrap();
    assert!(entry.event_data().ends_with(r#""requestParameters":{"shown":2,"note":3}}"#), "{}", entry.event_data());
    assert_eq!(event.password, 4);
}
