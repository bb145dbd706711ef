//! The contract's numbers, once: every field of an event, its kind and its limit, and how both sides count.
//!
//! The figures are those of the `PutAuditEvents` API reference (CloudTrail Data Service, API version 2021-08-11) and of
//! the CloudTrail user guide's page "CloudTrail Lake integrations event schema". What the two leave open is decided
//! here, and marked so.

/// The most entries that one request carries. Source: `PutAuditEvents` API reference.
pub const MAX_ENTRIES: usize = 100;
/// The most characters of an entry's `id`. Source: API reference, data type `AuditEvent`.
pub const EVENT_ID_CHARS: usize = 128;
/// The fewest characters of an external ID. Source: `PutAuditEvents` API reference.
pub const EXTERNAL_ID_MIN_CHARS: usize = 2;
/// The most characters of an external ID. Source: `PutAuditEvents` API reference.
pub const EXTERNAL_ID_MAX_CHARS: usize = 1_224;
/// The most characters of a channel's ARN. Source: CloudTrail API reference, `CreateChannel`.
pub const CHANNEL_ARN_CHARS: usize = 256;
/// The digits of an account ID.
pub const ACCOUNT_ID_DIGITS: usize = 12;
/// How deep arrays and objects may nest in an event's data, the event's own object included. The service documents no
/// bound; this one is the project's own, below the 128 at which common JSON readers stop, so that what is stored can
/// be read by all of them.
pub const MAX_NESTING: usize = 100;

/// Which side of the wire counts.
///
/// What "kB" and "MB" mean is not documented. So the sender counts strictly (1,000 and 1,000,000 bytes), and
/// the receiver counts leniently (1,024 and 1,048,576): what the one lets through, the other accepts, whichever
/// was meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Side {
    /// Counts 1 kB as 1,000 bytes and wants `eventTime` with its `Z`.
    Sender,
    /// Counts 1 kB as 1,024 bytes and takes `eventTime` with or without its `Z`.
    Receiver,
}

impl Side {
    const fn kilobyte(self) -> usize {
        match self {
            Self::Sender => 1_000,
            Self::Receiver => 1_024,
        }
    }

    /// The most bytes of one event's data: 256 kB.
    #[must_use]
    pub const fn event_data_bytes(self) -> usize {
        256 * self.kilobyte()
    }

    /// The most bytes of one request's HTTP body: 1 MB.
    #[must_use]
    pub const fn request_bytes(self) -> usize {
        self.kilobyte() * self.kilobyte()
    }
}

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unit {
    /// Unicode scalar values of the text, as it is after JSON's escapes are resolved.
    Characters,
    /// Bytes of the serialized JSON.
    Bytes,
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A JSON string, up to this many characters.
    Text {
        /// The most characters.
        max_chars: usize,
    },
    /// A JSON object, up to this many kB, or of any size.
    Object {
        /// The most kB, counted by [`Side`].
        max_kilobytes: Option<usize>,
    },
    /// A time in UTC, `yyyy-MM-ddTHH:mm:ssZ`.
    Time,
    /// An IPv4 or IPv6 address.
    IpAddress,
    /// Twelve digits.
    Account,
}

/// A field of an event, as the contract names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Field {
    /// The event's data as a whole.
    EventData,
    /// `version`
    Version,
    /// `userIdentity`
    UserIdentity,
    /// `userIdentity.type`
    IdentityType,
    /// `userIdentity.principalId`
    PrincipalId,
    /// `userIdentity.details`
    Details,
    /// `userAgent`
    UserAgent,
    /// `eventSource`
    EventSource,
    /// `eventName`
    EventName,
    /// `eventTime`
    EventTime,
    /// `UID`
    Uid,
    /// `requestParameters`
    RequestParameters,
    /// `responseElements`
    ResponseElements,
    /// `errorCode`
    ErrorCode,
    /// `errorMessage`
    ErrorMessage,
    /// `sourceIPAddress`
    SourceIpAddress,
    /// `recipientAccountId`
    RecipientAccountId,
    /// `additionalEventData`
    AdditionalEventData,
}

/// One row of the contract's table: a field, whether it must be there, and what it may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rule {
    /// The field.
    pub field: Field,
    /// Its place in the event's data, with dots.
    pub path: &'static str,
    /// Whether an event without it, or with an empty string in its place, is refused.
    pub required: bool,
    /// What it holds.
    pub kind: Kind,
}

const fn rule(field: Field, path: &'static str, required: bool, kind: Kind) -> Rule {
    Rule { field, path, required, kind }
}

const fn text(max_chars: usize) -> Kind {
    Kind::Text { max_chars }
}

const fn object(max_kilobytes: Option<usize>) -> Kind {
    Kind::Object { max_kilobytes }
}

