use audit_core::AuditEvent;

#[derive(AuditEvent)]
#[audit(source = b"a.example.com")]
struct Event {
    #[audit(id)]
    id: u64,
}

fn main() {}
