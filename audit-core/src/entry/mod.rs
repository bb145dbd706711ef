//! One event, ready to be sent.

mod batch;
mod size;
pub mod wire;

pub use batch::{Batch, DoesNotFit, Reason};

use std::borrow::Cow;
use std::fmt;

use crate::contract::constant;
use crate::contract::schema;
use crate::contract::violation::Violation;
use crate::limits::{Side, is_event_id};
use crate::names::{AccountId, Checksum, EventId, NameError};

/// An id, an event's data and its checksum: one element of `auditEvents`.
///
/// There is no entry that breaks the contract: it comes from an event ([`AuditEvent::to_entry`](crate::AuditEvent::to_entry)), from the compiler
/// (`entry!`), or from JSON that was checked ([`Entry::parse`]). It is sent as it is, also when it is sent again, so that
/// its checksum holds from the process where it was made to the record.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    id: EventId,
    event_data: Cow<'static, str>,
    checksum: Checksum,
    recipient: AccountId,
}

impl Entry {
    /// Takes JSON that was made elsewhere, byte for byte, once it has kept the whole contract as a sender must: see
    /// [`schema::check`]. The id may be an [`EventId`] or text.
    ///
    /// ```
    /// use audit_core::Entry;
    ///
    /// let event_data = r#"{"version":"1.0","userIdentity":{"type":"Staff","principalId":"alice@example.com"},
    ///     "eventSource":"orders.example.com","eventName":"RefundIssued","eventTime":"2026-11-21T10:15:30Z",
    ///     "UID":"refund/17","recipientAccountId":"123456789012"}"#;
    /// let entry = Entry::parse("refund-17", event_data)?;
    /// assert_eq!(entry.event_data(), event_data);
    ///
    /// let error = Entry::parse("refund-17", "{}").unwrap_err();
    /// assert_eq!(error.to_string(), "the event data breaks a rule of the contract");
    /// let rule = std::error::Error::source(&error).expect("a rule");
    /// assert_eq!(rule.to_string(), "`userIdentity` is missing or empty; every event must have it");
    /// # Ok::<(), audit_core::EntryError>(())
    /// ```
    pub fn parse<I>(id: I, event_data: impl Into<String>) -> Result<Self, EntryError>
    where
        I: TryInto<EventId>,
        I::Error: Into<NameError>,
    {
        let id = id.try_into().map_err(|error| EntryError::Id(error.into()))?;
        let event_data = event_data.into();
        let recipient = schema::check(&event_data, Side::Sender).map_err(EntryError::EventData)?.recipient_account_id;
        let checksum = Checksum::of(event_data.as_bytes());
        Ok(Self::checked(id, event_data, checksum, recipient))
    }

    /// Takes back an entry that was kept somewhere: its three parts, of which the checksum was taken where the entry was made.
    ///
    /// Compares the SHA-256 of the event data with that checksum, and takes no new one: bytes that have changed are refused as
    /// [`EntryError::Checksum`]. Bytes that are those of an entry keep the contract, so the schema is not checked again.
    pub fn restore<I>(id: I, event_data: impl Into<Cow<'static, str>>, checksum: Checksum) -> Result<Self, EntryError>
    where
        I: TryInto<EventId>,
        I::Error: Into<NameError>,
    {
        let id = id.try_into().map_err(|error| EntryError::Id(error.into()))?;
        let event_data = event_data.into();
        if Checksum::of(event_data.as_bytes()) != checksum {
            return Err(EntryError::Checksum { expected: checksum });
        }
        let recipient = schema::recipient_of(&event_data).map_err(EntryError::EventData)?;
        Ok(Self { id, event_data, checksum, recipient })
    }

    /// For event data that is known to keep the contract, its checksum, and its `recipientAccountId`.
    pub(crate) fn checked(id: EventId, event_data: String, checksum: Checksum, recipient: AccountId) -> Self {
        Self { id, event_data: Cow::Owned(event_data), checksum, recipient }
    }

    /// What the channel knows the event by.
    #[must_use]
    pub fn id(&self) -> &EventId {
        &self.id
    }

    /// The event: one JSON object.
    #[must_use]
    pub fn event_data(&self) -> &str {
        &self.event_data
    }

    /// The SHA-256 of [`event_data`](Self::event_data)'s bytes.
    #[must_use]
    pub fn checksum(&self) -> Checksum {
        self.checksum
    }

    /// Whether the data still has the checksum that the entry was made with. Hashes all of it.
    #[must_use]
    pub fn is_intact(&self) -> bool {
        Checksum::of(self.event_data.as_bytes()) == self.checksum
    }

    /// The event's `recipientAccountId`: whose channel it is for.
    #[must_use]
    pub fn recipient_account_id(&self) -> AccountId {
        self.recipient
    }

    /// The bytes that the entry takes in a request's body, its data escaped, without the comma between two entries.
    #[must_use]
    pub fn wire_len(&self) -> usize {
        size::entry_bytes(self.id.as_str(), &self.event_data)
    }

    /// Gives the three parts away, without a copy of what the entry owns.
    #[must_use]
    pub fn into_parts(self) -> (EventId, Cow<'static, str>, Checksum) {
        (self.id, self.event_data, self.checksum)
    }
}

/// Shows the id and the length: event data is the business of those who may read the record.
impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("id", &self.id.as_str())
            .field("event_data_bytes", &self.event_data.len())
            .field("checksum", &self.checksum)
            .finish_non_exhaustive()
    }
}

