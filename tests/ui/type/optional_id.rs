use audit_core::AuditEvent;

#[derive(AuditEvent)]
#[audit(source = "a.example.com")]
enum Event {
    A(#[audit(id)] Option<u64>),
}

fn main() {}
