//! What happened: the traits that the derives implement.

use std::borrow::Cow;
use std::fmt::Display;
use std::rc::Rc;
use std::sync::Arc;

use crate::catalog::EventType;
use crate::context::Context;
use crate::entry::Entry;
use crate::error::EncodeError;
use crate::writer::{self, EventDataWriter};

/// A Rust value that says what happened.
///
/// Derive it. By hand, [`EventDataWriter`] shows how.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an audit event",
    label = "not an audit event",
    note = "derive `AuditEvent` for the type, with `#[audit(source = \"…\")]` on it and `#[audit(id)]` on a field"
)]
pub trait AuditEvent {
    /// The event's type: its source, name and version, and what it carries.
    fn event_type(&self) -> &'static EventType;

    /// Writes what this event carries.
    fn write(&self, data: &mut EventDataWriter<'_>) -> Result<(), EncodeError>;

    /// Encodes the event, with what `context` adds, and takes its checksum.
    fn to_entry(&self, context: &Context) -> Result<Entry, EncodeError> {
        writer::encode(self.event_type(), context, &mut |data| self.write(data))
    }
}

/// The event types of a Rust type: one for a struct, one a variant for an enum.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no event types to list",
    note = "derive `AuditEvent` for the type: it implements `EventCatalog` as well"
)]
pub trait EventCatalog {
    /// All of them, in the order in which they are written. An impl by hand has to give it.
    const EVENT_TYPES: &'static [EventType] = crate::catalog_text::of_struct::<Self>();

    /// For the derive: the event types as texts, out of which it makes `EVENT_TYPES`.
    #[doc(hidden)]
    const __TEXTS: &'static [&'static str] = &[];
}

/// Marks an event that carries its own user identity. Only such an event can be emitted as it is; any other needs
/// somebody who is named beside it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name who acted",
    label = "this event has no user identity",
    note = "mark a field of the event with `#[audit(user_identity)]`",
    note = "or emit it as somebody: `client.acting_as(&identity).emit(&event)`"
)]
pub trait NamesActor {}

macro_rules! through_pointer {
    ($($pointer:ty),*) => {$(
        impl<T: AuditEvent + ?Sized> AuditEvent for $pointer {
            fn event_type(&self) -> &'static EventType {
                (**self).event_type()
            }
            fn write(&self, data: &mut EventDataWriter<'_>) -> Result<(), EncodeError> {
                (**self).write(data)
            }
        }
        impl<T: EventCatalog + ?Sized> EventCatalog for $pointer {
            const EVENT_TYPES: &'static [EventType] = T::EVENT_TYPES;
        }
        impl<T: NamesActor + ?Sized> NamesActor for $pointer {}
    )*};
}
through_pointer!(&T, Box<T>, Rc<T>, Arc<T>);

/// What an `outcome` asks of an error: a code that stays the same, beside the message for people.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no error code for the audit record",
    label = "not an `AuditError`",
    note = "implement `AuditError` for the error type: `fn error_code(&self) -> Cow<'_, str>`"
)]
pub trait AuditError: Display {
    /// The `errorCode`: a name for the kind of error, at most 256 characters.
    fn error_code(&self) -> Cow<'_, str>;
}

impl<E: AuditError + ?Sized> AuditError for &E {
    fn error_code(&self) -> Cow<'_, str> {
        (**self).error_code()
    }
}

impl<E: AuditError + ?Sized> AuditError for Box<E> {
    fn error_code(&self) -> Cow<'_, str> {
        (**self).error_code()
    }
}

impl<E: AuditError + ?Sized> AuditError for Arc<E> {
    fn error_code(&self) -> Cow<'_, str> {
        (**self).error_code()
    }
}
