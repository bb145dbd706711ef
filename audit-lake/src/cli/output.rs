//! Standard output and standard error.

use std::error::Error;
use std::io::Write;

pub(super) type Failure = Box<dyn Error + Send + Sync>;

/// Writes a line to standard output.
pub(super) fn say(line: &str) -> Result<(), Failure> {
    Ok(writeln!(std::io::stdout().lock(), "{line}")?)
}

/// An error and its causes on one line.
pub(super) fn with_causes(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |error| (*error).source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// Writes an error and its causes to standard error.
pub(crate) fn complain(error: &(dyn Error + 'static)) {
    let text = format!("audit-lake: {}", with_causes(error));
    // Standard error may be closed; there is no other place to write to.
    drop(writeln!(std::io::stderr().lock(), "{text}"));
}
