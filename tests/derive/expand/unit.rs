#[derive(AuditEvent)]
#[audit(source = "orders.example.com", generate_id)]
pub(crate) struct Started;
