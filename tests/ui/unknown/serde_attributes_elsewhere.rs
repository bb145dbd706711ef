use audit_core::{AuditEvent, AuditValue, UserIdentity};

#[derive(AuditEvent)]
#[audit(source = "a.example.com", generate_id)]
#[serde(rename_all = "snake_case")]
enum Event {
    #[serde(rename = "opened")]
    Opened {
        #[serde(with = "time::serde::rfc3339")]
        at: u8,
    },
}

#[derive(AuditValue)]
struct Value {
    #[serde(rename(serialize = "a"))]
    b: u8,
}

#[derive(UserIdentity)]
#[audit(type = "Staff")]
struct Staff {
    #[audit(principal_id)]
    #[serde(rename = "id")]
    name: String,
    #[serde(skip_serializing)]
    phone: String,
}

fn main() {}
