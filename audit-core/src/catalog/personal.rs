//! Which event types hold personal data.

use super::{EventType, FieldType, ValueType};

impl EventType {
    /// Whether a field of such events, or of a value in them, is marked as personal data. Who acted, from where and with what
    /// is in every event and needs no mark.
    #[must_use]
    pub fn holds_personal_data(&self) -> bool {
        let of_value = |field: &FieldType| field.value.is_some_and(is_personal);
        self.fields.iter().any(|field| field.personal || of_value(field))
    }
}

/// Whether a field in a value is marked as personal data.
fn is_personal(value: &ValueType) -> bool {
    match value {
        ValueType::Object(fields) | ValueType::Variant(_, fields) => {
            fields.iter().any(|field| field.personal || field.value.is_some_and(is_personal))
        }
        ValueType::OneOf(variants) => variants.iter().any(is_personal),
        ValueType::List(item) | ValueType::Map(item) | ValueType::OrNull(item) => is_personal(item),
        ValueType::Name(_) => false,
    }
}
