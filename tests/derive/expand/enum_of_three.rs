/// What happens to an order.
#[derive(AuditEvent)]
#[audit(source = "orders.example.com", generate_id, rename_all = "snake_case")]
pub(crate) enum Order {
    /// It was opened.
    Opened,
    #[audit(name = "OrderShipped")]
    Shipped(#[audit(id)] u32, #[audit(rename = "to")] String),
    #[audit(source = "billing.example.com")]
    Paid {
        #[audit(id)]
        id: u32,
        #[audit(user_identity)]
        by: audit_core::Identity,
        amount_cents: u64,
    },
}
