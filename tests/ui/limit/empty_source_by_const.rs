use audit_core::AuditEvent;

const SOURCE: &str = "";

#[derive(AuditEvent)]
#[audit(source = SOURCE)]
struct Event {
    #[audit(id)]
    id: u64,
}

fn main() {}
