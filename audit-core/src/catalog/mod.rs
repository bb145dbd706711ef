//! What there is to know of an event type before any event: for catalogs, reviews and schemas.

mod json_schema;
mod marks;
mod role;
pub(crate) mod text;
mod value_type;

pub use role::Role;
pub use text::EventCatalog;
pub use value_type::{ValueField, ValueType};

use serde::{Serialize, Serializer};

use crate::limits::Field;

/// A type of event: its source, its name, and what its events carry.
///
/// ```
/// use audit_core::EventType;
///
/// static REFUND: EventType = EventType::new("orders.example.com", "RefundIssued").version("2.0");
/// assert_eq!(REFUND.version, "2.0");
/// ```
///
/// In a constant, a source, name or version that breaks the contract does not compile:
///
/// ```compile_fail
/// const NAMELESS: audit_core::EventType = audit_core::EventType::new("orders.example.com", "");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct EventType {
    /// Where such events come from: the `eventSource`.
    pub source: &'static str,
    /// What happened: the `eventName`.
    pub name: &'static str,
    /// The version of the event's form: the `version`.
    pub version: &'static str,
    /// The doc comment of the Rust type.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub doc: &'static str,
    /// What its events carry.
    pub fields: &'static [FieldType],
    /// Whether each event says its own name.
    #[serde(skip)]
    pub(crate) name_from_field: bool,
}

impl EventType {
    /// An event type of version "1.0", without a doc comment or fields.
    ///
    /// # Panics
    /// If the source or the name is empty or has over 1,024 characters; in a constant, that does not compile.
    #[must_use]
    #[track_caller]
    pub const fn new(source: &'static str, name: &'static str) -> Self {
        assert!(Field::EventSource.check_text(source).is_ok(), "an event's source must have 1 to 1,024 characters");
        assert!(Field::EventName.check_text(name).is_ok(), "an event's name must have 1 to 1,024 characters");
        Self { source, name, version: "1.0", doc: "", fields: &[], name_from_field: false }
    }

    /// With another version than "1.0".
    ///
    /// # Panics
    /// If the version is empty or has over 256 characters; in a constant, that does not compile.
    #[must_use]
    #[track_caller]
    pub const fn version(mut self, version: &'static str) -> Self {
        assert!(Field::Version.check_text(version).is_ok(), "an event's version must have 1 to 256 characters");
        self.version = version;
        self
    }

    /// With a text for people.
    #[must_use]
    pub const fn doc(mut self, doc: &'static str) -> Self {
        self.doc = doc;
        self
    }

    /// With the fields that its events carry.
    #[must_use]
    pub const fn fields(mut self, fields: &'static [FieldType]) -> Self {
        self.fields = fields;
        self
    }

    /// Whose events each say their own name, by [`EventDataWriter::name`](crate::EventDataWriter::event_name): for events that
    /// are passed on from elsewhere. The type's name is then what catalogs call it.
    #[must_use]
    pub const fn name_from_field(mut self) -> Self {
        self.name_from_field = true;
        self
    }
}

/// A field of an event type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct FieldType {
    /// Its key in the event's JSON; empty where its role alone says where it stands, and for a flattened value, which
    /// brings keys of its own.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub key: &'static str,
    /// What it is to the event.
    pub role: Role,
    /// Its type, as it is written in Rust.
    pub rust_type: &'static str,
    /// Whether it may be left out.
    pub optional: bool,
    /// Whether a function makes its value (`with`), so that the type says nothing about its JSON.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub converted: bool,
    /// Whether its value is hidden.
    pub protection: Protection,
    /// Whether its value is personal data.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub personal: bool,
    /// The type of the thing that its value is the id of, for `additionalEventData.targets`; empty where it is no target.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub target: &'static str,
    /// What is inside of its value, where the field is marked `nested`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<&'static ValueType>,
}

impl FieldType {
    /// A field that is always there and whose value is shown.
    #[must_use]
    pub const fn new(key: &'static str, role: Role, rust_type: &'static str) -> Self {
        let protection = Protection::None;
        Self {
            key,
            role,
            rust_type,
            optional: false,
            converted: false,
            protection,
            personal: false,
            target: "",
            value: None,
        }
    }

    /// That may be left out.
    #[must_use]
    pub const fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// Whose value is made by a function.
    #[must_use]
    pub const fn converted(mut self) -> Self {
        self.converted = true;
        self
    }

    /// Whose value has fields of its own.
    #[must_use]
    pub const fn value(mut self, value: &'static ValueType) -> Self {
        self.value = Some(value);
        self
    }

    /// Whose value is hidden.
    #[must_use]
    pub const fn protected(mut self, protection: Protection) -> Self {
        self.protection = protection;
        self
    }

    /// Whose value is personal data.
    #[must_use]
    pub const fn personal(mut self) -> Self {
        self.personal = true;
        self
    }

    /// Whose value is the id of what the event was done to: a thing of this type.
    ///
    /// # Panics
    /// If the type is empty; in a constant, that does not compile.
    #[must_use]
    #[track_caller]
    pub const fn target(mut self, target: &'static str) -> Self {
        assert!(!target.is_empty(), "a target's type must not be empty");
        self.target = target;
        self
    }
}

/// How a field's value is hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Protection {
    /// It is not.
    None,
    /// `[REDACTED]` stands in its place.
    Redact,
    /// Its HMAC-SHA-256 stands in its place.
    Hmac,
}

impl Serialize for Protection {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::None => "none",
            Self::Redact => "redact",
            Self::Hmac => "hmac",
        })
    }
}
