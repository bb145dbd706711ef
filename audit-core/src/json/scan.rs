//! Reads JSON without building it: grammar, duplicate keys and nesting, in one pass over the text.
//!
//! A general parser takes the later of two equal keys, or the earlier, and says nothing. What is evidence must read the
//! same to every reader, so such objects are refused here, as are half surrogate pairs and numbers beyond a 64-bit float's
//! range, which some readers take and some do not (RFC 8259, sections 4, 6 and 8.2).

use std::borrow::Cow;

use super::distinct::fingerprint;
use super::escape::plain_run;
use super::fault::Fault;
use crate::limits::MAX_NESTING;

/// What reading gives: a fault is rare and large, so it is boxed.
pub(crate) type Scan<T> = Result<T, Box<Fault>>;

/// What kind of value was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    Object,
    Array,
    Text(Text<'a>),
    Number,
    Bool,
    Null,
}

impl Value<'_> {
    /// How an error names it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Object => "an object",
            Self::Array => "an array",
            Self::Text(_) => "a string",
            Self::Number => "a number",
            Self::Bool => "a boolean",
            Self::Null => "null",
        }
    }
}

/// A string as it stands between its quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Text<'a> {
    raw: &'a str,
    escaped: bool,
}

impl<'a> Text<'a> {
    /// What it means, its escapes resolved.
    #[inline]
    pub(crate) fn decode(self) -> Cow<'a, str> {
        if self.escaped { Cow::Owned(unescape(self.raw)) } else { Cow::Borrowed(self.raw) }
    }
}

/// Holds a whole text to JSON's grammar, to distinct keys and to bounded nesting.
pub(crate) fn check(text: &str) -> Result<(), Fault> {
    check_inside(text, 0)
}

/// The same for a text inside `depth` arrays and objects.
pub(crate) fn check_inside(text: &str, depth: usize) -> Result<(), Fault> {
    let mut scanner = Scanner { depth, ..Scanner::new(text) };
    scanner.value().and_then(|_| scanner.end()).map_err(|fault| *fault)
}

pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    /// The keys of every object that is open, the innermost last.
    keys: Vec<Key<'a>>,
}

/// A key, where it stands, and what distinguishes most keys at once.
#[derive(Clone, Copy)]
struct Key<'a> {
    fingerprint: u64,
    text: Text<'a>,
    offset: usize,
}

/// A bit for each key of an object. As long as each finds another bit, the keys are distinct.
#[derive(Default)]
struct Marks {
    bits: [u64; 8],
    alike: bool,
}

impl Marks {
    #[inline]
    fn set(&mut self, fingerprint: u64) {
        let (word, bit) = (&mut self.bits[(fingerprint >> 6) as usize % 8], 1 << (fingerprint % 64));
        self.alike |= *word & bit != 0;
        *word |= bit;
    }
}

