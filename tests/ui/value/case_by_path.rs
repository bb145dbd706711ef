use audit_core::AuditEvent;

#[derive(AuditEvent)]
#[audit(source = "a.example.com", rename_all = CAMEL)]
struct Event {
    #[audit(id)]
    id: u64,
}

fn main() {}
