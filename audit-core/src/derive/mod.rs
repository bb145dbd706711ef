//! What generated code refers to. No part of the public interface: it changes with the derive.
//!
//! The compiler checks every byte of generated code again for every type that derives, so names are short here, and what
//! can be said once is said here.

pub use std::borrow::Cow;
pub use std::concat;
pub use std::fmt::Display;
pub use std::result::Result;

pub use serde::{Serialize, Serializer};

pub use crate::catalog::text::{doc, type_at, types};
pub use crate::catalog::{EventCatalog as Catalog, EventType, FieldType, Protection, Role, ValueField, ValueType};
pub use crate::encode::audit_value::{AuditValue, distinct, value_of_struct, value_of_variant};
pub use crate::encode::event::{AuditEvent as Event, NamesActor as Names};
pub use crate::encode::identity::UserIdentity;
pub use crate::encode::object::ObjectWriter;
pub use crate::encode::roles::{AuditError, EventTimeValue, SourceIp, TextValue};
pub use crate::encode::writer::EventDataWriter as Writer;
pub use crate::entry::StaticEntry;
use crate::limits::Field;

pub mod complete;
mod fields;

pub use fields::{Fields, IdText, Outcome};

/// The type of `EventCatalog::EVENT_TYPES`.
pub type Types = &'static [EventType];

/// The type of its event types as texts.
pub type Texts = &'static [&'static str];

/// What `AuditEvent::event_type` returns.
pub type Type = &'static EventType;

/// What a method that writes returns.
pub type Done = Result<(), crate::encode::error::EncodeError>;

/// The event type of a struct.
pub const fn ty<E: Catalog + ?Sized>(_: &E) -> Type {
    &E::EVENT_TYPES[0]
}

/// Holds the type of an identity to the contract, where only the compiler can read it.
#[track_caller]
pub const fn identity_type(text: &str) {
    assert!(Field::IdentityType.check_text(text).is_ok(), "an identity's type must have 1 to 128 characters");
}

/// Holds an error's code to the contract, where only the compiler can read it.
#[track_caller]
pub const fn error_code(text: &str) {
    assert!(
        !text.is_empty() && Field::ErrorCode.check_text(text).is_ok(),
        "an error's code must have 1 to 256 characters"
    );
}

/// Gives the text of a principal.
pub fn principal<T: IdText + ?Sized>(principal: &T, text: Text<'_>) {
    text(&principal);
}

/// The mask of a principal in place of its text.
pub fn mask_principal<T: IdText + ?Sized>(principal: &T, text: Text<'_>) {
    crate::encode::identity::mask_principal(&principal, text);
}

/// What takes the text of a principal.
pub type Text<'a> = &'a mut dyn FnMut(&dyn Display);

/// The text of a principal that is shown.
pub fn principal_text<I: UserIdentity + ?Sized>(identity: &I) -> Cow<'static, str> {
    let mut text = String::new();
    identity.__principal_id(&mut |principal| text = principal.to_string());
    Cow::Owned(text)
}

/// A value that a function writes into a serializer, as the `with` modules of serde do. It is made a JSON value first, so that
/// the function needs to know one serializer; a null, as a `None` becomes one, leaves the key out.
pub fn with<F>(write: F) -> impl Serialize
where
    F: Fn(serde_json::value::Serializer) -> Result<serde_json::Value, serde_json::Error>,
{
    Written(write)
}

struct Written<F>(F);

impl<F> Serialize for Written<F>
where
    F: Fn(serde_json::value::Serializer) -> Result<serde_json::Value, serde_json::Error>,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (self.0)(serde_json::value::Serializer).map_err(serde::ser::Error::custom)? {
            serde_json::Value::Null => serializer.serialize_none(),
            value => value.serialize(serializer),
        }
    }
}

/// The body of a method whose derive has failed: nothing that contains it is ever run.
#[allow(clippy::empty_loop, reason = "it stands for a value of any type, and is never run")]
pub fn never() -> ! {
    loop {}
}

/// Behind [`entry!`](crate::entry).
#[cfg(feature = "derive")]
pub use audit_derive::entry;

/// What `audit-client` re-exports: the derives whose code refers to `::audit_client`, each with its trait.
#[cfg(feature = "derive")]
pub mod for_client {
    pub use audit_derive::{
        AuditErrorForClient as AuditError, AuditEventForClient as AuditEvent, AuditValueForClient as AuditValue,
        UserIdentityForClient as UserIdentity,
    };

    pub use crate::encode::audit_value::AuditValue;
    pub use crate::encode::event::AuditEvent;
    pub use crate::encode::identity::UserIdentity;
    pub use crate::encode::roles::AuditError;
    pub use crate::entry;
}
