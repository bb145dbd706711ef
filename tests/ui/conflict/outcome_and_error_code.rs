use audit_core::AuditEvent;

#[derive(AuditEvent)]
#[audit(source = "a.example.com")]
struct Event {
    #[audit(id)]
    id: u64,
    #[audit(outcome)]
    outcome: Result<(), Failed>,
    #[audit(error_code)]
    code: String,
}
struct Failed;

fn main() {}
