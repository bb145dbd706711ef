//! The contract for one event's data, from any writer.

use std::borrow::Cow;
use std::net::IpAddr;

use super::violation::Violation;
use crate::json::scan::{Scan, Scanner, Value};
use crate::limits::{ACCOUNT_ID_DIGITS, Field, Kind, Side, Unit};
use crate::names::AccountId;
use crate::names::EventTime;

/// What an event's data says of itself, once it has kept the contract. What one can search and judge by; the objects
/// stay in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventFields<'a> {
    /// `version`
    pub version: Cow<'a, str>,
    /// `userIdentity.type`
    pub identity_type: Cow<'a, str>,
    /// `userIdentity.principalId`
    pub principal_id: Cow<'a, str>,
    /// `userAgent`
    pub user_agent: Option<Cow<'a, str>>,
    /// `eventSource`
    pub event_source: Cow<'a, str>,
    /// `eventName`
    pub event_name: Cow<'a, str>,
    /// `eventTime`
    pub event_time: EventTime,
    /// `UID`
    pub uid: Cow<'a, str>,
    /// `errorCode`
    pub error_code: Option<Cow<'a, str>>,
    /// `errorMessage`
    pub error_message: Option<Cow<'a, str>>,
    /// `sourceIPAddress`
    pub source_ip: Option<IpAddr>,
    /// `recipientAccountId`
    pub recipient_account_id: AccountId,
}

/// Holds an event's data to the whole contract, counted as `side` counts.
///
/// That it is one JSON object with distinct keys and bounded nesting comes first; then the schema's rules, in the order
/// in which the text breaks them; then what is missing. The time it takes grows with the length of the text and, within
/// an object, with `n log n` of its keys.
///
/// ```
/// use audit_core::limits::Side;
/// use audit_core::schema;
///
/// let broken = schema::check(r#"{"version":"1.0","eventName":17}"#, Side::Receiver).unwrap_err();
/// assert_eq!(broken.to_string(), "`eventName` is a number; it must be a string");
/// ```
pub fn check(event_data: &str, side: Side) -> Result<EventFields<'_>, Violation> {
    // Before a byte is read: a gigabyte is refused at once.
    check_bytes(Field::EventData, event_data.len(), side)?;

    let mut reader = Reader { side, ..Reader::default() };
    reader.event(event_data)?;
    reader.finish()
}

/// The recipient of event data that has kept the contract before.
pub(crate) fn recipient_of(event_data: &str) -> Result<AccountId, Violation> {
    // This crate's writer, and most others, write it before any object. Inside a string its quotes would be escaped.
    const KEY: &str = "\"recipientAccountId\":\"";
    let flat = event_data.get(1..).unwrap_or_default();
    let flat = flat.split(['{', '[']).next().unwrap_or_default();
    let early = flat.split_once(KEY).and_then(|(_, rest)| AccountId::from_text(rest.get(..ACCOUNT_ID_DIGITS)?));
    match early {
        Some(account) => Ok(account),
        None => check(event_data, Side::Receiver).map(|fields| fields.recipient_account_id),
    }
}

/// Collects the fields; keeps the first broken rule, so that text that is not JSON is reported as such.
struct Reader<'a> {
    side: Side,
    broken: Option<Violation>,
    /// The texts that are kept, at the place of their [`Field`].
    texts: [Option<Cow<'a, str>>; TEXTS],
    identity: bool,
    event_time: Option<EventTime>,
    source_ip: Option<IpAddr>,
    recipient_account_id: Option<AccountId>,
}

/// One more than the last text field's number.
const TEXTS: usize = Field::ErrorMessage as usize + 1;

impl Default for Reader<'_> {
    fn default() -> Self {
        Self {
            side: Side::Sender,
            broken: None,
            texts: [const { None }; TEXTS],
            identity: false,
            event_time: None,
            source_ip: None,
            recipient_account_id: None,
        }
    }
}

impl<'a> Reader<'a> {
    fn event(&mut self, event_data: &'a str) -> Result<(), Violation> {
        let mut scanner = Scanner::new(event_data);
        scanner.value_start();
        if !scanner.next_is_object() {
            let found = scanner.value()?.name();
            scanner.end()?;
            return Err(Violation::WrongType { field: Field::EventData, found });
        }
        scanner.object(|scanner, key| self.member(scanner, key))?;
        Ok(scanner.end()?)
    }

