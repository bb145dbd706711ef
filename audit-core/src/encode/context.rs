//! What an event does not carry itself.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

use serde::Serialize;

use super::error::{EncodeError, EncodeFault};
use super::from_context::{self, Additional};
use super::hmac::HmacKey;
use super::identity::{self, UserIdentity, write_identity_object};
use super::kept::Kept;
use super::member::{ReadyMember, write_address, write_cut_member};
use crate::catalog::EventType;
use crate::json::scan;
use crate::limits::Field;
use crate::names::{AccountId, EventTime, NameError};

/// What an event does not carry itself: the account that it is for, the time, and defaults for who acted, with what, from where and
/// for whom. What the event says of itself goes first.
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
    identity: Option<Kept>,
    /// Each acts for the next one.
    on_behalf_of: Vec<Kept>,
    /// The object of the first of these, with all others in it.
    pub(crate) on_behalf: Option<ReadyMember>,
    /// The member `userIdentity` of an event that names no actor.
    pub(crate) acting: Option<ReadyMember>,
    pub(crate) additional: Vec<Additional>,
    pub(crate) user_agent: Option<ReadyMember>,
    pub(crate) source_ip: Option<ReadyMember>,
    pub(crate) hmac_key: Option<Arc<HmacKey>>,
}

/// How many can act on behalf of one another. A bound of this project's own.
pub(crate) const MAX_ON_BEHALF: usize = 4;

impl Context {
    /// A context for events to this account: the one in the channel's ARN.
    #[must_use]
    pub fn new(account: AccountId) -> Self {
        Self {
            account,
            time: None,
            identity: None,
            on_behalf_of: Vec::new(),
            on_behalf: None,
            acting: None,
            additional: Vec::new(),
            user_agent: None,
            source_ip: None,
            hmac_key: None,
        }
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
        self.identity = Some(self.kept(|out| write_identity_object(out, identity)));
        self.combine();
        self
    }

    /// For whom they act: `details.onBehalfOf` of whoever the event names as its actor, with `type`, `principalId` and `details`. The
    /// actor remains the one who acted. Called again, the one before acts on behalf of this one: a service on behalf of a
    /// member of staff on behalf of a customer. More than four are an error when an event needs them, as an identity is that breaks
    /// a rule. Where the actor's own details have `onBehalfOf`, that one stays.
    ///
    /// ```
    /// use audit_core::{AccountId, Context, Identity};
    ///
    /// let context = Context::new(AccountId::from_static("123456789012"))
    ///     .identity(&Identity::new("Staff", "alice@example.com")?)
    ///     .on_behalf_of(&Identity::new("Customer", "c-17")?);
    /// // {"type":"Staff","principalId":"alice@example.com","details":{"onBehalfOf":{"type":"Customer","principalId":"c-17"}}}
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn on_behalf_of(mut self, identity: &dyn UserIdentity) -> Self {
        self.on_behalf_of.push(self.kept(|out| write_identity_object(out, identity)));
        self.combine();
        self
    }

    /// A member of `additionalEventData` of every event, such as the ID of a request. The event's own key wins; a key that is given
    /// again replaces the one before; a `None` is left out. `targets` and `cut` are this library's own: under these keys, an
    /// underscore is added.
    ///
    /// What a context adds never makes an event fail, since it may come from outside: where the object would have more than 28 kB,
    /// or the event more than 256 kB, the largest of these values are replaced by their length and hash,
    /// `{"omittedBytes":30000,"sha256":"…"}`, and where that is not enough they are left out. A value that cannot be written is
    /// replaced by `{"omitted":"…"}` with the reason. The member `cut` then lists their paths:
    /// `["additionalEventData.requestId"]`.
    #[must_use]
    pub fn additional<T: Serialize + ?Sized>(mut self, key: &str, value: &T) -> Self {
        self.additional.retain(|before| !before.is(key));
        let mut absent = false;
        let value = self.kept(|out| from_context::write_value(out, key, value).map(|written| absent = !written));
        if !absent {
            self.additional.push(Additional::new(key, value));
        }
        self
    }

    /// For servers: without the one who acts, so that a program's own identity stands for no caller's.
    #[doc(hidden)]
    #[must_use]
    pub fn __without_actor(mut self) -> Self {
        self.identity = None;
        self.on_behalf_of.clear();
        self.combine();
        self
    }

