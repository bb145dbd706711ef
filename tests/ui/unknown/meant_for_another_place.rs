use audit_core::AuditEvent;

#[derive(AuditEvent)]
#[audit(source = "a.example.com", user_agnet)]
struct Event {
    #[audit(id)]
    id: u64,
}

fn main() {}
