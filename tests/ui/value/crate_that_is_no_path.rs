use audit_core::AuditEvent;

#[derive(AuditEvent)]
#[audit(source = "a.example.com", crate = "my crate")]
struct Event {
    #[audit(id)]
    id: u64,
}

fn main() {}
