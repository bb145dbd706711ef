//! How a value that came from outside is shown.

use std::fmt;

/// The first 80 characters of a value, with control and invisible characters as escapes, so that an error fits a line of a log
/// and cannot forge another, or change how the line around it reads.
#[must_use]
pub fn shown(value: &str) -> Shown<'_> {
    Shown { value, characters: 80 }
}

/// See [`shown`].
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    value: &'a str,
    characters: usize,
}

impl Shown<'_> {
    /// Shows up to this number of characters instead, for texts that say what to do at their end.
    #[must_use]
    pub fn up_to(self, characters: usize) -> Self {
        Self { characters, ..self }
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { value, characters } = *self;
        let end = value.char_indices().nth(characters).map_or(value.len(), |(at, _)| at);
        for character in value[..end].chars() {
            if is_invisible(character) {
                write!(f, "{}", character.escape_unicode())?;
            } else {
                fmt::Write::write_char(f, character)?;
            }
        }
        if end < value.len() { f.write_str("…") } else { Ok(()) }
    }
}

/// Whether [`shown`] escapes a character: control characters, line and paragraph separators, and what has no width or turns the
/// direction of the text around it.
#[must_use]
pub fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61C}'
                | '\u{200B}'..='\u{200F}'
                | '\u{2028}'..='\u{202E}'
                | '\u{2066}'..='\u{2069}'
                | '\u{FEFF}'
                | '\u{E0000}'..='\u{E007F}'
        )
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn what_could_change_the_line_around_it_is_escaped() {
        assert_eq!(shown("a\nb\u{202E}c\u{E0041}ö").to_string(), "a\\u{a}b\\u{202e}c\\u{e0041}ö");
        assert_eq!(shown(&"ä".repeat(81)).to_string(), format!("{}…", "ä".repeat(80)));
        assert_eq!(shown("abc").up_to(2).to_string(), "ab…");
    }
}
