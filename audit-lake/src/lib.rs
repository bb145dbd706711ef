#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(clippy::expect_used, clippy::exhaustive_enums, clippy::exhaustive_structs)]
//! The receiving side of CloudTrail's `PutAuditEvents`: a service to which AWS's own clients send audit events. It answers that
//! an event is stored only after the event is synced to disk.
//!
//! [`Lake::builder`] starts one inside a program or a test. The program `audit-lake` runs one from the file `lake.toml`, whose
//! model is [`LakeConfig`]; [docs/lake.md](https://example.com/REPLACE-BEFORE-RELEASE/audit/blob/main/docs/lake.md) is the page for operators.
//!
//! ```text
//!  server ──► connection ──► service ──► sigv4       is the request signed with a known key?
//!  (HTTP)                       │──────► directory   may this account send to this channel?
//!                               │──────► audit-core  does each entry keep the contract?
//!                               └──────► store       one writer, one commit for all that wait, then the answer
//! ```
//!
//! # Features
//! - `cli` (default): the program `audit-lake`, with clap and tracing-subscriber. Embed a lake with `default-features = false`.

mod config;
mod error;
mod http;
mod lake;
mod metrics;
mod service;
mod sigv4;
mod store;

/// Types of `audit-core` that the signatures of this crate have.
pub use audit_core::schema::EventFields;
pub use audit_core::{AccountId, ChannelArn, Checksum, EventTime, ExternalId, Violation};
pub use config::{
    AccountConfig, ChannelConfig, ConfigError, KeyConfig, LakeConfig, LimitsConfig, LogConfig, LogFormat, LogLevel,
    Mistake, Secret, StoreConfig, TlsConfig,
};
pub use lake::{AccessKey, Lake, LakeBuilder, LakeError};
pub use store::{
    ClockDoubt, DatabaseError, EventFilter, EventReader, FileChange, Outcome, StoreError, StoredEvent, Verification,
    confirm_clock,
};

/// The page's program runs as a doc test; `tests/documentation.rs` checks the rest of the page.
#[cfg(doctest)]
#[doc = include_str!("../../docs/lake.md")]
struct Page;