    /// What an event needs of the actor, if one is set.
    pub(crate) fn check_actor(&self) -> Result<(), EncodeError> {
        self.on_behalf.iter().chain(&self.acting).try_for_each(|member| member.json().map(drop))
    }

    pub(crate) fn identity_json(&self) -> Result<Option<String>, EncodeError> {
        let kept = self.identity.as_ref();
        kept.map(|kept| kept.json(Field::UserIdentity.path()).map(|json| json.as_ref().to_owned())).transpose()
    }

    pub(crate) fn on_behalf_json(&self) -> Result<Vec<String>, EncodeError> {
        let json = |kept: &Kept| kept.json(Field::UserIdentity.path()).map(|json| json.as_ref().to_owned());
        self.on_behalf_of.iter().map(json).collect()
    }

    /// As [`additional`](Self::additional), for a value that is JSON.
    pub(crate) fn additional_json(mut self, key: &str, json: &str) -> Result<Self, EncodeError> {
        // It stands in the event's object and in `additionalEventData`.
        scan::check_inside(json, 2)?;
        self.additional.retain(|before| !before.is(key));
        self.additional.push(Additional::new(key, Kept::Ready(Ok(json.into()))));
        Ok(self)
    }

    fn kept(&self, write: impl FnOnce(&mut String) -> Result<(), EncodeError>) -> Kept {
        Kept::new(self.hmac_key.as_ref(), write)
    }

    /// Makes the members that depend on more than one value.
    fn combine(&mut self) {
        let path = Field::UserIdentity.path();
        let innermost_first = self.on_behalf_of.iter().rev();
        let behalf = innermost_first.fold(None, |inner: Option<Result<String, EncodeError>>, kept| {
            Some(kept.json(path).map(|json| json.as_ref().to_owned()).and_then(|mut json| {
                if let Some(inner) = inner {
                    identity::put_on_behalf_of(&mut json, 0, &inner?)?;
                }
                Ok(json)
            }))
        });
        let too_many = || EncodeError::new(EncodeFault::OnBehalfOf { limit: MAX_ON_BEHALF });
        let behalf = if self.on_behalf_of.len() > MAX_ON_BEHALF { Some(Err(too_many())) } else { behalf };
        self.on_behalf = behalf.map(|json| ReadyMember::new(|out| json.map(|json| out.push_str(&json))));
        self.acting = self.identity.as_ref().map(|kept| {
            ReadyMember::new(|out| {
                out.push_str(",\"userIdentity\":");
                let start = out.len();
                out.push_str(kept.json(path)?);
                match &self.on_behalf {
                    Some(behalf) => identity::put_on_behalf_of(out, start, behalf.json()?),
                    None => Ok(()),
                }
            })
        });
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
        let additional = self.additional.iter_mut().map(Additional::value);
        self.identity.iter_mut().chain(&mut self.on_behalf_of).chain(additional).for_each(|kept| kept.hide(&key));
        self.combine();
        self.hmac_key = Some(Arc::new(key));
        self
    }

    /// A fixed time for events that do not say when they happened. Without it, that is the time of their encoding.
    #[must_use]
    pub fn time(mut self, time: SystemTime) -> Self {
        self.time = Some(EventTime::try_from(time));
        self
    }

    /// Whether events of this type can be encoded with this context, as far as the catalog says so: that there is a key if they
    /// have `hmac` fields. Check it at the start of a program, rather than to learn it from the first such event.
    pub fn check_event_type(&self, event_type: &EventType) -> Result<(), EncodeError> {
        let Some(key) = event_type.hmac_field() else { return Ok(()) };
        let fault = match &self.hmac_key {
            None => EncodeFault::NoHmacKey { key },
            Some(given) if !given.has_valid_id() => EncodeFault::HmacKeyId,
            Some(_) => return Ok(()),
        };
        Err(EncodeError::new(fault).of_type(event_type))
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
            .field("has_identity", &self.identity.is_some())
            .field("on_behalf_of", &self.on_behalf_of.len())
            .field("additional", &self.additional.len())
            .field("user_agent", &self.user_agent)
            .field("source_ip", &self.source_ip)
            .field("has_hmac_key", &self.hmac_key.is_some())
            .finish_non_exhaustive()
    }
}
