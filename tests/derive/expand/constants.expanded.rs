// What the derives make of the file without `.expanded`.

const SOURCE: &str = "orders.example.com";
const KEY: &str = "the key";
pub(crate) struct ByConstants {
    pub(crate) id: u64,
    pub(crate) value: u8,
}
const _: () = {
    const __AUDIT_0: ::audit_core::__::EventType = ::audit_core::__::EventType::new(
            SOURCE,
            "ByConstants",
        )
        .version("1.0")
        .doc("")
        .fields(
            &[
                ::audit_core::__::FieldType::new("", ::audit_core::__::Role::Id, "u64"),
                ::audit_core::__::FieldType::new(
                    KEY,
                    ::audit_core::__::Role::Request,
                    "u8",
                ),
            ],
        );
    #[automatically_derived]
    impl ::audit_core::__::Catalog for ByConstants {
        const EVENT_TYPES: ::audit_core::__::Types = &[__AUDIT_0];
    }
    #[automatically_derived]
    impl ::audit_core::__::Event for ByConstants {
        fn event_type(&self) -> ::audit_core::__::Type {
            ::audit_core::__::ty(self)
        }
        fn write(
            &self,
            __d: &mut ::audit_core::__::Writer<'_>,
        ) -> ::audit_core::__::Done {
            __d.of_type(&<Self as ::audit_core::__::Catalog>::EVENT_TYPES[0])
                .id(&self.id)
                .put(&self.value)
                .done()
        }
    }
};
