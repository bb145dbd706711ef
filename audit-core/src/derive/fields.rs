//! How a derived event writes its fields: their keys, roles and protections stand in its catalog, once.

use std::fmt::Display;
use std::rc::Rc;
use std::slice::Iter;
use std::sync::Arc;

use serde::Serialize;

use crate::catalog::{EventCatalog, EventType, FieldType};
use crate::encode::error::EncodeError;
use crate::encode::identity::Actor;
use crate::encode::roles::{AuditError, EventTimeValue, SourceIp, TargetId, TextValue};
use crate::encode::writer::{EventDataWriter, Part};

/// What can be an id: anything that implements `Display`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no text that could be an id",
    label = "does not implement `Display`",
    note = "use a type that implements `Display`, such as a `String`, a number or a UUID, or give the field `with = path`",
    note = "no id is left out: an `Option` has to be unwrapped before"
)]
pub trait IdText: Display {}

#[diagnostic::do_not_recommend]
impl<T: Display + ?Sized> IdText for T {}

/// What can be an outcome: a `Result`, also behind a pointer.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a `Result`, as an outcome has to be",
    label = "not a `Result`",
    note = "use a `Result<T, E>`, with `T: serde::Serialize` and `E: AuditError`",
    note = "without a `Result` at hand, mark the fields of the error with `error_code` and `error_message`"
)]
pub trait Outcome {
    /// Writes it.
    fn write(&self, data: &mut EventDataWriter<'_>);
}

impl<T: Serialize, E: AuditError> Outcome for Result<T, E> {
    fn write(&self, data: &mut EventDataWriter<'_>) {
        data.outcome(self);
    }
}

macro_rules! through_pointer {
    ($($pointer:ty),*) => {$(
        impl<O: Outcome + ?Sized> Outcome for $pointer {
            fn write(&self, data: &mut EventDataWriter<'_>) {
                (**self).write(data);
            }
        }
    )*};
}
through_pointer!(&O, Box<O>, Rc<O>, Arc<O>);

/// Writes the fields of a derived event, in the order of its catalog, which is that of the JSON.
#[derive(Debug)]
#[must_use]
pub struct Fields<'w, 'a> {
    data: &'w mut EventDataWriter<'a>,
    /// The fields with keys that are still to come.
    keyed: Iter<'static, FieldType>,
}

impl<'a> EventDataWriter<'a> {
    /// For the derive: the only event type of `E`, whose keys have been compared.
    #[doc(hidden)]
    pub fn of<E: EventCatalog + ?Sized>(&mut self, _: &E) -> Fields<'_, 'a> {
        self.__distinct_keys();
        self.of_type(&E::EVENT_TYPES[0])
    }

    /// For the derive: one of the event types of `E`, whose keys have been compared.
    #[doc(hidden)]
    pub fn of_variant<E: EventCatalog + ?Sized>(&mut self, _: &E, at: usize) -> Fields<'_, 'a> {
        self.__distinct_keys();
        self.of_type(&E::EVENT_TYPES[at])
    }

    /// For the derive: an event type with keys that are constants, and may be alike.
    #[doc(hidden)]
    pub fn of_type(&mut self, event_type: &EventType) -> Fields<'_, 'a> {
        Fields { data: self, keyed: event_type.fields.iter() }
    }
}

#[allow(missing_docs, reason = "hidden; they do what the writer's own methods do")]
#[allow(clippy::many_single_char_names, reason = "the fields of any type have no better names here")]
impl Fields<'_, '_> {
    pub fn event_name<T: TextValue + ?Sized>(self, value: &T) -> Self {
        self.data.event_name(value);
        self
    }

    pub fn id<T: IdText + ?Sized>(self, value: &T) -> Self {
        self.data.id(value);
        self
    }

    pub fn time<T: EventTimeValue + ?Sized>(self, value: &T) -> Self {
        self.data.time(value);
        self
    }

