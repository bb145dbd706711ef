// What the derives make of the file without `.expanded`.

/// A refund was issued.
pub(crate) struct RefundIssued<'a, T> {
    pub(crate) refund: u64,
    pub(crate) by: &'a audit_core::Identity,
    pub(crate) at: std::time::SystemTime,
    pub(crate) from: std::net::IpAddr,
    pub(crate) order_id: &'a str,
    pub(crate) lines: Vec<T>,
    pub(crate) note: Option<String>,
    pub(crate) card: u64,
    pub(crate) iban: &'a str,
    pub(crate) reason: &'a str,
    pub(crate) more: std::collections::BTreeMap<String, u8>,
    pub(crate) outcome: Result<u8, std::sync::Arc<dyn audit_core::AuditError>>,
}
#[automatically_derived]
impl<'a, T> ::audit_core::__::Catalog for RefundIssued<'a, T> {
    const __TEXTS: ::audit_core::__::Texts = &[
        "12|orders.example.com|RefundIssued|2.0|@i u64|@t std::time::SystemTime|@u &'a audit_core::Identity|@s std::net::IpAddr|>Order orderId &'a str|lines Vec<T>|?note Option<String>|*card u64|#iban &'a str|~reasonLength &'a str|@o Result<u8, std::sync::Arc<dyn audit_core::AuditError>>|@x  std::collections::BTreeMap<String, u8>|A refund was issued.",
    ];
}
#[automatically_derived]
impl<'a, T> ::audit_core::__::Event for RefundIssued<'a, T>
where
    T: ::audit_core::__::Serialize,
{
    fn event_type(&self) -> ::audit_core::__::Type {
        ::audit_core::__::ty(self)
    }
    fn write(&self, __d: &mut ::audit_core::__::Writer<'_>) -> ::audit_core::__::Done {
        let _ = (&self.card,);
        __d.of(self)
            .id(&self.refund)
            .time(&self.at)
            .actor(&self.by)
            .ip(&self.from)
            .put3(
                &self.order_id,
                &self.lines,
                &(!Option::is_none(&self.note)).then_some(&self.note),
            )
            .redact(false)
            .hmac(&self.iban)
            .put(&str::len(&self.reason))
            .outcome(&self.outcome)
            .flatten(&self.more)
            .target("Order", &self.order_id)
            .done()
    }
}
#[automatically_derived]
impl<'a, T> ::audit_core::__::Names for RefundIssued<'a, T>
where
    T: ::audit_core::__::Serialize,
{}
