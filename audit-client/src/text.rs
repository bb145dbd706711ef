//! Foreign text in our messages: short, and on one line.

/// A name or a value.
const NAME_CHARS: usize = 80;
/// What the service says in words: it has at most 1,024 characters for it, and says what to do at their end.
const MESSAGE_CHARS: usize = 1_024;

/// At most 80 characters of `text`, control characters replaced.
pub(crate) fn cut(text: &str) -> String {
    cut_at(text, NAME_CHARS)
}

/// At most 1,024 characters of a message, control characters replaced.
pub(crate) fn cut_message(message: &str) -> String {
    cut_at(message, MESSAGE_CHARS)
}

fn cut_at(text: &str, limit: usize) -> String {
    let clean = |character: char| if character.is_control() { '\u{FFFD}' } else { character };
    let mut characters = text.chars();
    let mut shown: String = characters.by_ref().take(limit).map(clean).collect();
    if characters.next().is_some() {
        shown.push('…');
    }
    shown
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
