//! Signature Version 4, the receiving side.
//!
//! `query` splits the query string, `claim` reads what a request says about its signature, `canonical` builds the text
//! that was signed, and `verify` compares: one comparison of 32 bytes in constant time. A stranger sees every earlier
//! error too, so none of them says anything about a secret.

#[cfg(test)]
mod against_the_signer;
mod canonical;
mod claim;
mod percent;
mod query;
mod verify;

pub(crate) use claim::Claim;
pub(crate) use query::{Found, Query};
pub(crate) use verify::{KeyMaterial, SignedParts};
