#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(clippy::expect_used)]
//! Accepts audit events, batches and keeps them, submits them to a CloudTrail channel, and accounts for every one.
//!
//! ```no_run
//! use std::time::Duration;
//! use audit_client::{AuditClient, AuditEvent, EventId, UserIdentity};
//!
//! #[derive(UserIdentity)]
//! #[audit(type = "Staff")]
//! struct Staff {
//!     #[audit(principal_id)]
//!     email: String,
//! }
//!
//! #[derive(AuditEvent)]
//! #[audit(source = "orders.example.com")]
//! struct RefundIssued<'a> {
//!     #[audit(id)]
//!     event: EventId,
//!     #[audit(user_identity)]
//!     by: &'a Staff,
//!     amount_cents: u64,
//! }
//!
//! # async fn f() -> Result<(), Box<dyn std::error::Error>> {
//! let client = AuditClient::builder()
//!     .channel_arn("arn:aws:cloudtrail:eu-west-1:123456789012:channel/EXAMPLE8-0558-4f7e-a06a-43969EXAMPLE")
//!     .build()
//!     .await?;
//! let alice = Staff { email: "alice@example.com".to_owned() };
//! let refund = RefundIssued { event: EventId::generate(), by: &alice, amount_cents: 1999 };
//! let receipt = client.emit(&refund).await?;
//! println!("stored as {}", receipt.delivered().await?.event_id);
//! println!("{}", client.shutdown(Duration::from_secs(10)).await);
//! # Ok(()) }
//! ```
//!
//! The path of an event:
//!
//! ```text
//!  emit ──► capacity ──► queue ──► batcher ──► delivery ──► transport ──► the channel
//!              │ waits for space     │ full, or lingered  │ retries, bisects, pauses
//!              └───────── ledger: every event is open, or has exactly one verdict ─────────► receipt, report
//! ```
//!
//! The client works on a thread of its own, with its own runtime: see [`AuditClient`].
//!
//! More: [what is promised and what not](https://example.com/REPLACE-BEFORE-RELEASE/audit/blob/main/docs/delivery.md), [recipes](https://example.com/REPLACE-BEFORE-RELEASE/audit/blob/main/docs/recipes.md),
//! [every attribute with its JSON](https://example.com/REPLACE-BEFORE-RELEASE/audit/blob/main/docs/derive.md), [who, from where, for whom](https://example.com/REPLACE-BEFORE-RELEASE/audit/blob/main/docs/context.md).
//!
//! # Features
//! | feature | what it adds |
//! |---|---|
//! | `aws` (default) | the official SDK as transport, with AWS's chain of credentials |
//! | `http` | a transport without the SDK, over hyper and rustls: for lakes, and for keys from the environment. With neither, give the builder a [`Transport`] |
//! | `ambient` | [`ActingAs::scope`] and [`ActingAs::current`]: the actor of the running tokio task, and [`spawn`], which takes it along |
//! | `encryption` | spools encrypted at rest |
//! | `jiff02`, `chrono04`, `time03`, `uuid1`, `ulid` | those crates' times and ids in fields of events |

mod blocking;
mod client;
mod context;
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
pub use client::acting_as::ActingAs;
#[cfg(feature = "ambient")]
pub use client::acting_as::{spawn, spawn_blocking};
pub use client::builder::ClientBuilder;
pub use client::config::{ClientConfig, GiveUpAfter, HumanDuration, ParseDurationError};
pub use client::emit::Emit;
pub use client::emit_all::EmitAllError;
pub use client::error::{BuildError, EmitError, FlushError};
pub use client::receipt::Receipt;
pub use client::shutdown_guard::ShutdownGuard;
pub use client::{AuditClient, testing};
pub use context::carried::Carried;
// For `audit-tower`, and servers like it.
#[doc(hidden)]
pub use client::acting_as::OfRequest as __OfRequest;
#[doc(hidden)]
pub use context::request::{Request as __Request, Scope as __Scope};
#[cfg(feature = "ambient")]
#[doc(hidden)]
pub use context::request::{Scoped as __Scoped, exempt as __exempt};
pub use delivery::handover::DeadLetters;
pub use ledger::ids::{Ids, IdsIter};
pub use ledger::report::ShutdownReport;
pub use ledger::verdict::{Delivery, NotDelivered};
pub use observe::{LastFailure, Pause, Stats, metric};
#[cfg(feature = "aws")]
pub use transport::aws::AwsTransport;
#[cfg(feature = "http")]
pub use transport::http::{HttpConfig, HttpTransport};
pub use transport::submit::{Failure, Submission, Submitting, Transport, TransportError};

// Whom to sign as, and the rest of what the SDK lets be set.
#[cfg(feature = "aws")]
pub use aws_config::SdkConfig;
#[cfg(feature = "aws")]
pub use aws_credential_types::Credentials;
#[cfg(feature = "aws")]
pub use aws_credential_types::provider::{self as credentials_provider, ProvideCredentials};

// What an event is: audit-core's names, so that an application depends on one crate.
pub use audit_core::wire::{EntryErrorCode, RequestErrorCode};
pub use audit_core::{
    AccountId, Actor, ChannelArn, Checksum, Context, EncodeError, EncodeFault, Entry, EntryError, EventCatalog,
    EventId, EventTime, ExternalId, HmacKeys, Identity, IntoEntry, NameError, NamesActor, StaticEntry, Violation,
};
pub use audit_core::{limits, schema};

/// What travels: batches, and `PutAuditEvents`' answer. For transports of your own.
pub mod wire {
    pub use audit_core::wire::{
        EntryErrorCode, FailedEntry, PutAuditEventsResponse, RequestErrorCode, SuccessfulEntry,
    };
    pub use audit_core::{Batch, DoesNotFit, Reason};
}

/// What an [`AuditEvent`] writes with, for one that is implemented by hand.
pub mod writer {
    pub use audit_core::{EventDataWriter, EventTimeValue, ObjectWriter, Part, SourceIp, TextValue};
}

/// What the derive knows of an event type: see [`EventCatalog`].
pub mod catalog {
    pub use audit_core::{EventCatalog, EventType, FieldType, Protection, Role, ValueField, ValueType};
}

// The derives that refer to this crate, each with its trait; what their code refers to.
#[doc(hidden)]
pub use audit_core::__;
#[doc(inline)]
pub use audit_core::__::for_client::{AuditError, AuditEvent, AuditValue, UserIdentity, entry};
