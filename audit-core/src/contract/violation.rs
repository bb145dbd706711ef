//! A broken rule of the contract, and what it says.

use std::fmt;

use super::code::EntryErrorCode;
use crate::json::fault::Fault;
use crate::limits::{self, Field, Kind, TextFault, Unit};
use crate::names::shown;

/// One rule of the contract that an event does not keep.
///
/// The text says which field, what is wrong with it and what to do. Values that it shows are cut to 80 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Violation {
    /// A field, an object or the event as a whole is over its limit.
    TooLong {
        /// Which.
        field: Field,
        /// How long it is.
        length: usize,
        /// How long it may be.
        limit: usize,
        /// What the two count.
        unit: Unit,
    },
    /// A required field is not there, or is an empty string.
    Missing(Field),
    /// A field holds another kind of JSON value than it should.
    WrongType {
        /// Which field.
        field: Field,
        /// What stands there: `a number`, `null`.
        found: &'static str,
    },
    /// `eventTime` is not a time that the service takes.
    BadTime(String),
    /// `sourceIPAddress` is not an address.
    BadIpAddress(String),
    /// `recipientAccountId` is not 12 digits.
    BadAccount(String),
    /// A field that the schema does not have.
    UnknownField(String),
    /// An object has the same key twice. Readers differ in which of the two they believe, so neither is evidence.
    DuplicateKey {
        /// The key.
        key: String,
        /// Where it stands the second time: bytes from the start.
        offset: usize,
    },
    /// Arrays and objects nest deeper than [`limits::MAX_NESTING`].
    TooDeep {
        /// Where: bytes from the start.
        offset: usize,
    },
    /// Not JSON.
    Syntax {
        /// Where: bytes from the start.
        offset: usize,
        /// What was expected there.
        expected: &'static str,
    },
}

impl Violation {
    /// The code with which the service refuses such an entry. Which code stands for which mistake is this project's
    /// own reading, since the service documents only their names.
    #[must_use]
    pub const fn code(&self) -> EntryErrorCode {
        match self {
            Self::TooLong { .. } => EntryErrorCode::FieldTooLong,
            Self::Missing(_) => EntryErrorCode::FieldNotFound,
            _ => EntryErrorCode::InvalidData,
        }
    }

    /// The field that it is about, where it is about one.
    #[must_use]
    pub const fn field(&self) -> Option<Field> {
        match self {
            Self::TooLong { field, .. } | Self::Missing(field) | Self::WrongType { field, .. } => Some(*field),
            Self::BadTime(_) => Some(Field::EventTime),
            Self::BadIpAddress(_) => Some(Field::SourceIpAddress),
            Self::BadAccount(_) => Some(Field::RecipientAccountId),
            Self::UnknownField(_) | Self::DuplicateKey { .. } | Self::TooDeep { .. } | Self::Syntax { .. } => None,
        }
    }

    pub(crate) const fn of_text(field: Field, fault: TextFault) -> Self {
        match fault {
            TextFault::Empty => Self::Missing(field),
            TextFault::TooLong { length, limit } => Self::TooLong { field, length, limit, unit: Unit::Characters },
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { field, length, limit, unit } => {
                let unit = match unit {
                    Unit::Characters => "characters",
                    Unit::Bytes => "bytes",
                };
                write!(f, "`{}` has {length} {unit}; at most {limit} are allowed", field.path())
            }
            Self::Missing(field) => {
                write!(f, "`{}` is missing or empty; every event must have it", field.path())
            }
            Self::WrongType { field, found } => {
                write!(f, "`{}` is {found}; it must be {}", field.path(), expected(field.rule().kind))
            }
            Self::BadTime(value) => {
                write!(f, "`eventTime` is \"{}\"; it must be a UTC time like 2026-11-21T10:15:30Z", shown(value))
            }
            Self::BadIpAddress(value) => {
                write!(
                    f,
                    "`sourceIPAddress` is \"{}\"; it must be an IPv4 or IPv6 address, or be left out",
                    shown(value)
                )
            }
            Self::BadAccount(value) => {
                write!(f, "`recipientAccountId` is \"{}\"; it must be the 12 digits of an account", shown(value))
            }
            Self::UnknownField(name) => {
                write!(
                    f,
                    "`{}` is not a field of the schema; put it under `requestParameters` or `additionalEventData`",
                    shown(name)
                )
            }
            Self::DuplicateKey { key, offset } => {
                write!(f, "the key \"{}\" stands twice in one object, again at byte {offset}; keep one", shown(key))
            }
            Self::TooDeep { offset } => {
                write!(
                    f,
                    "arrays and objects nest deeper than {} levels at byte {offset}; flatten them",
                    limits::MAX_NESTING
                )
            }
            Self::Syntax { offset, expected } => write!(f, "not JSON: expected {expected} at byte {offset}"),
        }
    }
}

impl std::error::Error for Violation {}

const fn expected(kind: Kind) -> &'static str {
    match kind {
        Kind::Object { .. } => "a JSON object",
        Kind::Text { .. } | Kind::Time | Kind::IpAddress | Kind::Account => "a string",
    }
}

impl From<Fault> for Violation {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::DuplicateKey { key, offset } => Self::DuplicateKey { key, offset },
            Fault::TooDeep { offset } => Self::TooDeep { offset },
            Fault::Syntax { offset, expected } => Self::Syntax { offset, expected },
        }
    }
}

impl From<Box<Fault>> for Violation {
    fn from(fault: Box<Fault>) -> Self {
        (*fault).into()
    }
}
