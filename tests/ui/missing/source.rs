use audit_core::AuditEvent;

#[derive(AuditEvent)]
struct Event {
    #[audit(id)]
    id: u64,
}

fn main() {}
