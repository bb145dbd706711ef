use audit_core::AuditValue;

#[derive(AuditValue)]
struct Value {
    #[audit(id)]
    id: u8,
    #[audit(flatten)]
    more: u8,
}

fn main() {}
