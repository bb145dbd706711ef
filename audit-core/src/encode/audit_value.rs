//! Values with protected fields inside of an event: what `#[derive(AuditValue)]` implements.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

use serde::Serialize;
use serde::ser::{Error, Impossible, SerializeStruct, SerializeStructVariant, Serializer};

use super::masking;
use super::value::{self, Written};
use crate::catalog::ValueType;

/// A value with fields of its own, some of which may be redacted or hashed wherever the value stands in an event: as a field, in a
/// `Vec`, an `Option`, a map, or in another type that implements `Serialize`.
///
/// Derive it, with the field attributes of events. The derive implements `Serialize` as well, and this is the only way in which the
/// value is serialized: `redact` is `[REDACTED]` in every format, and `hmac` is an error outside of an event or an identity, which
/// have the key. So a type cannot derive `Serialize` beside it: have a type for the audit trail, and one for everything else.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say which fields it has",
    label = "not an `AuditValue`",
    note = "derive `AuditValue` for the type; or leave `nested` out, then the catalog does not show the value's fields"
)]
pub trait AuditValue: Serialize {
    /// What a catalog says of it.
    const TYPE: &'static ValueType;
}

macro_rules! like_its_value {
    ($($pointer:ty),*) => {$(
        impl<T: AuditValue + ?Sized> AuditValue for $pointer {
            const TYPE: &'static ValueType = T::TYPE;
        }
    )*};
}
like_its_value!(&T, Box<T>);

macro_rules! lists {
    ($($list:ty),*) => {$(
        impl<T: AuditValue> AuditValue for $list {
            const TYPE: &'static ValueType = &ValueType::List(T::TYPE);
        }
    )*};
}
lists!([T], Vec<T>, VecDeque<T>);

impl<T: AuditValue, const N: usize> AuditValue for [T; N]
where
    Self: Serialize,
{
    const TYPE: &'static ValueType = &ValueType::List(T::TYPE);
}

// With serde's feature `rc`.
impl<T: AuditValue + ?Sized> AuditValue for Rc<T>
where
    Self: Serialize,
{
    const TYPE: &'static ValueType = T::TYPE;
}

impl<T: AuditValue + ?Sized> AuditValue for Arc<T>
where
    Self: Serialize,
{
    const TYPE: &'static ValueType = T::TYPE;
}

impl<T: AuditValue> AuditValue for Option<T> {
    const TYPE: &'static ValueType = &ValueType::OrNull(T::TYPE);
}

impl<K: Serialize, V: AuditValue> AuditValue for BTreeMap<K, V> {
    const TYPE: &'static ValueType = &ValueType::Map(V::TYPE);
}

impl<K: Serialize, V: AuditValue, S> AuditValue for HashMap<K, V, S> {
    const TYPE: &'static ValueType = &ValueType::Map(V::TYPE);
}

/// What takes the fields of a struct or of a variant.
pub trait Members {
    /// What the serializer returns.
    type Ok;
    /// Its error.
    type Error: Error;
    /// Takes a field.
    fn member<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Self::Error>;
    /// There are no more.
    fn end(self) -> Result<Self::Ok, Self::Error>;
}

/// Fields of a struct.
#[derive(Debug)]
pub struct OfStruct<S>(S);

/// Fields of a variant.
#[derive(Debug)]
pub struct OfVariant<S>(S);

macro_rules! members {
    ($($name:ident $trait:ident),*) => {$(
        impl<S: $trait> Members for $name<S> {
            type Ok = S::Ok;
            type Error = S::Error;
            fn member<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), S::Error> {
                self.0.serialize_field(key, value)
            }
            fn end(self) -> Result<S::Ok, S::Error> {
                self.0.end()
            }
        }
    )*};
}
members!(OfStruct SerializeStruct, OfVariant SerializeStructVariant);

/// Writes the fields of a derived value.
#[derive(Debug)]
#[must_use]
pub struct ValueFields<M>(M);

/// Begins a struct with up to that many fields.
pub fn value_of_struct<S: Serializer>(
    serializer: S,
    name: &'static str,
    fields: usize,
) -> Result<ValueFields<OfStruct<S::SerializeStruct>>, S::Error> {
    serializer.serialize_struct(name, fields).map(OfStruct).map(ValueFields)
}

/// Begins a variant with up to that many fields: an object whose only key is the variant's name.
pub fn value_of_variant<S: Serializer>(
    serializer: S,
    name: &'static str,
    index: u32,
    variant: &'static str,
    fields: usize,
) -> Result<ValueFields<OfVariant<S::SerializeStructVariant>>, S::Error> {
    serializer.serialize_struct_variant(name, index, variant, fields).map(OfVariant).map(ValueFields)
}