    pub fn actor<T: Actor + ?Sized>(self, value: &T) -> Self {
        self.data.user_identity(value);
        self
    }

    pub fn user_agent<T: TextValue + ?Sized>(self, value: &T) -> Self {
        self.data.user_agent(value);
        self
    }

    pub fn ip<T: SourceIp + ?Sized>(self, value: &T) -> Self {
        self.data.source_ip(value);
        self
    }

    pub fn error_code<T: TextValue + ?Sized>(self, value: &T) -> Self {
        self.data.error_code(value);
        self
    }

    pub fn error_message<T: TextValue + ?Sized>(self, value: &T) -> Self {
        self.data.error_message(value);
        self
    }

    pub fn target<M, T: TargetId<M> + ?Sized>(self, target_type: &str, value: &T) -> Self {
        self.data.target(target_type, value);
        self
    }

    pub fn generate_id(self) -> Self {
        self.data.generate_id();
        self
    }

    pub fn outcome<O: Outcome + ?Sized>(self, outcome: &O) -> Self {
        outcome.write(self.data);
        self
    }

    /// The next field with a key, as it is.
    pub fn put<T: Serialize + ?Sized>(mut self, value: &T) -> Self {
        let (part, key) = self.next();
        self.data.field(part, key, value);
        self
    }

    /// Two fields at once. For the compiler, one call with many bounds is less work than as many calls.
    pub fn put2<A: Serialize + ?Sized, B: Serialize + ?Sized>(self, a: &A, b: &B) -> Self {
        self.put(a).put(b)
    }

    pub fn put3<A: Serialize + ?Sized, B: Serialize + ?Sized, C: Serialize + ?Sized>(
        self,
        a: &A,
        b: &B,
        c: &C,
    ) -> Self {
        self.put(a).put(b).put(c)
    }

    pub fn put4<A: Serialize + ?Sized, B: Serialize + ?Sized, C: Serialize + ?Sized, D: Serialize + ?Sized>(
        self,
        a: &A,
        b: &B,
        c: &C,
        d: &D,
    ) -> Self {
        self.put(a).put(b).put(c).put(d)
    }

    pub fn put5<
        A: Serialize + ?Sized,
        B: Serialize + ?Sized,
        C: Serialize + ?Sized,
        D: Serialize + ?Sized,
        E: Serialize + ?Sized,
    >(
        self,
        a: &A,
        b: &B,
        c: &C,
        d: &D,
        e: &E,
    ) -> Self {
        self.put(a).put(b).put(c).put(d).put(e)
    }

    pub fn put6<
        A: Serialize + ?Sized,
        B: Serialize + ?Sized,
        C: Serialize + ?Sized,
        D: Serialize + ?Sized,
        E: Serialize + ?Sized,
        F: Serialize + ?Sized,
    >(
        self,
        a: &A,
        b: &B,
        c: &C,
        d: &D,
        e: &E,
        f: &F,
    ) -> Self {
        self.put(a).put(b).put(c).put(d).put(e).put(f)
    }

    pub fn hmac<T: Serialize + ?Sized>(mut self, value: &T) -> Self {
        let (part, key) = self.next();
        self.data.hmac(part, key, value);
        self
    }

    pub fn flatten<T: Serialize + ?Sized>(mut self, value: &T) -> Self {
        let (part, _) = self.next();
        self.data.flatten(part, value);
        self
    }

    /// The next field, if it is not skipped.
    pub fn redact(mut self, skipped: bool) -> Self {
        let (part, key) = self.next();
        if !skipped {
            self.data.redact(part, key);
        }
        self
    }

    pub fn done(self) -> Result<(), EncodeError> {
        self.data.done()
    }

    /// The object and the key of the next field that has one. A catalog that ends too soon cannot come from a derive.
    fn next(&mut self) -> (Part, &'static str) {
        self.keyed.find_map(|field| Some((Part::of(field.role)?, field.key))).unwrap_or((Part::Additional, ""))
    }
}
