#![cfg_attr(docsrs, feature(doc_cfg))]
//! Accepts audit events, batches and keeps them, submits them to a CloudTrail channel, and accounts for every one.
//!
//! ```no_run
//! use std::time::Duration;
//! use audit_client::{AuditClient, AuditEvent};
//!
//! # async fn f(event: audit_client::Entry) -> Result<(), Box<dyn std::error::Error>> {
//! let client = AuditClient::builder()
//!     .channel_arn("arn:aws:cloudtrail:eu-west-1:123456789012:channel/EXAMPLE8-0558-4f7e-a06a-43969EXAMPLE")
//!     .build()
//!     .await?;
//! let receipt = client.emit(event).await?;
//! let delivery = receipt.delivered().await?;
//! let report = client.shutdown(Duration::from_secs(10)).await;
//! # Ok(()) }
//! ```
//!
//! An event's way:
//!
//! ```text
//!  emit ──► room ──► queue ──► batcher ──► delivery ──► transport ──► the channel
//!            │ waits for a place  │ full, or lingered  │ retries, bisects, pauses
//!            └────────── ledger: every event is open, or has exactly one verdict ──────────► receipt, report
//! ```
//!
//! The client's work is done on a thread of its own, with its own runtime: see [`AuditClient`].

mod client;
mod delivery;
mod ledger;
mod observe;
mod queue;
#[cfg(test)]
mod sample_entries;
mod text;
mod transport;

/// The queue on disk: the crate `audit-spool`.
#[doc(inline)]
pub use audit_spool as spool;
pub use audit_spool::{Attempt, DeadLetter, Outcome};
pub use client::builder::ClientBuilder;
pub use client::config::{ClientConfig, NotASpan, Patience, Span};
pub use client::error::{BuildError, EmitError, FlushError};
pub use client::receipt::Receipt;
pub use client::{ActingAs, AuditClient, testing};
pub use delivery::handover::DeadLetters;
pub use ledger::ids::Ids;
pub use ledger::report::ShutdownReport;
pub use ledger::verdict::{Delivery, NotDelivered};
pub use observe::{LastFailure, Pause, Stats, metric};
pub use transport::aws::AwsTransport;
pub use transport::submit::{Failure, Submission, Submitting, Transport, TransportError};

// Whom to sign as, and the rest of what the SDK lets be set.
pub use aws_config::SdkConfig;
pub use aws_credential_types::Credentials;
pub use aws_credential_types::provider::{self as credentials_provider, ProvideCredentials};

// What an event is: audit-core's names, so that an application names one dependency.
pub use audit_core::wire::{EntryErrorCode, FailedEntry, PutAuditEventsResponse, SuccessfulEntry};
pub use audit_core::*;

// The derives that refer to this crate, each with its trait; what their code refers to.
#[doc(hidden)]
pub use audit_core::__;
pub use audit_core::__::for_client::{AuditEvent, UserIdentity, entry};
