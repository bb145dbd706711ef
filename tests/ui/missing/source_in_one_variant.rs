use audit_core::AuditEvent;

#[derive(AuditEvent)]
#[audit(generate_id)]
enum Event {
    #[audit(source = "a.example.com")]
    Opened,
    Closed,
}

fn main() {}
