//! A hash for sequence numbers. This process counts them, so no attacker chooses them, as one could choose ids.

use std::hash::{BuildHasherDefault, Hasher};

pub(super) type BuildSeqHasher = BuildHasherDefault<SeqHasher>;

/// Takes one number.
#[derive(Default)]
pub(super) struct SeqHasher(u64);

impl Hasher for SeqHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        // 2^64 divided by the golden ratio spreads consecutive numbers over the high bits; the map goes by high and low ones.
        let spread = (self.0 ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = spread ^ (spread >> 32);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
