/// A refund was issued.
#[derive(AuditEvent)]
#[audit(source = "orders.example.com", version = "2.0")]
pub(crate) struct RefundIssued<'a, T> {
    #[audit(id)]
    pub(crate) refund: u64,
    #[audit(user_identity)]
    pub(crate) by: &'a audit_core::Identity,
    #[audit(time)]
    pub(crate) at: std::time::SystemTime,
    #[audit(source_ip)]
    pub(crate) from: std::net::IpAddr,
    #[audit(target = "Order")]
    pub(crate) order_id: &'a str,
    pub(crate) lines: Vec<T>,
    #[audit(skip_if = Option::is_none)]
    pub(crate) note: Option<String>,
    #[audit(redact)]
    pub(crate) card: u64,
    #[audit(hmac)]
    pub(crate) iban: &'a str,
    #[audit(with = str::len, rename = "reasonLength")]
    pub(crate) reason: &'a str,
    #[audit(additional, flatten)]
    pub(crate) more: std::collections::BTreeMap<String, u8>,
    #[audit(outcome)]
    pub(crate) outcome: Result<u8, std::sync::Arc<dyn audit_core::AuditError>>,
}
