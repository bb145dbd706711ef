use audit_core::AuditEvent;

#[derive(AuditEvent)]
#[audit(source = "a.example.com")]
struct Event {
    #[audit(id)]
    id: u64,
}

fn main() {
    let context = audit_core::Context::new(audit_core::AccountId::from_static("123456789012"));
    let _ = audit_core::IntoEntry::into_entry(&Event { id: 1 }, &context);
}
