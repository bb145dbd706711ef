use audit_core::AuditEvent;

struct Opaque;

#[derive(AuditEvent)]
#[audit(source = "a.example.com")]
struct Event {
    #[audit(id)]
    id: u64,
    order: Option<Vec<Opaque>>,
}

fn main() {}
