#[derive(UserIdentity)]
pub(crate) enum Caller<'a> {
    #[audit(type = "Customer")]
    Customer {
        #[audit(principal_id, hmac)]
        email: &'a str,
        #[audit(hmac)]
        phone: Option<&'a str>,
    },
    #[audit(type = "Service")]
    Service(#[audit(principal_id)] &'a str, #[audit(skip)] u8),
}
