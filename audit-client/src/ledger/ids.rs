//! A list of ids that is small in memory: a UUID takes 17 bytes, another id its length and one.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use audit_core::EventId;

const CHUNK_BYTES: usize = 64 * 1024;
const UUID_CHARS: usize = 36;

/// Ids, oldest first: those behind one figure of a [`ShutdownReport`](crate::ShutdownReport).
///
/// A client that runs for months delivers more ids than fit in memory, so the list has a bound
/// ([`ClientBuilder::report_ids_bytes`](crate::ClientBuilder::report_ids_bytes)); beyond it the oldest are forgotten,
/// and [`forgotten`](Self::forgotten) says how many. The figures of the report count all.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Ids {
    /// Shared among the copies of a report.
    chunks: VecDeque<Arc<Chunk>>,
    named: u64,
    forgotten: u64,
}

#[derive(Clone, Default, Debug, PartialEq, Eq)]
struct Chunk {
    bytes: Vec<u8>,
    ids: u64,
}

impl Ids {
    /// How many ids are named here.
    pub fn len(&self) -> u64 {
        self.named
    }

    /// Whether no id is named here.
    pub fn is_empty(&self) -> bool {
        self.named == 0
    }

    /// How many older ids are no longer named.
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Whether `id` is among them. Reads the whole list.
    pub fn contains(&self, id: &str) -> bool {
        self.texts().any(|text| text == id)
    }

    /// The ids, oldest first.
    pub fn iter(&self) -> IdsIter<'_> {
        IdsIter { chunks: self.chunks.iter(), current: Texts { bytes: &[] } }
    }

    /// As many as there are; those beyond the named ones have no name here.
    pub(crate) fn complete_to(&mut self, all: u64) {
        self.forgotten = all.saturating_sub(self.named);
    }

    fn texts(&self) -> impl Iterator<Item = String> + '_ {
        self.chunks.iter().flat_map(|chunk| Texts { bytes: &chunk.bytes })
    }

    /// Appends an id, and forgets the oldest ones if the list would take more than `budget` bytes.
    pub(crate) fn push(&mut self, id: &EventId, budget: usize) {
        let text = id.as_str();
        let packed = pack_uuid(text);
        let needed = 1 + packed.map_or(text.len(), |uuid| uuid.len());
        if self.chunks.back().is_none_or(|last| last.bytes.len() + needed > CHUNK_BYTES) {
            while self.chunks.len() * CHUNK_BYTES >= budget.max(CHUNK_BYTES) {
                let Some(oldest) = self.chunks.pop_front() else { break };
                self.forgotten += oldest.ids;
                self.named -= oldest.ids;
            }
            self.chunks.push_back(Arc::default());
        }
        let Some(last) = self.chunks.back_mut().map(Arc::make_mut) else { return };
        if let Some(uuid) = packed {
            last.bytes.push(0);
            last.bytes.extend_from_slice(&uuid);
        } else {
            // An id has 1 to 128 characters.
            last.bytes.push(u8::try_from(text.len()).unwrap_or(u8::MAX));
            last.bytes.extend_from_slice(text.as_bytes());
        }
        last.ids += 1;
        self.named += 1;
    }
}

impl<'a> IntoIterator for &'a Ids {
    type Item = EventId;
    type IntoIter = IdsIter<'a>;

    fn into_iter(self) -> IdsIter<'a> {
        self.iter()
    }
}

/// The ids of an [`Ids`], oldest first.
#[derive(Clone, Debug)]
pub struct IdsIter<'a> {
    chunks: std::collections::vec_deque::Iter<'a, Arc<Chunk>>,
    current: Texts<'a>,
}

impl Iterator for IdsIter<'_> {
    type Item = EventId;

    fn next(&mut self) -> Option<EventId> {
        loop {
            match self.current.next() {
                Some(text) => {
                    if let Ok(id) = EventId::try_from(text) {
                        return Some(id);
                    }
                }
                None => self.current = Texts { bytes: &self.chunks.next()?.bytes },
            }
        }
    }
}

impl fmt::Debug for Ids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ids").field("named", &self.named).field("forgotten", &self.forgotten).finish_non_exhaustive()
    }
}

/// Reads one chunk.
#[derive(Clone, Debug)]
struct Texts<'a> {
    bytes: &'a [u8],
}

impl Iterator for Texts<'_> {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let (&length, rest) = self.bytes.split_first()?;
        let taken = if length == 0 { 16 } else { usize::from(length) };
        let (id, rest) = rest.split_at_checked(taken)?;
        self.bytes = rest;
        Some(match <[u8; 16]>::try_from(id) {
            Ok(uuid) if length == 0 => audit_core::uuid_text(uuid),
            _ => String::from_utf8_lossy(id).into_owned(),
        })
    }
}

/// The 16 bytes of a UUID in its usual form (lower case, hyphens): nothing else comes back the same.
fn pack_uuid(text: &str) -> Option<[u8; 16]> {
    let text = text.as_bytes();
    if text.len() != UUID_CHARS {
        return None;
    }
    let mut digits = 0;
    let mut packed = [0; 16];
    for (at, byte) in text.iter().enumerate() {
        let value = match (at, byte) {
            (8 | 13 | 18 | 23, b'-') => continue,
            (8 | 13 | 18 | 23, _) => return None,
            (_, b'0'..=b'9') => byte - b'0',
            (_, b'a'..=b'f') => byte - b'a' + 10,
            _ => return None,
        };
        packed[digits / 2] = packed[digits / 2] << 4 | value;
        digits += 1;
    }
    Some(packed)
}

#[cfg(test)]
mod tests {
    use super::{CHUNK_BYTES, Ids};
    use audit_core::EventId;

    fn id(text: &str) -> EventId {
        EventId::try_from(text).expect("a valid id")
    }

    #[test]
    fn every_id_comes_back_as_it_was() {
        let longest = "x".repeat(128);
        let texts = [
            "0190b6c2-6c1e-7cc3-8f0e-2f6c9f1c2a11",
            "0190B6C2-6C1E-7CC3-8F0E-2F6C9F1C2A11",
            "0190b6c2_6c1e-7cc3-8f0e-2f6c9f1c2a11",
            "0190b6c2-6c1e-7cc3-8f0e-2f6c9f1c2a1z",
            "a",
            &longest,
        ];
        let mut ids = Ids::default();
        for text in texts {
            ids.push(&id(text), CHUNK_BYTES);
        }
        assert_eq!(ids.iter().map(|id| id.to_string()).collect::<Vec<_>>(), texts);
        assert!(ids.contains("a") && !ids.contains("b"));
    }

    #[test]
    fn beyond_the_bound_the_oldest_are_forgotten_and_counted() {
        let mut ids = Ids::default();
        for number in 0..20_000 {
            ids.push(&id(&format!("event-{number:06}")), CHUNK_BYTES);
        }
        assert_eq!(ids.len() + ids.forgotten(), 20_000);
        assert!(ids.forgotten() > 0 && !ids.is_empty());
        assert_eq!(ids.iter().last().map(|id| id.to_string()).as_deref(), Some("event-019999"));
        let bytes: usize = ids.chunks.iter().map(|chunk| chunk.bytes.len()).sum();
        assert!(bytes <= CHUNK_BYTES, "{bytes}");
    }
}
