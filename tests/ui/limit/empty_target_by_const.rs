use audit_core::AuditEvent;

const ORDER: &str = "";

#[derive(AuditEvent)]
#[audit(source = "orders.example.com")]
struct OrderMoved {
    #[audit(id)]
    id: u64,
    #[audit(target = ORDER)]
    order: u64,
}

fn main() {}
