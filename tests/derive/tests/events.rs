//! What the derives write.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use audit_core::{AccountId, AuditEvent, Context, EventCatalog, NamesActor, UserIdentity};
use serde::Serialize;

#[derive(UserIdentity)]
#[audit(type = "Staff")]
struct Staff {
    #[audit(principal_id)]
    email: String,
    department: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Payout {
    payout_id: u32,
}

#[derive(Debug)]
struct RefundError;
impl std::fmt::Display for RefundError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("declined")
    }
}
impl audit_core::AuditError for RefundError {
    fn error_code(&self) -> std::borrow::Cow<'_, str> {
        "Declined".into()
    }
}

/// A refund was issued.
#[derive(AuditEvent)]
#[audit(source = "orders.example.com")]
struct RefundIssued<'a> {
    #[audit(id)]
    refund: uuid::Uuid,
    #[audit(user_identity)]
    by: &'a Staff,
    #[audit(source_ip)]
    from: IpAddr,
    order_id: &'a str,
    amount_cents: u64,
    #[audit(hmac)]
    iban: &'a str,
    #[audit(outcome)]
    outcome: Result<Payout, RefundError>,
}

fn context() -> Context {
    Context::new(AccountId::from_static("123456789012"))
        .hmac_key("2026a", b"key")
        .time(SystemTime::UNIX_EPOCH + Duration::from_secs(1))
}

fn names_actor<T: NamesActor>(_: &T) {}

#[test]
fn the_event_of_the_architecture_comes_out_as_drawn() {
    let by = Staff { email: "alice@example.com".into(), department: "support".into() };
    let event = RefundIssued {
        refund: uuid::Uuid::nil(),
        by: &by,
        from: IpAddr::from([203, 0, 113, 7]),
        order_id: "ord_1",
        amount_cents: 1999,
        iban: "DE00",
        outcome: Ok(Payout { payout_id: 7 }),
    };
    names_actor(&event);
    let entry = event.to_entry(&context()).unwrap();
    // The HMAC is what `printf %s DE00 | openssl dgst -sha256 -hmac key` prints.
    assert_eq!(
        entry.event_data(),
        concat!(
            r#"{"version":"1.0","eventSource":"orders.example.com","eventName":"RefundIssued","#,
            r#""recipientAccountId":"123456789012","UID":"00000000-0000-0000-0000-000000000000","#,
            r#""eventTime":"1970-01-01T00:00:01Z","userIdentity":{"type":"Staff","principalId":"alice@example.com","#,
            r#""details":{"department":"support"}},"sourceIPAddress":"203.0.113.7","requestParameters":{"orderId":"ord_1","#,
            r#""amountCents":1999,"iban":"hmac-sha256:2026a:5a3ac46b6813ca805e07d80bf67173db4188adc8058a5095570df43d24d17d65"},"#,
            r#""responseElements":{"payoutId":7}}"#
        )
    );
    assert_eq!(RefundIssued::EVENT_TYPES[0].doc, "A refund was issued.");
}

/// Passed on from another system, which names its events itself.
#[derive(AuditEvent)]
#[audit(source = "relay.example.com", generate_id)]
struct Relayed {
    #[audit(event_name)]
    action: String,
}

#[test]
fn an_events_name_may_come_from_a_field() {
    let context = context().identity(&Staff { email: "a@example.com".into(), department: "it".into() });
    let entry = Relayed { action: "repo.create".into() }.to_entry(&context).unwrap();
    let start = r#"{"version":"1.0","eventSource":"relay.example.com","recipientAccountId":"123456789012","eventName":"repo.create","#;
    assert!(entry.event_data().starts_with(start), "{}", entry.event_data());
    assert!(Relayed { action: String::new() }.to_entry(&context).is_err(), "a name is never empty");
    assert_eq!(Relayed::EVENT_TYPES[0].fields[0].role, audit_core::Role::EventName);
}
