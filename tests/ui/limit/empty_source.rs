use audit_core::AuditEvent;

#[derive(AuditEvent)]
#[audit(source = "")]
struct Event {
    #[audit(id)]
    id: u64,
}

fn main() {}