    /// A field of the event, or of its `userIdentity`.
    fn member(&mut self, scanner: &mut Scanner<'a>, key: &str) -> Scan<()> {
        let field = match key {
            "version" => Field::Version,
            "userIdentity" => Field::UserIdentity,
            "userAgent" => Field::UserAgent,
            "eventSource" => Field::EventSource,
            "eventName" => Field::EventName,
            "eventTime" => Field::EventTime,
            "UID" => Field::Uid,
            "requestParameters" => Field::RequestParameters,
            "responseElements" => Field::ResponseElements,
            "errorCode" => Field::ErrorCode,
            "errorMessage" => Field::ErrorMessage,
            "sourceIPAddress" => Field::SourceIpAddress,
            "recipientAccountId" => Field::RecipientAccountId,
            "additionalEventData" => Field::AdditionalEventData,
            _ => return self.unknown(scanner, key.to_owned()),
        };
        self.field(scanner, field)
    }

    fn identity_member(&mut self, scanner: &mut Scanner<'a>, key: &str) -> Scan<()> {
        let field = match key {
            "type" => Field::IdentityType,
            "principalId" => Field::PrincipalId,
            "details" => Field::Details,
            _ => return self.unknown(scanner, format!("userIdentity.{key}")),
        };
        self.field(scanner, field)
    }

    fn unknown(&mut self, scanner: &mut Scanner<'a>, name: String) -> Scan<()> {
        self.broken.get_or_insert(Violation::UnknownField(name));
        scanner.value().map(drop)
    }

    fn field(&mut self, scanner: &mut Scanner<'a>, field: Field) -> Scan<()> {
        let start = scanner.value_start();
        let value = if field == Field::UserIdentity && scanner.next_is_object() {
            self.identity = true;
            scanner.object(|scanner, key| self.identity_member(scanner, key))?;
            Value::Object
        } else {
            scanner.value()?
        };
        let length = scanner.offset() - start;
        if let Err(violation) = self.keep(field, value, length) {
            self.broken.get_or_insert(violation);
        }
        Ok(())
    }

    fn keep(&mut self, field: Field, value: Value<'a>, length: usize) -> Result<(), Violation> {
        match (field.rule().kind, value) {
            (Kind::Object { .. }, Value::Object) => check_bytes(field, length, self.side),
            (Kind::Text { .. }, Value::Text(text)) => {
                let text = text.decode();
                field.check_text(&text).map_err(|fault| Violation::of_text(field, fault))?;
                self.texts[field as usize] = Some(text);
                Ok(())
            }
            (Kind::Time, Value::Text(text)) => {
                let text = text.decode();
                let time = EventTime::try_from(&*text).ok();
                // The sender always writes the `Z`, so that no reader has to guess a zone.
                let time = time.filter(|_| self.side == Side::Receiver || text.ends_with('Z'));
                self.event_time = Some(time.ok_or_else(|| missing_or(field, &text, Violation::BadTime))?);
                Ok(())
            }
            (Kind::IpAddress, Value::Text(text)) => {
                let text = text.decode();
                self.source_ip = Some(text.parse().map_err(|_| Violation::BadIpAddress(text.into_owned()))?);
                Ok(())
            }
            (Kind::Account, Value::Text(text)) => {
                let text = text.decode();
                let account = AccountId::from_text(&text);
                self.recipient_account_id =
                    Some(account.ok_or_else(|| missing_or(field, &text, Violation::BadAccount))?);
                Ok(())
            }
            (_, value) => Err(Violation::WrongType { field, found: value.name() }),
        }
    }

    fn finish(mut self) -> Result<EventFields<'a>, Violation> {
        if let Some(violation) = self.broken {
            return Err(violation);
        }
        if !self.identity {
            return Err(Violation::Missing(Field::UserIdentity));
        }
        let mut text = |field: Field| self.texts[field as usize].take();
        let mut required = |field: Field| text(field).ok_or(Violation::Missing(field));
        Ok(EventFields {
            version: required(Field::Version)?,
            identity_type: required(Field::IdentityType)?,
            principal_id: required(Field::PrincipalId)?,
            event_source: required(Field::EventSource)?,
            event_name: required(Field::EventName)?,
            event_time: self.event_time.ok_or(Violation::Missing(Field::EventTime))?,
            uid: required(Field::Uid)?,
            recipient_account_id: self.recipient_account_id.ok_or(Violation::Missing(Field::RecipientAccountId))?,
            user_agent: text(Field::UserAgent),
            error_code: text(Field::ErrorCode),
            error_message: text(Field::ErrorMessage),
            source_ip: self.source_ip,
        })
    }
}

/// An empty required string counts as missing.
fn missing_or(field: Field, text: &str, violation: fn(String) -> Violation) -> Violation {
    if text.is_empty() { Violation::Missing(field) } else { violation(text.to_owned()) }
}

pub(crate) fn check_bytes(field: Field, length: usize, side: Side) -> Result<(), Violation> {
    field.check_bytes(length, side).map_err(|limit| Violation::TooLong { field, length, limit, unit: Unit::Bytes })
}
