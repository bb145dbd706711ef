//! The cipher, by the `chacha20poly1305` crate.

use std::fmt;

use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{KeyInit, Tag, XChaCha20Poly1305, XNonce};
use thiserror::Error;

use super::{KeyMark, NoKey, TAG_BYTES};

/// The keys of a spool that is encrypted at rest: one to write with, and older ones that segments may still need.
///
/// ```
/// use audit_spool::Encryption;
///
/// let keys = Encryption::new("2026-11", &[7; 32])?.also_reads("2026-05", &[3; 32])?;
/// # Ok::<(), audit_spool::KeyError>(())
/// ```
#[derive(Clone)]
pub struct Encryption {
    current: Key,
    older: Vec<Key>,
}

#[derive(Clone)]
struct Key {
    id: [u8; 16],
    // Wiped on drop by the cipher itself.
    cipher: XChaCha20Poly1305,
}

/// A key that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The id is empty, too long or has other characters.
    #[error("a key's id has 1 to 16 of [-_.A-Za-z0-9]; this one has {length} bytes or other characters")]
    Id {
        /// Its length in bytes.
        length: usize,
    },
    /// The key is not 32 bytes.
    #[error("a key has 32 bytes; this one has {length}")]
    Length {
        /// Its length in bytes.
        length: usize,
    },
    /// Two keys have the same id.
    #[error("two keys go by the id {id:?}: give each its own, since a segment names its key by it")]
    Twice {
        /// The id.
        id: String,
    },
}

impl Encryption {
    /// The key that new segments are written with. Its id is written, readable, into each of them: 1 to 16 of
    /// `[-_.A-Za-z0-9]`. The key has 32 bytes.
    pub fn new(id: &str, key: &[u8]) -> Result<Self, KeyError> {
        Ok(Self { current: Key::new(id, key)?, older: Vec::new() })
    }

    /// A further key to read with: after a change of keys, for what the previous key wrote.
    pub fn also_reads(mut self, id: &str, key: &[u8]) -> Result<Self, KeyError> {
        let key = Key::new(id, key)?;
        if self.keys().any(|known| known.id == key.id) {
            return Err(KeyError::Twice { id: id.to_owned() });
        }
        self.older.push(key);
        Ok(self)
    }

    fn keys(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.current).chain(&self.older)
    }

    pub(crate) fn cipher_for_new(&self, salt: [u8; 16]) -> (SegmentCipher, KeyMark) {
        let cipher = SegmentCipher { cipher: self.current.cipher.clone(), salt };
        let mark = KeyMark { id: self.current.id, check: cipher.check() };
        (cipher, mark)
    }

    /// The id of the key that is written with.
    pub(crate) fn key_id(&self) -> String {
        self.current.id()
    }

    /// Encrypts text that stands outside of segments. The nonce is random; `about` is what it belongs to.
    pub(crate) fn seal_text(&self, nonce: [u8; 24], about: &[u8], text: &str) -> Vec<u8> {
        let mut sealed = text.as_bytes().to_vec();
        // The cipher refuses only messages of 256 GiB and more. If it refuses, write nothing rather than the text itself.
        if self.current.cipher.encrypt_in_place(&nonce.into(), about, &mut sealed).is_err() {
            sealed.clear();
        }
        sealed
    }

    pub(crate) fn open_text(
        &self,
        key_id: &str,
        nonce: [u8; 24],
        about: &[u8],
        sealed: &[u8],
    ) -> Result<String, NoKey> {
        let key = self.keys().find(|key| key.id() == key_id).ok_or(NoKey::Missing)?;
        let mut text = sealed.to_vec();
        key.cipher.decrypt_in_place(&nonce.into(), about, &mut text).map_err(|_| NoKey::Wrong)?;
        String::from_utf8(text).map_err(|_| NoKey::Wrong)
    }

    pub(crate) fn cipher_for(&self, salt: [u8; 16], mark: KeyMark) -> Result<SegmentCipher, NoKey> {
        let key = self.keys().find(|key| key.id == mark.id).ok_or(NoKey::Missing)?;
        let cipher = SegmentCipher { cipher: key.cipher.clone(), salt };
        if cipher.check() == mark.check { Ok(cipher) } else { Err(NoKey::Wrong) }
    }
}

impl fmt::Debug for Encryption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encryption").field("older", &self.older.len()).finish_non_exhaustive()
    }
}

impl Key {
    fn id(&self) -> String {
        String::from_utf8_lossy(&self.id).trim_end_matches('\0').to_owned()
    }

    fn new(id: &str, key: &[u8]) -> Result<Self, KeyError> {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let mut padded = [0; 16];
        match padded.get_mut(..id.len()) {
            Some(place) if !id.is_empty() && id.bytes().all(known) => place.copy_from_slice(id.as_bytes()),
            _ => return Err(KeyError::Id { length: id.len() }),
        }
        let cipher = XChaCha20Poly1305::new_from_slice(key).map_err(|_| KeyError::Length { length: key.len() })?;
        Ok(Self { id: padded, cipher })
    }
}

/// The cipher of one segment.
pub(crate) struct SegmentCipher {
    cipher: XChaCha20Poly1305,
    salt: [u8; 16],
}

impl fmt::Debug for SegmentCipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SegmentCipher").finish_non_exhaustive()
    }
}

impl SegmentCipher {
    /// Encrypts in place and returns the tag, which covers the frame's header too.
    pub(crate) fn seal(&self, seq: u64, header: &[u8], content: &mut [u8]) -> [u8; TAG_BYTES] {
        let sealed = self.cipher.encrypt_inout_detached(&self.nonce(seq), header, content.into());
        // The cipher refuses only messages of 256 GiB and more; a record has at most 1 MiB.
        sealed.map_or([0; TAG_BYTES], Into::into)
    }

    /// Decrypts a body; `None` if it is not what this key wrote here.
    pub(crate) fn open(&self, seq: u64, header: &[u8], body: &[u8]) -> Option<Vec<u8>> {
        let (content, tag) = body.split_last_chunk::<TAG_BYTES>()?;
        let mut content = content.to_vec();
        let tag = Tag::from(*tag);
        self.cipher.decrypt_inout_detached(&self.nonce(seq), header, content.as_mut_slice().into(), &tag).ok()?;
        Some(content)
    }

    fn nonce(&self, seq: u64) -> XNonce {
        let mut nonce = [0; 24];
        nonce[..16].copy_from_slice(&self.salt);
        nonce[16..].copy_from_slice(&seq.to_le_bytes());
        nonce.into()
    }

    /// Eight bytes that distinguish the right key from a wrong one under the same id. No record has this number.
    fn check(&self) -> [u8; 8] {
        let tag = self.seal(u64::MAX, b"key check", &mut []);
        *tag.first_chunk().unwrap_or(&[0; 8])
    }
}
