//! How a derived event writes its fields: their keys, roles and protections stand in its catalog, once.

use std::fmt::Display;
use std::slice::Iter;

use serde::Serialize;

use crate::catalog::{EventCatalog, EventType, FieldType};
use crate::encode::error::EncodeError;
use crate::encode::identity::Actor;
use crate::encode::roles::{AuditError, EventTimeValue, SourceIp, TargetId, TextValue};
use crate::encode::writer::{EventDataWriter, Part};

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

    pub fn id<T: Display + ?Sized>(self, value: &T) -> Self {
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

    pub fn outcome<T: Serialize, E: AuditError>(self, outcome: &Result<T, E>) -> Self {
        self.data.outcome(outcome);
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
