//! Names that cannot be wrong: a value of one of these types keeps the contract's rule for it.
//!
//! Each has `from_static`, which checks a literal while compiling, `TryFrom<&str>` and `FromStr` for text that comes
//! from elsewhere, `Display`, and serde. A wrong text gives a [`NameError`] that says what the rule is.
//!
//! ```compile_fail
//! const ID: audit_core::EventId = audit_core::EventId::from_static("refund 17");
//! ```
//! ```compile_fail
//! const CHANNEL: audit_core::ChannelArn = audit_core::ChannelArn::from_static("arn:aws:s3:::a-bucket");
//! ```
//! ```compile_fail
//! const EXTERNAL: audit_core::ExternalId = audit_core::ExternalId::from_static("x");
//! ```
//! ```compile_fail
//! const ACCOUNT: audit_core::AccountId = audit_core::AccountId::from_static("12345678901");
//! ```
//! ```compile_fail
//! const TIME: audit_core::EventTime = audit_core::EventTime::from_static("2026-02-29T00:00:00Z");
//! ```
//! ```compile_fail
//! const CHECKSUM: audit_core::Checksum = audit_core::Checksum::from_static("RBNvo1WzZ4oRRq0W9");
//! ```

mod account_id;
mod channel_arn;
mod checksum;
mod error;
mod event_id;
mod event_time;
mod external_id;
pub(crate) mod hex;
mod sha256_const;
mod shown;

pub use account_id::AccountId;
pub use channel_arn::ChannelArn;
pub use checksum::Checksum;
pub(crate) use checksum::WIRE_CHARS;
pub use error::NameError;
pub use event_id::EventId;
pub use event_time::EventTime;
pub use external_id::ExternalId;
pub use shown::{Shown, is_invisible, shown};
