use audit_core::AuditEvent;

#[derive(AuditEvent)]
#[audit(source = "a.example.com")]
struct Event {
    #[audit(id, skip_if = Option::is_none)]
    id: Option<u64>,
}

fn main() {}
