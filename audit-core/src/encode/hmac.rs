//! Values that can be found but not read: HMAC-SHA-256 (RFC 2104) under the context's key.

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// The two hash states that a key begins: the key itself is not kept.
#[derive(Clone)]
pub(crate) struct HmacKey {
    inner: Sha256,
    outer: Sha256,
}

impl HmacKey {
    pub(crate) fn new(key: &[u8]) -> Self {
        const BLOCK: usize = 64;
        let mut block = [0_u8; BLOCK];
        if key.len() <= BLOCK {
            block[..key.len()].copy_from_slice(key);
        } else {
            let hashed: [u8; 32] = Sha256::digest(key).into();
            block[..hashed.len()].copy_from_slice(&hashed);
        }
        let begin = |pad: u8| Sha256::new_with_prefix(block.map(|byte| byte ^ pad));
        Self { inner: begin(0x36), outer: begin(0x5C) }
    }

    /// What stands in place of the value: `hmac-sha256:` and 64 hex digits.
    pub(crate) fn mask(&self, value: &[u8]) -> String {
        let inner = self.inner.clone().chain_update(value).finalize();
        let outer: [u8; 32] = self.outer.clone().chain_update(inner).finalize().into();
        outer.iter().fold(String::from("hmac-sha256:"), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

#[cfg(test)]
mod tests {
    use super::HmacKey;

    #[test]
    fn masks_are_those_of_rfc_4231() {
        for (key, value, mask) in [
            (vec![0x0b; 20], b"Hi There".to_vec(), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
            (
                b"Jefe".to_vec(),
                b"what do ya want for nothing?".to_vec(),
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                vec![0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First".to_vec(),
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
        ] {
            assert_eq!(HmacKey::new(&key).mask(&value), format!("hmac-sha256:{mask}"));
        }
    }
}
