//! The event that is encoded, and what one would write by hand instead.

use std::time::{Duration, UNIX_EPOCH};

use audit_core::{AccountId, AuditEvent, Context, UserIdentity};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};

/// A text that brings the event to about so many bytes: 467 are the event's own.
#[must_use]
pub fn reason(event_bytes: usize) -> String {
    "damaged in transit ".chars().cycle().take(event_bytes.saturating_sub(467)).collect()
}

/// Who acts.
#[derive(Serialize, UserIdentity)]
#[audit(type = "Staff")]
pub struct Staff<'a> {
    /// Not among the details.
    #[audit(principal_id)]
    #[serde(skip)]
    pub email: &'a str,
    /// A detail.
    pub department: &'a str,
    /// A detail.
    pub mfa: bool,
}

const ALICE: Staff<'_> = Staff { email: "alice@example.com", department: "support", mfa: true };
const UID: &str = "0190b6c2-6c1e-7cc3-8f0e-2f6c9f1c2a11";

/// What happened.
#[derive(AuditEvent)]
#[audit(source = "orders.example.com")]
pub struct RefundIssued<'a> {
    #[audit(id)]
    refund: &'a str,
    #[audit(user_identity)]
    by: &'a Staff<'a>,
    order_id: &'a str,
    amount_cents: u64,
    currency: &'a str,
    reason: &'a str,
}

impl<'a> RefundIssued<'a> {
    /// The event with this text.
    #[must_use]
    pub fn new(reason: &'a str) -> Self {
        Self { refund: UID, by: &ALICE, order_id: "ord_01HZX3V7Q8", amount_cents: 1999, currency: "EUR", reason }
    }
}

/// What the event does not carry.
#[must_use]
pub fn context() -> Context {
    Context::new(AccountId::from_static("123456789012"))
        .user_agent("orders-admin/3.2")
        .source_ip([203, 0, 113, 7].into())
        .time(UNIX_EPOCH + Duration::from_secs(1_795_256_130))
}

/// The event as a typed serde struct: what a careful hand-written integration has.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ByHand<'a> {
    version: &'a str,
    user_identity: ByHandIdentity<'a>,
    user_agent: &'a str,
    event_source: &'a str,
    event_name: &'a str,
    event_time: &'a str,
    #[serde(rename = "UID")]
    uid: &'a str,
    request_parameters: ByHandRequest<'a>,
    #[serde(rename = "sourceIPAddress")]
    source_ip_address: &'a str,
    recipient_account_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ByHandIdentity<'a> {
    r#type: &'a str,
    principal_id: &'a str,
    details: &'a Staff<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ByHandRequest<'a> {
    order_id: &'a str,
    amount_cents: u64,
    currency: &'a str,
    reason: &'a str,
}

/// What stands beside the data on the wire.
#[must_use]
pub fn checksum_by_hand(event_data: &str) -> String {
    STANDARD.encode(Sha256::digest(event_data))
}

/// A typed struct, `serde_json`, sha2 and base64.
#[must_use]
pub fn typed_by_hand(reason: &str) -> (String, String) {
    let event = ByHand {
        version: "1.0",
        user_identity: ByHandIdentity { r#type: "Staff", principal_id: ALICE.email, details: &ALICE },
        user_agent: "orders-admin/3.2",
        event_source: "orders.example.com",
        event_name: "RefundIssued",
        event_time: "2026-11-21T10:15:30Z",
        uid: UID,
        request_parameters: ByHandRequest { order_id: "ord_01HZX3V7Q8", amount_cents: 1999, currency: "EUR", reason },
        source_ip_address: "203.0.113.7",
        recipient_account_id: "123456789012",
    };
    with_checksum(serde_json::to_string(&event).unwrap_or_default())
}

/// `json!`, sha2 and base64.
#[must_use]
pub fn json_by_hand(reason: &str) -> (String, String) {
    let event = json!({
        "version": "1.0",
        "userIdentity": {"type": "Staff", "principalId": ALICE.email, "details": {"department": "support", "mfa": true}},
        "userAgent": "orders-admin/3.2",
        "eventSource": "orders.example.com",
        "eventName": "RefundIssued",
        "eventTime": "2026-11-21T10:15:30Z",
        "UID": UID,
        "requestParameters":
            {"orderId": "ord_01HZX3V7Q8", "amountCents": 1999, "currency": "EUR", "reason": reason},
        "sourceIPAddress": "203.0.113.7",
        "recipientAccountId": "123456789012",
    });
    with_checksum(event.to_string())
}

fn with_checksum(event_data: String) -> (String, String) {
    let checksum = checksum_by_hand(&event_data);
    (event_data, checksum)
}
