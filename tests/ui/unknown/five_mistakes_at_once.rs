use audit_core::AuditEvent;

#[derive(AuditEvent)]
#[audit(soruce = "a.example.com", version = "")]
struct Event {
    #[audit(id = 1)]
    id: u64,
    #[audit(tiem)]
    at: std::time::SystemTime,
    #[audit(rename_all = "camelCase")]
    note: String,
}

fn main() {}
