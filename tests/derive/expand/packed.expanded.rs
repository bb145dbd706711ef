// What the derives make of the file without `.expanded`.

#[repr(C, packed)]
pub(crate) struct Packed {
    pub(crate) id: u64,
    pub(crate) small: u8,
}
#[automatically_derived]
impl ::audit_core::__::Catalog for Packed {
    const __TEXTS: ::audit_core::__::Texts = &[
        "2|orders.example.com|Packed||@i u64|small u8",
    ];
}
#[automatically_derived]
impl ::audit_core::__::Event for Packed {
    fn event_type(&self) -> ::audit_core::__::Type {
        ::audit_core::__::ty(self)
    }
    fn write(&self, __d: &mut ::audit_core::__::Writer<'_>) -> ::audit_core::__::Done {
        __d.of(self).id(&{ self.id }).put(&{ self.small }).done()
    }
}
