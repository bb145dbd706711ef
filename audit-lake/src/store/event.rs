//! An event to be stored, and a stored one.

use audit_core::limits::Side;
use audit_core::schema::{self, EventFields};
use audit_core::{ChannelArn, Checksum, EventTime, Violation};
use serde_json::{Value, json};

/// An entry that passed every check and is to be stored.
#[derive(Debug)]
pub(crate) struct NewEvent {
    pub(crate) id: String,
    /// The `eventID` that it gets if it is new.
    pub(crate) event_id: String,
    pub(crate) checksum: Checksum,
    pub(crate) event_time: EventTime,
    pub(crate) source: String,
    pub(crate) name: String,
    pub(crate) principal: String,
    pub(crate) data: String,
}

/// What became of a [`NewEvent`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stored {
    /// It is stored for the first time, under the `eventID` that it brought.
    New,
    /// It was there already, with the same checksum: this is its `eventID`.
    Before { event_id: String },
    /// Another event of its channel and source has its id, with other data.
    IdTaken,
}

/// An event as the lake holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredEvent {
    /// The `eventID` that the lake gave it.
    pub event_id: String,
    /// The entry's `id`, given by the sender.
    pub id: String,
    /// The event's data, byte for byte as received.
    pub event_data: String,
    /// Base64 of the SHA-256 of `event_data`.
    pub checksum: Checksum,
    /// The channel to which it was sent.
    pub channel_arn: ChannelArn,
    /// When it was stored.
    pub ingestion_time: EventTime,
    /// When it happened, as its sender says.
    pub event_time: EventTime,
    /// `eventSource`
    pub source: String,
    /// `eventName`
    pub name: String,
    /// `userIdentity.principalId`
    pub principal: String,
}

/// What became of the action that an event is about, by `errorCode` and `errorMessage` of its data.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The data has neither.
    Success,
    /// The data has at least one of them. An empty text counts as none.
    Failure {
        /// `errorCode`
        code: Option<String>,
        /// `errorMessage`
        message: Option<String>,
    },
    /// The data breaks the contract: it was changed since it was acknowledged. [`EventReader::verify`] finds out more.
    ///
    /// [`EventReader::verify`]: crate::EventReader::verify
    Unreadable,
}

impl Outcome {
    /// Whether the action failed.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Failure { .. })
    }
}

impl StoredEvent {
    /// What the data says: `errorCode`, `sourceIPAddress` and more. The objects stay in the text.
    ///
    /// # Errors
    /// If the data breaks the contract: it was changed since it was acknowledged.
    pub fn fields(&self) -> Result<EventFields<'_>, Violation> {
        schema::check(&self.event_data, Side::Receiver)
    }

    /// Whether the action succeeded.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let Ok(fields) = self.fields() else { return Outcome::Unreadable };
        let text = |text: Option<std::borrow::Cow<'_, str>>| text.filter(|text| !text.is_empty()).map(Into::into);
        match (text(fields.error_code), text(fields.error_message)) {
            (None, None) => Outcome::Success,
            (code, message) => Outcome::Failure { code, message },
        }
    }

    /// The record that CloudTrail would hold: what the service adds on ingestion, and the sender's object whole under
    /// `eventData`.
    ///
    /// A [`Value`] sorts keys and forgets white space; [`StoredEvent::record_json`] does not.
    #[must_use]
    pub fn record(&self) -> Value {
        let mut record = self.frame();
        record["eventData"] = serde_json::from_str(&self.event_data).unwrap_or(Value::Null);
        record
    }

    /// [`StoredEvent::record`] as JSON text on one line, in which `eventData` stands as it was received; only line breaks
    /// between its parts, which no value can hold, become spaces.
    #[must_use]
    pub fn record_json(&self) -> String {
        let frame = self.frame().to_string();
        let mut record = String::with_capacity(frame.len() + self.event_data.len() + 16);
        // The frame ends in its closing brace, which moves behind the data.
        record.push_str(frame.strip_suffix('}').unwrap_or(&frame));
        record.push_str(",\"eventData\":");
        record.extend(self.event_data.chars().map(|c| if matches!(c, '\n' | '\r') { ' ' } else { c }));
        record.push('}');
        record
    }

    fn frame(&self) -> Value {
        json!({
            "eventVersion": EVENT_VERSION,
            "eventCategory": "ActivityAuditLog",
            "eventType": "ActivityLog",
            "eventID": self.event_id,
            "eventTime": self.event_time,
            "awsRegion": self.channel_arn.region(),
            "recipientAccountId": self.channel_arn.account(),
            "metadata": {
                "ingestionTime": self.ingestion_time,
                "channelARN": self.channel_arn,
            },
        })
    }
}

/// The version of the record's own form.
const EVENT_VERSION: &str = "1.0";
