use audit_core::AuditError;

#[derive(AuditError)]
#[audit(code = "")]
enum Failed {
    Timeout,
}

impl std::fmt::Display for Failed {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Ok(())
    }
}

fn main() {}
