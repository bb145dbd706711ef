//! What an event does not carry itself.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

use super::error::{EncodeError, EncodeFault};
use super::hmac::HmacKey;
use super::identity::{UserIdentity, write_identity};
use super::masking::{self, Pending};
use super::member::{ReadyMember, write_address, write_cut_member};
use crate::limits::Field;
use crate::names::{AccountId, EventTime, NameError};

/// What an event does not carry itself: the account that it is for, the time, and defaults for who acted, with what and
/// from where. What the event says of itself goes first.
///
/// ```
/// use audit_core::{AccountId, Context, Identity};
///
/// let context = Context::new(AccountId::from_static("123456789012"))
///     .identity(&Identity::new("Service", "billing-worker")?)
///     .user_agent("billing/2.1")
///     .source_ip("203.0.113.7".parse()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Context {
    pub(crate) account: AccountId,
    pub(crate) time: Option<Result<EventTime, NameError>>,
    pub(crate) identity: Option<ReadyMember>,
    pub(crate) user_agent: Option<ReadyMember>,
    pub(crate) source_ip: Option<ReadyMember>,
    pub(crate) hmac_key: Option<Arc<HmacKey>>,
    /// The identity with placeholders, and what is to be hidden there once there is a key; it is not written before.
    pending: Option<Arc<(String, Pending)>>,
}

impl Context {
    /// A context for events to this account: the one in the channel's ARN.
    #[must_use]
    pub fn new(account: AccountId) -> Self {
        Self { account, time: None, identity: None, user_agent: None, source_ip: None, hmac_key: None, pending: None }
    }

    /// The same for another account.
    #[must_use]
    pub fn for_account(mut self, account: AccountId) -> Self {
        self.account = account;
        self
    }

    /// Who acted, for events that do not say so. An identity that breaks a rule is an error when an event needs it. Its `hmac` fields
    /// are hidden under the key that the context has, or else under the first one that it gets.
    #[must_use]
    pub fn identity(mut self, identity: &dyn UserIdentity) -> Self {
        if let Some(key) = &self.hmac_key {
            self.identity =
                Some(ReadyMember::new(|out| masking::with_key(Some(key), || write_identity(out, identity))));
            self.pending = None;
            return self;
        }
        let mut json = String::new();
        let (result, pending) = masking::without_key(|| write_identity(&mut json, identity));
        let pending = pending.filter(|pending| !pending.is_empty());
        if let (Ok(()), Some(pending)) = (&result, pending) {
            let no_key = EncodeError::new(EncodeFault::NoHmacKey { key: Field::UserIdentity.path().to_owned() });
            self.identity = Some(ReadyMember::new(|_| Err(no_key)));
            self.pending = Some(Arc::new((json, pending)));
        } else {
            self.identity = Some(ReadyMember::new(|out| {
                out.push_str(&json);
                result
            }));
            self.pending = None;
        }
        self
    }

    /// With what they acted. A text of over 1,024 characters is cut to 1,023 and an ellipsis; an empty one is none.
    #[must_use]
    pub fn user_agent(mut self, user_agent: &str) -> Self {
        self.user_agent = Some(ReadyMember::new(|out| {
            write_cut_member(out, Field::UserAgent, user_agent);
            Ok(())
        }));
        self
    }

    /// From where they acted.
    #[must_use]
    pub fn source_ip(mut self, address: IpAddr) -> Self {
        self.source_ip = Some(ReadyMember::new(|out| write_address(out, address)));
        self
    }

    /// The key for `hmac` fields, and its id, which each hidden value names: 1 to 16 of `[-_A-Za-z0-9]`, such as `2026a`. Another
    /// id is an error when an event needs the key. A holder of the key can find out which value a field had by trying values, so keep it like a
    /// password; with another key, equal values no longer look alike: [`HmacKeys`](crate::HmacKeys) searches under old ones. At least 32 bytes are a good length.
    #[must_use]
    pub fn hmac_key(mut self, id: &str, key: impl AsRef<[u8]>) -> Self {
        let key = HmacKey::new(id, key.as_ref());
        if let Some(pending) = self.pending.take() {
            let json = pending.1.fill_in(&pending.0, &key);
            self.identity = Some(ReadyMember::new(|out| json.map(|json| out.push_str(&json))));
        }
        self.hmac_key = Some(Arc::new(key));
        self
    }

    /// A fixed time for events that do not say when they happened. Without it, that is the time of their encoding.
    #[must_use]
    pub fn time(mut self, time: SystemTime) -> Self {
        self.time = Some(EventTime::try_from(time));
        self
    }

    /// The account that events are for.
    #[must_use]
    pub fn account(&self) -> AccountId {
        self.account
    }

    pub(crate) fn event_time(&self) -> Result<EventTime, EncodeError> {
        match &self.time {
            None => Ok(EventTime::now()),
            Some(Ok(time)) => Ok(*time),
            Some(Err(error)) => Err(EncodeError::new(EncodeFault::Time(error.clone()))),
        }
    }
}

/// Shows no key and no identity, hidden or not yet.
impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("account", &self.account)
            .field("time", &self.time)
            .field("has_identity", &(self.identity.is_some() || self.pending.is_some()))
            .field("user_agent", &self.user_agent)
            .field("source_ip", &self.source_ip)
            .field("has_hmac_key", &self.hmac_key.is_some())
            .finish()
    }
}
