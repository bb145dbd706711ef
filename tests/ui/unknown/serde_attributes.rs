use audit_core::AuditEvent;

fn digits(_: &u8) -> u8 {
    0
}

#[derive(AuditEvent)]
#[audit(source = "a.example.com", generate_id)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
struct Event {
    #[serde(rename = "orderId")]
    order: u64,
    #[serde(skip)]
    password: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    lines: Vec<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(serialize_with = "digits")]
    #[audit(redact)]
    pin: u8,
    #[serde(rename = "iban")]
    #[audit(hmac)]
    account: u8,
    #[serde(flatten)]
    more: std::collections::BTreeMap<String, u8>,
}

fn main() {}
