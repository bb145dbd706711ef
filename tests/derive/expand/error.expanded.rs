// What the derives make of the file without `.expanded`.

pub(crate) enum Failed<'a> {
    Expired,
    Other(&'a str),
}
#[automatically_derived]
impl<'a> ::audit_core::__::AuditError for Failed<'a> {
    fn error_code(&self) -> ::audit_core::__::Cow<'_, str> {
        ::audit_core::__::Cow::Borrowed(
            match self {
                Self::Expired { .. } => "Expired",
                Self::Other { .. } => "Unknown",
            },
        )
    }
}
impl std::fmt::Display for Failed<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("failed")
    }
}
