//! The event that is encoded, and the same event written by hand.

use std::time::{Duration, UNIX_EPOCH};

use audit_core::{AccountId, AuditEvent, Context, StaticEntry, UserIdentity, entry};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// A text that brings the event to about this number of bytes: 467 are the event's own.
#[must_use]
pub fn reason(event_bytes: usize) -> String {
    "damaged in transit ".chars().cycle().take(event_bytes.saturating_sub(467)).collect()
}

/// Who acts.
#[derive(Serialize, UserIdentity)]
#[audit(type = "Staff")]
pub struct Staff<'a> {
    /// The principal; not one of the details.
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

/// What a context adds to the event.
#[must_use]
pub fn context() -> Context {
    Context::new(AccountId::from_static("123456789012"))
        .user_agent("orders-admin/3.2")
        .source_ip([203, 0, 113, 7].into())
        .time(UNIX_EPOCH + Duration::from_secs(1_795_256_130))
}

/// An event made of constants only.
pub const TRAIL_STARTED: StaticEntry = entry!("trail-started", {
    "version": "1.0",
    "userIdentity": { "type": "Service", "principalId": "shop" },
    "eventSource": "shop.example.com",
    "eventName": "TrailStarted",
    "eventTime": "2026-11-21T10:15:30Z",
    "UID": "trail-started",
    "recipientAccountId": "123456789012",
});

/// An event that is passed on: another system's payload, as a tree (`Value`) or as the text received (`RawValue`).
#[derive(AuditEvent)]
#[audit(source = "github.example.com")]
pub struct Relayed<'a, P: Serialize> {
    #[audit(id)]
    delivery: &'a str,
    #[audit(user_identity)]
    by: &'a Staff<'a>,
    event: &'a str,
    payload: &'a P,
}

impl<'a, P: Serialize> Relayed<'a, P> {
    /// The event with this payload.
    #[must_use]
    pub fn new(payload: &'a P) -> Self {
        Self { delivery: UID, by: &ALICE, event: "push", payload }
    }
}

/// Real payloads, if `../shared/data/github-webhook-events.ndjson` exists beside the workspace. Otherwise generated ones of
/// the same shape.
#[must_use]
pub fn payloads() -> (Vec<Value>, &'static str) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/github-webhook-events.ndjson");
    let lines = std::fs::read_to_string(path).unwrap_or_default();
    let real: Vec<Value> = lines.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    if real.is_empty() { (own_payloads(), "own payloads like GitHub's") } else { (real, "GitHub's real payloads") }
}

fn own_payloads() -> Vec<Value> {
    let url = |name: &str, what: &str| format!("https://api.github.example.com/users/{name}/{what}{{/other_user}}");
    let user = |name: &str| {
        let mut user = json!({"login": name, "id": 21_031_067, "node_id": "MDQ6VXNlcjIxMDMxMDY3", "type": "User"});
        for what in ["followers", "following", "gists", "starred", "subscriptions", "orgs", "repos", "events"] {
            user[format!("{what}_url")] = json!(url(name, what));
        }
        user
    };
    let commit = |number: u32| {
        json!({"id": format!("{number:040x}"), "message": "Fix the \"rounding\"\n\nof cents", "author": user("alice"),
            "added": [], "removed": [], "modified": ["src/lib.rs", "README.md"], "distinct": true})
    };
    (1..=20)
        .map(|commits| {
            json!({"ref": "refs/heads/main", "repository": {"id": 17, "owner": user("octo"), "private": false},
                "pusher": user("bob"), "commits": (0..commits).map(commit).collect::<Vec<_>>(), "forced": null})
        })
        .collect()
}

/// The event as a typed serde struct, as a careful integration by hand has it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ByHand<'a, R> {
    version: &'a str,
    user_identity: ByHandIdentity<'a>,
    user_agent: &'a str,
    event_source: &'a str,
    event_name: &'a str,
    event_time: &'a str,
    #[serde(rename = "UID")]
    uid: &'a str,
    request_parameters: R,
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

#[derive(Serialize)]
struct ByHandRelayed<'a, P> {
    event: &'a str,
    payload: &'a P,
}

fn typed(request_parameters: impl Serialize) -> (String, String) {
    let event = ByHand {
        version: "1.0",
        user_identity: ByHandIdentity { r#type: "Staff", principal_id: ALICE.email, details: &ALICE },
        user_agent: "orders-admin/3.2",
        event_source: "orders.example.com",
        event_name: "RefundIssued",
        event_time: "2026-11-21T10:15:30Z",
        uid: UID,
        request_parameters,
        source_ip_address: "203.0.113.7",
        recipient_account_id: "123456789012",
    };
    with_checksum(serde_json::to_string(&event).unwrap_or_default())
}

fn built(request_parameters: &Value) -> (String, String) {
    let event = json!({
        "version": "1.0",
        "userIdentity": {"type": "Staff", "principalId": ALICE.email, "details": {"department": "support", "mfa": true}},
        "userAgent": "orders-admin/3.2",
        "eventSource": "orders.example.com",
        "eventName": "RefundIssued",
        "eventTime": "2026-11-21T10:15:30Z",
        "UID": UID,
        "requestParameters": request_parameters,
        "sourceIPAddress": "203.0.113.7",
        "recipientAccountId": "123456789012",
    });
    with_checksum(event.to_string())
}

/// A typed struct, `serde_json`, sha2 and base64.
#[must_use]
pub fn typed_by_hand(reason: &str) -> (String, String) {
    typed(ByHandRequest { order_id: "ord_01HZX3V7Q8", amount_cents: 1999, currency: "EUR", reason })
}

/// The same for a payload of another system.
#[must_use]
pub fn typed_relayed(payload: &impl Serialize) -> (String, String) {
    typed(ByHandRelayed { event: "push", payload })
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

/// The same for a payload of another system.
#[must_use]
pub fn json_relayed(payload: &Value) -> (String, String) {
    built(&json!({"event": "push", "payload": payload}))
}

/// What the wire format adds to the data.
fn with_checksum(event_data: String) -> (String, String) {
    let checksum = STANDARD.encode(Sha256::digest(&event_data));
    (event_data, checksum)
}
