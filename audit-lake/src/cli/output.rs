//! Standard output and standard error.

use std::error::Error;
use std::fmt::Write as _;
use std::io::Write;

pub(super) type Failure = Box<dyn Error + Send + Sync>;

/// A text with escapes for what a terminal could hide or obey.
pub(super) fn visible(text: &str) -> String {
    audit_core::shown(text).up_to(usize::MAX).to_string()
}

/// JSON with escapes for what a terminal could hide or obey: it stays the same JSON, since such characters stand in strings only.
pub(super) fn visible_json(json: &str) -> String {
    let mut visible = String::with_capacity(json.len());
    for character in json.chars() {
        if audit_core::is_invisible(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a string does not fail.
                write!(visible, "\\u{unit:04x}").unwrap_or_default();
            }
        } else {
            visible.push(character);
        }
    }
    visible
}

/// Writes a line to standard output.
pub(super) fn say(line: &str) -> Result<(), Failure> {
    Ok(writeln!(std::io::stdout().lock(), "{}", visible(line))?)
}

/// An error and its causes on one line.
pub(super) fn with_causes(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |error| (*error).source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// Writes an error and its causes to standard error.
pub(crate) fn complain(error: &(dyn Error + 'static)) {
    let text = format!("audit-lake: {}", with_causes(error));
    let text: Vec<String> = text.split('\n').map(visible).collect();
    // Standard error may be closed; there is no other place to write to.
    drop(writeln!(std::io::stderr().lock(), "{}", text.join("\n")));
}

#[cfg(test)]
mod tests {
    use super::{visible, visible_json};

    #[test]
    fn json_with_escapes_is_the_same_json() {
        let text = "a\u{7f}\u{9b}\u{61C}\u{200B}\u{2028}\u{202E}\u{2066}\u{FEFF}\u{E0041}ö👍\n";
        let json = serde_json::to_string(text).expect("JSON");
        let escaped = visible_json(&json);
        assert!(!escaped.chars().any(audit_core::is_invisible) && escaped.contains("\\udb40\\udc41"), "{escaped}");
        assert_eq!(serde_json::from_str::<String>(&escaped).expect("JSON"), text);
        assert!(!visible(text).chars().any(audit_core::is_invisible));
    }
}
