use audit_core::AuditEvent;

#[derive(AuditEvent)]
#[audit(source = "a.example.com")]
struct Event {
    #[audit(id)]
    id: u64,
    #[audit(flatten, rename = "b")]
    a: std::collections::BTreeMap<String, u8>,
}

fn main() {}
