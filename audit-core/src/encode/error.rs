//! Why an event could not be encoded.

use std::fmt;

use crate::catalog::EventType;
use crate::contract::violation::Violation;
use crate::json::fault::{Cause, Failure, Fault};
use crate::limits::Field;
use crate::names::{NameError, shown};

/// An event that could not become an entry: which event type, which field, which rule.
#[derive(Clone, Debug)]
pub struct EncodeError(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    event_type: Option<(&'static str, &'static str)>,
    cause: EncodeFault,
}

/// What went wrong.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum EncodeFault {
    /// A rule of the contract is broken.
    Contract(Violation),
    /// A field's value cannot be written as JSON.
    NotJson {
        /// The key, with the object that it stands in: `requestParameters.orders`.
        key: String,
        /// What its `Serialize` or the JSON writer says.
        reason: String,
    },
    /// `flatten` was asked of a value that is not an object.
    NotAnObject {
        /// The object that it was to become part of.
        field: Field,
    },
    /// A time that cannot be written.
    Time(NameError),
    /// The event names no user identity, and neither does its context.
    NoIdentity,
    /// The event has an `hmac` field, and its context has no key.
    NoHmacKey {
        /// The key of the field.
        key: String,
    },
    /// The event has an `hmac` field, and the id of the context's key is not 1 to 16 of `[-_A-Za-z0-9]`.
    HmacKeyId,
    /// The context names more who act on behalf of one another than it may.
    OnBehalfOf {
        /// How many it may name.
        limit: usize,
    },
    /// The event's `AuditEvent::write` called the writer out of order, twice for one field, or never for the id.
    Order {
        /// The field.
        field: Field,
    },
}

impl EncodeError {
    pub(crate) fn new(cause: EncodeFault) -> Self {
        Self(Box::new(Inner { event_type: None, cause }))
    }

    pub(crate) fn of_type(mut self, event_type: &EventType) -> Self {
        self.0.event_type = Some((event_type.source, event_type.name));
        self
    }

    /// Says at which key it happened.
    pub(crate) fn with_key(mut self, at: &str) -> Self {
        if let EncodeFault::NotJson { key, .. } = &mut self.0.cause {
            at.clone_into(key);
        }
        self
    }

    /// Says in which member the key stands.
    pub(crate) fn inside(mut self, member: &str) -> Self {
        if let (EncodeFault::NoHmacKey { key }, false) = (&mut self.0.cause, member.is_empty()) {
            *key = format!("{member}.{key}");
        }
        self
    }

    /// Says in which object the key stands.
    pub(crate) fn under(mut self, field: Field) -> Self {
        if let EncodeFault::NotJson { key, .. } | EncodeFault::NoHmacKey { key } = &mut self.0.cause {
            let dot = if key.is_empty() { "" } else { "." };
            *key = format!("{}{dot}{key}", field.path());
        }
        self
    }

    /// The source and the name of the event type; `None` for an identity that was encoded outside of an event.
    #[must_use]
    pub fn event_type(&self) -> Option<(&'static str, &'static str)> {
        self.0.event_type
    }

    /// What went wrong.
    #[must_use]
    pub fn fault(&self) -> &EncodeFault {
        &self.0.cause
    }

    /// The contract's field that it is about, where there is one.
    #[must_use]
    pub fn field(&self) -> Option<Field> {
        match &self.0.cause {
            EncodeFault::Contract(violation) => violation.field(),
            EncodeFault::NotAnObject { field } | EncodeFault::Order { field } => Some(*field),
            EncodeFault::Time(_) => Some(Field::EventTime),
            EncodeFault::NoIdentity | EncodeFault::OnBehalfOf { .. } => Some(Field::UserIdentity),
            EncodeFault::NotJson { .. } | EncodeFault::NoHmacKey { .. } | EncodeFault::HmacKeyId => None,
        }
    }
}

impl From<Violation> for EncodeError {
    fn from(violation: Violation) -> Self {
        Self::new(EncodeFault::Contract(violation))
    }
}

impl From<Fault> for EncodeError {
    fn from(fault: Fault) -> Self {
        Violation::from(fault).into()
    }
}

impl From<Failure> for EncodeError {
    fn from(failure: Failure) -> Self {
        match failure.into_cause() {
            Cause::Fault(fault) => fault.into(),
            Cause::Reason(reason) => Self::new(EncodeFault::NotJson { key: String::new(), reason }),
        }
    }
}

/// The event type and what failed; which rule of the contract is broken, or why a time cannot be written, says the
/// [`source`](std::error::Error::source).
impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((source, name)) = self.0.event_type {
            write!(f, "event {} of {}: ", shown(name), shown(source))?;
        }
        match &self.0.cause {
            EncodeFault::Contract(_) => f.write_str("a rule of the contract is broken"),
            EncodeFault::NotJson { key, reason } => {
                write!(f, "`{}` cannot be written as JSON: {}", shown(key), shown(reason))
            }
            EncodeFault::NotAnObject { field } => {
                write!(f, "a flattened value of `{}` is not a JSON object; flatten a map or a struct", field.path())
            }
            EncodeFault::Time(_) => f.write_str("its time cannot be written"),
            EncodeFault::NoIdentity => {
                f.write_str(
                    "it names no actor; mark a field `user_identity`, or emit it with `acting_as`; in a handler of axum, extract \
                     `Audit<…>` or `AuditAnonymous` of audit-tower",
                )
            }
            EncodeFault::NoHmacKey { key } => {
                write!(
                    f,
                    "`{}` is an hmac field, and there is no key; give one with `.hmac_key(id, key)`, or to audit-client in \
                     AUDIT_HMAC_KEY=<id>:<key>",
                    shown(key)
                )
            }
            // The id may be a key that was given in its place, so it is not shown.
            EncodeFault::HmacKeyId => {
                f.write_str("the id of the hmac key must be 1 to 16 of [-_A-Za-z0-9]; give it as `hmac_key(id, key)`")
            }
            EncodeFault::OnBehalfOf { limit } => {
                write!(
                    f,
                    "its context was given `on_behalf_of` more than {limit} times; name those who are needed to answer for it"
                )
            }
            EncodeFault::Order { field } => write!(
                f,
                "`{}` was written twice, out of the writer's order, or never; see EventDataWriter",
                field.path()
            ),
        }
    }
}

impl std::error::Error for EncodeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.cause {
            EncodeFault::Contract(violation) => Some(violation),
            EncodeFault::Time(error) => Some(error),
            _ => None,
        }
    }
}
