//! The key for values that are hidden inside of others: the thread has it while it encodes.

use std::cell::Cell;
use std::sync::Arc;

use super::error::{EncodeError, EncodeFault};
use super::hmac::HmacKey;
use crate::json::escape::write_str;
use crate::names::EventId;

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
    write_str(&mut json, text);
    mask(field, &json)
}
