use audit_core::AuditValue;

const KEY: &str = "first";

#[derive(AuditValue)]
struct Constant {
    first: u8,
    #[audit(rename = KEY)]
    second: u8,
}

fn main() {
    let _ = serde_json::to_string(&Constant { first: 1, second: 2 });
}
