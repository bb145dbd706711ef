//! Text in JSON: which bytes stand for themselves, and how the others are written. To the byte what `serde_json` writes.

use std::fmt::{self, Display, Write};

use crate::names::hex::push_hex;

const fn everywhere(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// The high bit of each byte that cannot stand for itself. Only the lowest such bit is exact: what it borrows reaches the
/// bytes above.
const fn special(word: u64) -> u64 {
    // With this bit turned, the quote comes just after the control characters, so that one comparison finds both.
    let control_or_quote = (word ^ everywhere(0x02)).wrapping_sub(everywhere(0x21));
    let backslash = (word ^ everywhere(b'\\')).wrapping_sub(everywhere(0x01));
    (control_or_quote | backslash) & !word & everywhere(0x80)
}

const fn is_plain(byte: u8) -> bool {
    byte >= 0x20 && byte != b'"' && byte != b'\\'
}

/// Whether all of these bytes stand for themselves: without a way out between them, so that they go side by side.
#[inline]
fn all_plain<const LANES: usize>(chunk: &[u8; LANES]) -> bool {
    chunk.iter().fold(true, |plain, byte| plain & is_plain(*byte))
}

/// How many bytes at the beginning stand for themselves in a JSON string: all but control characters, the quote and the
/// backslash.
#[inline]
pub(crate) fn plain_len(bytes: &[u8]) -> usize {
    // Two pieces cover all of a short text, the second over a part of the first.
    let all = if let (Some(head), Some(tail)) = (bytes.first_chunk::<16>(), bytes.last_chunk::<16>()) {
        if bytes.len() > 32 {
            return long_plain_len(bytes);
        }
        all_plain(head) & all_plain(tail)
    } else if let (Some(head), Some(tail)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        special(u64::from_le_bytes(*head)) | special(u64::from_le_bytes(*tail)) == 0
    } else if let (Some(head), Some(tail)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        special(u64::from(u32::from_le_bytes(*head)) | u64::from(u32::from_le_bytes(*tail)) << 32) == 0
    } else {
        bytes.iter().all(|byte| is_plain(*byte))
    };
    if all { bytes.len() } else { first_special(bytes, 0) }
}

fn long_plain_len(bytes: &[u8]) -> usize {
    const LANES: usize = 32;
    let mut at = 0;
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<LANES>) {
        if !all_plain(chunk) {
            return first_special(bytes, at);
        }
        at += LANES;
    }
    match bytes.last_chunk::<LANES>() {
        Some(last) if all_plain(last) => bytes.len(),
        _ => first_special(bytes, at),
    }
}

/// The same for a text that goes on behind a string's end, which is near in most cases.
#[inline]
pub(crate) fn plain_run(bytes: &[u8]) -> usize {
    const LANES: usize = 32;
    let mut at = 0;
    while let Some(word) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let special = special(u64::from_le_bytes(*word));
        if special != 0 {
            return at + special.trailing_zeros() as usize / 8;
        }
        at += 8;
        if at == LANES {
            while bytes.get(at..).and_then(<[u8]>::first_chunk::<LANES>).is_some_and(all_plain) {
                at += LANES;
            }
        }
    }
    first_special(bytes, at)
}

/// Where the first byte stands that cannot stand for itself; those before `at` are known to.
fn first_special(bytes: &[u8], mut at: usize) -> usize {
    while let Some(word) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let special = special(u64::from_le_bytes(*word));
        if special != 0 {
            return at + special.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    while bytes.get(at).is_some_and(|byte| is_plain(*byte)) {
        at += 1;
    }
    at
}

/// Appends a text as a JSON string.
#[inline]
pub(crate) fn write_str(out: &mut String, text: &str) {
    let plain = plain_len(text.as_bytes());
    out.reserve(text.len() + 2);
    out.push('"');
    if plain == text.len() {
        out.push_str(text);
    } else {
        write_escaped(out, text, plain);
    }
    out.push('"');
}

/// Appends a text whose byte at `plain` is the first that needs an escape.
fn write_escaped(out: &mut String, text: &str, plain: usize) {
    let (mut rest, mut plain) = (text, plain);
    // What stands at `plain` is one byte long, so both of its ends are boundaries.
    while let (Some(run), Some(byte)) = (rest.get(..plain), rest.as_bytes().get(plain)) {
        out.push_str(run);
        out.push('\\');
        match byte {
            b'"' | b'\\' => out.push(char::from(*byte)),
            0x08 => out.push('b'),
            0x09 => out.push('t'),
            0x0A => out.push('n'),
            0x0C => out.push('f'),
            0x0D => out.push('r'),
            _ => {
                out.push_str("u00");
                push_hex(out, *byte);
            }
        }
        rest = rest.get(plain + 1..).unwrap_or_default();
        plain = plain_len(rest.as_bytes());
    }
    out.push_str(rest);
}

/// Appends what a value displays as a JSON string, once `read` has seen the text without escapes.
pub(crate) fn write_displayed<R>(
    out: &mut String,
    value: &dyn Display,
    read: impl FnOnce(&str) -> R,
) -> Result<R, fmt::Error> {
    out.push('"');
    let start = out.len();
    write!(out, "{value}")?;
    let text = out.get(start..).unwrap_or_default();
    let result = read(text);
    let plain = plain_len(text.as_bytes());
    if plain < text.len() {
        let text = out.split_off(start);
        write_escaped(out, &text, plain);
    }
    out.push('"');
    Ok(result)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{is_plain, plain_len, plain_run, write_displayed, write_str};

    fn written(text: &str) -> String {
        let mut out = String::from("before");
        write_str(&mut out, text);
        let mut displayed = String::from("before");
        assert_eq!(write_displayed(&mut displayed, &text, str::len), Ok(text.len()));
        assert_eq!(displayed, out);
        out.split_off("before".len())
    }

    #[test]
    fn every_byte_at_every_place_is_found() {
        for length in 0..80 {
            assert_eq!(plain_len(&vec![b'~'; length]), length);
            for at in 0..length {
                for byte in 0..=255 {
                    let mut bytes = vec![b'~'; length];
                    bytes[at] = byte;
                    let expected = if is_plain(byte) { length } else { at };
                    assert_eq!(plain_len(&bytes), expected, "{byte} at {at} of {length}");
                    assert_eq!(plain_run(&bytes), expected, "{byte} at {at} of {length}");
                    // One before it, so that a borrow cannot hide it, and one behind it.
                    for other in [b'"', 0x1F, 0x80].into_iter().filter(|_| at > 0 && length < 40) {
                        bytes[at - 1] = other;
                        let first = bytes.iter().position(|byte| !is_plain(*byte)).unwrap_or(length);
                        assert_eq!(plain_len(&bytes), first, "{other}, {byte} at {at} of {length}");
                        assert_eq!(plain_run(&bytes), first, "{other}, {byte} at {at} of {length}");
                    }
                }
            }
        }
    }

    #[test]
    fn every_character_is_written_as_serde_json_writes_it() {
        for character in (0..0x300).chain(0x2000..0x2100).chain(0x1_F600..0x1_F650).filter_map(char::from_u32) {
            for text in [character.to_string(), format!("{character}b"), format!("0123456789{character}é{character}")]
            {
                assert_eq!(written(&text), serde_json::to_string(&text).expect("a string"));
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_is_written_as_serde_json_writes_it(text in "[\\x00-\\x7f\u{80}-\u{2fff}😀]{0,200}|[ -~]{0,200}[\"\\\\\n]?") {
            prop_assert_eq!(written(&text), serde_json::to_string(&text).expect("a string"));
        }
    }
}
