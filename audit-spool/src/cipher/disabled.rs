//! What stands for the cipher where the feature `encryption` is off: nothing that could exist.

use super::{KeyMark, NoKey, TAG_BYTES};

/// No keys.
#[derive(Clone, Debug)]
pub(crate) enum Encryption {}

impl Encryption {
    pub(crate) fn cipher_for_new(&self, _salt: [u8; 16]) -> (SegmentCipher, KeyMark) {
        match *self {}
    }

    pub(crate) fn key_id(&self) -> String {
        match *self {}
    }

    pub(crate) fn seal_text(&self, _nonce: [u8; 24], _about: &[u8], _text: &str) -> Vec<u8> {
        match *self {}
    }

    pub(crate) fn open_text(
        &self,
        _key_id: &str,
        _nonce: [u8; 24],
        _about: &[u8],
        _sealed: &[u8],
    ) -> Result<String, NoKey> {
        match *self {}
    }

    pub(crate) fn cipher_for(&self, _salt: [u8; 16], _mark: KeyMark) -> Result<SegmentCipher, NoKey> {
        match *self {}
    }
}

/// No cipher.
#[derive(Debug)]
pub(crate) enum SegmentCipher {}

impl SegmentCipher {
    pub(crate) fn seal(&self, _seq: u64, _header: &[u8], _content: &mut [u8]) -> [u8; TAG_BYTES] {
        match *self {}
    }

    pub(crate) fn open(&self, _seq: u64, _header: &[u8], _body: &[u8]) -> Option<Vec<u8>> {
        match *self {}
    }
}
