//! Writes an event's JSON: once, into one buffer, in one order.

use std::cell::Cell;
use std::fmt::{self, Display};

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::context::Context;
use super::error::{EncodeError, EncodeFault};
use super::from_context;
use super::identity::{Actor, shortened, write_identity};
use super::masking;
use super::member::{ReadyMember, write_address, write_cut_member, write_displayed_member, write_text_member};
use super::object::Object;
use super::prefix::{LastTime, PrefixCache};
use super::roles::{AuditError, EventTimeValue, SourceIp, TargetId, TextValue};
use crate::catalog::{EventType, Role};
use crate::contract::schema::check_bytes;
use crate::contract::violation::Violation;
use crate::entry::Entry;
use crate::limits::{Field, Side};
use crate::names::{Checksum, EventId, EventTime};

/// The objects of an event that carry an application's own keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// `requestParameters`: what was asked.
    Request,
    /// `responseElements`: what came of it.
    Response,
    /// `additionalEventData`: what else there is to say.
    Additional,
}

impl Part {
    const fn role(self) -> Role {
        match self {
            Self::Request => Role::Request,
            Self::Response => Role::Response,
            Self::Additional => Role::Additional,
        }
    }

    const fn step(self) -> Step {
        Step::of(self.role())
    }

    /// The object that the fields of a role are keys of.
    pub(crate) fn of(role: Role) -> Option<Self> {
        [Self::Request, Self::Response, Self::Additional].into_iter().find(|part| part.role() == role)
    }
}

/// A place in the order of the JSON, which is that of [`Role`]. What is constant comes before all of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Step(u8);

impl Step {
    const START: Self = Self(0);
    const NAME: Self = Self::of(Role::EventName);
    const ID: Self = Self::of(Role::Id);
    const TIME: Self = Self::of(Role::Time);
    const IDENTITY: Self = Self::of(Role::UserIdentity);
    const USER_AGENT: Self = Self::of(Role::UserAgent);
    const SOURCE_IP: Self = Self::of(Role::SourceIp);
    const ERROR_CODE: Self = Self::of(Role::ErrorCode);
    const ERROR_MESSAGE: Self = Self::of(Role::ErrorMessage);
    const END: Self = Self(u8::MAX);

    const fn of(role: Role) -> Self {
        Self(role as u8 + 1)
    }

    fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    fn field(self) -> Field {
        match self {
            Self::START => Field::EventName,
            Self(step) => Role::ALL.get(usize::from(step) - 1).map_or(Field::EventData, |role| role.member()),
        }
    }
}

/// Writes an event's data in one pass, in this order: [`id`](Self::id), [`time`](Self::time),
/// [`user_identity`](Self::user_identity), [`user_agent`](Self::user_agent), [`source_ip`](Self::source_ip),
/// [`request`](Self::request) and so on. What an event does not write is filled in from the [`Context`].
///
/// It keeps the first error and then writes nothing more, so calls can be chained; [`done`](Self::done) returns it.
///
/// ```
/// use audit_core::{AccountId, AuditEvent, Context, EncodeError, EventDataWriter, EventType, Identity};
///
/// struct DoorOpened { number: u64, door: &'static str }
///
/// impl AuditEvent for DoorOpened {
///     fn event_type(&self) -> &'static EventType {
///         const { &EventType::new("doors.example.com", "DoorOpened") }
///     }
///     fn write(&self, data: &mut EventDataWriter<'_>) -> Result<(), EncodeError> {
///         data.id(&self.number).request("door", self.door).done()
///     }
/// }
///
/// let context = Context::new(AccountId::from_static("123456789012"))
///     .identity(&Identity::new("Badge", "4711")?)
///     .time(std::time::UNIX_EPOCH);
/// let entry = DoorOpened { number: 17, door: "north" }.to_entry(&context)?;
/// assert_eq!(entry.event_data(), concat!(
///     r#"{"version":"1.0","eventSource":"doors.example.com","eventName":"DoorOpened","#,
///     r#""recipientAccountId":"123456789012","UID":"17","eventTime":"1970-01-01T00:00:00Z","#,
///     r#""userIdentity":{"type":"Badge","principalId":"4711"},"requestParameters":{"door":"north"}}"#,
/// ));
/// # Ok::<(), EncodeError>(())
/// ```
#[derive(Debug)]
pub struct EventDataWriter<'a> {
    out: &'a mut String,
    context: &'a Context,
    /// The step that was written last, or is being written.
    at: Step,
    id: Option<EventId>,
    object: Option<Object>,
    /// The hash of the first bytes, and of how many.
    hash: Sha256,
    hashed: usize,
    last_time: &'a mut LastTime,
    distinct_keys: bool,
    /// The error code was an empty text, and nothing is written for it yet.
    code_is_empty: bool,
    /// Written with the other keys of `additionalEventData`, at the end.
    targets: Vec<Target>,
    error: Option<EncodeError>,
}

