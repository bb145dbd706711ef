// What the derives make of the file without `.expanded`.

/// What happens to an order.
pub(crate) enum Order {
    /// It was opened.
    Opened,
    Shipped(u32, String),
    Paid { id: u32, by: audit_core::Identity, amount_cents: u64 },
}
#[automatically_derived]
impl ::audit_core::__::Catalog for Order {
    const __TEXTS: ::audit_core::__::Texts = &[
        "0|orders.example.com|Opened||It was opened.",
        "2|orders.example.com|OrderShipped||@i u32|to String",
        "3|billing.example.com|Paid||@i u32|@u audit_core::Identity|amount_cents u64",
    ];
    const EVENT_TYPES: ::audit_core::__::Types = ::audit_core::__::types::<Self, 3, 5>();
}
#[automatically_derived]
impl ::audit_core::__::Event for Order {
    fn event_type(&self) -> ::audit_core::__::Type {
        &<Self as ::audit_core::__::Catalog>::EVENT_TYPES[match self {
            Self::Opened { .. } => 0,
            Self::Shipped { .. } => 1,
            Self::Paid { .. } => 2,
        }]
    }
    fn write(&self, __d: &mut ::audit_core::__::Writer<'_>) -> ::audit_core::__::Done {
        match self {
            Self::Opened { .. } => __d.of_variant(self, 0).generate_id().done(),
            Self::Shipped { 0: __audit_0, 1: __audit_1, .. } => {
                __d.of_variant(self, 1).id(&*__audit_0).put(&*__audit_1).done()
            }
            Self::Paid {
                id: __audit_id,
                by: __audit_by,
                amount_cents: __audit_amount_cents,
                ..
            } => {
                __d.of_variant(self, 2)
                    .id(&*__audit_id)
                    .actor(&*__audit_by)
                    .put(&*__audit_amount_cents)
                    .done()
            }
        }
    }
}
