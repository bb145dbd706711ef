use audit_core::AuditEvent;

struct Receipt;

#[derive(AuditEvent)]
#[audit(source = "a.example.com", generate_id)]
struct Event<'a> {
    #[audit(outcome)]
    outcome: &'a Result<Receipt, std::io::Error>,
}

fn main() {}
