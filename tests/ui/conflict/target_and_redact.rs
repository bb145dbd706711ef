use audit_core::AuditEvent;

#[derive(AuditEvent)]
#[audit(source = "orders.example.com")]
struct OrderMoved {
    #[audit(id)]
    id: u64,
    #[audit(redact, target = "Card")]
    card: String,
}

fn main() {}
