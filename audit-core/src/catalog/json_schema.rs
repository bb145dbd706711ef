//! The JSON Schema of an event type's data.

use serde_json::{Map, Value, json};

use super::{EventType, FieldType, Protection, Role, ValueField, ValueType};
use crate::limits::{ACCOUNT_ID_DIGITS, Field};

impl EventType {
    /// The JSON Schema (draft 2020-12) of the `eventData` of such events: every event that is encoded keeps it.
    ///
    /// Of the application's own keys it says what can be known without running its code: that a key is there where its
    /// type is one of the standard library's and cannot be left out, and its kind of JSON. Types are known by their name.
    ///
    /// ```
    /// use audit_core::{EventType, FieldType, Role};
    ///
    /// static DOOR: EventType = EventType::new("doors.example.com", "DoorOpened")
    ///     .fields(&[FieldType::new("", Role::Id, "u64"), FieldType::new("door", Role::Request, "String")]);
    /// let schema = DOOR.json_schema();
    /// assert_eq!(schema["properties"]["eventName"]["const"], "DoorOpened");
    /// assert_eq!(schema["properties"]["requestParameters"]["properties"]["door"]["type"], "string");
    /// ```
    #[must_use]
    pub fn json_schema(&self) -> Value {
        let text = |field: Field| json!({ "type": "string", "maxLength": field.max_chars() });
        let required_text = |field: Field| json!({ "type": "string", "minLength": 1, "maxLength": field.max_chars() });
        let mut properties = Map::new();
        let mut put = |field: Field, schema: Value| properties.insert(field.path().to_owned(), schema);
        put(Field::Version, json!({ "const": self.version }));
        put(Field::EventSource, json!({ "const": self.source }));
        let name = if self.name_from_field { required_text(Field::EventName) } else { json!({ "const": self.name }) };
        put(Field::EventName, name);
        put(Field::EventTime, json!({ "type": "string", "pattern": "^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}Z$" }));
        put(Field::Uid, required_text(Field::Uid));
        put(Field::RecipientAccountId, json!({ "type": "string", "pattern": format!("^\\d{{{ACCOUNT_ID_DIGITS}}}$") }));
        put(
            Field::UserIdentity,
            json!({
                "type": "object",
                "properties": {
                    "type": required_text(Field::IdentityType),
                    "principalId": required_text(Field::PrincipalId),
                    "details": { "type": "object" },
                },
                "required": ["type", "principalId"],
                "additionalProperties": false,
            }),
        );
        // The context may add these two to any event, and members to what is additional.
        put(Field::UserAgent, text(Field::UserAgent));
        put(Field::SourceIpAddress, json!({ "type": "string" }));
        let has = |role: Role| self.fields.iter().any(|field| field.role == role);
        if has(Role::ErrorCode) || has(Role::Outcome) {
            put(Field::ErrorCode, text(Field::ErrorCode));
        }
        if has(Role::ErrorMessage) || has(Role::Outcome) {
            put(Field::ErrorMessage, text(Field::ErrorMessage));
        }
        let mut required =
            vec!["version", "eventSource", "eventName", "eventTime", "UID", "recipientAccountId", "userIdentity"];
        for &role in Role::ALL.iter().filter(|role| role.has_keys()) {
            let field = role.member();
            // An outcome brings keys of its own, and a context may add members to what is additional.
            let open = role == Role::Additional || role == Role::Response && has(Role::Outcome);
            if has(role) || open {
                let schema = self.object(role, open);
                if schema.get("required").is_some() {
                    required.push(field.path());
                }
                put(field, schema);
            }
        }
        let mut schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": self.name,
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        });
        if let (false, Some(schema)) = (self.doc.is_empty(), schema.as_object_mut()) {
            schema.insert("description".to_owned(), self.doc.into());
        }
        schema
    }

    /// One of the objects that carry an application's own keys. `open`: it takes keys that no field names.
    fn object(&self, role: Role, mut open: bool) -> Value {
        let (mut properties, mut required) = (Map::new(), Vec::new());
        for field in self.fields.iter().filter(|field| field.role == role) {
            if field.key.is_empty() {
                open = true;
                continue;
            }
            properties.insert(field.key.to_owned(), value(field));
            if is_always_there(field) {
                required.push(field.key);
            }
        }
        let targets: Vec<_> = self.fields.iter().filter(|field| !field.target.is_empty()).collect();
        if role == Role::Additional && !targets.is_empty() {
            properties.insert("targets".to_owned(), targets_schema(&targets));
            if targets.iter().any(|field| is_always_there(field)) {
                required.push("targets");
            }
        }
        let mut schema = json!({ "type": "object", "properties": properties });
        if let Some(schema) = schema.as_object_mut() {
            if !required.is_empty() {
                schema.insert("required".to_owned(), required.into());
            }
            if !open {
                schema.insert("additionalProperties".to_owned(), false.into());
            }
        }
        schema
    }
}

fn targets_schema(targets: &[&FieldType]) -> Value {
    let mut types: Vec<_> = targets.iter().map(|field| field.target).collect();
    types.sort_unstable();
    types.dedup();
    json!({
        "type": "array",
        "minItems": 1,
        "items": {
            "type": "object",
            "properties": { "type": { "enum": types }, "id": { "type": "string" } },
            "required": ["type", "id"],
            "additionalProperties": false,
        },
    })
}

