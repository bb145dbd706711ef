//! Names that cannot be wrong: a value of one of these types keeps the contract's rule for it.
//!
//! Each has `from_static`, which checks a literal while compiling, `TryFrom<&str>` and `FromStr` for text that comes
//! from elsewhere, `Display`, and serde. A wrong text gives a [`NameError`] that says what the rule is.
//!
//! ```compile_fail
//! const ID: audit_core::EventId = audit_core::EventId::from_static("refund 17");
//! ```
//! ```compile_fail
//! const CHANNEL: audit_core::ChannelArn = audit_core::ChannelArn::from_static("arn:aws:s3:::a-bucket");
//! ```
//! ```compile_fail
//! const EXTERNAL: audit_core::ExternalId = audit_core::ExternalId::from_static("x");
//! ```
//! ```compile_fail
//! const ACCOUNT: audit_core::AccountId = audit_core::AccountId::from_static("12345678901");
//! ```
//! ```compile_fail
//! const TIME: audit_core::EventTime = audit_core::EventTime::from_static("2026-02-29T00:00:00Z");
//! ```
//! ```compile_fail
//! const CHECKSUM: audit_core::Checksum = audit_core::Checksum::from_static("RBNvo1WzZ4oRRq0W9");
//! ```

use std::fmt;

use crate::violation::cut;

mod account_id;
mod channel_arn;
mod event_id;
mod external_id;

pub use account_id::AccountId;
pub use channel_arn::ChannelArn;
pub use event_id::EventId;
pub use external_id::ExternalId;

/// A text that is not the name it was meant to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameError {
    what: &'static str,
    rule: &'static str,
    value: String,
}

impl NameError {
    pub(crate) fn new(what: &'static str, rule: &'static str, value: &str) -> Self {
        // What is shown is cut; no reason to keep a megabyte for it.
        Self { what, rule, value: cut(value).to_string() }
    }
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\" is not {}: it must be {}", self.value, self.what, self.rule)
    }
}

impl std::error::Error for NameError {}

impl From<std::convert::Infallible> for NameError {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

/// All the ways to read a name, given `TryFrom<&str>`.
macro_rules! readable {
    ($name:ident) => {
        impl std::str::FromStr for $name {
            type Err = crate::names::NameError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::try_from(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = crate::names::NameError;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::try_from(text.as_str())
            }
        }

        impl TryFrom<&String> for $name {
            type Error = crate::names::NameError;
            fn try_from(text: &String) -> Result<Self, Self::Error> {
                Self::try_from(text.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                Self::try_from(&*text).map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use readable;

/// What names that are kept as text have in common, given `as_str` and `TryFrom<&str>`.
macro_rules! textual {
    ($name:ident) => {
        crate::names::readable!($name);

        impl From<&$name> for $name {
            fn from(name: &$name) -> Self {
                name.clone()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.as_str()).finish()
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}
pub(crate) use textual;
