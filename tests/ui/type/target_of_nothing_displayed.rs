use audit_core::AuditEvent;

#[derive(AuditEvent)]
#[audit(source = "orders.example.com")]
struct OrderMoved {
    #[audit(id)]
    id: u64,
    #[audit(skip, target = "Order")]
    order: Option<Vec<u64>>,
}

fn main() {}
