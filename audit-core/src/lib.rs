#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(clippy::expect_used)]
//! What an audit event is: the model, every constraint, the encoding, the checksum, batches and the wire types of
//! CloudTrail's `PutAuditEvents`.
//!
//! An event's way through this crate:
//!
//! ```text
//!  AuditEvent ──write──► EventDataWriter ──► Entry ──push──► Batch ──► wire
//!                 ▲            │               ▲
//!              Context       limits          schema ◄── JSON from elsewhere (Entry::parse)
//! ```
//!
//! - [`limits`] has the contract's numbers, [`schema`] holds a whole event to them, [`Violation`] says what is broken.
//! - [`AuditEvent`] is what the derive implements; [`EventDataWriter`] is what it writes with; [`Context`] fills in what an
//!   event does not carry.
//! - [`Entry`] is an event ready to be sent: id, event data, checksum. [`Batch`] is what fits one request.
//! - [`EventId`], [`ChannelArn`], [`ExternalId`], [`AccountId`], [`EventTime`] and [`Checksum`] are names that cannot be
//!   wrong.
//!
//! This crate does no I/O, knows no network, and panics on no input.
//!
//! # Features
//! None is on by default.
//!
//! | feature | what it adds |
//! |---|---|
//! | `derive` | the derives `AuditEvent`, `UserIdentity`, `AuditValue` and `AuditError`, and `entry!` |
//! | `jiff02`, `chrono04`, `time03`, `uuid1`, `ulid` | those crates' times and ids in fields of events |
//!
//! [The derives' page](https://example.com/REPLACE-BEFORE-RELEASE/audit/blob/main/docs/derive.md) shows every attribute with its JSON.

// Each imports only from those above it; `catalog` and `json` do not know each other.
pub mod limits;

mod names;

mod json;

mod contract;

mod catalog;

mod entry;

mod encode;

#[doc(hidden)]
#[path = "derive/mod.rs"]
pub mod __;

pub use catalog::{EventCatalog, EventType, FieldType, Protection, Role, ValueField, ValueType};
pub use contract::schema;
pub use contract::violation::Violation;
#[doc(hidden)]
pub use encode::ContextParts;
pub use encode::audit_value::AuditValue;
pub use encode::error::{EncodeError, EncodeFault};
pub use encode::event::{AuditEvent, IntoEntry, NamesActor};
pub use encode::identity::{Actor, Identity, UserIdentity};
pub use encode::object::ObjectWriter;
pub use encode::roles::{AuditError, EventTimeValue, SourceIp, TargetId, TextValue};
pub use encode::writer::{EventDataWriter, Part};
pub use encode::{Context, HmacKeys};
pub use entry::wire;
pub use entry::{Batch, DoesNotFit, Entry, EntryError, Reason, StaticEntry};
#[doc(hidden)]
pub use names::hex::{hex, uuid_text};
pub use names::{
    AccountId, ChannelArn, Checksum, EventId, EventTime, ExternalId, NameError, Shown, is_invisible, shown,
};

// The derives share their traits' names: a derive is a macro, a trait is a type.
#[cfg(feature = "derive")]
pub use audit_derive::{AuditError, AuditEvent, AuditValue, UserIdentity};

/// A whole constant event: its data as a JSON object.
///
/// The macro checks it against the contract, reports each mistake at its own tokens, and makes its JSON and checksum. The
/// result is a [`StaticEntry`], also in a constant. The entry's id comes from `UID`, as [`EventId::derive`] makes it; before
/// the object, another one may be given: `entry!("id", { … })`.
///
/// ```
/// use audit_core::{StaticEntry, entry};
///
/// const TRAIL_STARTED: StaticEntry = entry!({
///     "version": "1.0",
///     "userIdentity": { "type": "Service", "principalId": "shop" },
///     "eventSource": "shop.example.com",
///     "eventName": "TrailStarted",
///     "eventTime": "2026-11-21T10:15:30Z",
///     "UID": "trail-started",
///     "requestParameters": { "build": 17, "canary": false },
///     "recipientAccountId": "123456789012",
/// });
/// assert_eq!(TRAIL_STARTED.id().as_str(), "trail-started");
/// assert!(TRAIL_STARTED.event_data().starts_with(r#"{"version":"1.0","userIdentity":{"type":"Service""#));
/// assert_eq!(TRAIL_STARTED.checksum(), audit_core::Checksum::of(TRAIL_STARTED.event_data().as_bytes()));
/// ```
///
/// Strings are written as in Rust, numbers without a type. It takes no variables: an event with variable parts is a type
/// that derives [`AuditEvent`](derive@AuditEvent).
#[cfg(feature = "derive")]
#[macro_export]
macro_rules! entry {
    ($($event:tt)*) => { $crate::__::entry!(($crate::__) $($event)*) };
}
