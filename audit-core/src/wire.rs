//! What goes over the wire: the request, the response and the codes of `PutAuditEvents`, for sender and service alike.
//!
//! Source: the `PutAuditEvents` page of the CloudTrail Data Service API reference, version 2021-08-11.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::checksum::WIRE_CHARS;
use crate::entry::Entry;

/// The body of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PutAuditEventsRequest {
    /// 1 to 100 entries, no two with the same id.
    pub audit_events: Vec<AuditEventEntry>,
}

/// One element of `auditEvents`, as it stands on the wire: not yet checked.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditEventEntry {
    /// What the channel knows the event by.
    pub id: String,
    /// A string that holds one JSON object.
    pub event_data: String,
    /// Padded base64 of the SHA-256 of `event_data`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_data_checksum: Option<String>,
}

/// Shows the id and the length: event data is the business of those who may read the record.
impl fmt::Debug for AuditEventEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditEventEntry")
            .field("id", &self.id)
            .field("event_data_bytes", &self.event_data.len())
            .field("event_data_checksum", &self.event_data_checksum)
            .finish()
    }
}

impl From<&Entry> for AuditEventEntry {
    fn from(entry: &Entry) -> Self {
        Self {
            id: entry.id().to_string(),
            event_data: entry.event_data().to_owned(),
            event_data_checksum: Some(entry.checksum().to_string()),
        }
    }
}

/// The body of an answer with status 200. Every id of the request should stand in one of the two lists.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PutAuditEventsResponse {
    /// The entries that were refused, each with its reason.
    #[serde(default)]
    pub failed: Vec<FailedEntry>,
    /// The entries that were taken, each with the service's own ID for it.
    #[serde(default)]
    pub successful: Vec<SuccessfulEntry>,
}

/// An entry that was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SuccessfulEntry {
    /// The entry's id.
    pub id: String,
    /// The service's ID for the event.
    #[serde(rename = "eventID")]
    pub event_id: String,
}

/// An entry that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FailedEntry {
    /// The entry's id.
    pub id: String,
    /// Why, as a code: see [`EntryErrorCode`].
    pub error_code: String,
    /// Why, in words.
    pub error_message: String,
}

/// Why the service refuses an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EntryErrorCode {
    /// A field, an object or the event is over its limit.
    FieldTooLong,
    /// A required field is missing or empty.
    FieldNotFound,
    /// The checksum is not that of the event's data.
    InvalidChecksum,
    /// Not a JSON object, a wrong type, a bad time, address or id, an unknown field.
    InvalidData,
    /// `recipientAccountId` is not the channel owner's account.
    InvalidRecipient,
    /// `eventSource` is not one that the channel takes.
    InvalidEventSource,
    /// The channel has no destination.
    AccountNotSubscribed,
    /// Over the rate.
    Throttling,
    /// Anything else on the service's side.
    InternalFailure,
}

impl EntryErrorCode {
    /// All nine.
    pub const ALL: [Self; 9] = [
        Self::FieldTooLong,
        Self::FieldNotFound,
        Self::InvalidChecksum,
        Self::InvalidData,
        Self::InvalidRecipient,
        Self::InvalidEventSource,
        Self::AccountNotSubscribed,
        Self::Throttling,
        Self::InternalFailure,
    ];

    /// The code as it stands on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FieldTooLong => "FieldTooLong",
            Self::FieldNotFound => "FieldNotFound",
            Self::InvalidChecksum => "InvalidChecksum",
            Self::InvalidData => "InvalidData",
            Self::InvalidRecipient => "InvalidRecipient",
            Self::InvalidEventSource => "InvalidEventSource",
            Self::AccountNotSubscribed => "AccountNotSubscribed",
            Self::Throttling => "Throttling",
            Self::InternalFailure => "InternalFailure",
        }
    }
}

impl fmt::Display for EntryErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A code that is none of the nine: the service may know more than its documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownEntryErrorCode;

impl fmt::Display for UnknownEntryErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not one of the nine documented entry error codes")
    }
}

