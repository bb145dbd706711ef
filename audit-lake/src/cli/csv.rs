//! Comma-separated values (RFC 4180), for spreadsheets.

use std::io::{self, Write};

use super::output::visible;

/// Writes a record. Its cells show what a terminal could hide or obey as escapes, and none is a formula.
pub(super) fn write_record(out: &mut impl Write, cells: &[&str]) -> io::Result<()> {
    for (at, text) in cells.iter().enumerate() {
        if at > 0 {
            out.write_all(b",")?;
        }
        out.write_all(cell(text).as_bytes())?;
    }
    out.write_all(b"\r\n")
}

fn cell(text: &str) -> String {
    let text = visible(&without_formula(text));
    if text.contains(['"', ',', ';', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// A text with an apostrophe before what a spreadsheet would take for the beginning of a formula: at its beginning, and after a
/// semicolon, at which spreadsheets of many countries part the cells.
fn without_formula(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 1);
    let mut begins = true;
    for character in text.chars() {
        if begins
            && matches!(
                character,
                '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '\u{FF1D}' | '\u{FF0B}' | '\u{FF0D}' | '\u{FF20}'
            )
        {
            safe.push('\'');
        }
        safe.push(character);
        begins = character == ';';
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::write_record;

    fn record(cells: &[&str]) -> String {
        let mut out = Vec::new();
        write_record(&mut out, cells).expect("written");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        assert_eq!(record(&["a", "", "b c", "ö👍"]), "a,,b c,ö👍\r\n");
        assert_eq!(record(&["a,b", "say \"yes\"", "\"", "a;b"]), "\"a,b\",\"say \"\"yes\"\"\",\"\"\"\",\"a;b\"\r\n");
    }

    #[test]
    fn no_cell_is_a_formula() {
        for character in ["=", "+", "-", "@", "\u{FF1D}", "\u{FF0B}", "\u{FF0D}", "\u{FF20}"] {
            assert_eq!(record(&[&format!("{character}1{character}1")]), format!("'{character}1{character}1\r\n"));
        }
        assert_eq!(record(&["=\"a\"", "a=1", " =1", "'=1"]), "\"'=\"\"a\"\"\",a=1, =1,'=1\r\n");
        assert_eq!(record(&["a;=1;b;@c"]), "\"a;'=1;b;'@c\"\r\n");
    }

    #[test]
    fn invisible_characters_are_escapes_and_end_no_line() {
        assert_eq!(record(&["\tx", "\rx", "a\r\nb\u{202E}c"]), "'\\u{9}x,'\\u{d}x,a\\u{d}\\u{a}b\\u{202e}c\r\n");
    }
}
