//! A struct of ten fields, by which the size of the generated code is measured:
//! `cargo +nightly rustc -p audit-derive-tests --test ten_fields -- -Zmacro-stats`.

use audit_core::{AuditEvent, EventCatalog, Identity};

#[derive(AuditEvent)]
#[audit(source = "orders.example.com")]
struct RefundIssued<'a> {
    #[audit(id)]
    refund: u64,
    #[audit(user_identity)]
    by: &'a Identity,
    #[audit(source_ip)]
    from: std::net::IpAddr,
    order_id: &'a str,
    amount_cents: u64,
    currency: &'a str,
    reason: Option<String>,
    channel: &'a str,
    approved: bool,
    approvals: Vec<String>,
}

#[test]
fn all_ten_are_in_the_catalog() {
    assert_eq!(RefundIssued::EVENT_TYPES[0].fields.len(), 10);
}
