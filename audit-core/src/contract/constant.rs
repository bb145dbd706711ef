//! The contract for constant event data that no macro sees, held by constant evaluation.
//!
//! [`schema::check`](super::schema::check) is the contract. What this check takes, that one takes too; it refuses more, where the rest
//! would need memory or a lot of code at compile time: see [`StaticEntry::of_constant`](crate::StaticEntry::of_constant).

use std::str;

use crate::limits::{Field, Kind, MAX_NESTING, Side, TextFault};
use crate::names::{AccountId, Checksum, EventTime};

/// The most keys of objects that are open at the same time.
pub(crate) const MAX_OPEN_KEYS: usize = 256;
/// The most characters of a number, so that none leaves a 64-bit float's range.
const MAX_NUMBER: usize = 200;

// Constant data is too short for the limits in bytes.
const _: () = assert!(Field::AdditionalEventData.check_bytes(Checksum::MAX_CONSTANT_BYTES, Side::Sender).is_ok());

/// What is wrong, at which field and byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    field: Option<Field>,
    what: &'static str,
    at: usize,
}

impl Fault {
    /// Fails with the fault's text: in a constant, as the compiler's error.
    pub(crate) const fn panic(self) -> ! {
        let mut text = Line { bytes: [0; 256], length: 0 };
        if let Some(field) = self.field {
            text.push("`");
            text.push(field.path());
            text.push("` ");
        }
        text.push(self.what);
        text.push(", at byte ");
        text.push_number(self.at);
        match str::from_utf8(text.bytes.split_at(text.length).0) {
            Ok(text) => panic!("{}", text),
            Err(_) => panic!("{}", self.what),
        }
    }
}

struct Line {
    bytes: [u8; 256],
    length: usize,
}

impl Line {
    const fn push(&mut self, text: &str) {
        let text = text.as_bytes();
        let mut at = 0;
        while at < text.len() && self.length < self.bytes.len() {
            self.bytes[self.length] = text[at];
            self.length += 1;
            at += 1;
        }
    }

    const fn push_number(&mut self, number: usize) {
        let mut unit = 1;
        while number / unit >= 10 {
            unit *= 10;
        }
        while unit > 0 && self.length < self.bytes.len() {
            self.bytes[self.length] = b"0123456789"[number / unit % 10];
            self.length += 1;
            unit /= 10;
        }
    }
}

/// `?`, which constant evaluation does not have.
macro_rules! attempt {
    ($result:expr) => {
        match $result {
            Ok(value) => value,
            Err(fault) => return Err(fault),
        }
    };
}

/// Holds constant event data to the contract, as a sender must keep it, and returns its recipient.
pub(crate) const fn check(event_data: &str) -> Result<AccountId, Fault> {
    let mut reader = Reader {
        bytes: event_data.as_bytes(),
        at: 0,
        open: [Open { object: false, first_key: 0 }; MAX_NESTING],
        depth: 0,
        keys: [Text { start: 0, end: 0, chars: 0, escaped: false }; MAX_OPEN_KEYS],
        key_count: 0,
        seen: 0,
        field: None,
        in_identity: false,
        recipient: None,
    };
    reader.skip_space();
    if reader.peek() != b'{' {
        return Err(reader.fault("must be a JSON object"));
    }
    attempt!(reader.values());
    reader.skip_space();
    if reader.at < reader.bytes.len() {
        return Err(reader.fault("expected the end"));
    }
    reader.finish()
}

#[derive(Clone, Copy)]
struct Open {
    object: bool,
    first_key: usize,
}

/// A string, without its quotes.
#[derive(Clone, Copy)]
struct Text {
    start: usize,
    end: usize,
    chars: usize,
    escaped: bool,
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    open: [Open; MAX_NESTING],
    depth: usize,
    keys: [Text; MAX_OPEN_KEYS],
    key_count: usize,
    /// A bit for each field that was there.
    seen: u32,
    /// The field whose value comes next.
    field: Option<Field>,
    /// Whether the open object of depth 2 is `userIdentity`.
    in_identity: bool,
    recipient: Option<AccountId>,
}