/// What an event was done to.
#[derive(Debug, Serialize)]
struct Target {
    r#type: String,
    id: String,
}

impl<'a> EventDataWriter<'a> {
    fn begin(event_type: &'static EventType, context: &'a Context, scratch: &'a mut Scratch) -> Self {
        let Scratch { buffer: out, prefixes, last_time } = scratch;
        let prefix = prefixes.get(event_type, context.account);
        out.clear();
        out.push_str(&prefix.json);
        Self {
            at: if event_type.name_from_field { Step::START } else { Step::NAME },
            hash: prefix.hash.clone(),
            hashed: prefix.hashed(),
            last_time,
            out,
            context,
            id: None,
            object: None,
            distinct_keys: false,
            code_is_empty: false,
            targets: Vec::new(),
            error: None,
        }
    }

    /// Runs one writing step, unless there was an error before.
    #[inline]
    fn step(&mut self, step: Step, write: impl FnOnce(&mut Self) -> Result<(), EncodeError>) -> &mut Self {
        if self.error.is_none()
            && let Err(error) = self.reach(step).and_then(|()| write(self))
        {
            self.error = Some(error);
        }
        self
    }

    /// Goes on to a step: ends the object before it and fills in what was passed over.
    #[inline]
    fn reach(&mut self, step: Step) -> Result<(), EncodeError> {
        if step == self.at && self.object.is_some() {
            return Ok(());
        }
        self.go_on(step)
    }

    fn go_on(&mut self, step: Step) -> Result<(), EncodeError> {
        if step <= self.at {
            return Err(EncodeError::new(EncodeFault::Order { field: step.field() }));
        }
        if let Some(object) = self.object.take() {
            object.close(self.out)?;
        }
        let at = std::mem::replace(&mut self.at, step);
        if at.next() != step {
            self.pass_over(at, step)?;
        }
        Ok(())
    }

    /// Fills in what lies between two steps.
    fn pass_over(&mut self, at: Step, step: Step) -> Result<(), EncodeError> {
        let passed = |default: Step| at < default && default < step;
        if let Some(never) = [Step::NAME, Step::ID].into_iter().find(|required| passed(*required)) {
            return Err(EncodeError::new(EncodeFault::Order { field: never.field() }));
        }
        if passed(Step::TIME) {
            self.default_time()?;
        }
        if passed(Step::IDENTITY) {
            self.default_identity()?;
        }
        if passed(Step::USER_AGENT) {
            self.default_user_agent()?;
        }
        if passed(Step::SOURCE_IP) {
            self.default_source_ip()?;
        }
        Ok(())
    }

    fn default_time(&mut self) -> Result<(), EncodeError> {
        let time = self.context.event_time()?;
        self.write_time(time);
        Ok(())
    }

    fn write_time(&mut self, time: EventTime) {
        self.out.push_str(self.last_time.json(time));
    }

    fn default_identity(&mut self) -> Result<(), EncodeError> {
        let identity = self.context.acting.as_ref().ok_or_else(|| EncodeError::new(EncodeFault::NoIdentity))?;
        self.out.push_str(identity.json()?);
        Ok(())
    }

