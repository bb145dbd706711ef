//! Why something is refused.

use std::io;

use audit_core::{AccountId, EncodeError, Entry, EventId, NameError};

use crate::spool::{Refusal, SpoolError};
use crate::transport::submit::TransportError;

/// An event that was not accepted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmitError {
    /// The event breaks a rule of the contract; the text says which event type, which field, which rule. An event that
    /// is too large for any request is reported here, with its size and the limit.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The entry was made for another account: the service would answer `InvalidRecipient`.
    #[error(
        "event {id} is for account {recipient}, but the channel is account {owner}'s; its `recipientAccountId` must be that"
    )]
    #[non_exhaustive]
    Recipient {
        /// The entry's id.
        id: EventId,
        /// The account that the entry names.
        recipient: AccountId,
        /// The channel owner's account.
        owner: AccountId,
    },
    /// In memory, there is no room, or none came in time: from `try_emit`, and from `emit` with
    /// [`WhenFull::Reject`](crate::spool::WhenFull::Reject) or an [`emit_timeout`](crate::ClientBuilder::emit_timeout). The entry is given back,
    /// encoded.
    #[error(
        "there is no room for event {}: as much is waiting for its delivery as `capacity_entries` and `capacity_bytes` allow; emit \
         the entry later, or raise them",
        .entry.id()
    )]
    #[non_exhaustive]
    Full {
        /// The entry, to be emitted later.
        entry: Box<Entry>,
    },
    /// The spool takes nothing now. The entry is given back, encoded.
    #[error("event {} was not accepted", .entry.id())]
    #[non_exhaustive]
    Spool {
        /// The entry, to be emitted later.
        entry: Box<Entry>,
        /// Why.
        source: Refusal,
    },
    /// The disk failed, or the client was shut down, while the event was on its way to the disk, and it is unknown whether
    /// it got there. Emitting it again under the same id does no harm where the service knows ids.
    #[error("it is unknown whether event {id} is kept; emit it again under the same id")]
    #[non_exhaustive]
    Unknown {
        /// The entry's id.
        id: EventId,
        /// Why.
        source: io::Error,
    },
    /// The client was shut down, or its pipeline has ended.
    #[error("the audit client is shut down; event {id} was not accepted")]
    #[non_exhaustive]
    ShutDown {
        /// The entry's id.
        id: EventId,
    },
}

/// A flush that could not see all verdicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FlushError {
    /// The client ended while events had no verdict; the shutdown's report names them.
    #[error("the audit client ended before every event had its verdict; the shutdown's report names those without")]
    ShutDown,
}

/// A client that cannot be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// There is no channel.
    #[error(
        "channel_arn is not set; give the channel's full ARN, `arn:aws:cloudtrail:<region>:<account>:channel/<id>`, to the builder or in AUDIT_CHANNEL_ARN"
    )]
    NoChannel,
    /// There is nothing to send with: the features `aws` and `http` are off, and no transport was given.
    #[error("no transport is set; give the builder one, or build audit-client with its feature `http` or `aws`")]
    NoTransport,
    /// A value that breaks a rule.
    #[error("{key}: {reason}")]
    #[non_exhaustive]
    Value {
        /// The setting's name.
        key: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// Events of a type that the program [requires](crate::ClientBuilder::requires) cannot be encoded with these settings.
    #[error(transparent)]
    EventType(EncodeError),
    /// A name that breaks its rule.
    #[error("{key} is not valid")]
    #[non_exhaustive]
    Name {
        /// The setting's name.
        key: &'static str,
        /// What is wrong with it.
        source: NameError,
    },
    /// The region is not the channel's.
    #[error(
        "region is `{region}`, but the channel is in `{of_channel}`; a channel can be reached in its own region only, so leave region out"
    )]
    #[non_exhaustive]
    Region {
        /// The region that was set.
        region: String,
        /// The channel's own.
        of_channel: String,
    },
    /// The transport cannot be made.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The spool cannot be opened.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// The pipeline's thread does not start.
    #[error("the audit client's thread does not start")]
    Thread(#[source] io::Error),
}
