//! Where batches go.

pub(crate) mod aws;
mod credentials;
pub(crate) mod submit;
