use audit_core::AuditEvent;

#[derive(AuditEvent)]
#[audit(source = "a.example.com")]
enum Event {
    Opened,
    Closed {
        #[audit(id)]
        id: u64,
    },
    Moved { to: String },
}

fn main() {}
