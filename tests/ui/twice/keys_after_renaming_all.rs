use audit_core::AuditEvent;

#[derive(AuditEvent)]
#[audit(source = "a.example.com", rename_all = "PascalCase")]
struct Event {
    #[audit(id)]
    id: u64,
    order_id: u8,
    Order_id: u8,
}

fn main() {}
