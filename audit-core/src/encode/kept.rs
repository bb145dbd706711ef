//! JSON that a context keeps for the events that are encoded with it.

use std::sync::Arc;

use super::error::{EncodeError, EncodeFault};
use super::hmac::HmacKey;
use super::masking::{self, Pending};

/// JSON that is made once, or why there is none. What it hides may have to wait for the key.
#[derive(Clone)]
pub(crate) enum Kept {
    Ready(Result<Arc<str>, EncodeError>),
    /// With placeholders.
    WithoutKey(Arc<(String, Pending)>),
}

impl Kept {
    pub(crate) fn new(key: Option<&Arc<HmacKey>>, write: impl FnOnce(&mut String) -> Result<(), EncodeError>) -> Self {
        let mut json = String::with_capacity(128);
        if key.is_some() {
            return Self::Ready(masking::with_key(key, || write(&mut json)).map(|()| json.into()));
        }
        match masking::without_key(|| write(&mut json)) {
            (Ok(()), Some(pending)) if !pending.is_empty() => Self::WithoutKey(Arc::new((json, pending))),
            (result, _) => Self::Ready(result.map(|()| json.into())),
        }
    }

    /// Hides what has waited for a key.
    pub(crate) fn hide(&mut self, key: &HmacKey) {
        if let Self::WithoutKey(waiting) = self {
            *self = Self::Ready(waiting.1.fill_in(&waiting.0, key).map(Into::into));
        }
    }

    /// The JSON. Without a key for what it hides, the error is at that key of the event.
    pub(crate) fn json(&self, at: &str) -> Result<&Arc<str>, EncodeError> {
        match self {
            Self::Ready(Ok(json)) => Ok(json),
            Self::Ready(Err(error)) => Err(error.clone()),
            Self::WithoutKey(_) => Err(EncodeError::new(EncodeFault::NoHmacKey { key: at.to_owned() })),
        }
    }
}
