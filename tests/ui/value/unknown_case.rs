use audit_core::AuditEvent;

#[derive(AuditEvent)]
#[audit(source = "a.example.com", rename_all = "cameCase")]
struct Event {
    #[audit(id)]
    id: u64,
}

fn main() {}