/// The fields of an event, and of its `userIdentity`.
const OF_EVENT: &[Field] = &[
    Field::Version,
    Field::UserIdentity,
    Field::UserAgent,
    Field::EventSource,
    Field::EventName,
    Field::EventTime,
    Field::Uid,
    Field::RequestParameters,
    Field::ResponseElements,
    Field::ErrorCode,
    Field::ErrorMessage,
    Field::SourceIpAddress,
    Field::RecipientAccountId,
    Field::AdditionalEventData,
];
const OF_IDENTITY: &[Field] = &[Field::IdentityType, Field::PrincipalId, Field::Details];

impl Reader<'_> {
    const fn fault(&self, what: &'static str) -> Fault {
        Fault { field: self.field, what, at: self.at }
    }

    /// The byte here; 0, which no JSON has outside of an escape, at the end.
    const fn peek(&self) -> u8 {
        if self.at < self.bytes.len() { self.bytes[self.at] } else { 0 }
    }

    const fn skip_space(&mut self) {
        while matches!(self.peek(), b' ' | b'\n' | b'\r' | b'\t') {
            self.at += 1;
        }
    }

    /// Reads the value here and all that it holds. A loop, since a constant's calls may nest less deep than arrays.
    const fn values(&mut self) -> Result<(), Fault> {
        loop {
            // A value begins here; when it has been read whole, its parent goes on.
            self.skip_space();
            let ended = attempt!(self.value());
            if !ended {
                continue;
            }
            loop {
                if self.depth == 0 {
                    return Ok(());
                }
                self.skip_space();
                let object = self.open[self.depth - 1].object;
                match self.peek() {
                    b',' => {
                        self.at += 1;
                        if object {
                            attempt!(self.key());
                        }
                        break;
                    }
                    b'}' if object => self.close(),
                    b']' if !object => self.close(),
                    _ => return Err(self.fault("expected a comma or the closing bracket")),
                }
            }
        }
    }

    /// Reads a value, or the beginning of an array or object that is not empty. Whether it has ended.
    const fn value(&mut self) -> Result<bool, Fault> {
        if let Some(field) = self.field {
            attempt!(self.kind(field));
        }
        match self.peek() {
            open @ (b'{' | b'[') => {
                let object = open == b'{';
                if self.depth == MAX_NESTING {
                    return Err(self.fault("arrays and objects nest too deep"));
                }
                self.in_identity = self.in_identity || matches!(self.field, Some(Field::UserIdentity));
                self.field = None;
                self.open[self.depth] = Open { object, first_key: self.key_count };
                self.depth += 1;
                self.at += 1;
                self.skip_space();
                if self.peek() == (if object { b'}' } else { b']' }) {
                    self.close();
                    return Ok(true);
                }
                if object {
                    attempt!(self.key());
                }
                return Ok(false);
            }
            b'"' => {
                let text = attempt!(self.string());
                if let Some(field) = self.field {
                    attempt!(self.text(field, text));
                }
            }
            b'-' | b'0'..=b'9' => attempt!(self.number()),
            b't' => attempt!(self.word(b"true")),
            b'f' => attempt!(self.word(b"false")),
            b'n' => attempt!(self.word(b"null")),
            _ => return Err(self.fault("expected a value")),
        }
        self.field = None;
        Ok(true)
    }

    const fn close(&mut self) {
        self.depth -= 1;
        self.key_count = self.open[self.depth].first_key;
        if self.depth == 1 {
            self.in_identity = false;
        }
        self.at += 1;
    }

    /// A key with its colon. Its field is that of the next value.
    const fn key(&mut self) -> Result<(), Fault> {
        self.skip_space();
        let offset = self.at;
        if self.peek() != b'"' {
            return Err(self.fault("expected a key in quotes"));
        }
        let key = attempt!(self.string());
        if key.escaped {
            return Err(Fault { field: None, what: "a key of constant event data has no escapes", at: offset });
        }
        let mut before = self.open[self.depth - 1].first_key;
        while before < self.key_count {
            if self.same(key, self.keys[before]) {
                return Err(Fault { field: None, what: "the key stands twice in one object; keep one", at: offset });
            }
            before += 1;
        }
        if self.key_count == MAX_OPEN_KEYS {
            return Err(Fault { field: None, what: "constant event data has at most 256 keys at a time", at: offset });
        }
        self.keys[self.key_count] = key;
        self.key_count += 1;
        self.skip_space();
        if self.peek() != b':' {
            return Err(self.fault("expected a colon"));
        }
        self.at += 1;
        if self.depth == 1 {
            self.field = self.named(OF_EVENT, 0, key);
        } else if self.depth == 2 && self.in_identity {
            self.field = self.named(OF_IDENTITY, "userIdentity.".len(), key);
        } else {
            return Ok(());
        }
        let Some(field) = self.field else {
            let what =
                "this key is not a field of the schema; put it under `requestParameters` or `additionalEventData`";
            return Err(Fault { field: None, what, at: offset });
        };
        self.seen |= 1 << field as u32;
        Ok(())
    }

    /// The field whose path, without that many bytes, is the key.
    const fn named(&self, fields: &[Field], prefix: usize, key: Text) -> Option<Field> {
        let mut at = 0;
        while at < fields.len() {
            let name = fields[at].path().as_bytes().split_at(prefix).1;
            if key.end - key.start == name.len() {
                let mut same = 0;
                while same < name.len() && name[same] == self.bytes[key.start + same] {
                    same += 1;
                }
                if same == name.len() {
                    return Some(fields[at]);
                }
            }
            at += 1;
        }
        None
    }

    const fn same(&self, one: Text, other: Text) -> bool {
        if one.end - one.start != other.end - other.start {
            return false;
        }
        let mut at = 0;
        while at < one.end - one.start {
            if self.bytes[one.start + at] != self.bytes[other.start + at] {
                return false;
            }
            at += 1;
        }
        true
    }

    /// Whether the value that begins here is of the field's kind.
    const fn kind(&self, field: Field) -> Result<(), Fault> {
        match (field.rule().kind, self.peek()) {
            (Kind::Object { .. }, b'{') => Ok(()),
            (Kind::Object { .. }, _) => Err(self.fault("must be a JSON object")),
            (_, b'"') => Ok(()),
            (_, _) => Err(self.fault("must be a string")),
        }
    }

    /// Holds the text of a field to its rule.
    const fn text(&mut self, field: Field, text: Text) -> Result<(), Fault> {
        let bytes = self.bytes.split_at(text.end).0.split_at(text.start).1;
        let at = text.start;
        let wrong = match field.rule().kind {
            Kind::Text { .. } => match field.check_length(text.chars) {
                Ok(()) => return Ok(()),
                Err(TextFault::Empty) => "is empty; every event must have it",
                Err(TextFault::TooLong { .. }) => "has more characters than it may have",
            },
            _ if text.escaped => "has no escapes in constant event data",
            Kind::Time => {
                if EventTime::is_text(bytes) && bytes[bytes.len() - 1] == b'Z' {
                    return Ok(());
                }
                "must be a UTC time like 2026-11-21T10:15:30Z"
            }
            Kind::IpAddress => {
                if is_ip_address(bytes) {
                    return Ok(());
                }
                "must be an IPv4 address, or an IPv6 address without an IPv4 address in it"
            }
            Kind::Account => {
                self.recipient = match str::from_utf8(bytes) {
                    Ok(text) => AccountId::from_text(text),
                    Err(_) => None,
                };
                if self.recipient.is_some() {
                    return Ok(());
                }
                "must be the 12 digits of an account"
            }
            Kind::Object { .. } => "must be a JSON object",
        };
        Err(Fault { field: Some(field), what: wrong, at })
    }

    /// Every required field was there.
    const fn finish(&self) -> Result<AccountId, Fault> {
        let mut fields = OF_EVENT;
        loop {
            let mut at = 0;
            while at < fields.len() {
                let field = fields[at];
                if field.rule().required && self.seen & 1 << field as u32 == 0 {
                    let what = "is missing; every event must have it";
                    return Err(Fault { field: Some(field), what, at: self.at });
                }
                at += 1;
            }
            if fields.len() == OF_IDENTITY.len() {
                break;
            }
            fields = OF_IDENTITY;
        }
        match self.recipient {
            Some(account) => Ok(account),
            None => Err(self.fault("`recipientAccountId` is missing; every event must have it")),
        }
    }

    const fn word(&mut self, word: &[u8]) -> Result<(), Fault> {
        let mut at = 0;
        while at < word.len() {
            if self.peek() != word[at] {
                return Err(self.fault("expected a value"));
            }
            self.at += 1;
            at += 1;
        }
        Ok(())
    }

    const fn number(&mut self) -> Result<(), Fault> {
        let start = self.at;
        if self.peek() == b'-' {
            self.at += 1;
        }
        if self.peek() == b'0' {
            self.at += 1;
        } else {
            attempt!(self.digits());
        }
        if self.peek() == b'.' {
            self.at += 1;
            attempt!(self.digits());
        }
        let mut exponent = 0;
        if matches!(self.peek(), b'e' | b'E') {
            self.at += 1;
            if matches!(self.peek(), b'+' | b'-') {
                self.at += 1;
            }
            exponent = attempt!(self.digits());
        }
        if exponent > 2 || self.at - start > MAX_NUMBER {
            let what = "a number of constant event data has an exponent of two digits and 200 characters at most";
            return Err(Fault { field: None, what, at: start });
        }
        Ok(())
    }

    /// Reads digits and says how many.
    const fn digits(&mut self) -> Result<usize, Fault> {
        let start = self.at;
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
        if self.at == start { Err(self.fault("expected a digit")) } else { Ok(self.at - start) }
    }

    const fn string(&mut self) -> Result<Text, Fault> {
        self.at += 1;
        let mut text = Text { start: self.at, end: 0, chars: 0, escaped: false };
        while self.at < self.bytes.len() {
            let byte = self.bytes[self.at];
            if byte == b'"' {
                text.end = self.at;
                self.at += 1;
                return Ok(text);
            }
            if byte < b' ' {
                return Err(self.fault("expected no bare control character in a string"));
            }
            // Every byte that does not continue a character starts one.
            if byte & 0xC0 != 0x80 {
                text.chars += 1;
            }
            if byte == b'\\' {
                text.escaped = true;
                attempt!(self.escape());
            } else {
                self.at += 1;
            }
        }
        Err(self.fault("expected a closing quote"))
    }

    const fn escape(&mut self) -> Result<(), Fault> {
        self.at += 1;
        match self.peek() {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 1,
            b'u' => {
                let unit = attempt!(self.code_unit());
                if unit >= 0xD800 && unit <= 0xDBFF {
                    let paired = self.peek() == b'\\' && {
                        self.at += 1;
                        self.peek() == b'u' && matches!(attempt!(self.code_unit()), 0xDC00..=0xDFFF)
                    };
                    if !paired {
                        return Err(self.fault("expected a surrogate pair, not half of one"));
                    }
                } else if unit >= 0xDC00 && unit <= 0xDFFF {
                    return Err(self.fault("expected a surrogate pair, not half of one"));
                }
            }
            _ => return Err(self.fault("expected a known escape")),
        }
        Ok(())
    }

    /// The four hex digits after the `u` here.
    const fn code_unit(&mut self) -> Result<u32, Fault> {
        self.at += 1;
        let (mut unit, end) = (0, self.at + 4);
        while self.at < end {
            let Some(digit) = (self.peek() as char).to_digit(16) else {
                return Err(self.fault("expected four hex digits after \\u"));
            };
            unit = unit << 4 | digit;
            self.at += 1;
        }
        Ok(unit)
    }
}

