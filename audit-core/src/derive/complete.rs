//! An item for each attribute of the derives, by the place where it is valid: what editors offer there. A test in
//! `audit-derive` holds it against the table of attributes.

/// On a struct that derives `AuditEvent`.
pub mod event_struct {
    /// `source = "orders.example.com"`: the event's `eventSource`; required.
    pub mod source {}
    /// `version = "1.0"`: the version of the event's form; "1.0" where it is left out.
    pub mod version {}
    /// `name = "RefundIssued"`: the event's `eventName`, or a variant's name in a value; the identifier where it is left out.
    pub mod name {}
    /// `rename_all = "camelCase"`: how field names become keys; "camelCase" where it is left out.
    pub mod rename_all {}
    /// `generate_id`: no field is the id: each event gets a new `UUIDv7`.
    pub mod generate_id {}
    /// `bound = "T: serde::Serialize"`: the where clause of the impl, instead of the inferred one.
    pub mod bound {}
}

/// On an enum that derives `AuditEvent`.
pub mod event_enum {
    /// `source = "orders.example.com"`: the event's `eventSource`; required.
    pub mod source {}
    /// `version = "1.0"`: the version of the event's form; "1.0" where it is left out.
    pub mod version {}
    /// `rename_all = "camelCase"`: how field names become keys; "camelCase" where it is left out.
    pub mod rename_all {}
    /// `generate_id`: no field is the id: each event gets a new `UUIDv7`.
    pub mod generate_id {}
    /// `bound = "T: serde::Serialize"`: the where clause of the impl, instead of the inferred one.
    pub mod bound {}
}

/// On a variant of an event.
pub mod event_variant {
    /// `source = "orders.example.com"`: the event's `eventSource`; required.
    pub mod source {}
    /// `version = "1.0"`: the version of the event's form; "1.0" where it is left out.
    pub mod version {}
    /// `name = "RefundIssued"`: the event's `eventName`, or a variant's name in a value; the identifier where it is left out.
    pub mod name {}
}

/// On a field of an event.
pub mod event_field {
    /// `event_name`: role: the `eventName`, where it is not the same for all events of the type.
    pub mod event_name {}
    /// `id`: role: the event's own id, as `UID` and, where it fits, as the entry's id.
    pub mod id {}
    /// `time`: role: when it happened; now where it is left out.
    pub mod time {}
    /// `user_identity`: role: who did it.
    pub mod user_identity {}
    /// `user_agent`: role: with what it was done.
    pub mod user_agent {}
    /// `source_ip`: role: from which IP address.
    pub mod source_ip {}
    /// `request`: role: a key of `requestParameters`; the role of a field without one.
    pub mod request {}
    /// `response`: role: a key of `responseElements`.
    pub mod response {}
    /// `outcome`: role: a `Result`: `Ok` becomes `responseElements`, `Err` becomes `errorCode` and `errorMessage`.
    pub mod outcome {}
    /// `error_code`: role: the code of the error that it ended in.
    pub mod error_code {}
    /// `error_message`: role: the text of the error that it ended in.
    pub mod error_message {}
    /// `additional`: role: a key of `additionalEventData`.
    pub mod additional {}
    /// `rename = "orderId"`: the key.
    pub mod rename {}
    /// `flatten`: the value's own keys stand in place of one key.
    pub mod flatten {}
    /// `skip`: the field is left out.
    pub mod skip {}
    /// `skip_if = Vec::is_empty`: the field is left out where the function, called with a reference to it, says so.
    pub mod skip_if {}
    /// `with = in_euros`: what the function, called with a reference to the field, returns is the value.
    pub mod with {}
    /// `redact`: the key stays, the value is `[REDACTED]`.
    pub mod redact {}
    /// `target = "Order"`: the value is the id of what the event was done to: `additionalEventData.targets` names it as well.
    pub mod target {}
    /// `nested`: the type derives `AuditValue`: the catalog shows the value's fields.
    pub mod nested {}
    /// `personal`: the value is personal data: the catalog says so.
    pub mod personal {}
    /// `hmac`: the value is its HMAC-SHA-256, keyed by the context: findable, never readable.
    pub mod hmac {}
}

/// On a type that derives `UserIdentity`.
pub mod identity {
    /// `rename_all = "camelCase"`: how field names become keys; "camelCase" where it is left out.
    pub mod rename_all {}
    /// `bound = "T: serde::Serialize"`: the where clause of the impl, instead of the inferred one.
    pub mod bound {}
    /// `type = "Staff"`: the identity's `type`; required.
    pub mod r#type {}
}

/// On a variant of an identity.
pub mod identity_variant {
    /// `type = "Staff"`: the identity's `type`; required.
    pub mod r#type {}
}

/// On a field of an identity.
pub mod identity_field {
    /// `principal_id`: role: the identity's `principalId`; required.
    pub mod principal_id {}
    /// `rename = "orderId"`: the key.
    pub mod rename {}
    /// `flatten`: the value's own keys stand in place of one key.
    pub mod flatten {}
    /// `skip`: the field is left out.
    pub mod skip {}
    /// `skip_if = Vec::is_empty`: the field is left out where the function, called with a reference to it, says so.
    pub mod skip_if {}
    /// `with = in_euros`: what the function, called with a reference to the field, returns is the value.
    pub mod with {}
    /// `redact`: the key stays, the value is `[REDACTED]`.
    pub mod redact {}
    /// `hmac`: the value is its HMAC-SHA-256, keyed by the context: findable, never readable.
    pub mod hmac {}
}

/// On a type that derives `AuditValue`.
pub mod value {
    /// `rename_all = "camelCase"`: how field names become keys; "camelCase" where it is left out.
    pub mod rename_all {}
    /// `bound = "T: serde::Serialize"`: the where clause of the impl, instead of the inferred one.
    pub mod bound {}
}

/// On a variant of an audit value.
pub mod value_variant {
    /// `name = "RefundIssued"`: the event's `eventName`, or a variant's name in a value; the identifier where it is left out.
    pub mod name {}
}

/// On a field of an audit value.
pub mod value_field {
    /// `rename = "orderId"`: the key.
    pub mod rename {}
    /// `skip`: the field is left out.
    pub mod skip {}
    /// `skip_if = Vec::is_empty`: the field is left out where the function, called with a reference to it, says so.
    pub mod skip_if {}
    /// `with = in_euros`: what the function, called with a reference to the field, returns is the value.
    pub mod with {}
    /// `redact`: the key stays, the value is `[REDACTED]`.
    pub mod redact {}
    /// `nested`: the type derives `AuditValue`: the catalog shows the value's fields.
    pub mod nested {}
    /// `personal`: the value is personal data: the catalog says so.
    pub mod personal {}
    /// `hmac`: the value is its HMAC-SHA-256, keyed by the context: findable, never readable.
    pub mod hmac {}
}

/// On a type that derives `AuditError`.
pub mod error {
    /// `bound = "T: serde::Serialize"`: the where clause of the impl, instead of the inferred one.
    pub mod bound {}
    /// `code = "CardExpired"`: the error's `errorCode`; the identifier where it is left out.
    pub mod code {}
}

/// On a variant of an audit error.
pub mod error_variant {
    /// `code = "CardExpired"`: the error's `errorCode`; the identifier where it is left out.
    pub mod code {}
}
