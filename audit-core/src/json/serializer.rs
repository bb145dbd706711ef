//! A serializer that writes to the byte what `serde_json` writes, faster, and that sees what the contract asks of JSON while
//! it writes: how deep it nests, and whether an object's keys are distinct. Numbers it leaves to `serde_json`.

use std::fmt::Display;

use serde::ser::{self, Serialize, Serializer};

use super::distinct::DistinctKeys;
use super::escape::{write_displayed, write_str};
use super::fault::{Failure, Fault, Result};
use super::map_key::MapKey;
use super::number::{not_finite, write_number};
use super::scan;
use crate::limits::MAX_NESTING;

/// Names by which `serde_json`'s own types ask for their text to be written as it is: `RawValue`, and `Number` with
/// arbitrary precision. They come from other crates' features, so they can come at any time.
const AS_IT_IS: [&str; 2] = ["$serde_json::private::RawValue", "$serde_json::private::Number"];

/// Writes one value.
pub(crate) struct JsonSerializer<'a> {
    out: &'a mut String,
    /// How many arrays and objects are open.
    depth: usize,
    /// Whether nothing is open but what leaves no trace in JSON: a `None` is then told apart from a null.
    outermost: bool,
    absent: bool,
    /// Whether the keys of some object may not be distinct.
    keys_unsure: bool,
    trouble: Trouble,
}

/// What went wrong inside, also if the `Serialize` around it does not pass it on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trouble {
    None,
    Failed,
    TooDeep,
}

impl<'a> JsonSerializer<'a> {
    /// For a value inside `depth` arrays and objects.
    pub(crate) fn new(out: &'a mut String, depth: usize) -> Self {
        Self { out, depth, outermost: true, absent: false, keys_unsure: false, trouble: Trouble::None }
    }

    /// Whether it was a `None`: nothing is written then.
    pub(crate) fn absent(&self) -> bool {
        self.absent
    }

    /// Whether the keys of some object that was written may not be distinct.
    pub(crate) fn keys_unsure(&self) -> bool {
        self.keys_unsure
    }

    /// Whether there was an error inside, passed on or not.
    pub(crate) fn failed(&self) -> bool {
        self.trouble != Trouble::None
    }

    /// What was written from a place on.
    pub(crate) fn written_from(&self, start: usize) -> &str {
        self.out.get(start..).unwrap_or_default()
    }

    /// Where it nests too deep.
    pub(crate) fn too_deep(&self) -> Option<Fault> {
        (self.trouble == Trouble::TooDeep).then_some(Fault::TooDeep { offset: self.out.len() })
    }

    fn open(&mut self, bracket: char) -> Result {
        self.outermost = false;
        if self.depth == MAX_NESTING {
            self.trouble = Trouble::TooDeep;
            return Err(Fault::TooDeep { offset: self.out.len() }.into());
        }
        self.depth += 1;
        self.out.push(bracket);
        Ok(())
    }

    fn close(&mut self, bracket: char) {
        self.depth -= 1;
        self.out.push(bracket);
    }

    /// `{"Variant":`
    fn open_variant(&mut self, variant: &str) -> Result {
        self.open('{')?;
        write_str(self.out, variant);
        self.out.push(':');
        Ok(())
    }

    /// Writes a value inside this one.
    fn inner<T: Serialize + ?Sized>(&mut self, value: &T) -> Result {
        let result = value.serialize(&mut *self);
        if result.is_err() {
            self.fail();
        }
        result
    }

    #[cold]
    fn fail(&mut self) {
        if self.trouble == Trouble::None {
            self.trouble = Trouble::Failed;
        }
    }

    fn number(&mut self, number: impl Serialize) -> Result {
        write_number(self.out, number)
    }

    /// JSON that was made elsewhere is held to the same rules.
    fn as_it_is<T: Serialize + ?Sized>(&mut self, value: &T) -> Result {
        let start = self.out.len();
        value.serialize(MapKey { out: self.out, quoted: false })?;
        scan::check_inside(self.written_from(start), self.depth).map_err(|fault| {
            if let Fault::TooDeep { .. } = fault {
                self.trouble = Trouble::TooDeep;
            }
            fault.into()
        })
    }
}

macro_rules! numbers {
    ($($method:ident($type:ty);)*) => {$(
        fn $method(self, value: $type) -> Result {
            self.number(value)
        }
    )*};
}

impl<'w, 'a> Serializer for &'w mut JsonSerializer<'a> {
    type Ok = ();
    type Error = Failure;
    type SerializeSeq = Elements<'w, 'a>;
    type SerializeTuple = Elements<'w, 'a>;
    type SerializeTupleStruct = Elements<'w, 'a>;
    type SerializeTupleVariant = Elements<'w, 'a>;
    type SerializeMap = Members<'w, 'a>;
    type SerializeStruct = Members<'w, 'a>;
    type SerializeStructVariant = Members<'w, 'a>;

    numbers! {
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_i128(i128);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
        serialize_u128(u128);
    }

    fn serialize_f32(self, value: f32) -> Result {
        match not_finite(value.into()) {
            Some(text) => self.serialize_str(text),
            None => write_number(self.out, value),
        }
    }

    fn serialize_f64(self, value: f64) -> Result {
        match not_finite(value) {
            Some(text) => self.serialize_str(text),
            None => write_number(self.out, value),
        }
    }

