// What the derives make of the file without `.expanded`.

pub(crate) struct Started;
#[automatically_derived]
impl ::audit_core::__::Catalog for Started {
    const __TEXTS: ::audit_core::__::Texts = &["0|orders.example.com|Started|"];
}
#[automatically_derived]
impl ::audit_core::__::Event for Started {
    fn event_type(&self) -> ::audit_core::__::Type {
        ::audit_core::__::ty(self)
    }
    fn write(&self, __d: &mut ::audit_core::__::Writer<'_>) -> ::audit_core::__::Done {
        __d.of(self).generate_id().done()
    }
}
