//! What is inside of a value that derives `AuditValue`.

use serde::Serialize;

use super::{FieldType, Protection, Role};

/// The form of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum ValueType {
    /// An object with these keys.
    Object(&'static [ValueField]),
    /// A variant without fields, which is its name as a text.
    Name(&'static str),
    /// A variant with fields: an object with its name as the only key.
    Variant(&'static str, &'static [ValueField]),
    /// One of several variants.
    OneOf(&'static [Self]),
    /// An array of such values.
    List(&'static Self),
    /// An object with any keys and such values.
    Map(&'static Self),
    /// Such a value, or null. As a field that is null, it is left out.
    OrNull(&'static Self),
}

/// A field of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ValueField {
    /// Its key in the JSON.
    pub key: &'static str,
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
    /// What is inside of its value, where the field is marked `nested`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<&'static ValueType>,
}

impl ValueField {
    /// A field that is always there and whose value is shown.
    #[must_use]
    pub const fn new(key: &'static str, rust_type: &'static str) -> Self {
        Self {
            key,
            rust_type,
            optional: false,
            converted: false,
            protection: Protection::None,
            personal: false,
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

    /// Whose value has fields of its own.
    #[must_use]
    pub const fn value(mut self, value: &'static ValueType) -> Self {
        self.value = Some(value);
        self
    }

    /// As a field of an event, whose JSON it has.
    pub(super) const fn as_field(&self) -> FieldType {
        let Self { key, rust_type, optional, converted, protection, personal, value } = *self;
        FieldType { optional, converted, protection, personal, value, ..FieldType::new(key, Role::Request, rust_type) }
    }
}
