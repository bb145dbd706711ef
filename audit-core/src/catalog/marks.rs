//! What the marks of fields say about an event type: whether it holds personal data, whether it needs a key.

use super::{EventType, FieldType, Protection, ValueField, ValueType};

impl EventType {
    /// Whether a field of such events, or of a value in them, is marked as personal data. Who acted, from where and with what
    /// is in every event and needs no mark.
    #[must_use]
    pub fn holds_personal_data(&self) -> bool {
        self.find(&|field| field.personal).is_some()
    }

    /// The path of the first field whose value is hidden by an hmac, such as `requestParameters.iban`; a field inside of a value
    /// counts where the value is marked `nested`. Such events need a key: see
    /// [`Context::check_event_type`](crate::Context::check_event_type).
    #[must_use]
    pub fn hmac_field(&self) -> Option<String> {
        self.find(&|field| field.protection == Protection::Hmac)
    }

    /// The path of the first field, of the event or of a value in it, that has a mark.
    fn find(&self, has_mark: &dyn Fn(&FieldType) -> bool) -> Option<String> {
        self.fields.iter().find_map(|field| Some(below(field.role.member().path(), &path_in_field(field, has_mark)?)))
    }
}

fn path_in_field(field: &FieldType, has_mark: &dyn Fn(&FieldType) -> bool) -> Option<String> {
    if has_mark(field) {
        return Some(field.key.to_owned());
    }
    field.value.and_then(|value| path_in_value(value, has_mark)).map(|path| below(field.key, &path))
}

fn path_in_value(value: &ValueType, has_mark: &dyn Fn(&FieldType) -> bool) -> Option<String> {
    let first_of = |fields: &[ValueField]| fields.iter().find_map(|field| path_in_field(&field.as_field(), has_mark));
    match value {
        ValueType::Object(fields) => first_of(fields),
        ValueType::Variant(name, fields) => first_of(fields).map(|path| below(name, &path)),
        ValueType::OneOf(variants) => variants.iter().find_map(|variant| path_in_value(variant, has_mark)),
        ValueType::List(item) | ValueType::Map(item) | ValueType::OrNull(item) => path_in_value(item, has_mark),
        ValueType::Name(_) => None,
    }
}

fn below(object: &str, path: &str) -> String {
    let dot = if object.is_empty() || path.is_empty() { "" } else { "." };
    format!("{object}{dot}{path}")
}
