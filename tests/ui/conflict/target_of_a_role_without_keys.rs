use audit_core::AuditEvent;

#[derive(AuditEvent)]
#[audit(source = "orders.example.com")]
struct OrderMoved {
    #[audit(id)]
    id: u64,
    #[audit(user_agent, target = "Agent")]
    with: String,
}

fn main() {}
