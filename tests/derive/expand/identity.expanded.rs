// What the derives make of the file without `.expanded`.

pub(crate) struct Staff<'a, T: ?Sized> {
    pub(crate) email: &'a str,
    pub(crate) team: &'a T,
    pub(crate) phone: String,
    pub(crate) unseen: u8,
}
#[automatically_derived]
impl<'a, T: ?Sized> ::audit_core::__::UserIdentity for Staff<'a, T>
where
    T: ::audit_core::__::Serialize,
{
    fn identity_type(&self) -> ::audit_core::__::Cow<'_, str> {
        let _ = (&self.phone, &self.unseen);
        ::audit_core::__::Cow::Borrowed("Staff")
    }
    fn principal_id(&self) -> ::audit_core::__::Cow<'_, str> {
        ::audit_core::__::principal_text(self)
    }
    fn __principal_id(&self, __text: ::audit_core::__::Text<'_>) {
        ::audit_core::__::principal(&self.email, __text)
    }
    fn details(
        &self,
        __details: &mut ::audit_core::__::ObjectWriter<'_>,
    ) -> ::audit_core::__::Done {
        __details.__distinct_keys().field("team", &self.team).redact("phone").done()
    }
}
