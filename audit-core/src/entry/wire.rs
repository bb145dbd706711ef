//! What goes over the wire: the answer and the codes of `PutAuditEvents`, for sender and service alike.
//!
//! Source: the `PutAuditEvents` page of the CloudTrail Data Service API reference, version 2021-08-11.

use serde::{Deserialize, Serialize};

pub use super::size::escaped_bytes;
pub use crate::contract::code::{EntryErrorCode, RequestErrorCode, UnknownEntryErrorCode, UnknownRequestErrorCode};

/// The body of an answer with status 200. Every id of the request should stand in one of the two lists.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
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
#[non_exhaustive]
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
#[non_exhaustive]
pub struct FailedEntry {
    /// The entry's id.
    pub id: String,
    /// Why, as a code: see [`EntryErrorCode`].
    pub error_code: String,
    /// Why, in words.
    pub error_message: String,
}

impl PutAuditEventsResponse {
    /// An answer with both lists.
    #[must_use]
    pub fn new(successful: Vec<SuccessfulEntry>, failed: Vec<FailedEntry>) -> Self {
        Self { failed, successful }
    }
}

impl SuccessfulEntry {
    /// The entry's id, and the service's ID for the event.
    pub fn new(id: impl Into<String>, event_id: impl Into<String>) -> Self {
        Self { id: id.into(), event_id: event_id.into() }
    }
}

impl FailedEntry {
    /// The entry's id, the code (see [`EntryErrorCode`]), and the reason in words.
    pub fn new(id: impl Into<String>, error_code: impl Into<String>, error_message: impl Into<String>) -> Self {
        Self { id: id.into(), error_code: error_code.into(), error_message: error_message.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::{EntryErrorCode, PutAuditEventsResponse};

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
}
