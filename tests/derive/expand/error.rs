#[derive(AuditError)]
pub(crate) enum Failed<'a> {
    Expired,
    #[audit(code = "Unknown")]
    Other(&'a str),
}

impl std::fmt::Display for Failed<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("failed")
    }
}
