use audit_core::AuditEvent;

fn shorten(text: &str) -> String {
    text.to_owned()
}

#[derive(AuditEvent)]
#[audit(source = "a.example.com")]
struct Event {
    #[audit(id)]
    id: u64,
    #[audit(with = shorten)]
    a: u64,
}

fn main() {}
