//! From an event to its entry: one pass, one buffer, one order.

pub(crate) mod audit_value;
mod context;
pub(crate) mod error;
pub(crate) mod event;
mod from_context;
mod hmac;
mod hmac_keys;
pub(crate) mod identity;
mod kept;
mod masking;
mod member;
pub(crate) mod object;
mod parts;
mod prefix;
pub(crate) mod roles;
mod sealed;
mod value;
pub(crate) mod writer;

pub use context::Context;
pub use hmac_keys::HmacKeys;
pub use parts::ContextParts;