/// Whether no value of the field is left out.
fn is_always_there(field: &FieldType) -> bool {
    let has_value = field.value.is_some_and(|value| !matches!(value, ValueType::OrNull(_)));
    let known = !field.converted && (has_value || kind(field.rust_type).is_some());
    !field.optional && (field.protection == Protection::Redact || known)
}

fn value(field: &FieldType) -> Value {
    match field.protection {
        Protection::Redact => json!({ "const": "[REDACTED]" }),
        Protection::Hmac => json!({ "type": "string", "pattern": "^hmac-sha256:[-_A-Za-z0-9]{1,16}:[0-9a-f]{64}$" }),
        Protection::None if field.converted => json!({}),
        Protection::None if field.value.is_some() => {
            let value = field.value.map(|value| if let ValueType::OrNull(value) = value { value } else { value });
            value.map_or_else(|| json!({}), inside)
        }
        Protection::None => {
            let inner = field.rust_type.strip_prefix("Option<").and_then(|inner| inner.strip_suffix('>'));
            kind(inner.unwrap_or(field.rust_type)).map_or(json!({}), |kind| json!({ "type": kind }))
        }
    }
}

/// The schema of a value that has fields of its own.
fn inside(value_type: &ValueType) -> Value {
    match value_type {
        ValueType::Object(fields) => object_of(fields),
        ValueType::Name(name) => json!({ "const": name }),
        ValueType::Variant(name, fields) => {
            let properties = Map::from_iter([((*name).to_owned(), object_of(fields))]);
            json!({ "type": "object", "properties": properties, "required": [name], "additionalProperties": false })
        }
        ValueType::OneOf(variants) => json!({ "oneOf": variants.iter().map(inside).collect::<Vec<_>>() }),
        ValueType::List(item) => json!({ "type": "array", "items": inside(item) }),
        ValueType::Map(value) => json!({ "type": "object", "additionalProperties": inside(value) }),
        ValueType::OrNull(value) => json!({ "anyOf": [inside(value), { "type": "null" }] }),
    }
}

fn object_of(fields: &[ValueField]) -> Value {
    let fields: Vec<FieldType> = fields.iter().map(ValueField::as_field).collect();
    let properties: Map<String, Value> = fields.iter().map(|field| (field.key.to_owned(), value(field))).collect();
    let required: Vec<_> = fields.iter().filter(|field| is_always_there(field)).map(|field| field.key).collect();
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

/// The JSON of a type of the standard library that is never left out.
fn kind(rust_type: &str) -> Option<Value> {
    let mut name = rust_type;
    if let Some(referred) = name.strip_prefix('&') {
        // `&'a str`: without its lifetime.
        name = match referred.strip_prefix('\'') {
            Some(lifetime) => lifetime.split_once(' ').map_or("", |(_, name)| name),
            None => referred,
        };
    }
    Some(match name {
        "bool" => json!("boolean"),
        "u8" | "u16" | "u32" | "u64" | "u128" | "usize" | "i8" | "i16" | "i32" | "i64" | "i128" | "isize" => {
            json!("integer")
        }
        // What is not finite is written as a text: `NaN`, `Infinity`, `-Infinity`.
        "f32" | "f64" => json!(["number", "string"]),
        "str" | "char" | "String" | "Box<str>" | "Arc<str>" | "Rc<str>" | "IpAddr" | "Ipv4Addr" | "Ipv6Addr" => {
            json!("string")
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_an_array_beside_the_other_keys() {
        static TYPE: EventType = EventType::new("a", "b").fields(&[
            FieldType::new("order", Role::Request, "u64").target("Order"),
            FieldType::new("", Role::Target, "Option<Customer>").optional().target("Customer"),
        ]);
        let schema = TYPE.json_schema();
        let additional = &schema["properties"]["additionalEventData"];
        let targets = &additional["properties"]["targets"];
        assert_eq!(targets["items"]["properties"]["type"], json!({ "enum": ["Customer", "Order"] }));
        assert_eq!(additional["required"], json!(["targets"]));
        assert!(schema["required"].as_array().unwrap().contains(&json!("additionalEventData")));
    }

    #[test]
    fn keys_are_required_only_where_they_cannot_be_left_out() {
        static TYPE: EventType = EventType::new("a", "b").version("2").doc("What it is.").fields(&[
            FieldType::new("a", Role::Request, "&'a str"),
            FieldType::new("b", Role::Request, "Option<u8>").optional(),
            FieldType::new("c", Role::Request, "Newtype"),
            FieldType::new("d", Role::Request, "String").converted(),
            FieldType::new("e", Role::Request, "Newtype").protected(Protection::Redact),
            FieldType::new("", Role::Additional, "Map"),
            FieldType::new("", Role::Outcome, "Result<(), E>"),
        ]);
        let schema = TYPE.json_schema();
        let properties = &schema["properties"];
        assert_eq!(
            properties["requestParameters"],
            json!({
                "type": "object",
                "properties": {
                    "a": { "type": "string" }, "b": { "type": "integer" }, "c": {}, "d": {}, "e": { "const": "[REDACTED]" },
                },
                "required": ["a", "e"],
                "additionalProperties": false,
            })
        );
        assert_eq!(properties["additionalEventData"], json!({ "type": "object", "properties": {} }));
        assert_eq!(properties["responseElements"], json!({ "type": "object", "properties": {} }));
        assert_eq!(schema["description"], "What it is.");
        let required = schema["required"].as_array().unwrap();
        assert!(required.contains(&json!("requestParameters")) && !required.contains(&json!("responseElements")));
    }
}
