use audit_core::AuditEvent;

#[derive(AuditEvent)]
#[audit(source = "shop.example.com", generate_id)]
struct Sold {
    #[audit(skip, personal)]
    email: String,
}

fn main() {}