    fn serialize_bool(self, value: bool) -> Result {
        self.out.push_str(if value { "true" } else { "false" });
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result {
        write_str(self.out, value);
        Ok(())
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result {
        write_displayed(self.out, &value, |_| ()).map_err(|_| Failure::not_json("its Display fails"))
    }

    fn serialize_bytes(self, value: &[u8]) -> Result {
        self.collect_seq(value)
    }

    fn serialize_none(self) -> Result {
        if self.outermost {
            self.absent = true;
            return Ok(());
        }
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result {
        self.out.push_str("null");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result {
        self.open_variant(variant)?;
        self.inner(value)?;
        self.close('}');
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Elements<'w, 'a>> {
        self.open('[')?;
        Ok(Elements { json: self, first: true, in_variant: false })
    }

    fn serialize_tuple(self, _: usize) -> Result<Elements<'w, 'a>> {
        self.serialize_seq(None)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Elements<'w, 'a>> {
        self.serialize_seq(None)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Elements<'w, 'a>> {
        self.open_variant(variant)?;
        self.open('[')?;
        Ok(Elements { json: self, first: true, in_variant: true })
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Members<'w, 'a>> {
        self.open('{')?;
        Ok(Members::new(self, Frame::Object))
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Members<'w, 'a>> {
        if AS_IT_IS.contains(&name) {
            return Ok(Members::new(self, Frame::None));
        }
        self.serialize_map(None)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Members<'w, 'a>> {
        self.open_variant(variant)?;
        self.open('{')?;
        Ok(Members::new(self, Frame::InVariant))
    }
}

/// Writes the elements of an array.
pub(crate) struct Elements<'w, 'a> {
    json: &'w mut JsonSerializer<'a>,
    first: bool,
    in_variant: bool,
}

impl Elements<'_, '_> {
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result {
        if !self.first {
            self.json.out.push(',');
        }
        self.first = false;
        self.json.inner(value)
    }

    fn close(self) {
        self.json.close(']');
        if self.in_variant {
            self.json.close('}');
        }
    }
}

/// What stands around the members of an object.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Frame {
    Object,
    InVariant,
    /// The one member is JSON already.
    None,
}

/// Writes the members of an object.
pub(crate) struct Members<'w, 'a> {
    json: &'w mut JsonSerializer<'a>,
    frame: Frame,
    first: bool,
    /// Whether a key waits for its value.
    has_key: bool,
    keys: DistinctKeys,
    /// Whether each key comes after the one before, so that no two can be alike, however many there are.
    ascending: bool,
    /// Where the last key stands.
    last_key: (usize, usize),
}

impl<'w, 'a> Members<'w, 'a> {
    fn new(json: &'w mut JsonSerializer<'a>, frame: Frame) -> Self {
        let keys = DistinctKeys::new();
        Self { json, frame, first: true, has_key: false, keys, ascending: true, last_key: (0, 0) }
    }

    fn comma(&mut self) {
        if !self.first {
            self.json.out.push(',');
        }
        self.first = false;
    }

    /// A member of a map, whose keys are only known once they are written.
    fn map_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result {
        if self.has_key {
            return self.misused();
        }
        self.comma();
        let start = self.json.out.len();
        key.serialize(MapKey { out: self.json.out, quoted: true }).inspect_err(|_| self.json.fail())?;
        self.has_key = true;
        let bytes = self.json.out.as_bytes();
        let (last, key) = (&bytes[self.last_key.0..self.last_key.1], &bytes[start..]);
        self.ascending = self.ascending && last < key;
        self.last_key = (start, bytes.len());
        // With the quotes around them.
        if !self.keys.add(key) && !self.ascending {
            self.json.keys_unsure = true;
        }
        self.json.out.push(':');
        Ok(())
    }

    fn map_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result {
        if !self.has_key {
            return self.misused();
        }
        self.has_key = false;
        self.json.inner(value)
    }

    fn misused(&mut self) -> Result {
        self.json.fail();
        Err(Failure::not_json("its Serialize writes a key without its value, or a value without its key"))
    }

    fn struct_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result {
        if self.frame == Frame::None {
            if !self.first {
                return self.misused();
            }
            self.first = false;
            return self.json.as_it_is(value).inspect_err(|_| self.json.fail());
        }
        self.comma();
        write_str(self.json.out, key);
        self.json.out.push(':');
        if !self.keys.add(key.as_bytes()) {
            self.json.keys_unsure = true;
        }
        self.json.inner(value)
    }

    fn close(mut self) -> Result {
        if self.has_key || (self.frame == Frame::None && self.first) {
            return self.misused();
        }
        match self.frame {
            Frame::None => {}
            Frame::Object => self.json.close('}'),
            Frame::InVariant => {
                self.json.close('}');
                self.json.close('}');
            }
        }
        Ok(())
    }
}

macro_rules! elements {
    ($($trait:ident $method:ident;)*) => {$(
        impl ser::$trait for Elements<'_, '_> {
            type Ok = ();
            type Error = Failure;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result {
                self.element(value)
            }

            fn end(self) -> Result {
                self.close();
                Ok(())
            }
        }
    )*};
}
elements! {
    SerializeSeq serialize_element;
    SerializeTuple serialize_element;
    SerializeTupleStruct serialize_field;
    SerializeTupleVariant serialize_field;
}

macro_rules! fields {
    ($($trait:ident)*) => {$(
        impl ser::$trait for Members<'_, '_> {
            type Ok = ();
            type Error = Failure;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result {
                self.struct_field(key, value)
            }

            fn end(self) -> Result {
                self.close()
            }
        }
    )*};
}
fields!(SerializeStruct SerializeStructVariant);

impl ser::SerializeMap for Members<'_, '_> {
    type Ok = ();
    type Error = Failure;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result {
        self.map_key(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result {
        self.map_value(value)
    }

    fn end(self) -> Result {
        self.close()
    }
}
