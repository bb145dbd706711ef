//! The contract for one event: its check, what can be broken, and the codes with which the service says so.

pub(crate) mod code;
pub(crate) mod constant;
pub mod schema;
pub(crate) mod violation;
