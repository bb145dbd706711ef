//! JSON as evidence needs it: written to the byte as `serde_json` writes it, read without building it, with distinct keys and
//! bounded nesting. Knows nothing of events.

pub(crate) mod distinct;
pub(crate) mod escape;
pub(crate) mod fault;
pub(crate) mod keys;
mod map_key;
pub(crate) mod number;
pub(crate) mod scan;
pub(crate) mod serializer;
