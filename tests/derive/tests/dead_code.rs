//! A field that is only redacted, skipped or otherwise marked counts as read.
#![deny(warnings)]

use audit_core::{AccountId, AuditEvent, Context, Identity, UserIdentity};

#[derive(AuditEvent)]
#[audit(source = "a.example.com")]
struct Everything {
    #[audit(id)]
    id: u8,
    #[audit(time)]
    at: std::time::SystemTime,
    #[audit(user_agent)]
    agent: &'static str,
    #[audit(source_ip)]
    ip: std::net::IpAddr,
    #[audit(user_identity)]
    by: Staff,
    #[audit(outcome)]
    outcome: Result<(), Failure>,
    #[audit(skip)]
    skipped: std::cell::Cell<u8>,
    #[audit(redact)]
    redacted: String,
    #[audit(redact, skip_if = String::is_empty)]
    redacted_if: String,
    #[audit(response, redact)]
    response: String,
    #[audit(additional, redact, rename = "more")]
    additional: String,
    #[audit(hmac)]
    hashed: u8,
    #[audit(target = "Order")]
    order: u8,
    #[audit(skip, target = "Order")]
    other: u8,
}

struct Failure;

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("failed")
    }
}

impl audit_core::AuditError for Failure {
    fn error_code(&self) -> std::borrow::Cow<'_, str> {
        "Failed".into()
    }
}

#[derive(AuditEvent)]
#[audit(source = "a.example.com")]
struct Tuple(
    #[audit(id)] u8,
    #[audit(skip)] u8,
    #[audit(redact, rename = "b")] u8,
    #[audit(event_name)] &'static str,
    #[audit(error_code)] &'static str,
    #[audit(error_message)] &'static str,
);

#[derive(AuditEvent)]
#[audit(source = "a.example.com", generate_id)]
#[repr(C, packed)]
struct Packed {
    #[audit(redact)]
    a: u16,
    #[audit(skip)]
    b: u64,
}

#[derive(AuditEvent)]
#[audit(source = "a.example.com", generate_id)]
struct Generic<'a, T: ?Sized> {
    #[audit(skip)]
    a: &'a T,
    #[audit(redact)]
    b: &'a T,
}

#[derive(AuditEvent)]
#[audit(source = "a.example.com", generate_id)]
enum Variants {
    Named {
        #[audit(skip)]
        skipped: u8,
        #[audit(redact)]
        redacted: u8,
    },
    Tuple(#[audit(skip)] u8, #[audit(redact, rename = "b")] u8),
}

#[derive(UserIdentity)]
#[audit(type = "Staff")]
struct Staff {
    #[audit(principal_id)]
    name: &'static str,
    #[audit(skip)]
    session: u8,
    #[audit(redact)]
    token: &'static str,
}

#[derive(UserIdentity)]
#[audit(type = "Robot")]
#[repr(C, packed)]
struct Robot {
    #[audit(principal_id)]
    serial: u32,
    #[audit(skip)]
    key: u64,
}

#[test]
fn marked_fields_count_as_read() {
    let context = Context::new(AccountId::from_static("123456789012"))
        .identity(&Identity::new("Staff", "alice").unwrap())
        .hmac_key("k", b"key");
    let everything = Everything {
        id: 1,
        at: std::time::UNIX_EPOCH,
        agent: "test",
        ip: [127, 0, 0, 1].into(),
        by: Staff { name: "alice", session: 1, token: "secret" },
        outcome: Err(Failure),
        skipped: std::cell::Cell::new(1),
        redacted: "secret".to_owned(),
        redacted_if: String::new(),
        response: "secret".to_owned(),
        additional: "secret".to_owned(),
        hashed: 1,
        order: 2,
        other: 3,
    };
    let events: [&dyn AuditEvent; 6] = [
        &everything,
        &Tuple(1, 2, 3, "Named", "Code", "message"),
        &Packed { a: 1, b: 2 },
        &Generic { a: "secret", b: "secret" },
        &Variants::Named { skipped: 1, redacted: 2 },
        &Variants::Tuple(1, 2),
    ];
    for event in events {
        let entry = event.to_entry(&context).map(|entry| entry.event_data().to_owned());
        assert!(entry.is_ok_and(|data| !data.contains("secret")));
    }
    assert_eq!(Robot { serial: 7, key: 1 }.principal_id(), "7");
}
