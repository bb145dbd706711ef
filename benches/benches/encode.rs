//! From a value to a checked, checksummed entry: beside the hash alone, and beside what one would write by hand.
//!
//! `cargo bench -p audit-bench --bench encode`

use std::hint::black_box;
use std::time::{Duration, UNIX_EPOCH};

use audit_core::{AccountId, AuditEvent, Checksum, Context, Entry, UserIdentity};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use divan::{AllocProfiler, Bencher};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

/// Texts that bring the event to 485 bytes, 2 kB and 20 kB.
const REASONS: [usize; 3] = [18, 1_533, 19_533];

fn reason(length: usize) -> String {
    "damaged in transit ".chars().cycle().take(length).collect()
}

#[derive(Serialize, UserIdentity)]
#[audit(type = "Staff")]
struct Staff<'a> {
    #[audit(principal_id)]
    #[serde(skip)]
    email: &'a str,
    department: &'a str,
    mfa: bool,
}

const ALICE: Staff<'_> = Staff { email: "alice@example.com", department: "support", mfa: true };

#[derive(AuditEvent)]
#[audit(source = "orders.example.com")]
struct RefundIssued<'a> {
    #[audit(id)]
    refund: &'a str,
    #[audit(user_identity)]
    by: &'a Staff<'a>,
    order_id: &'a str,
    amount_cents: u64,
    currency: &'a str,
    reason: &'a str,
}

fn event(reason: &str) -> RefundIssued<'_> {
    RefundIssued {
        refund: "0190b6c2-6c1e-7cc3-8f0e-2f6c9f1c2a11",
        by: &ALICE,
        order_id: "ord_01HZX3V7Q8",
        amount_cents: 1999,
        currency: "EUR",
        reason,
    }
}

fn context() -> Context {
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

fn checksum_by_hand(event_data: &str) -> String {
    STANDARD.encode(Sha256::digest(event_data))
}

#[divan::bench(args = REASONS)]
fn entry(bencher: Bencher<'_, '_>, length: usize) {
    let (context, reason) = (context(), reason(length));
    let event = event(&reason);
    bencher.bench_local(|| black_box(&event).to_entry(&context).expect("within the limits"));
}

#[divan::bench(args = REASONS)]
fn floor_sha256_of_the_same_bytes(bencher: Bencher<'_, '_>, length: usize) {
    let entry = event(&reason(length)).to_entry(&context()).expect("within the limits");
    bencher.bench_local(|| Checksum::of(black_box(entry.event_data()).as_bytes()));
}

#[divan::bench(args = REASONS)]
fn typed_serde_and_sha2(bencher: Bencher<'_, '_>, length: usize) {
    let reason = reason(length);
    bencher.bench_local(|| {
        let event = ByHand {
            version: "1.0",
            user_identity: ByHandIdentity { r#type: "Staff", principal_id: ALICE.email, details: &ALICE },
            user_agent: "orders-admin/3.2",
            event_source: "orders.example.com",
            event_name: "RefundIssued",
            event_time: "2026-11-21T10:15:30Z",
            uid: "0190b6c2-6c1e-7cc3-8f0e-2f6c9f1c2a11",
            request_parameters: ByHandRequest {
                order_id: "ord_01HZX3V7Q8",
                amount_cents: 1999,
                currency: "EUR",
                reason: black_box(&reason),
            },
            source_ip_address: "203.0.113.7",
            recipient_account_id: "123456789012",
        };
        let event_data = serde_json::to_string(&event).expect("JSON");
        let checksum = checksum_by_hand(&event_data);
        (event_data, checksum)
    });
}

#[divan::bench(args = REASONS)]
fn json_macro_and_sha2(bencher: Bencher<'_, '_>, length: usize) {
    let reason = reason(length);
    bencher.bench_local(|| {
        let event = json!({
            "version": "1.0",
            "userIdentity": {"type": "Staff", "principalId": ALICE.email, "details": {"department": "support", "mfa": true}},
            "userAgent": "orders-admin/3.2",
            "eventSource": "orders.example.com",
            "eventName": "RefundIssued",
            "eventTime": "2026-11-21T10:15:30Z",
            "UID": "0190b6c2-6c1e-7cc3-8f0e-2f6c9f1c2a11",
            "requestParameters":
                {"orderId": "ord_01HZX3V7Q8", "amountCents": 1999, "currency": "EUR", "reason": black_box(&reason)},
            "sourceIPAddress": "203.0.113.7",
            "recipientAccountId": "123456789012",
        });
        let event_data = event.to_string();
        let checksum = checksum_by_hand(&event_data);
        (event_data, checksum)
    });
}

#[divan::bench(args = REASONS)]
fn parse_json_from_elsewhere(bencher: Bencher<'_, '_>, length: usize) {
    let entry = event(&reason(length)).to_entry(&context()).expect("within the limits");
    bencher.bench_local(|| audit_core::schema::check(black_box(entry.event_data()), audit_core::limits::Side::Sender));
}

#[divan::bench(args = REASONS)]
fn parse_to_an_entry(bencher: Bencher<'_, '_>, length: usize) {
    let entry = event(&reason(length)).to_entry(&context()).expect("within the limits");
    bencher.bench_local(|| Entry::parse(entry.id(), black_box(entry.event_data())));
}

#[divan::bench(args = REASONS)]
fn parse_with_serde_json_value(bencher: Bencher<'_, '_>, length: usize) {
    let entry = event(&reason(length)).to_entry(&context()).expect("within the limits");
    bencher.bench_local(|| serde_json::from_str::<Value>(black_box(entry.event_data())));
}
