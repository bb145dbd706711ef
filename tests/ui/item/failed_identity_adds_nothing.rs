use audit_core::{AuditEvent, UserIdentity};

#[derive(UserIdentity)]
struct Staff {
    #[audit(principal_id)]
    email: String,
}

#[derive(AuditEvent)]
#[audit(source = "a.example.com")]
struct Event {
    #[audit(id)]
    id: u64,
    #[audit(user_identity)]
    by: Staff,
}

fn main() {}
