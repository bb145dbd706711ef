use audit_core::AuditEvent;

#[derive(AuditEvent)]
#[audit(source = "a.example.com")]
struct Event {
    #[audit(id)]
    id: u64,
    order_id: u8,
    #[audit(rename = "orderId")]
    other: u8,
}

fn main() {}
