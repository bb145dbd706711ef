use audit_core::AuditEvent;

#[derive(AuditEvent)]
#[audit(source = "a.example.com")]
struct Event {
    #[audit(id)]
    id: u64,
    #[audit(skip_if = |v| *v == 0)]
    a: u8,
}

fn main() {}
