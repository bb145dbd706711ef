#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(clippy::expect_used)]
//! The receiving side of CloudTrail's `PutAuditEvents`: a service that AWS's own clients can send audit events to, and
//! that keeps each of them for good before it says so.
//!
//! [`Lake::builder`] starts one inside a program or a test; the program `audit-lake` runs one from a file, `lake.toml`,
//! which [`LakeConfig`] is the model of.
//!
//! ```text
//!  server ──► connection ──► service ──► sigv4      is it who it says?
//!  (HTTP)        │──────► directory  may they send there?
//!                │──────► audit-core does each entry keep the contract?
//!                └──────► store      one writer, one commit for all who wait, then the answer
//! ```

mod config;
mod error;
mod http;
mod lake;
mod metrics;
mod service;
mod sigv4;
mod store;

/// What signatures here name of `audit-core`.
pub use audit_core::{AccountId, ChannelArn, Checksum, EventTime, ExternalId};
pub use config::{
    AccountConfig, ChannelConfig, ConfigError, KeyConfig, LakeConfig, LimitsConfig, LogConfig, LogFormat, LogLevel,
    Mistake, Secret, TlsConfig,
};
pub use lake::{AccessKey, Lake, LakeBuilder, LakeError};
pub use store::{DatabaseError, EventFilter, EventReader, StoreError, StoredEvent, Verification};

/// The page's program runs as a doc test; `tests/documentation.rs` holds the rest of the page to its word.
#[cfg(doctest)]
#[doc = include_str!("../../docs/lake.md")]
struct Page;
