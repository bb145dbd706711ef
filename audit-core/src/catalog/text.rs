//! Event types as texts. The compiler has to check every token that a derive generates, for every type; one string is one
//! token. Constant functions read it, and only where a catalog is asked for: `cargo check` never has to.
//!
//! How many fields there are, source, name and version, that of version "1.0" empty; each field, `marks @role key type`, the
//! role a letter, left out where it is `request`; the doc comment. Between any two a bar, which none but the comment has:
//!
//! ```text
//! 5|orders.example.com|RefundIssued|2.0|@i Uuid|@u &'a Staff|orderId &'a str|#iban Option<String>|?@x note Option<String>|A refund was issued.
//! ```
//!
//! Marks: `?` optional, `~` converted by a function, `*` redacted, `#` hashed, `!` personal, `>` and a word the type of a target. A flattened field has an empty key.

use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;

use super::{EventType, FieldType, Protection, Role};

/// The event types of a Rust type: one for a struct, one a variant for an enum.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no event types to list",
    note = "derive `AuditEvent` for the type: it implements `EventCatalog` as well"
)]
pub trait EventCatalog {
    /// All of them, in the order in which they are written. An impl by hand has to give it.
    const EVENT_TYPES: &'static [EventType] = of_struct::<Self>();

    /// For the derive: the event types as texts, out of which it makes `EVENT_TYPES`.
    #[doc(hidden)]
    const __TEXTS: &'static [&'static str] = &[];
}

macro_rules! through_pointer {
    ($($pointer:ty),*) => {$(
        impl<T: EventCatalog + ?Sized> EventCatalog for $pointer {
            const EVENT_TYPES: &'static [EventType] = T::EVENT_TYPES;
        }
    )*};
}
through_pointer!(&T, Box<T>, Rc<T>, Arc<T>);

/// The event type in the text of `E`, which is a struct and has at most 32 fields: so that a derive need not even say this.
///
/// That it is a function, and not a constant, keeps the compiler from reading the text before it is needed.
/// A failure is reported at the caller, where it can be mended.
#[must_use]
#[track_caller]
pub(crate) const fn of_struct<E: EventCatalog + ?Sized>() -> &'static [EventType] {
    macro_rules! by_count {
        ($count:expr => $($number:literal)*) => {
            match $count {
                $($number => types::<E, 1, $number>(),)*
                _ => panic!("a derive gives `EVENT_TYPES` to a type of more fields"),
            }
        };
    }
    let [text] = E::__TEXTS else {
        panic!("this `EventCatalog` has no event types: write `const EVENT_TYPES`, or derive `AuditEvent`")
    };
    by_count!(count(text).0 => 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32)
}

/// The event types in the texts of `E`: `TYPES` types, with `FIELDS` fields in all.
#[must_use]
pub const fn types<E: EventCatalog + ?Sized, const TYPES: usize, const FIELDS: usize>() -> &'static [EventType] {
    &Catalog::<E, TYPES, FIELDS>::TYPES
}

/// The event type in one of the texts of `E`, with `FIELDS` fields. The compiler limits how long a constant may take to evaluate,
/// so a derive for a large enum reads each event type by itself.
#[must_use]
pub const fn type_at<E: EventCatalog + ?Sized, const AT: usize, const FIELDS: usize>() -> EventType {
    TypeAt::<E, AT, FIELDS>::TYPE
}

struct TypeAt<E: ?Sized, const AT: usize, const FIELDS: usize>(PhantomData<E>);

impl<E: EventCatalog + ?Sized, const AT: usize, const FIELDS: usize> TypeAt<E, AT, FIELDS> {
    const READ: Read<1, FIELDS> = Read::new(&[E::__TEXTS[AT]]);
    const TYPE: EventType = Self::READ.with_fields(&Self::READ.fields)[0];
}

/// A doc comment that macros made: without the blanks around it.
#[must_use]
pub const fn doc(text: &str) -> &str {
    text.trim_ascii()
}

/// Gives what is read a place, so that event types can refer to their fields.
struct Catalog<E: ?Sized, const TYPES: usize, const FIELDS: usize>(PhantomData<E>);

impl<E: EventCatalog + ?Sized, const TYPES: usize, const FIELDS: usize> Catalog<E, TYPES, FIELDS> {
    const READ: Read<TYPES, FIELDS> = Read::new(E::__TEXTS);
    const TYPES: [EventType; TYPES] = Self::READ.with_fields(&Self::READ.fields);
}

/// Event types, each without its fields, and the fields of all of them.
#[derive(Debug)]
struct Read<const TYPES: usize, const FIELDS: usize> {
    types: [EventType; TYPES],
    counts: [usize; TYPES],
    fields: [FieldType; FIELDS],
}

