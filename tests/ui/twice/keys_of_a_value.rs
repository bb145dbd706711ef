use audit_core::AuditValue;

#[derive(AuditValue)]
struct Literal {
    first: u8,
    #[audit(rename = "first")]
    second: u8,
}

fn main() {}
