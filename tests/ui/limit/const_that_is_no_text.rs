use audit_core::AuditEvent;

const SOURCE: u8 = 1;

#[derive(AuditEvent)]
#[audit(source = SOURCE)]
struct Event {
    #[audit(id)]
    id: u64,
}

fn main() {}
