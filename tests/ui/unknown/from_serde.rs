use audit_core::AuditEvent;

#[derive(AuditEvent)]
#[audit(source = "a.example.com")]
struct Event {
    #[audit(id)]
    id: u64,
    #[audit(skip_serializing_if = "Option::is_none")]
    note: Option<u8>,
}

fn main() {}
