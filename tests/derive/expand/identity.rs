#[derive(UserIdentity)]
#[audit(type = "Staff")]
pub(crate) struct Staff<'a, T: ?Sized> {
    #[audit(principal_id)]
    pub(crate) email: &'a str,
    pub(crate) team: &'a T,
    #[audit(redact)]
    pub(crate) phone: String,
    #[audit(skip)]
    pub(crate) unseen: u8,
}
