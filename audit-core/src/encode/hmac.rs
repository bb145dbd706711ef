//! Values that can be found but not read: HMAC-SHA-256 (RFC 2104) under a key that the mask names.

use sha2::{Digest, Sha256};

use crate::limits::is_hmac_key_id;
use crate::names::hex::hex;

/// A key with its id. It keeps the two hash states that the key begins, not the key itself.
#[derive(Clone)]
pub(crate) struct HmacKey {
    pub(super) id: Box<str>,
    inner: Sha256,
    outer: Sha256,
}

impl HmacKey {
    pub(crate) fn new(id: &str, key: &[u8]) -> Self {
        const BLOCK: usize = 64;
        let mut block = [0_u8; BLOCK];
        if key.len() <= BLOCK {
            block[..key.len()].copy_from_slice(key);
        } else {
            let hashed: [u8; 32] = Sha256::digest(key).into();
            block[..hashed.len()].copy_from_slice(&hashed);
        }
        let begin = |pad: u8| Sha256::new_with_prefix(block.map(|byte| byte ^ pad));
        Self { id: id.into(), inner: begin(0x36), outer: begin(0x5C) }
    }

    /// Whether the id is one that masks may carry: 1 to 16 of `[-_A-Za-z0-9]`.
    pub(crate) fn has_valid_id(&self) -> bool {
        is_hmac_key_id(&self.id)
    }

    /// What stands in place of a value whose JSON this is: `hmac-sha256:`, the key's id, and 64 hex digits, over a string's own
    /// bytes or over another value's JSON.
    pub(crate) fn mask(&self, json: &str) -> String {
        match serde_json::from_str::<String>(json) {
            Ok(text) => self.mask_of(text.as_bytes()),
            Err(_) => self.mask_of(json.as_bytes()),
        }
    }

    fn mask_of(&self, value: &[u8]) -> String {
        let inner = self.inner.clone().chain_update(value).finalize();
        let outer: [u8; 32] = self.outer.clone().chain_update(inner).finalize().into();
        let mut mask = format!("hmac-sha256:{}:", self.id);
        mask += &hex(&outer);
        mask
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
            assert_eq!(HmacKey::new("k", &key).mask_of(&value), format!("hmac-sha256:k:{mask}"));
        }
    }
}