/// An IPv4 address, or an IPv6 address of groups of hex digits alone.
const fn is_ip_address(text: &[u8]) -> bool {
    is_ipv4(text) || is_ipv6(text)
}

const fn is_ipv4(text: &[u8]) -> bool {
    let (mut at, mut numbers) = (0, 0);
    while numbers < 4 {
        let (start, mut value) = (at, 0);
        while at < text.len() && at < start + 3 && text[at].is_ascii_digit() {
            value = value * 10 + (text[at] - b'0') as u32;
            at += 1;
        }
        let digits = at - start;
        if digits == 0 || value > 255 || digits > 1 && text[start] == b'0' {
            return false;
        }
        numbers += 1;
        if numbers < 4 {
            if at == text.len() || text[at] != b'.' {
                return false;
            }
            at += 1;
        }
    }
    at == text.len()
}

const fn is_ipv6(text: &[u8]) -> bool {
    let (mut at, mut groups, mut gap) = (0, 0, false);
    if text.len() >= 2 && text[0] == b':' && text[1] == b':' {
        (at, gap) = (2, true);
    }
    while at < text.len() {
        let start = at;
        while at < text.len() && at < start + 4 && text[at].is_ascii_hexdigit() {
            at += 1;
        }
        groups += 1;
        if at == start || groups > 8 {
            return false;
        }
        if at == text.len() {
            break;
        }
        if text[at] != b':' {
            return false;
        }
        at += 1;
        if at == text.len() {
            return false;
        }
        if text[at] == b':' {
            if gap {
                return false;
            }
            (at, gap) = (at + 1, true);
        }
    }
    if gap { groups <= 7 } else { groups == 8 }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use proptest::prelude::*;

    use super::{check, is_ip_address};
    use crate::contract::schema;
    use crate::limits::Side;

    const EVENT: &str = r#"{"version":"1.0","userIdentity":{"type":"Staff","principalId":"alice@example.com","details":{"a":{"type":1}}},
        "userAgent":"\u20ac\ud83d\ude00\n", "eventSource":"orders.example.com","eventName":"RefundIssued", "eventTime":"2026-11-21T10:15:30Z",
        "UID":"refund/17","requestParameters":{"orderId":"17","list":[1,-2.5e3,null,{"a":[ ]},true,false,{ },[0.1E+9,"é"]]},
        "errorCode":"","sourceIPAddress":"2001:db8::1","recipientAccountId":"123456789012","additionalEventData":{"userIdentity":{"x":0}}}"#;

    /// What this check refuses beyond the contract.
    const STRICTER: [&str; 5] = [
        "a key of constant event data has no escapes",
        "has no escapes in constant event data",
        "constant event data has at most 256 keys at a time",
        "a number of constant event data has an exponent of two digits and 200 characters at most",
        "must be an IPv4 address, or an IPv6 address without an IPv4 address in it",
    ];

    fn compare(event_data: &str) -> Result<(), TestCaseError> {
        match (check(event_data), schema::check(event_data, Side::Sender)) {
            (Ok(recipient), Ok(fields)) => prop_assert_eq!(recipient, fields.recipient_account_id),
            (Ok(_), Err(broken)) => prop_assert!(false, "taken, but {broken}: {event_data}"),
            (Err(fault), Ok(_)) => prop_assert!(STRICTER.contains(&fault.what), "{fault:?}: {event_data}"),
            (Err(_), Err(_)) => {}
        }
        Ok(())
    }

    #[test]
    fn the_event_is_taken_and_every_byte_of_it_matters_as_it_does_to_the_contract() {
        assert!(check(EVENT).is_ok(), "{:?}", check(EVENT));
        for (at, _) in EVENT.char_indices() {
            for end in [at, at + EVENT[at..].chars().next().map_or(0, char::len_utf8)] {
                for other in [
                    "", "\"", "\\", "{", "}", "[", "]", ",", ":", "0", "1", "a", "e", "u", ".", "-", " ", "\n",
                    "\u{7f}", "é",
                ] {
                    compare(&[&EVENT[..at], other, &EVENT[end..]].concat()).expect("the two agree");
                }
            }
        }
    }

    #[test]
    fn what_is_refused_is_named_with_its_field() {
        let told = |event_data: &str| {
            let event_data = event_data.to_owned();
            let panicked = std::panic::catch_unwind(move || check(&event_data).map_err(|fault| fault.panic()));
            *panicked.expect_err("a fault").downcast::<String>().expect("a text")
        };
        assert_eq!(told("{}"), "`version` is missing; every event must have it, at byte 2");
        assert_eq!(told(""), "must be a JSON object, at byte 0");
        let bad_time = EVENT.replace("10:15:30Z", "10:15:30");
        let at = EVENT.find("2026-11-21").expect("the time");
        let what = format!("`eventTime` must be a UTC time like 2026-11-21T10:15:30Z, at byte {at}");
        assert_eq!(told(&bad_time), what);
        let no_type = EVENT.replace(r#""type":"Staff","#, "");
        assert!(told(&no_type).starts_with("`userIdentity.type` is missing"), "{}", told(&no_type));
        for (from, to) in [("eventName", "eventNames"), ("\"a\":[ ]", "\"a\":0,\"a\":1"), ("RefundIssued", "")] {
            assert!(check(&EVENT.replace(from, to)).is_err(), "{to}");
        }
        let long = EVENT.replace("RefundIssued", &"é".repeat(1_025));
        assert!(told(&long).starts_with("`eventName` has more characters"), "{}", told(&long));
        let many = (0..256).map(|key| format!("\"{key}\":0,")).collect::<Vec<_>>().concat();
        assert!(told(&EVENT.replace("\"orderId\"", &format!("{many}\"orderId\""))).starts_with(STRICTER[2]));
        let deep = EVENT.replace("[ ]", &("[".repeat(100) + &"]".repeat(100)));
        assert!(told(&deep).starts_with("arrays and objects nest too deep"), "{}", told(&deep));
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<f64>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<String>().prop_map(Into::into),
        ];
        leaf.prop_recursive(6, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
                prop::collection::hash_map("[a-c]{1,2}|type|\\PC{1,4}", inner, 0..6)
                    .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_value_in_any_place_is_judged_as_the_contract_does(
            value in json(),
            place in prop::sample::select(vec!["/version", "/userIdentity", "/userIdentity/details", "/userIdentity/type", "/userAgent",
                "/eventTime", "/requestParameters", "/requestParameters/list", "/errorCode", "/sourceIPAddress", "/additionalEventData"]),
        ) {
            let mut event: serde_json::Value = serde_json::from_str(EVENT).expect("JSON");
            *event.pointer_mut(place).expect("the place") = value;
            compare(&event.to_string())?;
        }

        #[test]
        fn an_address_is_one_for_the_standard_library_too(text in "(([0-9a-f]{1,5}|:|::|[0-9]{1,3}\\.){1,12}[0-9a-f]{0,3})|([0-9]{1,3}\\.){3}[0-9]{1,3}") {
            let known = text.parse::<IpAddr>().is_ok();
            prop_assert_eq!(is_ip_address(text.as_bytes()), known && !(text.contains(':') && text.contains('.')), "{}", text);
        }
    }

    #[test]
    fn known_addresses_are_taken() {
        for good in [
            "1.2.3.4",
            "255.255.255.255",
            "0.0.0.0",
            "::",
            "::1",
            "1::",
            "1:2:3:4:5:6:7::",
            "::2:3:4:5:6:7:8",
            "1:2:3:4:5:6:7:8",
        ] {
            assert!(is_ip_address(good.as_bytes()) && good.parse::<IpAddr>().is_ok(), "{good}");
        }
        for bad in [
            "",
            ":",
            ":::",
            "1:",
            "1:2:3:4:5:6:7:8:",
            "1:2:3:4:5:6:7:8::",
            "1::2::3",
            "01.2.3.4",
            "256.1.1.1",
            "1.2.3",
            "1.2.3.4.",
            "fe80::1%1",
        ] {
            assert!(!is_ip_address(bad.as_bytes()) && bad.parse::<IpAddr>().is_err(), "{bad}");
        }
    }
}