#[allow(missing_docs, clippy::missing_errors_doc, reason = "hidden; they do what the attributes say")]
impl<M: Members> ValueFields<M> {
    /// A field as it is. A `None` is left out.
    pub fn put<T: Serialize + ?Sized>(mut self, key: &'static str, value: &T) -> Result<Self, M::Error> {
        if value.serialize(IsNone) != Err(Answer(true)) {
            self.0.member(key, value)?;
        }
        Ok(self)
    }

    pub fn redact(mut self, key: &'static str, skipped: bool) -> Result<Self, M::Error> {
        if !skipped {
            self.0.member(key, "[REDACTED]")?;
        }
        Ok(self)
    }

    pub fn hmac<T: Serialize + ?Sized>(mut self, key: &'static str, value: &T) -> Result<Self, M::Error> {
        let mut json = String::new();
        // The reason could show the value.
        let written = value::write(&mut json, key, value, 0)
            .map_err(|_| M::Error::custom(format_args!("the Serialize of the hmac field `{key}` fails")))?;
        if written == Written::Value {
            let outside =
                |_| M::Error::custom(format_args!("the hmac field `{key}` is written only in an audit event"));
            let mask = masking::mask(key, &json).map_err(outside)?;
            self.0.member(key, &mask)?;
        }
        Ok(self)
    }

    pub fn end(self) -> Result<M::Ok, M::Error> {
        self.0.end()
    }
}

/// For the derive: keys that are constants are distinct as well.
///
/// # Panics
/// If two keys are alike; in a constant, that does not compile.
pub const fn distinct(keys: &[&str]) {
    let mut at = 0;
    while at < keys.len() {
        let mut before = 0;
        while before < at {
            assert!(!same(keys[before].as_bytes(), keys[at].as_bytes()), "two fields of this value have the same key");
            before += 1;
        }
        at += 1;
    }
}

const fn same(one: &[u8], other: &[u8]) -> bool {
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    at == one.len() && at == other.len()
}

/// A serializer that writes nothing and says whether a value is a `None`.
struct IsNone;

/// Whether it is one. It is an error, so that no value is looked at further.
#[derive(Debug, PartialEq, Eq)]
struct Answer(bool);

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("not written")
    }
}

impl std::error::Error for Answer {}

impl Error for Answer {
    fn custom<T: std::fmt::Display>(_: T) -> Self {
        Self(false)
    }
}

macro_rules! no {
    ($($method:ident($($type:ty),*) -> $ok:ty;)*) => {$(
        fn $method(self, $(_: $type),*) -> Result<$ok, Answer> {
            Err(Answer(false))
        }
    )*};
}

type Never = Impossible<(), Answer>;

impl Serializer for IsNone {
    type Ok = ();
    type Error = Answer;
    type SerializeSeq = Never;
    type SerializeTuple = Never;
    type SerializeTupleStruct = Never;
    type SerializeTupleVariant = Never;
    type SerializeMap = Never;
    type SerializeStruct = Never;
    type SerializeStructVariant = Never;

    no! {
        serialize_bool(bool) -> ();
        serialize_i8(i8) -> ();
        serialize_i16(i16) -> ();
        serialize_i32(i32) -> ();
        serialize_i64(i64) -> ();
        serialize_i128(i128) -> ();
        serialize_u8(u8) -> ();
        serialize_u16(u16) -> ();
        serialize_u32(u32) -> ();
        serialize_u64(u64) -> ();
        serialize_u128(u128) -> ();
        serialize_f32(f32) -> ();
        serialize_f64(f64) -> ();
        serialize_char(char) -> ();
        serialize_str(&str) -> ();
        serialize_bytes(&[u8]) -> ();
        serialize_unit() -> ();
        serialize_unit_struct(&'static str) -> ();
        serialize_unit_variant(&'static str, u32, &'static str) -> ();
        serialize_seq(Option<usize>) -> Never;
        serialize_tuple(usize) -> Never;
        serialize_tuple_struct(&'static str, usize) -> Never;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Never;
        serialize_map(Option<usize>) -> Never;
        serialize_struct(&'static str, usize) -> Never;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Never;
    }

    fn serialize_none(self) -> Result<(), Answer> {
        Err(Answer(true))
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Answer> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Answer> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Answer> {
        Err(Answer(false))
    }

    fn collect_str<T: std::fmt::Display + ?Sized>(self, _: &T) -> Result<(), Answer> {
        Err(Answer(false))
    }
}
