// What the derives make of the file without `.expanded`.

pub(crate) struct Payment<'a> {
    pub(crate) method: Method<'a>,
    pub(crate) holder: &'a str,
}
#[automatically_derived]
impl<'a> ::audit_core::__::AuditValue for Payment<'a> {
    const TYPE: &'static ::audit_core::__::ValueType = &::audit_core::__::ValueType::Object(
        &[
            ::audit_core::__::ValueField::new("method", "Method<'a>")
                .value(<Method<'a> as ::audit_core::__::AuditValue>::TYPE),
            ::audit_core::__::ValueField::new("holder", "&'a str")
                .protected(::audit_core::__::Protection::Redact),
        ],
    );
}
#[automatically_derived]
impl<'a> ::audit_core::__::Serialize for Payment<'a> {
    fn serialize<__S: ::audit_core::__::Serializer>(
        &self,
        __s: __S,
    ) -> ::audit_core::__::Result<__S::Ok, __S::Error> {
        let _ = (&self.holder,);
        ::audit_core::__::value_of_struct(__s, "Payment", 2)?
            .put("method", &self.method)?
            .redact("holder", false)?
            .end()
    }
}
pub(crate) enum Method<'a> {
    Cash,
    Transfer { iban: &'a str, tries: u8 },
}
#[automatically_derived]
impl<'a> ::audit_core::__::AuditValue for Method<'a> {
    const TYPE: &'static ::audit_core::__::ValueType = &::audit_core::__::ValueType::OneOf(
        &[
            ::audit_core::__::ValueType::Name("Cash"),
            ::audit_core::__::ValueType::Variant(
                "Transfer",
                &[
                    ::audit_core::__::ValueField::new("iban", "&'a str")
                        .protected(::audit_core::__::Protection::Hmac),
                    ::audit_core::__::ValueField::new("tries", "u8"),
                ],
            ),
        ],
    );
}
#[automatically_derived]
impl<'a> ::audit_core::__::Serialize for Method<'a> {
    fn serialize<__S: ::audit_core::__::Serializer>(
        &self,
        __s: __S,
    ) -> ::audit_core::__::Result<__S::Ok, __S::Error> {
        match self {
            Self::Cash { .. } => {
                ::audit_core::__::Serializer::serialize_unit_variant(
                    __s,
                    "Method",
                    0,
                    "Cash",
                )
            }
            Self::Transfer { iban: __audit_iban, tries: __audit_tries, .. } => {
                ::audit_core::__::value_of_variant(__s, "Method", 1, "Transfer", 2)?
                    .hmac("iban", &*__audit_iban)?
                    .put("tries", &*__audit_tries)?
                    .end()
            }
        }
    }
}
pub(crate) struct Paid<'a> {
    pub(crate) id: u64,
    pub(crate) payment: Payment<'a>,
}
#[automatically_derived]
impl<'a> ::audit_core::__::Catalog for Paid<'a> {
    const EVENT_TYPES: ::audit_core::__::Types = &[
        ::audit_core::__::EventType::new("orders.example.com", "Paid")
            .version("1.0")
            .doc("")
            .fields(
                &[
                    ::audit_core::__::FieldType::new(
                        "",
                        ::audit_core::__::Role::Id,
                        "u64",
                    ),
                    ::audit_core::__::FieldType::new(
                            "payment",
                            ::audit_core::__::Role::Request,
                            "Payment<'a>",
                        )
                        .value(<Payment<'a> as ::audit_core::__::AuditValue>::TYPE),
                ],
            ),
    ];
}
#[automatically_derived]
impl<'a> ::audit_core::__::Event for Paid<'a> {
    fn event_type(&self) -> ::audit_core::__::Type {
        ::audit_core::__::ty(self)
    }
    fn write(&self, __d: &mut ::audit_core::__::Writer<'_>) -> ::audit_core::__::Done {
        __d.of(self).id(&self.id).put(&self.payment).done()
    }
}
