//! A value's JSON, through its `Serialize`.

use std::cell::Cell;
use std::io;

use serde::{Serialize, Serializer};
use serde_json::ser::Formatter;

use crate::error::{EncodeError, EncodeFault};
use crate::limits::MAX_NESTING;
use crate::scan;
use crate::violation::Violation;

/// Whether a value was written, or is a `None` and was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    Value,
    Nothing,
}

/// Appends a value's JSON. `depth` is how many arrays and objects are open around it. A value that cannot be written may
/// leave half of its JSON behind.
pub(crate) fn write<T: Serialize + ?Sized>(
    out: &mut Vec<u8>,
    key: &str,
    value: &T,
    depth: usize,
) -> Result<Written, EncodeError> {
    let start = out.len();
    let watch = Watch { depth: Cell::new(depth), too_deep: Cell::new(false), has_object: Cell::new(false) };
    let absent = Cell::new(false);
    let mut json = Json::with_formatter(out, &watch);
    let result = value.serialize(Member { json: &mut json, absent: &absent });
    after(out, start, key, &watch, result)?;
    Ok(if absent.get() { Written::Nothing } else { Written::Value })
}

/// What follows the same for every type, so that it is compiled once.
fn after(
    out: &[u8],
    start: usize,
    key: &str,
    watch: &Watch,
    result: Result<(), serde_json::Error>,
) -> Result<(), EncodeError> {
    if watch.too_deep.get() {
        return Err(Violation::TooDeep { offset: out.len() }.into());
    }
    let not_json = |reason: String| EncodeError::new(EncodeFault::NotJson { key: key.to_owned(), reason });
    result.map_err(|error| not_json(error.to_string()))?;
    if watch.has_object.get() {
        // A struct's keys are distinct, a map's or a flattened struct's need not be.
        let json = std::str::from_utf8(&out[start..]).map_err(|error| not_json(error.to_string()))?;
        scan::check(json)?;
    }
    Ok(())
}

type Json<'a> = serde_json::Serializer<&'a mut Vec<u8>, &'a Watch>;

/// Watches the JSON that is written: stops what nests too deep before the stack does, and sees whether there are objects.
struct Watch {
    depth: Cell<usize>,
    too_deep: Cell<bool>,
    has_object: Cell<bool>,
}

impl Watch {
    fn open(&self) -> io::Result<()> {
        let depth = self.depth.get() + 1;
        self.depth.set(depth);
        if depth > MAX_NESTING {
            self.too_deep.set(true);
            return Err(io::Error::other("nested too deep"));
        }
        Ok(())
    }

    fn close(&self) {
        self.depth.set(self.depth.get().saturating_sub(1));
    }
}

impl Formatter for &Watch {
    fn begin_array<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open()?;
        writer.write_all(b"[")
    }

    fn end_array<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close();
        writer.write_all(b"]")
    }

    fn begin_object<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.has_object.set(true);
        self.open()?;
        writer.write_all(b"{")
    }

    fn end_object<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close();
        writer.write_all(b"}")
    }
}

/// Writes a member's value: a `None` is told apart from a null, everything else is `serde_json`'s.
struct Member<'a, 'o> {
    json: &'a mut Json<'o>,
    absent: &'a Cell<bool>,
}

macro_rules! forward {
    ($($method:ident($($argument:ident: $type:ty),*) -> $ok:ty;)*) => {$(
        fn $method(self, $($argument: $type),*) -> Result<$ok, Self::Error> {
            self.json.$method($($argument),*)
        }
    )*};
}

type Of<'a, 'o> = &'a mut Json<'o>;

impl<'a, 'o> Serializer for Member<'a, 'o> {
    type Ok = ();
    type Error = serde_json::Error;
    type SerializeSeq = <Of<'a, 'o> as Serializer>::SerializeSeq;
    type SerializeTuple = <Of<'a, 'o> as Serializer>::SerializeTuple;
    type SerializeTupleStruct = <Of<'a, 'o> as Serializer>::SerializeTupleStruct;
    type SerializeTupleVariant = <Of<'a, 'o> as Serializer>::SerializeTupleVariant;
    type SerializeMap = <Of<'a, 'o> as Serializer>::SerializeMap;
    type SerializeStruct = <Of<'a, 'o> as Serializer>::SerializeStruct;
    type SerializeStructVariant = <Of<'a, 'o> as Serializer>::SerializeStructVariant;

    fn serialize_none(self) -> Result<(), Self::Error> {
        self.absent.set(true);
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Self::Error> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Self::Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Self::Error> {
        self.json.serialize_newtype_variant(name, index, variant, value)
    }

    fn collect_str<T: std::fmt::Display + ?Sized>(self, value: &T) -> Result<(), Self::Error> {
        self.json.collect_str(value)
    }

    forward! {
        serialize_bool(value: bool) -> ();
        serialize_i8(value: i8) -> ();
        serialize_i16(value: i16) -> ();
        serialize_i32(value: i32) -> ();
        serialize_i64(value: i64) -> ();
        serialize_i128(value: i128) -> ();
        serialize_u8(value: u8) -> ();
        serialize_u16(value: u16) -> ();
        serialize_u32(value: u32) -> ();
        serialize_u64(value: u64) -> ();
        serialize_u128(value: u128) -> ();
        serialize_f32(value: f32) -> ();
        serialize_f64(value: f64) -> ();
        serialize_char(value: char) -> ();
        serialize_str(value: &str) -> ();
        serialize_bytes(value: &[u8]) -> ();
        serialize_unit() -> ();
        serialize_unit_struct(name: &'static str) -> ();
        serialize_unit_variant(name: &'static str, index: u32, variant: &'static str) -> ();
        serialize_seq(length: Option<usize>) -> Self::SerializeSeq;
        serialize_tuple(length: usize) -> Self::SerializeTuple;
        serialize_tuple_struct(name: &'static str, length: usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(name: &'static str, index: u32, variant: &'static str, length: usize)
            -> Self::SerializeTupleVariant;
        serialize_map(length: Option<usize>) -> Self::SerializeMap;
        serialize_struct(name: &'static str, length: usize) -> Self::SerializeStruct;
        serialize_struct_variant(name: &'static str, index: u32, variant: &'static str, length: usize)
            -> Self::SerializeStructVariant;
    }
}
