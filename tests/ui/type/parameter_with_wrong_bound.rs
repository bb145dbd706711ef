use audit_core::AuditEvent;

#[derive(AuditEvent)]
#[audit(source = "a.example.com", bound = "")]
struct Event<T> {
    #[audit(id)]
    id: u64,
    a: T,
}

fn main() {}
