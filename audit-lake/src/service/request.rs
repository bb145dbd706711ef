//! The body of a request, taken apart: as much of it as can be judged entry by entry.
//!
//! The JSON as a whole must be right. Beyond that, what one entry lacks is that entry's own business, so this reads more
//! than [`audit_core::wire`]'s strict types do: an entry without data, or with data that is not text, becomes a verdict.

use std::fmt;

use audit_core::limits::MAX_ENTRIES;
use serde::de::{Error, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::error::RequestError;
use audit_core::wire::RequestErrorCode;

#[derive(Deserialize)]
struct Body {
    #[serde(rename = "auditEvents")]
    audit_events: Option<Entries>,
}

/// An element of `auditEvents`.
#[derive(Debug, Deserialize)]
pub(super) struct RawEntry {
    pub(super) id: String,
    #[serde(rename = "eventData")]
    pub(super) event_data: Option<RawText>,
    #[serde(rename = "eventDataChecksum")]
    pub(super) checksum: Option<String>,
}

/// Reads the entries of a body: 1 to 100 of them.
pub(super) fn entries(body: &[u8]) -> Result<Vec<RawEntry>, RequestError> {
    let invalid = |message: String| RequestError::new(RequestErrorCode::Validation, message);
    let body = std::str::from_utf8(body).map_err(|_| invalid("The body is not UTF-8.".to_owned()))?;
    let body: Body = serde_json::from_str(body).map_err(|error| {
        // serde quotes what it found instead of what it wanted; that may be anything, so only the position is reported.
        let (line, column) = (error.line(), error.column());
        let what = match error.classify() {
            serde_json::error::Category::Data => "is not a PutAuditEvents request",
            _ => "is not JSON",
        };
        invalid(format!(
            "The body {what}: line {line}, column {column}. It must be \
             {{\"auditEvents\":[{{\"id\":\"…\",\"eventData\":\"…\",\"eventDataChecksum\":\"…\"}}]}}, no key twice."
        ))
    })?;
    let Some(Entries { entries, count }) = body.audit_events else {
        return Err(invalid("The body lacks auditEvents.".to_owned()));
    };
    if !(1..=MAX_ENTRIES).contains(&count) {
        return Err(invalid(format!("auditEvents holds {count} entries; a request takes 1 to {MAX_ENTRIES}.")));
    }
    Ok(entries)
}

/// The entries, as far as a request may have them, and how many there are.
struct Entries {
    entries: Vec<RawEntry>,
    count: usize,
}

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AtMost;
        impl<'de> Visitor<'de> for AtMost {
            type Value = Entries;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of entries")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Entries, A::Error> {
                let mut entries = Vec::new();
                while entries.len() < MAX_ENTRIES {
                    match list.next_element()? {
                        Some(entry) => entries.push(entry),
                        None => break,
                    }
                }
                let mut count = entries.len();
                // What is beyond the limit is counted, not kept.
                while list.next_element::<IgnoredAny>()?.is_some() {
                    count += 1;
                }
                Ok(Entries { entries, count })
            }
        }
        deserializer.deserialize_seq(AtMost)
    }
}

/// The text of a JSON string, or `None` if it has half a surrogate pair, which JSON can spell and UTF-8 cannot hold.
#[derive(Debug)]
pub(super) struct RawText(pub(super) Option<String>);

impl<'de> Deserialize<'de> for RawText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = RawText;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<RawText, E> {
                Ok(RawText(std::str::from_utf8(bytes).ok().map(str::to_owned)))
            }
            fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<RawText, E> {
                Ok(RawText(String::from_utf8(bytes).ok()))
            }
        }
        deserializer.deserialize_byte_buf(Text)
    }
}
