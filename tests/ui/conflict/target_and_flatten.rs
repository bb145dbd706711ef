use audit_core::AuditEvent;

#[derive(AuditEvent)]
#[audit(source = "orders.example.com")]
struct OrderMoved {
    #[audit(id)]
    id: u64,
    #[audit(target = "Order", flatten)]
    order: std::collections::BTreeMap<String, u8>,
}

fn main() {}
