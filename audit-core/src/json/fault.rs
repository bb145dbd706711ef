//! What can be wrong with JSON, and with a value that is to become JSON.

use std::fmt::{self, Display};

use serde::ser;

/// A rule of JSON, or one of the two that evidence adds: distinct keys, bounded nesting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The same key twice in one object: the key, and where it stands the second time.
    DuplicateKey { key: String, offset: usize },
    /// Arrays and objects nest deeper than `MAX_NESTING`.
    TooDeep { offset: usize },
    /// Not JSON: what was expected, and where.
    Syntax { offset: usize, expected: &'static str },
}

/// Why a value cannot be written. Rare and large, so it is boxed.
#[derive(Debug)]
pub(crate) struct Failure(Box<Cause>);

/// What a [`Failure`] comes from.
#[derive(Debug)]
pub(crate) enum Cause {
    /// The JSON that it became breaks a rule.
    Fault(Fault),
    /// What its `Serialize` or the JSON writer says.
    Reason(String),
}

pub(crate) type Result<T = ()> = std::result::Result<T, Failure>;

impl Failure {
    pub(crate) fn not_json(reason: impl Into<String>) -> Self {
        Self(Box::new(Cause::Reason(reason.into())))
    }

    pub(crate) fn into_cause(self) -> Cause {
        *self.0
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self(Box::new(Cause::Fault(fault)))
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Cause::Fault(Fault::DuplicateKey { .. }) => f.write_str("a key stands twice in one object"),
            Cause::Fault(Fault::TooDeep { .. }) => f.write_str("arrays and objects nest too deep"),
            Cause::Fault(Fault::Syntax { .. }) => f.write_str("not JSON"),
            Cause::Reason(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for Failure {}

impl ser::Error for Failure {
    fn custom<T: Display>(message: T) -> Self {
        Self::not_json(message.to_string())
    }
}
