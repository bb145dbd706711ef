use audit_core::AuditEvent;

#[derive(AuditEvent)]
#[audit(source = "a.example.com")]
struct Event {
    #[audit(ident)]
    ident: u64,
}

fn main() {
    let event = Event { ident: 1 };
    let context = audit_core::Context::new(audit_core::AccountId::from_static("123456789012"));
    let _ = event.to_entry(&context);
    let _ = audit_core::IntoEntry::into_entry(&event, &context);
    let _ = <Event as audit_core::EventCatalog>::EVENT_TYPES;
}
