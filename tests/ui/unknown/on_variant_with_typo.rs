use audit_core::AuditEvent;

#[derive(AuditEvent)]
#[audit(source = "a.example.com", generate_id)]
enum Event {
    #[audit(nmae = "Opened")]
    Opened,
}

fn main() {}
