use audit_core::AuditEvent;

struct Opaque;

#[derive(AuditEvent)]
#[audit(source = "a.example.com")]
struct Event<'a> {
    #[audit(id)]
    id: u64,
    shown: &'a str,
    order: Option<Vec<Opaque>>,
    number: u8,
    #[audit(response)]
    answer: &'a Opaque,
    #[audit(redact)]
    hidden: Opaque,
}

fn main() {}
