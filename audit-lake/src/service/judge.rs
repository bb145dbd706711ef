//! The verdict on each entry, by itself.

use audit_core::limits::Side;
use audit_core::wire::EntryErrorCode;
use audit_core::{Checksum, EventId, schema};
use uuid::Uuid;

use super::request::RawEntry;
use crate::config::ChannelConfig;
use crate::store::NewEvent;

/// Why an entry is refused.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) code: EntryErrorCode,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(code: EntryErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// Holds an entry to the contract, lenient side, and to what its channel takes.
pub(super) fn judge(entry: RawEntry, channel: &ChannelConfig) -> Result<NewEvent, Refusal> {
    if entry.id.is_empty() {
        return Err(Refusal::new(EntryErrorCode::FieldNotFound, "`id` is missing or empty"));
    }
    if let Err(error) = EventId::try_from(entry.id.as_str()) {
        return Err(Refusal::new(EntryErrorCode::InvalidData, format!("`id`: {error}")));
    }
    let data = match entry.event_data {
        None => return Err(Refusal::new(EntryErrorCode::FieldNotFound, "`eventData` is missing")),
        Some(text) => text.0.ok_or_else(|| {
            Refusal::new(EntryErrorCode::InvalidData, "`eventData` holds half a surrogate pair, which is no text")
        })?,
    };
    if data.is_empty() {
        return Err(Refusal::new(EntryErrorCode::FieldNotFound, "`eventData` is empty"));
    }
    let checksum = Checksum::of(data.as_bytes());
    if let Some(given) = entry.checksum
        && given != checksum.to_string()
    {
        return Err(Refusal::new(
            EntryErrorCode::InvalidChecksum,
            format!("`eventDataChecksum` is not the padded base64 of the SHA-256 of `eventData`, which is {checksum}"),
        ));
    }
    let fields = schema::check(&data, Side::Receiver)
        .map_err(|violation| Refusal::new(violation.code(), violation.to_string()))?;
    let owner = channel.arn.account();
    if fields.recipient_account_id != owner {
        return Err(Refusal::new(
            EntryErrorCode::InvalidRecipient,
            format!("`recipientAccountId` is {}; the channel's owner is {owner}", fields.recipient_account_id),
        ));
    }
    if let Some(sources) = &channel.sources
        && !sources.iter().any(|source| *source == fields.event_source)
    {
        return Err(Refusal::new(
            EntryErrorCode::InvalidEventSource,
            format!("the channel does not take events of the source \"{}\"", audit_core::shown(&fields.event_source)),
        ));
    }
    if !channel.destination {
        return Err(Refusal::new(
            EntryErrorCode::AccountNotSubscribed,
            "the channel has no destination that stores its events; ask its owner to give it one",
        ));
    }
    let (event_time, source, name, principal) = (
        fields.event_time,
        fields.event_source.into_owned(),
        fields.event_name.into_owned(),
        fields.principal_id.into_owned(),
    );
    Ok(NewEvent {
        id: entry.id,
        event_id: Uuid::new_v4().to_string(),
        checksum,
        event_time,
        source,
        name,
        principal,
        data,
    })
}
