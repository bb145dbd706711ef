//! Where batches go.

#[cfg(feature = "aws")]
pub(crate) mod aws;
#[cfg(feature = "aws")]
mod connection;
#[cfg(feature = "aws")]
mod credentials;
pub(crate) mod submit;
