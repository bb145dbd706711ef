//! Foreign text in our messages: short, and on one line.

use audit_core::shown;

/// What the service says in words: it has at most 1,024 characters for it, and says what to do at their end.
const MESSAGE_CHARS: usize = 1_024;

/// The first 80 characters of a name or a value.
pub(crate) fn cut(text: &str) -> String {
    shown(text).to_string()
}

/// The first 1,024 characters of a message.
pub(crate) fn cut_message(message: &str) -> String {
    shown(message).up_to(MESSAGE_CHARS).to_string()
}

/// An error and its causes in one line.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