impl std::error::Error for UnknownEntryErrorCode {}

impl FromStr for EntryErrorCode {
    type Err = UnknownEntryErrorCode;

    fn from_str(code: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|known| known.as_str() == code).ok_or(UnknownEntryErrorCode)
    }
}

/// The bytes of a request's body around its entries: `{"auditEvents":[` and `]}`.
pub(crate) const BODY_FRAME_BYTES: usize = r#"{"auditEvents":[]}"#.len();

/// The bytes of an entry's body around its id and its data, its checksum included.
const ENTRY_FRAME_BYTES: usize = r#"{"id":"","eventData":"","eventDataChecksum":""}"#.len() + WIRE_CHARS;

/// The bytes of an entry in a request's body, without the comma between two.
pub(crate) fn entry_bytes(id: &str, event_data: &str) -> usize {
    ENTRY_FRAME_BYTES + id.len() + escaped_bytes(event_data)
}

/// The bytes of a text inside a JSON string, as the SDK escapes it: `"` and `\` and the five short escapes take two
/// bytes, other control characters six, everything else stays as it is.
#[must_use]
pub fn escaped_bytes(text: &str) -> usize {
    // One pass, in chunks whose sums fit a byte, so that the compiler can take many bytes at once.
    let (chunks, rest) = text.as_bytes().as_chunks::<32>();
    let extra = |chunk: &[u8]| usize::from(chunk.iter().map(|byte| extra(*byte)).sum::<u8>());
    text.len() + chunks.iter().map(|chunk| extra(chunk)).sum::<usize>() + extra(rest)
}

/// How many bytes a byte takes more than one when escaped.
const fn extra(byte: u8) -> u8 {
    let control = (byte < 0x20) as u8;
    let short = matches!(byte, 0x08..=0x0D) as u8 - (byte == 0x0B) as u8;
    5 * control - 4 * short + (byte == b'"') as u8 + (byte == b'\\') as u8
}

#[cfg(test)]
mod tests {
    use super::{AuditEventEntry, EntryErrorCode, PutAuditEventsResponse, escaped_bytes};

    #[test]
    fn escaped_bytes_are_those_that_serde_json_writes() {
        let mut all = String::new();
        for character in (0..0x2100).chain(0x1_F600..0x1_F650).filter_map(char::from_u32) {
            all.push(character);
            let one = character.to_string();
            let written = serde_json::to_string(&one).expect("a string").len() - 2;
            assert_eq!(escaped_bytes(&one), written, "U+{:04X}", u32::from(character));
        }
        assert_eq!(escaped_bytes(&all), serde_json::to_string(&all).expect("a string").len() - 2);
        assert_eq!(escaped_bytes(&"\0".repeat(1_000)), 6_000);
    }

    #[test]
    fn an_answer_has_the_wire_names_and_may_lack_a_list() {
        let answer: PutAuditEventsResponse = serde_json::from_str(
            r#"{"failed":[{"id":"a","errorCode":"InvalidData","errorMessage":"m"}],"successful":[{"id":"b","eventID":"e"}]}"#,
        )
        .expect("the documented shape");
        assert_eq!(answer.failed[0].error_code.parse(), Ok(EntryErrorCode::InvalidData));
        assert_eq!(answer.successful[0].event_id, "e");
        assert_eq!(
            serde_json::from_str::<PutAuditEventsResponse>("{}").expect("empty"),
            PutAuditEventsResponse::default()
        );
    }

    #[test]
    fn an_entrys_debug_shows_no_data() {
        let entry = AuditEventEntry { id: "a".into(), event_data: "iban DE02".into(), event_data_checksum: None };
        assert!(!format!("{entry:?}").contains("DE02"));
    }

    #[test]
    fn codes_read_back_from_their_text() {
        for code in EntryErrorCode::ALL {
            assert_eq!(code.to_string().parse(), Ok(code));
        }
        assert!("Fine".parse::<EntryErrorCode>().is_err());
    }
}
