use audit_core::AuditEvent;

#[derive(AuditEvent)]
#[audit(source = "a.example.com", bound = "T Display")]
struct Event<T> {
    #[audit(id)]
    id: T,
}

fn main() {}
