use std::cmp::Ordering;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::error::{NameError, textual};
use super::hex::uuid_text;
use crate::limits::is_event_id;

/// An entry's `id`: 1 to 128 of `[-_A-Za-z0-9]`. The channel knows an event by it, so a retry must carry the same one.
///
/// ```
/// use audit_core::EventId;
///
/// const STARTED: EventId = EventId::from_static("shop-started");
/// // A source's own ID that fits stays as it is; another is hashed, the same way each time.
/// assert_eq!(EventId::derive("ord_01HZX3V7Q8").as_str(), "ord_01HZX3V7Q8");
/// assert_eq!(EventId::derive("order 17/3").as_str(), "ZQS8qh_JEHRW_IFYp-uXnzANFW3VjepGnEU9tD0f1p0");
/// ```
///
/// Cheap to clone: all clones share one text.
#[derive(Clone)]
pub struct EventId(Text);

#[derive(Clone)]
enum Text {
    Static(&'static str),
    Shared(Arc<str>),
}

impl EventId {
    /// Takes a literal. In a constant, a wrong one does not compile.
    ///
    /// # Panics
    /// Outside of a constant, if the text breaks the rule.
    #[must_use]
    pub const fn from_static(text: &'static str) -> Self {
        assert!(is_event_id(text), "an event's id must be 1 to 128 of [-_A-Za-z0-9]");
        Self(Text::Static(text))
    }

    /// Makes an id out of the ID that the source itself gave the event.
    ///
    /// Where the source's ID is a valid id, it is the id. Otherwise the id is the unpadded base64url (RFC 4648, section
    /// 5) of the SHA-256 of the source ID's UTF-8 bytes: 43 characters. So every process, in whatever language, gives the
    /// same event the same id:
    ///
    /// | source ID | id |
    /// |---|---|
    /// | `0190b6c2-6c1e-7cc3-8f0e-2f6c9f1c2a11` | `0190b6c2-6c1e-7cc3-8f0e-2f6c9f1c2a11` |
    /// | the empty string | `47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU` |
    /// | `order 17/3` | `ZQS8qh_JEHRW_IFYp-uXnzANFW3VjepGnEU9tD0f1p0` |
    /// | `größe` | `01OiZxtnr_8JQa5Fblx26TlL1leXdK51QqYYX7mEM4Q` |
    /// | 129 times `a` | `wSywJKLlVRzKDgj86PHF4xRVXMP-9jKe6ZSj23UhZq4` |
    #[must_use]
    pub fn derive(source_id: &str) -> Self {
        if is_event_id(source_id) {
            Self::shared(source_id)
        } else {
            Self::shared(URL_SAFE_NO_PAD.encode(Sha256::digest(source_id.as_bytes())))
        }
    }

    /// A new id: a UUID of version 7 (RFC 9562). Within a process, each is greater than the one before.
    ///
    /// For events whose source has no ID of its own. Such an event gets another id when it is encoded anew, so encode it
    /// once and keep the [`Entry`](crate::Entry).
    #[must_use]
    pub fn generate() -> Self {
        Self::shared(uuid_text(next_uuid().to_be_bytes()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Text::Static(text) => text,
            Text::Shared(text) => text,
        }
    }

    /// For text that keeps the rule.
    fn shared(text: impl Into<Arc<str>>) -> Self {
        Self(Text::Shared(text.into()))
    }
}

impl PartialEq for EventId {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for EventId {}

impl Hash for EventId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl PartialOrd for EventId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for EventId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

/// What the last generated UUID was made of: its millisecond, and the 12 bits that count within it.
static LAST: Mutex<(u64, u16)> = Mutex::new((0, 0));

fn next_uuid() -> u128 {
    const COUNTER_MAX: u16 = 0xFFF;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    let now = u64::try_from(now).unwrap_or(u64::MAX);
    // The standard library seeds each thread's hash keys from the operating system and changes them with every new
    // `RandomState`: 64 unpredictable bits, without a dependency for them.
    let random = RandomState::new().hash_one(now);
    let (millisecond, counter) = {
        let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
        *last = match *last {
            // A fresh millisecond starts in the lower half, so that there is room to count.
            (before, _) if now > before => (now, u16::try_from(random >> 53).unwrap_or(0)),
            // The clock stands still or went back: count on, and on into the next millisecond.
            (before, COUNTER_MAX) => (before + 1, 0),
            (before, counter) => (before, counter + 1),
        };
        *last
    };
    let tail = RandomState::new().hash_one(random) >> 2;
    (u128::from(millisecond & 0xFFFF_FFFF_FFFF) << 80)
        | (0x7 << 76)
        | (u128::from(counter) << 64)
        | (0b10 << 62)
        | u128::from(tail)
}

impl TryFrom<&str> for EventId {
    type Error = NameError;

