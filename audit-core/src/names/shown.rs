//! How a value that came from outside is shown.

use std::fmt;

/// The first 80 characters of a value, with control characters made visible, so that an error fits a line of a log and
/// cannot forge another.
#[must_use]
pub fn shown(value: &str) -> Shown<'_> {
    Shown(value)
}

/// See [`shown`].
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a>(&'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 80;
        let end = self.0.char_indices().nth(SHOWN).map_or(self.0.len(), |(at, _)| at);
        for character in self.0[..end].chars() {
            if character.is_control() {
                write!(f, "{}", character.escape_unicode())?;
            } else {
                fmt::Write::write_char(f, character)?;
            }
        }
        if end < self.0.len() { f.write_str("…") } else { Ok(()) }
    }
}
