//! Encryption at rest: XChaCha20-Poly1305, one key for a segment, the nonce from its salt and the sequence number.
//!
//! The nonce's 24 bytes are the segment's random salt (16) and the record's sequence number (8), so it takes no room
//! on disk. No nonce is used twice: within one segment each number is written once, also after a failed write, since
//! the spool then continues in a new segment.

#[cfg(feature = "encryption")]
mod enabled;
#[cfg(feature = "encryption")]
pub(super) use enabled::SegmentCipher;
#[cfg(feature = "encryption")]
pub use enabled::{Encryption, KeyError};

#[cfg(not(feature = "encryption"))]
mod disabled;
#[cfg(not(feature = "encryption"))]
pub(super) use disabled::{Encryption, SegmentCipher};

/// Bytes that the cipher adds to a record.
pub(super) const TAG_BYTES: usize = 16;

/// The key that a segment needs: its id, and a value that only this key produces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KeyMark {
    /// The key's id, padded with zeros.
    pub(super) id: [u8; 16],
    /// The first bytes of the tag over nothing at the last sequence number.
    pub(super) check: [u8; 8],
}

impl KeyMark {
    /// The key's id as text.
    pub(super) fn id(&self) -> String {
        String::from_utf8_lossy(&self.id).trim_end_matches('\0').to_owned()
    }
}

/// Why a segment cannot be read: its key is not among those given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoKey {
    Missing,
    #[cfg_attr(not(feature = "encryption"), expect(dead_code, reason = "without ciphers no key can be wrong"))]
    Wrong,
}
