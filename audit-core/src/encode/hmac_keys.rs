//! Searches for values that are hidden.

use std::fmt;

use serde::Serialize;

use super::hmac::HmacKey;
use super::value::{self, Written};

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

#[cfg(test)]
mod tests {
    use super::*;

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
