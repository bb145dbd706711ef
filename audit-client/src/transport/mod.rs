//! Where batches go.
//!
//! [`submit`] is the seam. [`aws`] and [`http`] are two ways over it, which share [`endpoint`] and [`failure`].

#[cfg(feature = "aws")]
pub(crate) mod aws;
#[cfg(any(feature = "aws", feature = "http"))]
mod endpoint;
#[cfg(any(feature = "aws", feature = "http"))]
mod failure;
#[cfg(feature = "http")]
pub(crate) mod http;
#[cfg(any(feature = "aws", feature = "http"))]
pub(crate) mod keys;
pub(crate) mod submit;
