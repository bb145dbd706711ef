//! The checksum that proves an event's data: base64 of the SHA-256 of its exact bytes.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};

use super::error::{NameError, readable};
use super::sha256_const;

/// The characters of a checksum on the wire: 32 bytes in padded base64.
pub(crate) const WIRE_CHARS: usize = 44;

/// The SHA-256 of an event's data, written as standard, padded base64: what `eventDataChecksum` holds.
///
/// ```
/// use audit_core::Checksum;
///
/// // printf %s '{}' | openssl dgst -binary -sha256 | base64
/// assert_eq!(Checksum::of(b"{}").to_string(), "RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=");
/// const EMPTY: Checksum = Checksum::of_constant(b"{}");
/// assert_eq!(EMPTY, Checksum::of(b"{}"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Checksum([u8; 32]);

impl Checksum {
    /// The checksum of these bytes, with the processor's SHA instructions where it has them.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The checksum of constant bytes, while compiling, for data that no macro sees. Each 64 bytes cost the compiler
    /// about 7 ms, so it takes [`MAX_CONSTANT_BYTES`](Self::MAX_CONSTANT_BYTES) at most; `entry!` has no such cost.
    ///
    /// # Panics
    /// On more bytes than that; in a constant, that does not compile.
    #[must_use]
    pub const fn of_constant(bytes: &[u8]) -> Self {
        assert!(bytes.len() <= Self::MAX_CONSTANT_BYTES, "too long for a checksum while compiling: use Checksum::of");
        Self(sha256_const::digest(bytes))
    }

    /// The most bytes that [`of_constant`](Self::of_constant) takes: 16 kB, under two seconds of compile time.
    pub const MAX_CONSTANT_BYTES: usize = 16_000;

    /// A checksum whose 32 bytes are known.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Takes a literal of 44 characters of padded base64. In a constant, a wrong one does not compile.
    ///
    /// # Panics
    /// Outside of a constant, if the text is not such base64.
    #[must_use]
    pub const fn from_static(text: &'static str) -> Self {
        match decode(text.as_bytes()) {
            Some(checksum) => checksum,
            None => panic!("a checksum must be the padded base64 of 32 bytes, 44 characters"),
        }
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Strict: the last character's spare bits must be zero, so that each checksum has one text.
const fn decode(text: &[u8]) -> Option<Checksum> {
    if text.len() != WIRE_CHARS || text[WIRE_CHARS - 1] != b'=' {
        return None;
    }
    let (mut bytes, mut written) = ([0_u8; 32], 0);
    let (mut bits, mut held, mut at) = (0_u32, 0, 0);
    while at < WIRE_CHARS - 1 {
        let value = match text[at] {
            letter @ b'A'..=b'Z' => letter - b'A',
            letter @ b'a'..=b'z' => letter - b'a' + 26,
            digit @ b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6) | value as u32;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes[written] = ((bits >> held) & 0xFF) as u8;
            written += 1;
        }
        at += 1;
    }
    if bits & ((1 << held) - 1) != 0 { None } else { Some(Checksum(bytes)) }
}

impl TryFrom<&str> for Checksum {
    type Error = NameError;

    fn try_from(text: &str) -> Result<Self, NameError> {
        decode(text.as_bytes())
            .ok_or_else(|| NameError::new("a checksum", "the padded base64 of a SHA-256, 44 characters", text))
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; WIRE_CHARS];
        // 32 bytes are 44 characters, always.
        let length = STANDARD.encode_slice(self.0, &mut text).map_err(|_| fmt::Error)?;
        f.pad(std::str::from_utf8(&text[..length]).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Checksum({self})")
    }
}

readable!(Checksum);

impl Serialize for Checksum {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::Checksum;

    #[test]
    fn a_checksum_reads_back_from_its_text_alone() {
        for length in 0..300_u32 {
            let data: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            let checksum = Checksum::of(&data);
            assert_eq!(Checksum::try_from(checksum.to_string()), Ok(checksum));
            assert_eq!(Checksum::of_constant(&data), checksum, "{length}");
        }
    }

    #[test]
    fn text_that_is_almost_a_checksum_is_refused() {
        let good = "RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=";
        for bad in [
            "",
            &good[..43],
            &format!("{good}="),
            &good.replace('+', "-"),
            &good.replace("4o=", "4p="),
            &good.replace('R', " "),
            "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
        ] {
            assert!(Checksum::try_from(bad).is_err(), "{bad}");
        }
        assert_eq!(good.parse(), Ok(Checksum::of(b"{}")));
    }
}
