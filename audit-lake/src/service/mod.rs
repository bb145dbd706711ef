//! `PutAuditEvents`, from the HTTP request to the answer, and the admin address.
//!
//! A request is judged in this order, and the sender gets the first error: HTTP (`body`), the signature, the account and
//! its rate, the channel, permission and external ID, the request's limits (`operation`), then every entry by itself
//! (`judge`). What passes goes into the store, and the answer is sent after the commit.

pub(crate) mod admin;
mod body;
mod judge;
mod operation;
mod readiness;
mod refusals;
mod request;
mod respond;
pub(crate) mod retention;
mod router;
mod state;
mod throttle;

pub(crate) use router::router;
pub(crate) use state::Service;
