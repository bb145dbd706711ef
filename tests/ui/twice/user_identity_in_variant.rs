use audit_core::AuditEvent;

#[derive(AuditEvent)]
#[audit(source = "a.example.com", generate_id)]
enum Event {
    Opened {
        #[audit(user_identity)]
        by: audit_core::Identity,
        #[audit(user_identity)]
        also_by: audit_core::Identity,
    },
}

fn main() {}
