use audit_core::AuditEvent;

#[derive(AuditEvent)]
#[audit(source = "a.example.com")]
struct Event {
    #[audit(id)]
    id: u64,
    #[audit(source = "b.example.com")]
    a: u8,
}

fn main() {}