/// The whole schema of `eventData`, a row a field, in the order of [`Field`]. Source: CloudTrail user guide,
/// "CloudTrail Lake integrations event schema".
pub const RULES: &[Rule] = &[
    rule(Field::EventData, "eventData", true, object(Some(256))),
    rule(Field::Version, "version", true, text(256)),
    rule(Field::UserIdentity, "userIdentity", true, object(None)),
    rule(Field::IdentityType, "userIdentity.type", true, text(128)),
    rule(Field::PrincipalId, "userIdentity.principalId", true, text(1_024)),
    rule(Field::Details, "userIdentity.details", false, object(None)),
    rule(Field::UserAgent, "userAgent", false, text(1_024)),
    rule(Field::EventSource, "eventSource", true, text(1_024)),
    rule(Field::EventName, "eventName", true, text(1_024)),
    rule(Field::EventTime, "eventTime", true, Kind::Time),
    rule(Field::Uid, "UID", true, text(1_024)),
    rule(Field::RequestParameters, "requestParameters", false, object(Some(100))),
    rule(Field::ResponseElements, "responseElements", false, object(Some(100))),
    rule(Field::ErrorCode, "errorCode", false, text(256)),
    rule(Field::ErrorMessage, "errorMessage", false, text(256)),
    rule(Field::SourceIpAddress, "sourceIPAddress", false, Kind::IpAddress),
    rule(Field::RecipientAccountId, "recipientAccountId", true, Kind::Account),
    rule(Field::AdditionalEventData, "additionalEventData", false, object(Some(28))),
];

impl Field {
    /// The field's row of [`RULES`].
    #[must_use]
    pub const fn rule(self) -> &'static Rule {
        &RULES[self as usize]
    }

    /// The field's place in the event's data, with dots: `userIdentity.principalId`.
    #[must_use]
    pub const fn path(self) -> &'static str {
        self.rule().path
    }

    /// The most characters of a text field; `None` for what is not text.
    #[must_use]
    pub const fn max_chars(self) -> Option<usize> {
        match self.rule().kind {
            Kind::Text { max_chars } => Some(max_chars),
            _ => None,
        }
    }

    /// The most bytes of an object, as `side` counts; `None` where there is no limit of its own.
    #[must_use]
    pub const fn max_bytes(self, side: Side) -> Option<usize> {
        match self.rule().kind {
            Kind::Object { max_kilobytes: Some(kilobytes) } => Some(kilobytes * side.kilobyte()),
            _ => None,
        }
    }

    /// Holds a text against the field's limit and, where the field is required, against being empty.
    ///
    /// ```
    /// use audit_core::limits::Field;
    ///
    /// const _: () = assert!(Field::ErrorCode.check_text("CardExpired").is_ok());
    /// assert!(Field::EventName.check_text("").is_err());
    /// ```
    pub const fn check_text(self, text: &str) -> Result<(), TextFault> {
        // A text has at most as many characters as bytes, so most texts need no count.
        match self.check_length(text.len()) {
            Err(TextFault::TooLong { .. }) => self.check_length(count_chars(text)),
            fits_or_empty => fits_or_empty,
        }
    }

    /// The same for a text of this many characters.
    pub(crate) const fn check_length(self, length: usize) -> Result<(), TextFault> {
        if length == 0 && self.rule().required {
            return Err(TextFault::Empty);
        }
        match self.max_chars() {
            Some(limit) if length > limit => Err(TextFault::TooLong { length, limit }),
            _ => Ok(()),
        }
    }

    /// Holds the length of a serialized object against the field's limit.
    pub const fn check_bytes(self, length: usize, side: Side) -> Result<(), usize> {
        match self.max_bytes(side) {
            Some(limit) if length > limit => Err(limit),
            _ => Ok(()),
        }
    }
}

/// Why a text does not fit its field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TextFault {
    /// It is empty, and the field is required.
    Empty,
    /// It has more characters than the field takes.
    TooLong {
        /// Its characters.
        length: usize,
        /// The most that the field takes.
        limit: usize,
    },
}

/// Counts Unicode scalar values, also where only constants are evaluated.
#[must_use]
pub const fn count_chars(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut count, mut at) = (0, 0);
    while at < bytes.len() {
        // Every byte that does not continue a character starts one.
        if bytes[at] & 0xC0 != 0x80 {
            count += 1;
        }
        at += 1;
    }
    count
}

/// Whether this may be the id of an hmac key: 1 to 16 of `[-_A-Za-z0-9]`. The rule is this project's own.
#[must_use]
pub const fn is_hmac_key_id(id: &str) -> bool {
    id.len() <= 16 && is_event_id(id)
}

/// Whether a text is an entry's `id`: 1 to 128 of `[-_A-Za-z0-9]`.
#[must_use]
pub const fn is_event_id(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.is_empty() || bytes.len() > EVENT_ID_CHARS {
        return false;
    }
    // Without a way out of the loop, so that the compiler can take many bytes at once.
    let (mut fits, mut at) = (true, 0);
    while at < bytes.len() {
        let byte = bytes[at];
        fits &= byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        at += 1;
    }
    fits
}

/// Whether a text is an external ID: 2 to 1,224 of `[\w+=,.@:/-]`, ASCII.
#[must_use]
pub const fn is_external_id(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() < EXTERNAL_ID_MIN_CHARS || bytes.len() > EXTERNAL_ID_MAX_CHARS {
        return false;
    }
    let mut at = 0;
    while at < bytes.len() {
        let allowed = bytes[at].is_ascii_alphanumeric()
            || matches!(bytes[at], b'_' | b'+' | b'=' | b',' | b'.' | b'@' | b':' | b'/' | b'-');
        if !allowed {
            return false;
        }
        at += 1;
    }
    true
}

/// Whether a text is an account ID: 12 digits.
#[must_use]
pub const fn is_account_id(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() != ACCOUNT_ID_DIGITS {
        return false;
    }
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() {
            return false;
        }
        at += 1;
    }
    true
}
