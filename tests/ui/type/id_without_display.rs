use audit_core::AuditEvent;

#[derive(AuditEvent)]
#[audit(source = "a.example.com")]
struct Event {
    #[audit(id)]
    id: Vec<u8>,
}

fn main() {}
