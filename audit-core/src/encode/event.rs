//! What happened: the traits that the derives implement.

use std::rc::Rc;
use std::sync::Arc;

use super::context::Context;
use super::error::EncodeError;
use super::sealed::Sealed;
use super::writer::{self, EventDataWriter};
use crate::catalog::EventType;
use crate::entry::{Entry, StaticEntry};

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

/// Marks an event that carries its own user identity. Only such an event can be emitted as it is; any other needs
/// an actor that is named beside it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name who acted",
    label = "this event has no user identity",
    note = "mark a field of the event with `#[audit(user_identity)]`",
    note = "or name the actor beside it: `client.acting_as(&identity).emit(&event)`"
)]
pub trait NamesActor: AuditEvent {}

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
        impl<T: NamesActor + ?Sized> NamesActor for $pointer {}
    )*};
}
through_pointer!(&T, Box<T>, Rc<T>, Arc<T>);

/// What can be emitted: an event that names its actor, an [`Entry`], or a [`StaticEntry`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be emitted as it is",
    label = "names no actor, or is not an event",
    note = "an event says who acted by a field with `#[audit(user_identity)]`",
    note = "or the actor is named beside it: `client.acting_as(&identity).emit(&event)`",
    note = "what can be emitted is a reference to a type that derives `AuditEvent`, an `Entry`, or a `&StaticEntry` of `entry!`"
)]
pub trait IntoEntry {
    /// What can be emitted is decided here: no other type implements this.
    #[doc(hidden)]
    const __SEALED: Sealed;

    /// Whether it has yet to be encoded, so that the context matters.
    #[doc(hidden)]
    const __TAKES_CONTEXT: bool = false;

    /// The entry, encoded with what `context` adds where it is not an entry yet.
    fn into_entry(self, context: &Context) -> Result<Entry, EncodeError>;
}

#[diagnostic::do_not_recommend]
impl<E: NamesActor + ?Sized> IntoEntry for &E {
    const __SEALED: Sealed = Sealed;
    const __TAKES_CONTEXT: bool = true;

    fn into_entry(self, context: &Context) -> Result<Entry, EncodeError> {
        self.to_entry(context)
    }
}

impl IntoEntry for Entry {
    const __SEALED: Sealed = Sealed;

    fn into_entry(self, _: &Context) -> Result<Entry, EncodeError> {
        Ok(self)
    }
}

impl IntoEntry for &StaticEntry {
    const __SEALED: Sealed = Sealed;

    fn into_entry(self, _: &Context) -> Result<Entry, EncodeError> {
        Ok(self.to_entry())
    }
}

impl IntoEntry for StaticEntry {
    const __SEALED: Sealed = Sealed;

    fn into_entry(self, _: &Context) -> Result<Entry, EncodeError> {
        Ok(self.to_entry())
    }
}
