use audit_core::AuditEvent;

#[derive(AuditEvent)]
#[audit(source = "a.example.com")]
struct Event(#[audit(id)] u64, String, #[audit(response)] Vec<u8>);

fn main() {}
