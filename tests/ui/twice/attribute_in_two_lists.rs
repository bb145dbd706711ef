use audit_core::AuditEvent;

#[derive(AuditEvent)]
#[audit(source = "a.example.com")]
#[audit(version = "1", source = "b.example.com")]
struct Event {
    #[audit(id)]
    id: u64,
}

fn main() {}