impl Key<'_> {
    #[inline]
    fn is(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint && self.means(other.text)
    }

    #[cold]
    fn means(&self, other: Text<'_>) -> bool {
        self.text.decode() == other.decode()
    }
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0, depth: 0, keys: Vec::with_capacity(32) }
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[cold]
    fn expected(&self, expected: &'static str) -> Fault {
        Fault::Syntax { offset: self.at, expected }
    }

    #[inline]
    fn skip_space(&mut self) {
        if self.peek().is_some_and(|byte| byte <= b' ') {
            self.skip_more_space();
        }
    }

    fn skip_more_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    /// Nothing but space may follow.
    pub(crate) fn end(&mut self) -> Scan<()> {
        self.skip_space();
        if self.at == self.text.len() { Ok(()) } else { Err(self.expected("the end").into()) }
    }

    /// Bytes read so far.
    pub(crate) fn offset(&self) -> usize {
        self.at
    }

    /// Where the next value begins, after space.
    pub(crate) fn value_start(&mut self) -> usize {
        self.skip_space();
        self.at
    }

    /// Whether an object begins here.
    pub(crate) fn next_is_object(&self) -> bool {
        self.peek() == Some(b'{')
    }

    /// Reads one value, whatever it is.
    pub(crate) fn value(&mut self) -> Scan<Value<'a>> {
        self.skip_space();
        match self.peek() {
            Some(b'{') => self.object(|scanner, _| scanner.value().map(drop)).map(|()| Value::Object),
            Some(b'[') => self.array().map(|()| Value::Array),
            Some(b'"') => self.string().map(Value::Text),
            Some(b'-' | b'0'..=b'9') => self.number().map(|()| Value::Number),
            Some(b't') => self.word("true").map(|()| Value::Bool),
            Some(b'f') => self.word("false").map(|()| Value::Bool),
            Some(b'n') => self.word("null").map(|()| Value::Null),
            _ => Err(self.expected("a value").into()),
        }
    }

    /// Reads an object; `member` is called with each key and must read its value.
    pub(crate) fn object(&mut self, mut member: impl FnMut(&mut Self, &str) -> Scan<()>) -> Scan<()> {
        self.open()?;
        let first_key = self.keys.len();
        let mut marks = Marks::default();
        self.skip_space();
        if self.peek() != Some(b'}') {
            loop {
                self.skip_space();
                let offset = self.at;
                if self.peek() != Some(b'"') {
                    return Err(self.expected("a key in quotes").into());
                }
                let text = self.string()?;
                let key = text.decode();
                self.skip_space();
                if self.peek() != Some(b':') {
                    return Err(self.expected("a colon").into());
                }
                self.at += 1;
                let fingerprint = fingerprint(key.as_bytes());
                marks.set(fingerprint);
                self.keys.push(Key { fingerprint, text, offset });
                member(self, &key)?;
                self.skip_space();
                match self.peek() {
                    Some(b',') => self.at += 1,
                    Some(b'}') => break,
                    _ => return Err(self.expected("a comma or a closing brace").into()),
                }
            }
        }
        if marks.alike {
            self.distinct(first_key)?;
        }
        self.keys.truncate(first_key);
        self.close();
        Ok(())
    }

    /// Keys that left the same mark: compares few with each other and sorts many, so that no object takes quadratic time.
    fn distinct(&mut self, first_key: usize) -> Scan<()> {
        const FEW: usize = 16;
        let keys = &mut self.keys[first_key..];
        let twice = if keys.len() <= FEW {
            (1..keys.len()).find(|&later| keys[..later].iter().any(|key| key.is(&keys[later])))
        } else {
            keys.sort_unstable_by(|one, other| {
                let texts = || one.text.decode().cmp(&other.text.decode());
                one.fingerprint.cmp(&other.fingerprint).then_with(texts).then(one.offset.cmp(&other.offset))
            });
            (1..keys.len()).find(|&later| keys[later - 1].is(&keys[later]))
        };
        if let Some(at) = twice {
            let key = &keys[at];
            return Err(Fault::DuplicateKey { key: key.text.decode().into_owned(), offset: key.offset }.into());
        }
        Ok(())
    }

    fn array(&mut self) -> Scan<()> {
        self.open()?;
        self.skip_space();
        if self.peek() != Some(b']') {
            loop {
                self.value()?;
                self.skip_space();
                match self.peek() {
                    Some(b',') => self.at += 1,
                    Some(b']') => break,
                    _ => return Err(self.expected("a comma or a closing bracket").into()),
                }
            }
        }
        self.close();
        Ok(())
    }

    fn open(&mut self) -> Scan<()> {
        if self.depth == MAX_NESTING {
            return Err(Fault::TooDeep { offset: self.at }.into());
        }
        self.depth += 1;
        self.at += 1;
        Ok(())
    }

    fn close(&mut self) {
        self.depth -= 1;
        self.at += 1;
    }

    fn word(&mut self, word: &'static str) -> Scan<()> {
        if self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            self.at += word.len();
            Ok(())
        } else {
            Err(self.expected("a value").into())
        }
    }

    fn number(&mut self) -> Scan<()> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        // Only such a number can leave a float's range, of some 300 digits.
        let text = self.text.get(start..self.at).unwrap_or_default();
        let may_overflow = text.len() > 300 || text.contains(['e', 'E']);
        if may_overflow && !text.parse::<f64>().is_ok_and(f64::is_finite) {
            return Err(Fault::Syntax { offset: start, expected: "a number that a 64-bit float can hold" }.into());
        }
        Ok(())
    }

    fn digits(&mut self) -> Scan<()> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(self.expected("a digit").into()) } else { Ok(()) }
    }

    fn string(&mut self) -> Scan<Text<'a>> {
        let start = self.at + 1;
        let rest = self.text.as_bytes().get(start..).unwrap_or_default();
        let plain = plain_run(rest);
        self.at = start + plain;
        if rest.get(plain) == Some(&b'"') {
            self.at += 1;
            // Both ends lie beside a quote, which is a character of its own.
            let raw = self.text.get(start..start + plain).unwrap_or_default();
            return Ok(Text { raw, escaped: false });
        }
        self.escaped_string(start)
    }

    /// Goes on with a string that began at `start` and has something here that does not stand for itself.
    fn escaped_string(&mut self, start: usize) -> Scan<Text<'a>> {
        let bytes = self.text.as_bytes();
        loop {
            match bytes.get(self.at) {
                Some(b'"') => {
                    let raw = self.text.get(start..self.at).unwrap_or_default();
                    self.at += 1;
                    return Ok(Text { raw, escaped: true });
                }
                Some(b'\\') => self.escape()?,
                Some(_) => return Err(self.expected("no bare control character in a string").into()),
                None => return Err(self.expected("a closing quote").into()),
            }
            self.at += plain_run(bytes.get(self.at..).unwrap_or_default());
        }
    }

    fn escape(&mut self) -> Scan<()> {
        match self.text.as_bytes().get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') => {
                let unit = self.code_unit(self.at)?;
                let paired = match unit {
                    0xD800..=0xDBFF => {
                        matches!(self.text.as_bytes().get(self.at + 6..self.at + 8), Some(b"\\u"))
                            && matches!(self.code_unit(self.at + 6), Ok(0xDC00..=0xDFFF))
                    }
                    0xDC00..=0xDFFF => false,
                    _ => {
                        self.at += 6;
                        return Ok(());
                    }
                };
                if !paired {
                    return Err(self.expected("a surrogate pair, not half of one,").into());
                }
                self.at += 12;
            }
            _ => return Err(self.expected("a known escape").into()),
        }
        Ok(())
    }

    /// The four hex digits of the `\uXXXX` that begins at `at`.
    fn code_unit(&self, at: usize) -> Scan<u32> {
        self.text
            .as_bytes()
            .get(at + 2..at + 6)
            .and_then(|digits| {
                digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)?))
            })
            .ok_or_else(|| Fault::Syntax { offset: at, expected: "four hex digits after \\u" }.into())
    }
}