    fn try_from(text: &str) -> Result<Self, NameError> {
        if is_event_id(text) {
            Ok(Self::shared(text))
        } else {
            Err(NameError::new("an event's id", "1 to 128 of [-_A-Za-z0-9]", text))
        }
    }
}

textual!(EventId);

#[cfg(feature = "uuid1")]
impl From<uuid::Uuid> for EventId {
    fn from(uuid: uuid::Uuid) -> Self {
        Self::shared(uuid.to_string())
    }
}

#[cfg(feature = "ulid")]
impl From<ulid::Ulid> for EventId {
    fn from(ulid: ulid::Ulid) -> Self {
        Self::shared(ulid.to_string())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::EventId;

    #[test]
    fn an_id_has_1_to_128_of_its_alphabet() {
        for good in ["a", "-", "_", "0190b6c2-6c1e", &"z".repeat(127), &"z".repeat(128)] {
            assert_eq!(EventId::try_from(good).expect(good).as_str(), good);
        }
        for bad in ["", "a b", "a.b", "ä", "a\n", "a\0", &"z".repeat(129)] {
            assert!(EventId::try_from(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_error_shows_at_most_80_characters_and_no_line_break() {
        let error = EventId::try_from(format!("two\nlines{}", "ü".repeat(1_000)).as_str()).expect_err("too long");
        let text = error.to_string();
        assert!(text.contains("two\\u{a}lines") && text.contains('…') && !text.contains('\n'), "{text}");
        assert!(text.chars().count() < 200, "{text}");
    }

    #[test]
    fn a_derived_id_is_what_its_table_of_vectors_says() {
        for (source, id) in [
            ("0190b6c2-6c1e-7cc3-8f0e-2f6c9f1c2a11", "0190b6c2-6c1e-7cc3-8f0e-2f6c9f1c2a11"),
            ("", "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"),
            ("order 17/3", "ZQS8qh_JEHRW_IFYp-uXnzANFW3VjepGnEU9tD0f1p0"),
            ("größe", "01OiZxtnr_8JQa5Fblx26TlL1leXdK51QqYYX7mEM4Q"),
            (&"a".repeat(128), &"a".repeat(128)),
            (&"a".repeat(129), "wSywJKLlVRzKDgj86PHF4xRVXMP-9jKe6ZSj23UhZq4"),
        ] {
            assert_eq!(EventId::derive(source).as_str(), id, "{source}");
        }
    }

    #[test]
    fn generated_ids_are_version_7_uuids_that_grow() {
        let ids: Vec<EventId> = (0..20_000).map(|_| EventId::generate()).collect();
        assert!(ids.is_sorted(), "each is greater than the one before");
        let distinct: HashSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len());
        for id in &ids {
            let text = id.as_str();
            assert_eq!(text.len(), 36);
            assert_eq!(&text[14..15], "7", "{text}");
            assert!(matches!(&text[19..20], "8" | "9" | "a" | "b"), "{text}");
        }
    }

    #[test]
    fn threads_never_get_the_same_generated_id() {
        let threads: Vec<_> = (0..4)
            .map(|_| std::thread::spawn(|| (0..5_000).map(|_| EventId::generate()).collect::<Vec<_>>()))
            .collect();
        let ids: Vec<EventId> = threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect();
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 20_000);
    }
}
