//! A text that is no such name, and the ways to read and show a name that all of them share.

use std::fmt;

use super::shown::shown;

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
        Self { what, rule, value: shown(value).to_string() }
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
            type Err = crate::names::error::NameError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::try_from(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = crate::names::error::NameError;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::try_from(text.as_str())
            }
        }

        impl TryFrom<&String> for $name {
            type Error = crate::names::error::NameError;
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
        crate::names::error::readable!($name);

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
