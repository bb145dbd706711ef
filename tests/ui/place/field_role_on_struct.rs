use audit_core::AuditEvent;

#[derive(AuditEvent)]
#[audit(source = "a.example.com", user_identity)]
struct Event {
    #[audit(id)]
    id: u64,
}

fn main() {}