    fn default_user_agent(&mut self) -> Result<(), EncodeError> {
        if let Some(user_agent) = &self.context.user_agent {
            self.out.push_str(user_agent.json()?);
        }
        Ok(())
    }

    fn default_source_ip(&mut self) -> Result<(), EncodeError> {
        if let Some(address) = &self.context.source_ip {
            self.out.push_str(address.json()?);
        }
        Ok(())
    }

    /// The event's name, for an [`EventType::name_from_field`]: 1 to 1,024 characters.
    pub fn event_name<T: TextValue + ?Sized>(&mut self, name: &T) -> &mut Self {
        let name = name.text().unwrap_or_default();
        self.step(Step::NAME, |data| write_text_member(data.out, Field::EventName, &name))
    }

    /// The ID that the source itself gives the event: `UID` as it is (1 to 1,024 characters), and the entry's id as
    /// [`EventId::derive`] makes it.
    pub fn id<T: Display + ?Sized>(&mut self, id: &T) -> &mut Self {
        self.write_id(&id)
    }

    /// A new [`EventId::generate`]d id, for events whose source has none.
    pub fn generate_id(&mut self) -> &mut Self {
        self.write_id(&EventId::generate())
    }

    fn write_id(&mut self, id: &dyn Display) -> &mut Self {
        self.step(Step::ID, |data| {
            let derived = |text: &str| Field::Uid.check_text(text).map(|()| EventId::derive(text));
            let id = write_displayed_member(data.out, Field::Uid, id, derived)?;
            data.id = Some(id.map_err(|fault| Violation::of_text(Field::Uid, fault))?);
            Ok(())
        })
    }

    /// When it happened.
    pub fn time<T: EventTimeValue + ?Sized>(&mut self, time: &T) -> &mut Self {
        let time = time.event_time();
        self.step(Step::TIME, |data| match time.map_err(|error| EncodeError::new(EncodeFault::Time(error)))? {
            Some(time) => {
                data.write_time(time);
                Ok(())
            }
            None => data.default_time(),
        })
    }

    /// Who acted.
    pub fn user_identity<T: Actor + ?Sized>(&mut self, identity: &T) -> &mut Self {
        let identity = identity.actor();
        self.step(Step::IDENTITY, |data| match identity {
            Some(identity) => {
                let on_behalf_of = data.context.on_behalf.as_ref().map(ReadyMember::json).transpose()?;
                write_identity(data.out, identity, on_behalf_of)
            }
            None => data.default_identity(),
        })
    }

    /// With what they acted. A text of over 1,024 characters is cut to 1,023 and an ellipsis; an empty one is none.
    pub fn user_agent<T: TextValue + ?Sized>(&mut self, user_agent: &T) -> &mut Self {
        let user_agent = user_agent.text();
        self.step(Step::USER_AGENT, |data| match user_agent {
            Some(user_agent) if !user_agent.is_empty() => {
                write_cut_member(data.out, Field::UserAgent, &user_agent);
                Ok(())
            }
            _ => data.default_user_agent(),
        })
    }

    /// From where they acted.
    pub fn source_ip<T: SourceIp + ?Sized>(&mut self, address: &T) -> &mut Self {
        let address = address.source_ip();
        self.step(Step::SOURCE_IP, |data| match address {
            Some(address) => write_address(data.out, address),
            None => data.default_source_ip(),
        })
    }

    /// A member of `requestParameters`. A `None` is left out.
    pub fn request<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> &mut Self {
        self.field(Part::Request, key, value)
    }

    /// A member of `responseElements`. A `None` is left out.
    pub fn response<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> &mut Self {
        self.field(Part::Response, key, value)
    }

    /// A member of `additionalEventData`. A `None` is left out.
    pub fn additional<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> &mut Self {
        self.field(Part::Additional, key, value)
    }

