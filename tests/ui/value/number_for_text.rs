use audit_core::AuditEvent;

#[derive(AuditEvent)]
#[audit(source = 17)]
struct Event {
    #[audit(id)]
    id: u64,
}

fn main() {}
