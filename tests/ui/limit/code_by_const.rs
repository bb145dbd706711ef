use audit_core::AuditError;

const CODE: &str = "";

#[derive(AuditError)]
enum Failed {
    #[audit(code = CODE)]
    Timeout,
    Refused,
}

impl std::fmt::Display for Failed {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Ok(())
    }
}

fn main() {}