    /// A member of one of the three objects. A `None` is left out.
    pub fn field<T: Serialize + ?Sized>(&mut self, part: Part, key: &str, value: &T) -> &mut Self {
        self.member(part, |object, out, _| object.field(out, key, value))
    }

    /// The members of a value that is itself an object, in the place of one member.
    pub fn flatten<T: Serialize + ?Sized>(&mut self, part: Part, value: &T) -> &mut Self {
        self.member(part, |object, out, _| object.flatten(out, value))
    }

    /// A member whose value is not shown: `[REDACTED]` stands in its place.
    pub fn redact(&mut self, part: Part, key: &str) -> &mut Self {
        self.member(part, |object, out, _| {
            object.redact(out, key);
            Ok(())
        })
    }

    /// A member whose value can be found, but not read: `hmac-sha256:`, the key's id, and the hex of the HMAC-SHA-256, under the
    /// context's key, of a string's bytes or of another value's JSON. A `None` is left out.
    pub fn hmac<T: Serialize + ?Sized>(&mut self, part: Part, key: &str, value: &T) -> &mut Self {
        self.member(part, |object, out, context| object.hmac(out, key, value, context.hmac_key.as_deref()))
    }

    fn member(
        &mut self,
        part: Part,
        write: impl FnOnce(&mut Object, &mut String, &Context) -> Result<(), EncodeError>,
    ) -> &mut Self {
        self.step(part.step(), |data| {
            let object = data.object.get_or_insert_with(|| Object::new(part.step().field(), data.distinct_keys));
            write(object, data.out, data.context)
        })
    }

