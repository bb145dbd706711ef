use audit_core::AuditEvent;

#[derive(AuditEvent)]
#[audit(source = "a.example.com", generate_id)]
struct Event {
    #[audit(outcome)]
    outcome: bool,
}

fn main() {}
