//! The options of a spool.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::cipher::Encryption;
use super::error::SpoolError;
use super::segment::FRAMES_AT;

/// What `append` does when there is no room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum WhenFull {
    /// It waits until there is room.
    #[default]
    Wait,
    /// It is refused immediately.
    Reject,
}

/// A text that is not a [`WhenFull`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it must be `wait` or `reject`")]
#[non_exhaustive]
pub struct ParseWhenFullError;

/// `wait` or `reject`, as serde has it.
impl FromStr for WhenFull {
    type Err = ParseWhenFullError;

    fn from_str(text: &str) -> Result<Self, ParseWhenFullError> {
        match text {
            "wait" => Ok(Self::Wait),
            "reject" => Ok(Self::Reject),
            _ => Err(ParseWhenFullError),
        }
    }
}

/// A spool's name, size, policy and keys. Every option has a default.
///
/// ```
/// use audit_spool::{SpoolOptions, WhenFull};
///
/// let options = SpoolOptions::new().name("orders").max_bytes(64 << 20).when_full(WhenFull::Reject);
/// ```
#[derive(Clone, Debug)]
pub struct SpoolOptions {
    pub(super) name: String,
    /// Whether the name was given.
    pub(super) is_named: bool,
    pub(super) max_bytes: u64,
    pub(super) segment_bytes: u64,
    pub(super) when_full: WhenFull,
    pub(super) encryption: Option<Encryption>,
}

impl Default for SpoolOptions {
    fn default() -> Self {
        Self {
            name: "default".to_owned(),
            is_named: false,
            max_bytes: 1 << 30,
            segment_bytes: 16 << 20,
            when_full: WhenFull::Wait,
            encryption: None,
        }
    }
}

impl SpoolOptions {
    /// The smallest `max_bytes`: room for eight segments that hold something.
    pub const MIN_MAX_BYTES: u64 = 64 * 1024;

    /// The defaults: name `default`, 1 GiB, segments of 16 MiB, waiting when full, not encrypted.
    pub fn new() -> Self {
        Self::default()
    }

    /// The spool's name, the first part of its files' names: 1 to 64 of `[-_A-Za-z0-9]`. Spools with different names in one
    /// directory are independent. A spool that was given a name belongs to one process, and is no slot
    /// ([`Spool::open_slot`](super::Spool::open_slot)).
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self.is_named = true;
        self
    }

    /// The most that the segments may take on disk, in bytes; at least [`MIN_MAX_BYTES`](Self::MIN_MAX_BYTES).
    /// Acknowledgements (64 KiB) and dead letters come on top.
    #[must_use]
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// How long a segment grows, in bytes, before the next one is begun; at most an eighth of `max_bytes` is used. Space
    /// is freed by whole segments.
    #[must_use]
    pub fn segment_bytes(mut self, bytes: u64) -> Self {
        self.segment_bytes = bytes;
        self
    }

    /// What happens when `max_bytes` are used, or the disk is full.
    #[must_use]
    pub fn when_full(mut self, policy: WhenFull) -> Self {
        self.when_full = policy;
        self
    }

    /// Encrypts what is written from now on. What was written unencrypted before stays readable.
    #[cfg(feature = "encryption")]
    #[must_use]
    pub fn encryption(mut self, keys: Encryption) -> Self {
        self.encryption = Some(keys);
        self
    }

    pub(super) fn checked(mut self) -> Result<Self, SpoolError> {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        if self.name.is_empty() || self.name.len() > 64 || !self.name.bytes().all(known) {
            return Err(SpoolError::Name { name: self.name.chars().take(80).collect() });
        }
        if self.max_bytes < Self::MIN_MAX_BYTES {
            return Err(SpoolError::MaxBytes { given: self.max_bytes, min: Self::MIN_MAX_BYTES });
        }
        self.segment_bytes = self.segment_bytes.clamp(FRAMES_AT + 1024, self.max_bytes / 8);
        Ok(self)
    }
}