/// Resolves the escapes of a string that the scanner has read, and so knows to be right.
fn unescape(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        let escape = rest.as_bytes().get(at + 1).copied().unwrap_or_default();
        let mut length = 2;
        match escape {
            b'b' => text.push('\u{8}'),
            b'f' => text.push('\u{C}'),
            b'n' => text.push('\n'),
            b'r' => text.push('\r'),
            b't' => text.push('\t'),
            b'u' => {
                let unit = |from: usize| rest.get(from..from + 4).and_then(|hex| u32::from_str_radix(hex, 16).ok());
                let first = unit(at + 2).unwrap_or_default();
                let code = if (0xD800..0xDC00).contains(&first) {
                    length = 12;
                    let second = unit(at + 8).unwrap_or_default();
                    0x1_0000 + ((first - 0xD800) << 10) + (second.wrapping_sub(0xDC00) & 0x3FF)
                } else {
                    length = 6;
                    first
                };
                text.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            other => text.push(char::from(other)),
        }
        rest = rest.get(at + length..).unwrap_or_default();
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Fault, Scanner, Value, check};

    #[test]
    fn json_is_taken_and_what_is_almost_json_is_refused_at_its_byte() {
        for good in [
            "{}",
            " [1, -0, 0.5e+10, 1E308, 1e-400, true, false, null, \"\\u00e9\\ud83d\\ude00\"] ",
            "\"é\u{2028}\"",
            "0",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for (bad, at) in [
            ("", 0),
            ("\u{FEFF}{}", 0),
            ("{", 1),
            ("{\"a\"}", 4),
            ("{\"a\":}", 5),
            ("{\"a\":1,}", 7),
            ("{a:1}", 1),
            ("[1,]", 3),
            ("[1 2]", 3),
            ("01", 1),
            ("-", 1),
            ("1.", 2),
            (".5", 0),
            ("1e", 2),
            ("+1", 0),
            ("[-1E400]", 1),
            ("NaN", 0),
            ("nul", 0),
            ("truee", 4),
            ("\"a", 2),
            ("\"\\x\"", 1),
            ("\"\\u12g4\"", 1),
            ("\"\\u+123\"", 1),
            ("\"\\ud800\"", 1),
            ("\"\\ud800\\n\"", 1),
            ("\"\\ud800\\u0041\"", 1),
            ("\"\\udc00\\ud800\"", 1),
            ("\"\n\"", 1),
            ("{} {}", 3),
            ("'a'", 0),
        ] {
            let Err(Fault::Syntax { offset, .. }) = check(bad) else { panic!("{bad:?} was taken") };
            assert_eq!(offset, at, "{bad:?}");
        }
    }

    #[test]
    fn the_same_key_twice_is_refused_however_it_is_written_and_wherever_it_stands() {
        let many = |twice: &str| {
            let keys: Vec<String> = (0..40).map(|at| format!("\"k{at}\":{{\"k{at}\":1}}")).collect();
            format!("{{{},{twice}:2}}", keys.join(","))
        };
        assert_eq!(check(&many("\"k40\"")), Ok(()));
        for bad in [
            r#"{"a":1,"a":2}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"[{"x":{"é":1,"b":0,"\u00e9":2}}]"#,
            &many("\"k7\""),
            &many("\"\\u006b7\""),
        ] {
            assert!(matches!(check(bad), Err(Fault::DuplicateKey { .. })), "{bad}");
        }
        let Err(Fault::DuplicateKey { key, offset }) = check(r#"{"a":1,"b":{"c":[]},"b":3}"#) else { panic!("taken") };
        assert_eq!((key.as_str(), offset), ("b", 20));
        assert_eq!(check(r#"{"a":{"a":{"a":1}},"b":{"a":1}}"#), Ok(()), "keys of other objects do not count");
    }

    #[test]
    fn nesting_ends_at_100_levels() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert_eq!(check(&nested(100)), Ok(()));
        assert_eq!(check(&nested(101)), Err(Fault::TooDeep { offset: 100 }));
        assert!(matches!(check(&"[{\"a\":".repeat(100_000)), Err(Fault::TooDeep { .. })));
    }

    #[test]
    fn a_string_means_what_serde_json_reads_in_it() {
        let raw = r#""a\"\\\/\b\f\n\r\t\u0000\u00e9\ud83d\ude00é😀""#;
        let Ok(Value::Text(text)) = Scanner::new(raw).value() else { panic!("refused") };
        assert_eq!(text.decode(), serde_json::from_str::<String>(raw).expect("JSON"));
    }

    proptest! {
        #[test]
        fn any_text_is_judged_as_serde_json_judges_it(text in "[\\[\\]{}:,\"\\\\a0-2.eE+tnu \\-]{0,24}") {
            let theirs = serde_json::from_str::<serde_json::Value>(&text);
            match check(&text) {
                Ok(()) => prop_assert!(theirs.is_ok(), "{text}"),
                Err(Fault::DuplicateKey { .. }) => prop_assert!(!text.is_empty()),
                Err(_) => prop_assert!(theirs.is_err(), "{text}"),
            }
        }

        #[test]
        fn strings_mean_what_serde_json_reads_in_them(text in any::<String>()) {
            let json = serde_json::to_string(&text).expect("a string");
            let Ok(Value::Text(read)) = Scanner::new(&json).value() else { panic!("refused {json}") };
            prop_assert_eq!(read.decode(), text);
        }
    }
}
