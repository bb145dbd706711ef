//! The beginning of an event's JSON, which is the same for all events of a type that go to one account: made once, with its
//! hash.

use sha2::{Digest, Sha256};

use crate::catalog::EventType;
use crate::json::escape::write_str;
use crate::names::{AccountId, EventTime};

/// The bytes that SHA-256 takes at once.
const BLOCK: usize = 64;

/// `{"version":…,"eventSource":…,"eventName":…,"recipientAccountId":…`
#[derive(Debug)]
pub(crate) struct Prefix {
    event_type: &'static EventType,
    account: AccountId,
    pub(crate) json: Box<str>,
    /// The hash of its whole blocks.
    pub(crate) hash: Sha256,
}

impl Prefix {
    /// How many of its bytes are hashed.
    pub(crate) fn hashed(&self) -> usize {
        self.json.len() / BLOCK * BLOCK
    }

    fn new(event_type: &'static EventType, account: AccountId) -> Self {
        let mut json = String::with_capacity(2 * BLOCK);
        for (key, text) in [
            ("{\"version\":", event_type.version),
            (",\"eventSource\":", event_type.source),
            (",\"eventName\":", event_type.name),
        ]
        .into_iter()
        .take(if event_type.name_from_field { 2 } else { 3 })
        {
            json.push_str(key);
            write_str(&mut json, text);
        }
        json.push_str(",\"recipientAccountId\":");
        write_str(&mut json, account.as_str());
        let mut hash = Sha256::new();
        hash.update(json.as_bytes().get(..json.len() / BLOCK * BLOCK).unwrap_or_default());
        Self { event_type, account, json: json.into(), hash }
    }
}

/// A thread's most recent prefixes. The slot follows from the address of the event type, which is a constant; two types that
/// share a slot replace each other's prefix.
#[derive(Debug, Default)]
pub(crate) struct PrefixCache(Vec<Option<Box<Prefix>>>);

impl PrefixCache {
    const SLOTS: usize = 256;

    pub(crate) fn get(&mut self, event_type: &'static EventType, account: AccountId) -> &Prefix {
        if self.0.is_empty() {
            self.0.resize_with(Self::SLOTS, || None);
        }
        let address = std::ptr::from_ref(event_type).addr() / align_of::<EventType>();
        // Its upper bits are those that all of the address has a part in.
        let slot = address.wrapping_mul(0x9E37_79B9) >> 16;
        let prefix = &mut self.0[slot % Self::SLOTS];
        let same = |prefix: &Prefix| std::ptr::eq(prefix.event_type, event_type) && prefix.account == account;
        if !prefix.as_deref().is_some_and(same) {
            *prefix = None;
        }
        prefix.get_or_insert_with(|| Box::new(Prefix::new(event_type, account)))
    }
}

/// The time that was written last. Most events share their second with the one before.
#[derive(Debug, Default)]
pub(crate) struct LastTime {
    time: Option<EventTime>,
    json: String,
}

impl LastTime {
    /// The member of an event's JSON, with a comma before it.
    #[inline]
    pub(crate) fn json(&mut self, time: EventTime) -> &str {
        if self.time != Some(time) {
            self.time = Some(time);
            self.json.clear();
            self.json.extend([",\"eventTime\":\"", std::str::from_utf8(&time.to_bytes()).unwrap_or_default(), "\""]);
        }
        &self.json
    }
}

#[cfg(test)]
mod tests {
    use super::{PrefixCache, Sha256};
    use crate::{AccountId, EventType};
    use sha2::Digest;

    #[test]
    fn each_type_and_account_has_its_own_head_however_many_there_are() {
        let types: Vec<EventType> = (0..1_000)
            .map(|number| EventType::new("s", String::leak(format!("type \"{number}\" {}", "x".repeat(number % 200)))))
            .collect();
        let types: &'static [EventType] = types.leak();
        let accounts = [AccountId::from_static("123456789012"), AccountId::from_static("210987654321")];
        let mut prefixes = PrefixCache::default();
        for _ in 0..3 {
            for event_type in types {
                for account in accounts {
                    let prefix = prefixes.get(event_type, account);
                    let name = serde_json::to_string(event_type.name).expect("a text");
                    let json = format!(
                        r#"{{"version":"1.0","eventSource":"s","eventName":{name},"recipientAccountId":"{account}""#
                    );
                    assert_eq!(*prefix.json, *json);
                    let mut hash = prefix.hash.clone();
                    hash.update(&json[json.len() / 64 * 64..]);
                    assert_eq!(hash.finalize(), Sha256::digest(&json));
                }
            }
        }
    }
}
