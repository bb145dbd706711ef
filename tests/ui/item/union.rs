use audit_core::AuditEvent;

#[derive(AuditEvent, Clone, Copy)]
#[audit(source = "a.example.com")]
union Event {
    id: u64,
}

fn main() {}
