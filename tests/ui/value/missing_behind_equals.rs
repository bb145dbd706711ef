use audit_core::AuditEvent;

#[derive(AuditEvent)]
#[audit(source = , version = "2")]
struct Event {
    #[audit(id)]
    id: u64,
}

fn main() {}
