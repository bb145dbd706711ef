use audit_core::AuditEvent;

#[derive(AuditEvent)]
#[audit(soruce = "a.example.com")]
struct Event {
    #[audit(id)]
    id: u64,
}

fn main() {}
