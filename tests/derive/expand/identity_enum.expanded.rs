// What the derives make of the file without `.expanded`.

pub(crate) enum Caller<'a> {
    Customer { email: &'a str, phone: Option<&'a str> },
    Service(&'a str, u8),
}
#[automatically_derived]
impl<'a> ::audit_core::__::UserIdentity for Caller<'a> {
    fn identity_type(&self) -> ::audit_core::__::Cow<'_, str> {
        match self {
            Self::Customer { .. } => ::audit_core::__::Cow::Borrowed("Customer"),
            Self::Service { 1: __audit_1, .. } => {
                ::audit_core::__::Cow::Borrowed("Service")
            }
        }
    }
    fn principal_id(&self) -> ::audit_core::__::Cow<'_, str> {
        match self {
            Self::Customer { .. } => ::audit_core::__::Cow::Borrowed("[REDACTED]"),
            Self::Service { .. } => ::audit_core::__::principal_text(self),
        }
    }
    fn __principal_id(&self, __text: ::audit_core::__::Text<'_>) {
        match self {
            Self::Customer { email: __audit_email, .. } => {
                ::audit_core::__::mask_principal(&*__audit_email, __text)
            }
            Self::Service { 0: __audit_0, .. } => {
                ::audit_core::__::principal(&*__audit_0, __text)
            }
        }
    }
    fn details(
        &self,
        __details: &mut ::audit_core::__::ObjectWriter<'_>,
    ) -> ::audit_core::__::Done {
        match self {
            Self::Customer { phone: __audit_phone, .. } => {
                __details.hmac("phone", &*__audit_phone).done()
            }
            Self::Service { .. } => __details.done(),
        }
    }
}