impl<const TYPES: usize, const FIELDS: usize> Read<TYPES, FIELDS> {
    /// Reads one text a type. The derive has held sources, names and versions to the contract.
    const fn new(texts: &[&'static str]) -> Self {
        let none = EventType { source: "", name: "", version: "1.0", doc: "", fields: &[], name_from_field: false };
        let no_field = FieldType::new("", Role::Request, "");
        let mut read = Self { types: [none; TYPES], counts: [0; TYPES], fields: [no_field; FIELDS] };
        let (mut at, mut end) = (0, 0);
        while at < TYPES {
            let (count, rest) = count(texts[at]);
            let (source, rest) = before(rest, b'|');
            let (name, rest) = before(rest, b'|');
            let (version, mut rest) = before(rest, b'|');
            let event_type = &mut read.types[at];
            (event_type.source, event_type.name) = (source, name);
            if !version.is_empty() {
                event_type.version = version;
            }
            let begin = end;
            while end < begin + count {
                let (text, after) = before(rest, b'|');
                let field = field(text);
                event_type.name_from_field |= matches!(field.role, Role::EventName);
                read.fields[end] = field;
                (rest, end) = (after, end + 1);
            }
            event_type.doc = doc(rest);
            read.counts[at] = count;
            at += 1;
        }
        read
    }

    const fn with_fields(&self, mut fields: &'static [FieldType]) -> [EventType; TYPES] {
        let mut types = self.types;
        let mut at = 0;
        while at < TYPES {
            (types[at].fields, fields) = fields.split_at(self.counts[at]);
            at += 1;
        }
        types
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
            [b'!', ..] => field.personal = true,
            [b'>', ..] => {
                (field.target, rest) = before(rest.split_at(1).1, b' ');
                continue;
            }
            _ => break,
        }
        rest = rest.split_at(1).1;
    }
    if let [b'@', ..] = rest.as_bytes() {
        let (role, after) = before(rest.split_at(1).1, b' ');
        field.role = Role::of_letter(role);
        rest = after;
    }
    if field.role.has_keys() {
        (field.key, rest) = before(rest, b' ');
    }
    field.rust_type = rest;
    field
}

/// How many fields a text has, and the rest of the text.
const fn count(text: &'static str) -> (usize, &'static str) {
    let (digits, rest) = before(text, b'|');
    match usize::from_str_radix(digits, 10) {
        Ok(count) => (count, rest),
        Err(_) => panic!("no count of fields"),
    }
}

/// What stands before a byte of ASCII, and what behind it.
const fn before(text: &'static str, end: u8) -> (&'static str, &'static str) {
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        if *byte == end {
            let (before, rest) = text.split_at(text.len() - rest.len());
            return (before, rest.split_at(1).1);
        }
        rest = after;
    }
    (text, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Two;

    impl EventCatalog for Two {
        const __TEXTS: &'static [&'static str] = &[
            "6|a.example.com|N|2|@i u64|orderId &'a str|#!iban String|?@x note Option<(u8, u8)>| Map|~*@r größe [u8; 2]|One.\n|Two.",
            "1|b.example.com|M||@n String",
        ];
        const EVENT_TYPES: &'static [EventType] = types::<Self, 2, 7>();
    }

    #[test]
    fn each_piece_is_a_field() {
        static FIELDS: [FieldType; 7] = [
            FieldType::new("", Role::Id, "u64"),
            FieldType::new("orderId", Role::Request, "&'a str"),
            FieldType::new("iban", Role::Request, "String").protected(Protection::Hmac).personal(),
            FieldType::new("note", Role::Additional, "Option<(u8, u8)>").optional(),
            FieldType::new("", Role::Request, "Map"),
            FieldType::new("größe", Role::Response, "[u8; 2]").converted().protected(Protection::Redact),
            FieldType::new("", Role::EventName, "String"),
        ];
        let (first, second) = FIELDS.split_at(6);
        let expected = [
            EventType::new("a.example.com", "N").version("2").doc("One.\n|Two.").fields(first),
            EventType::new("b.example.com", "M").fields(second).name_from_field(),
        ];
        assert_eq!(Two::EVENT_TYPES, expected);
    }

    struct Bare;

    impl EventCatalog for Bare {
        const __TEXTS: &'static [&'static str] = &["0|a|b|"];
    }

    #[test]
    fn an_event_without_fields_and_doc_is_its_names() {
        assert_eq!(Bare::EVENT_TYPES, [EventType::new("a", "b")]);
    }

    struct Largest;

    impl EventCatalog for Largest {
        const __TEXTS: &'static [&'static str] = &[
            "32|a|b||0 u8|1 u8|2 u8|3 u8|4 u8|5 u8|6 u8|7 u8|8 u8|9 u8|10 u8|11 u8|12 u8|13 u8|14 u8|15 u8|16 u8|17 u8|18 u8|19 u8|20 u8|21 u8|22 u8|23 u8|24 u8|25 u8|26 u8|27 u8|28 u8|29 u8|30 u8|31 u8|It is large.",
        ];
    }

    #[test]
    fn a_struct_has_up_to_32_fields() {
        let [event_type] = Largest::EVENT_TYPES else { panic!("one type") };
        let keys: Vec<_> = event_type.fields.iter().map(|field| field.key.parse()).collect();
        assert_eq!(keys, (0..32).map(Ok).collect::<Vec<_>>());
        assert_eq!(event_type.doc, "It is large.");
    }
}