/// A constant entry, made by `entry!` while compiling: nothing is encoded, hashed or allocated at run time.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct StaticEntry {
    id: &'static str,
    event_data: &'static str,
    checksum: Checksum,
    recipient: AccountId,
}

impl StaticEntry {
    /// For `entry!`, which has held the parts to the contract.
    #[doc(hidden)]
    #[must_use]
    pub const fn __from_macro(
        id: &'static str,
        event_data: &'static str,
        checksum: [u8; 32],
        recipient: &'static str,
    ) -> Self {
        let recipient = AccountId::from_static(recipient);
        Self { id, event_data, checksum: Checksum::from_bytes(checksum), recipient }
    }

    /// A constant entry from event data that `entry!` cannot see, such as `include_str!`, `concat!` or `env!`. The compiler holds it to
    /// the contract and takes its checksum.
    ///
    /// ```
    /// use audit_core::StaticEntry;
    ///
    /// const DEPLOYED: StaticEntry = StaticEntry::of_constant(
    ///     concat!("deployed-", env!("CARGO_PKG_VERSION_MAJOR")),
    ///     concat!(
    ///         r#"{"version":"1.0","userIdentity":{"type":"Pipeline","principalId":"release"},"eventSource":"shop.example.com","#,
    ///         r#""eventName":"Deployed","eventTime":"2026-11-21T10:15:30Z","UID":"deployed","#,
    ///         r#""requestParameters":{"version":""#,
    ///         env!("CARGO_PKG_VERSION"),
    ///         r#""},"recipientAccountId":"123456789012"}"#,
    ///     ),
    /// );
    /// assert_eq!(audit_core::Entry::parse(DEPLOYED.id(), DEPLOYED.event_data())?, DEPLOYED.to_entry());
    /// # Ok::<(), audit_core::EntryError>(())
    /// ```
    ///
    /// What breaks the contract does not compile, and the error names the field, the rule and the byte:
    ///
    /// ```compile_fail
    /// const EMPTY: audit_core::StaticEntry = audit_core::StaticEntry::of_constant("empty", "{}");
    /// ```
    ///
    /// The compiler needs about 0.2 s for each kilobyte, so event data may have
    /// [`Checksum::MAX_CONSTANT_BYTES`] at most; `entry!` has no such cost. Beyond the contract, keys, `eventTime`,
    /// `sourceIPAddress` and `recipientAccountId` have no escapes, no more than 256 keys stand in the objects that are open at a time,
    /// numbers have 200 characters and an exponent of two digits at most, and no IPv6 address ends in an IPv4 address. What is larger
    /// or needs those is an [`Entry`] of [`Entry::parse`], in a `LazyLock`.
    ///
    /// # Panics
    /// If the id or the event data breaks a rule; in a constant, that does not compile.
    #[must_use]
    pub const fn of_constant(id: &'static str, event_data: &'static str) -> Self {
        assert!(is_event_id(id), "an event's id must be 1 to 128 of [-_A-Za-z0-9]");
        assert!(
            event_data.len() <= Checksum::MAX_CONSTANT_BYTES,
            "too long to be checked while compiling: use Entry::parse"
        );
        match constant::check(event_data) {
            Ok(recipient) => Self { id, event_data, checksum: Checksum::of_constant(event_data.as_bytes()), recipient },
            Err(fault) => fault.panic(),
        }
    }

    /// What the channel knows the event by.
    #[must_use]
    pub const fn id(&self) -> EventId {
        EventId::from_static(self.id)
    }

    /// The event: one JSON object.
    #[must_use]
    pub const fn event_data(&self) -> &'static str {
        self.event_data
    }

    /// The SHA-256 of [`event_data`](Self::event_data)'s bytes.
    #[must_use]
    pub const fn checksum(&self) -> Checksum {
        self.checksum
    }

    /// The entry, without a copy.
    #[must_use]
    pub const fn to_entry(&self) -> Entry {
        let Self { event_data, checksum, recipient, .. } = *self;
        Entry { id: self.id(), event_data: Cow::Borrowed(event_data), checksum, recipient }
    }
}

impl fmt::Debug for StaticEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.to_entry(), f)
    }
}

impl From<StaticEntry> for Entry {
    fn from(entry: StaticEntry) -> Self {
        entry.to_entry()
    }
}

/// Why an id and some JSON are not an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EntryError {
    /// The id breaks its rule.
    Id(NameError),
    /// The event's data breaks a rule.
    EventData(Violation),
    /// The event's data is not what it was when its checksum was taken.
    Checksum {
        /// The checksum that came with it.
        expected: Checksum,
    },
}

/// Which part is wrong; which of its rules is broken says the [`source`](std::error::Error::source).
impl fmt::Display for EntryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(_) => f.write_str("the id breaks its rule"),
            Self::EventData(_) => f.write_str("the event data breaks a rule of the contract"),
            Self::Checksum { expected } => {
                write!(f, "the event data has changed since it was made: its checksum is no longer {expected}")
            }
        }
    }
}

impl std::error::Error for EntryError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Id(error) => Some(error),
            Self::EventData(violation) => Some(violation),
            Self::Checksum { .. } => None,
        }
    }
}
