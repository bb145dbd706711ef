//! An event type as one text. The compiler has to check every token that a derive generates, for every type; one string
//! is one token, and a constant function reads it where a catalog is asked for.
//!
//! Source, name and version, a line each, that of version "1.0" empty; one line a field, `marks @role key type`, the role a letter, left out where it is
//! `request`; the rest is the doc comment:
//!
//! ```text
//! orders.example.com
//! RefundIssued
//! 2.0
//! @i Uuid
//! @u &'a Staff
//! orderId &'a str
//! #iban Option<String>
//! ?@x note Option<String>
//! A refund was issued.
//! ```
//!
//! Marks: `?` optional, `~` converted by a function, `*` redacted, `#` hashed. A flattened field has an empty key.

use crate::catalog::{EventType, FieldType, Protection, Role};

/// An event type before its fields have a place of their own.
#[derive(Debug)]
pub struct Catalog<const N: usize> {
    source: &'static str,
    name: &'static str,
    version: &'static str,
    doc: &'static str,
    fields: [FieldType; N],
}

/// Reads a text with as many fields.
///
/// # Panics
/// If source, name or version break the contract: in a constant, that does not compile.
#[must_use]
pub const fn text<const N: usize>(text: &'static str) -> Catalog<N> {
    let (source, rest) = before(text, b'\n');
    let (name, rest) = before(rest, b'\n');
    let (version, mut rest) = before(rest, b'\n');
    let mut fields = [FieldType::new("", Role::Request, ""); N];
    let mut at = 0;
    while at < N {
        let (line, after) = before(rest, b'\n');
        fields[at] = field(line);
        rest = after;
        at += 1;
    }
    Catalog { source, name, version, doc: rest, fields }
}

impl<const N: usize> Catalog<N> {
    /// The event type.
    #[must_use]
    pub const fn of(&'static self) -> EventType {
        let event_type = EventType::new(self.source, self.name).doc(self.doc).fields(&self.fields);
        if self.version.is_empty() { event_type } else { event_type.version(self.version) }
    }
}

const fn field(line: &'static str) -> FieldType {
    let mut field = FieldType::new("", Role::Request, "");
    let mut rest = line;
    loop {
        match rest.as_bytes() {
            [b'?', ..] => field.optional = true,
            [b'~', ..] => field.converted = true,
            [b'*', ..] => field.protection = Protection::Redact,
            [b'#', ..] => field.protection = Protection::Hmac,
            _ => break,
        }
        rest = rest.split_at(1).1;
    }
    if let [b'@', ..] = rest.as_bytes() {
        let (role, after) = before(rest.split_at(1).1, b' ');
        field.role = named(role);
        rest = after;
    }
    if matches!(field.role, Role::Request | Role::Response | Role::Additional) {
        (field.key, rest) = before(rest, b' ');
    }
    field.rust_type = rest;
    field
}

/// What stands before a byte of ASCII, and what behind it.
const fn before(text: &'static str, end: u8) -> (&'static str, &'static str) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == end {
            let (line, rest) = text.split_at(at);
            return (line, rest.split_at(1).1);
        }
        at += 1;
    }
    (text, "")
}

const fn named(role: &str) -> Role {
    match role.as_bytes() {
        b"n" => Role::EventName,
        b"i" => Role::Id,
        b"t" => Role::Time,
        b"u" => Role::UserIdentity,
        b"a" => Role::UserAgent,
        b"s" => Role::SourceIp,
        b"r" => Role::Response,
        b"o" => Role::Outcome,
        b"c" => Role::ErrorCode,
        b"m" => Role::ErrorMessage,
        b"x" => Role::Additional,
        _ => Role::Request,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_a_field() {
        static CATALOG: Catalog<6> = text(
            "a.example.com\nN\n2\n@i u64\norderId &'a str\n#iban String\n?@x note Option<(u8, u8)>\n Map\n~*@r größe [u8; 2]\nOne.\nTwo.",
        );
        static FIELDS: [FieldType; 6] = [
            FieldType::new("", Role::Id, "u64"),
            FieldType::new("orderId", Role::Request, "&'a str"),
            FieldType::new("iban", Role::Request, "String").protected(Protection::Hmac),
            FieldType::new("note", Role::Additional, "Option<(u8, u8)>").optional(),
            FieldType::new("", Role::Request, "Map"),
            FieldType::new("größe", Role::Response, "[u8; 2]").converted().protected(Protection::Redact),
        ];
        let expected = EventType::new("a.example.com", "N").version("2").doc("One.\nTwo.").fields(&FIELDS);
        assert_eq!(CATALOG.of(), expected);
    }

    #[test]
    fn an_event_without_fields_and_doc_is_three_lines() {
        static CATALOG: Catalog<0> = text("a\nb\n");
        assert_eq!(CATALOG.of(), EventType::new("a", "b"));
    }
}
