#[derive(AuditValue)]
pub(crate) struct Payment<'a> {
    #[audit(nested)]
    pub(crate) method: Method<'a>,
    #[audit(redact)]
    pub(crate) holder: &'a str,
}

#[derive(AuditValue)]
pub(crate) enum Method<'a> {
    Cash,
    Transfer {
        #[audit(hmac)]
        iban: &'a str,
        tries: u8,
    },
}

#[derive(AuditEvent)]
#[audit(source = "orders.example.com")]
pub(crate) struct Paid<'a> {
    #[audit(id)]
    pub(crate) id: u64,
    #[audit(nested)]
    pub(crate) payment: Payment<'a>,
}
