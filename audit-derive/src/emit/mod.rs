//! From the model to the generated code. What is the same for all types is in the library: here is only what
//! differs from type to type, since the compiler has to check every byte of it again for every type.

mod audit_value;
mod bounds;
mod constants;
mod error;
mod event;
mod fallback;
mod identity;
mod text_of_type;
mod value;

pub(crate) use audit_value::audit_value;
pub(crate) use error::error;
pub(crate) use event::event;
pub(crate) use fallback::{
    audit_value as fallback_value, error as fallback_error, event as fallback_event, identity as fallback_identity,
};
pub(crate) use identity::identity;
