//! The key of a map, which JSON wants as text: numbers, booleans and characters become text, as `serde_json` has them. And
//! text that is JSON already, which comes the same way.

use std::fmt::{Display, Write};

use serde::ser::{Impossible, Serialize, Serializer};

use super::escape::{write_displayed, write_str};
use super::fault::{Failure, Result};
use super::number::{not_finite, write_number};

/// Writes a key in quotes, or JSON that was made elsewhere as it is.
pub(crate) struct MapKey<'a> {
    pub(crate) out: &'a mut String,
    pub(crate) quoted: bool,
}

impl MapKey<'_> {
    fn number(self, number: impl Serialize) -> Result {
        if !self.quoted {
            return write_number(self.out, number);
        }
        self.out.push('"');
        write_number(self.out, number)?;
        self.out.push('"');
        Ok(())
    }
}

fn no_text<T>() -> Result<T> {
    Err(Failure::not_json("key must be a string"))
}

macro_rules! numbers {
    ($($method:ident($type:ty);)*) => {$(
        fn $method(self, value: $type) -> Result {
            self.number(value)
        }
    )*};
}

macro_rules! floats {
    ($($method:ident($type:ty);)*) => {$(
        fn $method(self, value: $type) -> Result {
            match not_finite(value.into()) {
                Some(text) => self.serialize_str(text),
                None => self.number(value),
            }
        }
    )*};
}

macro_rules! no_text {
    ($($method:ident($($type:ty),*) -> $ok:ty;)*) => {$(
        fn $method(self, $(_: $type),*) -> Result<$ok> {
            no_text()
        }
    )*};
}

impl Serializer for MapKey<'_> {
    type Ok = ();
    type Error = Failure;
    type SerializeSeq = Impossible<(), Failure>;
    type SerializeTuple = Impossible<(), Failure>;
    type SerializeTupleStruct = Impossible<(), Failure>;
    type SerializeTupleVariant = Impossible<(), Failure>;
    type SerializeMap = Impossible<(), Failure>;
    type SerializeStruct = Impossible<(), Failure>;
    type SerializeStructVariant = Impossible<(), Failure>;

    fn serialize_str(self, value: &str) -> Result {
        if self.quoted {
            write_str(self.out, value);
        } else {
            self.out.push_str(value);
        }
        Ok(())
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result {
        let written = if self.quoted { write_displayed(self.out, &value, |_| ()) } else { write!(self.out, "{value}") };
        written.map_err(|_| Failure::not_json("its Display fails"))
    }

    fn serialize_char(self, value: char) -> Result {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_bool(self, value: bool) -> Result {
        self.serialize_str(if value { "true" } else { "false" })
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result {
        self.serialize_str(variant)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result {
        no_text()
    }

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

    floats! {
        serialize_f32(f32);
        serialize_f64(f64);
    }

    no_text! {
        serialize_bytes(&[u8]) -> ();
        serialize_none() -> ();
        serialize_unit() -> ();
        serialize_unit_struct(&'static str) -> ();
        serialize_seq(Option<usize>) -> Self::SerializeSeq;
        serialize_tuple(usize) -> Self::SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
        serialize_map(Option<usize>) -> Self::SerializeMap;
        serialize_struct(&'static str, usize) -> Self::SerializeStruct;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant;
    }
}
