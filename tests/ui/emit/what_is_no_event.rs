struct Nothing;

fn main() {
    let context = audit_core::Context::new(audit_core::AccountId::from_static("123456789012"));
    let _ = audit_core::IntoEntry::into_entry(&Nothing, &context);
}
