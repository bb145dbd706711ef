use audit_core::AuditEvent;

#[derive(AuditEvent)]
#[audit(source = "a.example.com", generate_id)]
enum Event {
    #[audit(generate_id)]
    Opened,
}

fn main() {}
