//! Numbers, as `serde_json` writes them, and texts for floats that are none.

use std::io;

use serde::Serialize;

use super::fault::{Failure, Result};

/// Appends a number that JSON has.
pub(crate) fn write_number(out: &mut String, number: impl Serialize) -> Result {
    serde_json::to_writer(Ascii(out), &number).map_err(|error| Failure::not_json(error.to_string()))
}

/// A float that JSON does not have, as the text that stands for it: a null would hide what was there.
pub(crate) fn not_finite(float: f64) -> Option<&'static str> {
    match float {
        float if float.is_finite() => None,
        float if float.is_nan() => Some("NaN"),
        float if float > 0.0 => Some("Infinity"),
        _ => Some("-Infinity"),
    }
}

/// Takes the digits that `serde_json` writes.
struct Ascii<'a>(&'a mut String);

impl io::Write for Ascii<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes).map(|()| bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.push_str(std::str::from_utf8(bytes).map_err(io::Error::other)?);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
