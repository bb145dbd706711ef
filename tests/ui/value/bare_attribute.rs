use audit_core::AuditEvent;

#[derive(AuditEvent)]
#[audit]
#[audit(source = "a.example.com")]
struct Event {
    #[audit(id)]
    id: u64,
    #[audit = "request"]
    a: u8,
}

fn main() {}
