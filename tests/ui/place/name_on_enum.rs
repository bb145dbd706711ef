use audit_core::AuditEvent;

#[derive(AuditEvent)]
#[audit(source = "a.example.com", generate_id, name = "Event")]
enum Event {
    Opened,
}

fn main() {}
