use audit_core::AuditValue;

#[derive(AuditValue, serde::Serialize)]
struct Payment {
    #[audit(hmac)]
    iban: String,
}

fn main() {}
