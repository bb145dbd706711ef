use audit_core::AuditEvent;

struct Opaque;

#[derive(AuditEvent)]
#[audit(source = "a.example.com", generate_id)]
enum Event {
    Opened { order: Option<Vec<Opaque>> },
}

fn main() {}
