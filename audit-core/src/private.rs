//! What generated code refers to. No part of the public interface: it changes with the derive.

pub use std::borrow::Cow;
pub use std::fmt::Display;

pub use serde::Serialize;

pub use crate::catalog::{EventType, FieldType, Protection, Role};
pub use crate::entry::StaticEntry;
pub use crate::error::EncodeError;
pub use crate::event::{AuditError, AuditEvent, EventCatalog, NamesActor};
pub use crate::identity::UserIdentity;
pub use crate::object::ObjectWriter;
pub use crate::values::{EventTimeValue, SourceIp, TextValue};
pub use crate::writer::{EventDataWriter, Part};

/// What a generated method that writes returns.
pub type Written = Result<(), EncodeError>;

/// What stands in the place of a redacted value.
pub const REDACTED: &str = "[REDACTED]";

/// The text of a principal.
pub fn displayed<T: Display + ?Sized>(value: &T) -> Cow<'_, str> {
    Cow::Owned(value.to_string())
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
    pub use audit_derive::{AuditEventForClient as AuditEvent, UserIdentityForClient as UserIdentity};

    pub use crate::entry;
    pub use crate::event::AuditEvent;
    pub use crate::identity::UserIdentity;
}