    /// What it was done to: a thing of a type, such as `Order`, and the thing's id. Any number of them, at any point, become
    /// the member `targets` of `additionalEventData`, in the order of the calls:
    /// `[{"type":"Order","id":"17"}]`. A `None` is no target. Of an id of over 1,024 characters, the beginning stays, and the
    /// SHA-256 of all of it.
    pub fn target<M, T: TargetId<M> + ?Sized>(&mut self, target_type: &str, id: &T) -> &mut Self {
        match id.target_id() {
            Ok(None) => {}
            Ok(Some(mut id)) => {
                // It may be what a stranger sent.
                if id.chars().nth(TARGET_ID_CHARS).is_some() {
                    id = shortened(&id, TARGET_ID_CHARS);
                }
                self.targets.push(Target { r#type: target_type.to_owned(), id });
            }
            Err(fmt::Error) => {
                let (key, reason) = ("targets".to_owned(), format!("the Display of a target `{target_type}` fails"));
                let fault = EncodeError::new(EncodeFault::NotJson { key, reason });
                self.error.get_or_insert_with(|| fault.under(Field::AdditionalEventData));
            }
        }
        self
    }

    /// How it ended: an `Ok` becomes `responseElements`, an `Err` becomes `errorCode` and `errorMessage`.
    ///
    /// An `Ok` that is not a JSON object stands under the key `result`; `()` and `None` leave `responseElements` as it
    /// is. A code or a message of over 256 characters is cut to 255 and an ellipsis, and an empty code becomes `Unknown`: the
    /// failure must be on record, whatever its texts are.
    pub fn outcome<T: Serialize, E: AuditError>(&mut self, outcome: &Result<T, E>) -> &mut Self {
        match outcome {
            Ok(value) => self.member(Part::Response, |object, out, _| object.outcome(out, value)),
            Err(error) => {
                let code = error.error_code();
                let code = if code.is_empty() { UNKNOWN } else { &code };
                self.error_code(code).error_message(&error.to_string())
            }
        }
    }

    /// The code of what went wrong. A text of over 256 characters is cut to 255 and an ellipsis. An empty one is left out, or
    /// becomes `Unknown` if there is a message.
    pub fn error_code<T: TextValue + ?Sized>(&mut self, code: &T) -> &mut Self {
        let code = code.text();
        self.step(Step::ERROR_CODE, |data| {
            data.code_is_empty = code.as_ref().is_some_and(|code| code.is_empty());
            write_cut_member(data.out, Field::ErrorCode, code.as_deref().unwrap_or_default());
            Ok(())
        })
    }

    /// What went wrong, for people. A text of over 256 characters is cut to 255 and an ellipsis; an empty one is left out.
    pub fn error_message<T: TextValue + ?Sized>(&mut self, message: &T) -> &mut Self {
        let message = message.text();
        self.step(Step::ERROR_MESSAGE, |data| {
            let message = message.as_deref().unwrap_or_default();
            if data.code_is_empty && !message.is_empty() {
                write_cut_member(data.out, Field::ErrorCode, UNKNOWN);
            }
            write_cut_member(data.out, Field::ErrorMessage, message);
            Ok(())
        })
    }

    /// For the derive, which has compared the keys of each object.
    #[doc(hidden)]
    pub fn __distinct_keys(&mut self) -> &mut Self {
        self.distinct_keys = true;
        self
    }

    /// The first error, if there was one.
    pub fn done(&mut self) -> Result<(), EncodeError> {
        self.error.take().map_or(Ok(()), Err)
    }

    #[cold]
    fn additional_of_context(&mut self) -> Result<(), EncodeError> {
        let part = Part::Additional;
        self.reach(part.step())?;
        let field = part.step().field();
        let object = self.object.get_or_insert_with(|| Object::new(field, self.distinct_keys));
        from_context::add(object, self.out, &self.context.additional);
        Ok(())
    }

    fn finish(mut self) -> Result<Entry, EncodeError> {
        if !self.targets.is_empty() {
            let targets = std::mem::take(&mut self.targets);
            self.additional("targets", &targets);
        }
        self.done()?;
        if !self.context.additional.is_empty() {
            self.additional_of_context()?;
        }
        self.reach(Step::END)?;
        self.out.push('}');
        check_bytes(Field::EventData, self.out.len(), Side::Sender)?;
        // `reach` has seen to it that there is one.
        let id = self.id.ok_or_else(|| EncodeError::new(EncodeFault::Order { field: Field::Uid }))?;
        self.hash.update(self.out.as_bytes().get(self.hashed..).unwrap_or_default());
        let checksum = Checksum::from_bytes(self.hash.finalize().into());
        Ok(Entry::checked(id, self.out.as_str().to_owned(), checksum, self.context.account()))
    }
}

/// The most characters of a target's id, as of a principal's.
const TARGET_ID_CHARS: usize = 1_024;

/// The code of a failure that has none.
const UNKNOWN: &str = "Unknown";

/// What a thread keeps from one event to the next.
#[derive(Debug, Default)]
struct Scratch {
    /// The buffer that events are written into. An entry gets a copy of just its size.
    buffer: String,
    prefixes: PrefixCache,
    last_time: LastTime,
}

thread_local! {
    static SCRATCH: Cell<Option<Box<Scratch>>> = const { Cell::new(None) };
}

/// A buffer that has grown beyond this is not kept for the next event.
const KEPT_BYTES: usize = 64 * 1024;

pub(crate) fn encode(
    event_type: &'static EventType,
    context: &Context,
    write: &mut dyn FnMut(&mut EventDataWriter<'_>) -> Result<(), EncodeError>,
) -> Result<Entry, EncodeError> {
    // Taken, not borrowed: an event whose Serialize encodes another event gets a scratch of its own. A thread that is about
    // to end has none to lend.
    let mut scratch = SCRATCH.try_with(Cell::take).ok().flatten().unwrap_or_default();
    let mut data = EventDataWriter::begin(event_type, context, &mut scratch);
    let entry = masking::with_key(context.hmac_key.as_ref(), || write(&mut data).and_then(|()| data.finish()))
        .map_err(|error| error.of_type(event_type));
    if scratch.buffer.capacity() > KEPT_BYTES {
        scratch.buffer = String::new();
    }
    // Lost where the thread is about to end: it is only a buffer.
    let _ = SCRATCH.try_with(|kept| kept.set(Some(scratch)));
    entry
}
