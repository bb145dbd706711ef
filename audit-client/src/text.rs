//! Foreign text in our messages: short, and on one line.

const SHOWN_CHARS: usize = 80;

/// At most 80 characters of `text`, control characters replaced.
pub(crate) fn cut(text: &str) -> String {
    let clean = |character: char| if character.is_control() { '\u{FFFD}' } else { character };
    let mut characters = text.chars();
    let mut shown: String = characters.by_ref().take(SHOWN_CHARS).map(clean).collect();
    if characters.next().is_some() {
        shown.push('…');
    }
    shown
}
