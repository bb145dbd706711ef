use audit_core::AuditError;

#[derive(AuditError)]
enum Failed {
    Timeout,
}

fn main() {}
