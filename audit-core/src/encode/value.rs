//! A value's JSON, through its `Serialize`.

use serde::Serialize;

use super::error::{EncodeError, EncodeFault};
use super::masking;
use crate::json::fault::Failure;
use crate::json::scan;
use crate::json::serializer::JsonSerializer;

/// Whether a value was written, or is a `None` and was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    Value,
    Nothing,
}

/// Appends a value's JSON. `depth` is how many arrays and objects are open around it. A value that cannot be written may
/// leave half of its JSON behind.
pub(crate) fn write<T: Serialize + ?Sized>(
    out: &mut String,
    key: &str,
    value: &T,
    depth: usize,
) -> Result<Written, EncodeError> {
    let start = out.len();
    let mut json = JsonSerializer::new(out, depth);
    let result = value.serialize(&mut json);
    let written = if json.absent() { Written::Nothing } else { Written::Value };
    if result.is_err() || json.failed() || json.keys_unsure() {
        after(&json, result, start, key)?;
    }
    Ok(written)
}

/// What seldom follows, the same for every type, so that it is compiled once.
#[cold]
fn after(json: &JsonSerializer<'_>, result: Result<(), Failure>, start: usize, key: &str) -> Result<(), EncodeError> {
    if let Some(fault) = json.too_deep() {
        return Err(fault.into());
    }
    result.map_err(|failure| match masking::take_fault() {
        Some(fault) => EncodeError::new(fault).inside(key),
        None => EncodeError::from(failure).with_key(key),
    })?;
    if json.failed() {
        let (key, reason) = (key.to_owned(), "its Serialize hides an error".to_owned());
        return Err(EncodeError::new(EncodeFault::NotJson { key, reason }));
    }
    // A struct's keys are distinct, a map's or a flattened struct's need not be.
    scan::check_inside(json.written_from(start), 0).map_err(EncodeError::from)
}
