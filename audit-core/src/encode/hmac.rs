//! Values that can be found but not read: HMAC-SHA-256 (RFC 2104) under a key that the mask names.

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::error::{EncodeError, EncodeFault};
use super::value::{self, Written};
use crate::limits::is_hmac_key_id;
use crate::names::EventId;
use crate::names::hex::hex;

/// A key with its id. It keeps the two hash states that the key begins, not the key itself.
#[derive(Clone)]
pub(crate) struct HmacKey {
    id: Box<str>,
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

/// The keys under which a value may have been hidden, to search for it.
///
/// ```
/// use audit_core::HmacKeys;
///
/// let keys = HmacKeys::new().add("2025a", b"the key of last year").add("2026a", b"the key of this year");
/// let masks = keys.search("DE02120300000000202051");
/// assert!(masks[0].starts_with("hmac-sha256:2026a:") && masks[1].starts_with("hmac-sha256:2025a:"));
/// ```
#[derive(Clone, Default)]
pub struct HmacKeys(Vec<HmacKey>);

impl HmacKeys {
    /// No keys.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a key, newer than those before it, under the id that it has in [`Context::hmac_key`](crate::Context::hmac_key).
    /// Under an id that is not 1 to 16 of `[-_A-Za-z0-9]` no event was ever encoded, so its masks find nothing.
    #[must_use]
    pub fn add(mut self, id: &str, key: impl AsRef<[u8]>) -> Self {
        self.0.push(HmacKey::new(id, key.as_ref()));
        self
    }

    /// The masks that stand in events for this value, one for each key, the newest key's first. Empty for a value that has no
    /// JSON or is a `None`: such a value is never written.
    #[must_use]
    pub fn search<T: Serialize + ?Sized>(&self, value: &T) -> Vec<String> {
        let mut json = String::new();
        match value::write(&mut json, "", value, 0) {
            Ok(Written::Value) => self.0.iter().rev().map(|key| key.mask(&json)).collect(),
            Ok(Written::Nothing) | Err(_) => Vec::new(),
        }
    }
}

/// Shows the ids, and no key.
impl fmt::Debug for HmacKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|key| &key.id)).finish()
    }
}

/// Where values that a `Serialize` hides get their key from. serde hands no key down, so the thread has it while it encodes an event
/// or an identity; outside of that, nothing is written.
enum Scope {
    Outside,
    Inside(Inside),
}

struct Inside {
    key: Option<Arc<HmacKey>>,
    /// What to hide later: of an identity that is encoded before its context has a key.
    pending: Option<Pending>,
    /// Why a value was not written. serde's errors are texts only.
    fault: Option<EncodeFault>,
}

/// Values that are to be hidden, as JSON, in the order of their placeholders.
pub(crate) struct Pending {
    /// What no text contains by chance, or because its sender wishes so.
    marker: EventId,
    values: Vec<String>,
}

impl Pending {
    pub(crate) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    fn placeholder(&self, at: usize) -> String {
        format!("hmac:{}:{at}:", self.marker)
    }

    fn add(&mut self, json: &str) -> String {
        self.values.push(json.to_owned());
        self.placeholder(self.values.len() - 1)
    }

    /// Puts the masks where [`without_key`] left placeholders.
    pub(crate) fn fill_in(&self, json: &str, key: &HmacKey) -> Result<String, EncodeError> {
        if !key.has_valid_id() {
            return Err(EncodeError::new(EncodeFault::HmacKeyId));
        }
        let values = self.values.iter().enumerate();
        Ok(values.fold(json.to_owned(), |json, (at, value)| json.replacen(&self.placeholder(at), &key.mask(value), 1)))
    }
}

thread_local! {
    static SCOPE: Cell<Scope> = const { Cell::new(Scope::Outside) };
}

/// Puts the scope back that was there before, also if a `Serialize` panics.
struct Restore(Option<Scope>);

impl Drop for Restore {
    fn drop(&mut self) {
        if let Some(before) = self.0.take() {
            let _ = SCOPE.try_with(|scope| scope.set(before));
        }
    }
}

fn inside(key: Option<Arc<HmacKey>>, pending: Option<Pending>) -> Restore {
    let scope = Scope::Inside(Inside { key, pending, fault: None });
    Restore(SCOPE.try_with(|before| before.replace(scope)).ok())
}

/// Runs an encoding, with the key for the values that it hides.
pub(crate) fn with_key<R>(key: Option<&Arc<HmacKey>>, encode: impl FnOnce() -> R) -> R {
    let restore = inside(key.cloned(), None);
    let result = encode();
    drop(restore);
    result
}

/// Runs an encoding that has no key yet. What it writes has placeholders, which [`Pending::fill_in`] replaces.
pub(crate) fn without_key<R>(encode: impl FnOnce() -> R) -> (R, Option<Pending>) {
    let restore = inside(None, Some(Pending { marker: EventId::generate(), values: Vec::new() }));
    let result = encode();
    let pending = access(|scope| match scope {
        Scope::Inside(inside) => inside.pending.take(),
        Scope::Outside => None,
    });
    drop(restore);
    (result, pending)
}

/// Looks at the scope of this thread; `Outside` where the thread is about to end.
fn access<R>(look: impl FnOnce(&mut Scope) -> R) -> R {
    let mut scope = SCOPE.try_with(|scope| scope.replace(Scope::Outside)).unwrap_or(Scope::Outside);
    let result = look(&mut scope);
    let _ = SCOPE.try_with(|kept| kept.set(scope));
    result
}

/// Why a value that was to be hidden was not written, if the encoding on this thread knows.
pub(crate) fn take_fault() -> Option<EncodeFault> {
    access(|scope| match scope {
        Scope::Inside(inside) => inside.fault.take(),
        Scope::Outside => None,
    })
}

/// A value is hidden only inside of an audit event or an identity.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NotMasked;

/// The mask of the value of a field, given as JSON, under the key of the encoding that runs on this thread.
pub(crate) fn mask(field: &str, json: &str) -> Result<String, NotMasked> {
    access(|scope| {
        let Scope::Inside(inside) = scope else { return Err(NotMasked) };
        match (&inside.key, &mut inside.pending) {
            (Some(key), _) if key.has_valid_id() => return Ok(key.mask(json)),
            (Some(_), _) => inside.fault = Some(EncodeFault::HmacKeyId),
            (None, Some(pending)) => return Ok(pending.add(json)),
            (None, None) => inside.fault = Some(EncodeFault::NoHmacKey { key: field.to_owned() }),
        }
        Err(NotMasked)
    })
}

/// The mask of a text: see [`mask`].
pub(crate) fn mask_text(field: &str, text: &str) -> Result<String, NotMasked> {
    let mut json = String::new();
    crate::json::escape::write_str(&mut json, text);
    mask(field, &json)
}

#[cfg(test)]
mod tests {
    use super::{HmacKey, HmacKeys};

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

    #[test]
    fn a_value_is_found_under_the_newest_key_first_and_none_is_shown() {
        let keys = HmacKeys::new().add("old", b"first-key").add("new", "second-key");
        let masks = keys.search(&17);
        assert_eq!(
            masks,
            [HmacKey::new("new", b"second-key").mask("17"), HmacKey::new("old", b"first-key").mask("17")]
        );
        assert_eq!(keys.search(&None::<u8>), Vec::<String>::new());
        assert_eq!(format!("{keys:?}"), r#"["old", "new"]"#);
    }
}
