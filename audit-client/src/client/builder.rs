//! The making of a client.

use std::fmt;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use audit_core::limits::{Side, is_hmac_key_id};
use audit_core::{AccountId, ChannelArn, Context, EventCatalog, EventType, ExternalId, UserIdentity};
#[cfg(feature = "aws")]
use aws_config::SdkConfig;
#[cfg(feature = "aws")]
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use tokio::sync::Notify;

use super::error::BuildError;
use super::thread;
use super::{AuditClient, WaitForRoom};
use crate::blocking::block_on;
use crate::delivery::handover::{Callback, Handover};
use crate::delivery::pace::Waits;
use crate::delivery::state::{DeliveryLoop, Policy, Shared};
use crate::ledger::Ledger;
use crate::observe::Observed;
use crate::observe::tap::Tap;
use crate::queue::capacity::Capacity;
use crate::queue::{Intake, MemoryQueue, Queue};
use crate::spool::{DeadLetter, Spool, SpoolOptions, WhenFull};
use crate::text::cut;
#[cfg(feature = "aws")]
use crate::transport::aws::{AwsSettings, AwsTransport};
#[cfg(feature = "http")]
use crate::transport::http::{HttpConfig, HttpTransport};
#[cfg(any(feature = "aws", feature = "http"))]
use crate::transport::keys::{Keys, Secret};
use crate::transport::submit::{DEFAULT_ATTEMPT_TIMEOUT, DEFAULT_CONNECT_TIMEOUT, Transport, TransportError};

/// The shortest capacity in bytes: what one request may carry.
const LEAST_CAPACITY_BYTES: usize = Side::Sender.request_bytes();
const DEFAULT_CAPACITY_ENTRIES: usize = 50_000;
const DEFAULT_CAPACITY_BYTES: usize = 32 << 20;
/// How much of a spool is in memory at a time.
const SPOOL_WINDOW_ENTRIES: usize = 4_000;
const SPOOL_WINDOW_BYTES: usize = 8 << 20;
const DEFAULT_REPORT_IDS_BYTES: usize = 8 << 20;
const DEFAULT_LINGER: Duration = Duration::from_millis(200);
const DEFAULT_GIVE_UP_IN_MEMORY: Duration = Duration::from_hours(1);
const DEFAULT_MAX_CONCURRENCY: u16 = 8;
/// Longer times count as this: sums of them must stay within what a clock can show.
const LONGEST: Duration = Duration::from_hours(24 * 365);

/// Settings of a client to be; from [`AuditClient::builder`].
///
/// Only the channel has no default. Credentials and endpoint come from AWS's usual chain and variables
/// (`AWS_ACCESS_KEY_ID`, `AWS_PROFILE`, `AWS_ENDPOINT_URL_CLOUDTRAIL_DATA` and so on); with the feature `http` and without `aws`, from
/// the variables alone. The region is always the one in the channel's ARN.
#[must_use = "a builder does nothing until `build`"]
pub struct ClientBuilder {
    channel_arn: Option<String>,
    external_id: Option<String>,
    spool: Option<PathBuf>,
    spool_options: SpoolOptions,
    capacity_entries: usize,
    capacity_bytes: usize,
    report_ids_bytes: usize,
    when_full: Option<WhenFull>,
    emit_timeout: Option<Duration>,
    linger: Duration,
    give_up_after: GiveUp,
    attempt_timeout: Duration,
    connect_timeout: Duration,
    max_concurrency: u16,
    waits: Waits,
    shutdown_keeps_trying: bool,
    region: Option<String>,
    endpoint_url: Option<String>,
    #[cfg(any(feature = "aws", feature = "http"))]
    keys: Option<Keys>,
    #[cfg(feature = "http")]
    over_http: bool,
    #[cfg(feature = "aws")]
    credentials: Option<SharedCredentialsProvider>,
    #[cfg(feature = "aws")]
    sdk_config: Option<SdkConfig>,
    context: Context,
    has_wrong_hmac_key_id: bool,
    required: Vec<&'static [EventType]>,
    transport: Option<Arc<dyn Transport>>,
    on_dead_letter: Option<Callback>,
    tap: Option<Tap>,
    seed: Option<u64>,
}

/// When to give up.
#[derive(Clone, Copy, Debug)]
enum GiveUp {
    ByDefault,
    Never,
    After(Duration),
}

impl Default for ClientBuilder {
    fn default() -> Self {
        Self {
            channel_arn: None,
            external_id: None,
            spool: None,
            spool_options: SpoolOptions::new(),
            capacity_entries: DEFAULT_CAPACITY_ENTRIES,
            capacity_bytes: DEFAULT_CAPACITY_BYTES,
            report_ids_bytes: DEFAULT_REPORT_IDS_BYTES,
            when_full: None,
            emit_timeout: None,
            linger: DEFAULT_LINGER,
            give_up_after: GiveUp::ByDefault,
            attempt_timeout: DEFAULT_ATTEMPT_TIMEOUT,
            connect_timeout: DEFAULT_CONNECT_TIMEOUT,
            max_concurrency: DEFAULT_MAX_CONCURRENCY,
            waits: Waits::default(),
            shutdown_keeps_trying: false,
            region: None,
            endpoint_url: None,
            #[cfg(any(feature = "aws", feature = "http"))]
            keys: None,
            #[cfg(feature = "http")]
            over_http: cfg!(not(feature = "aws")),
            #[cfg(feature = "aws")]
            credentials: None,
            #[cfg(feature = "aws")]
            sdk_config: None,
            // The account comes with the channel.
            context: Context::new(AccountId::from_static("000000000000")),
            has_wrong_hmac_key_id: false,
            required: Vec::new(),
            transport: None,
            on_dead_letter: None,
            tap: None,
            seed: None,
        }
    }
}

impl AuditClient {
    /// Starts the making of a client.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }
}

impl ClientBuilder {
    /// The channel's full ARN, `arn:<partition>:cloudtrail:<region>:<account>:channel/<id>`. Checked by
    /// [`build`](Self::build).
    pub fn channel_arn(mut self, arn: impl Into<String>) -> Self {
        self.channel_arn = Some(arn.into());
        self
    }

    /// What the channel's policy asks every call to name, if it does: 2 to 1,224 characters.
    pub fn external_id(mut self, external_id: impl Into<String>) -> Self {
        self.external_id = Some(external_id.into());
        self
    }

    /// The directory of the spool. With it, an event is on disk and synced when `emit` returns; without it, events are in
    /// memory, and what has no verdict when the process ends is lost.
    ///
    /// Several processes that send to the same channel may name the same directory: each takes a slot of it, and takes over
    /// what is left in slots that no process uses. A name in [`spool_options`](Self::spool_options) is for one process alone.
    pub fn spool(mut self, directory: impl Into<PathBuf>) -> Self {
        self.spool = Some(directory.into());
        self
    }

    /// How the spool is kept: its name, its size, what happens when it is full, encryption.
    pub fn spool_options(mut self, options: SpoolOptions) -> Self {
        self.spool_options = options;
        self
    }

    /// How many events may be in memory without a verdict: at least 1, by default 50,000. Beyond it, `emit` waits.
    pub fn capacity_entries(mut self, entries: usize) -> Self {
        self.capacity_entries = entries;
        self
    }

    /// How many bytes events may take in memory, 512 for each added: at least 1,000,000, by default 32 MiB. Beyond it,
    /// `emit` waits.
    pub fn capacity_bytes(mut self, bytes: usize) -> Self {
        self.capacity_bytes = bytes;
        self
    }

    /// What `emit` does when there is no room: it waits, or is refused and gives the entry back. By default it waits. With a spool,
    /// this is the same as [`SpoolOptions::when_full`].
    pub fn when_full(mut self, policy: WhenFull) -> Self {
        self.when_full = Some(policy);
        self
    }

    /// How long `emit` waits for room: then it is refused and gives the entry back. By default it waits as long as it takes. This is
    /// for a client in memory; with a spool, `build` refuses it, since an event that waits may be on its way to the disk.
    pub fn emit_timeout(mut self, limit: Duration) -> Self {
        self.emit_timeout = Some(limit.min(LONGEST));
        self
    }

    /// How many bytes the ids of delivered and of dead events may take for the report, each: by default 8 MiB, which is half a
    /// million UUIDs. Beyond it, the oldest are forgotten, and counted: [`Ids::forgotten`](crate::Ids::forgotten).
    pub fn report_ids_bytes(mut self, bytes: usize) -> Self {
        self.report_ids_bytes = bytes;
        self
    }

    /// How long an event waits for others to share its request: by default 200 ms. It ends early when the request is full,
    /// on flush and on shutdown.
    pub fn linger(mut self, linger: Duration) -> Self {
        self.linger = linger.min(LONGEST);
        self
    }

    /// How long delivery of an event is tried before it becomes a dead letter. By default an hour in memory, and for ever
    /// with a spool; `None` is for ever.
    pub fn give_up_after(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.give_up_after = limit.into().map_or(GiveUp::Never, GiveUp::After);
        self
    }

    /// How long one request may take: by default 10 s.
    pub fn attempt_timeout(mut self, limit: Duration) -> Self {
        self.attempt_timeout = limit.min(LONGEST);
        self
    }

    /// How long connecting may take: by default 3 s.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit.min(LONGEST);
        self
    }

    /// How many requests may be on their way at once: 1 to 1,000, by default 8.
    pub fn max_concurrency(mut self, requests: u16) -> Self {
        self.max_concurrency = requests;
        self
    }

    /// The waits after failures that pass: a random part of `first`, by default 100 ms, which doubles with each further
    /// failure up to `longest`, by default 20 s.
    pub fn backoff(mut self, first: Duration, longest: Duration) -> Self {
        (self.waits.backoff_first, self.waits.backoff_longest) = (first.min(LONGEST), longest.min(LONGEST));
        self
    }

    /// The waits while delivery is paused until an operator repairs the cause: `first`, by default 5 s, which doubles up to
    /// `longest`, by default 60 s.
    pub fn probe(mut self, first: Duration, longest: Duration) -> Self {
        (self.waits.probe_first, self.waits.probe_longest) = (first.min(LONGEST), longest.min(LONGEST));
        self
    }

    /// With a spool: whether a shutdown tries until its deadline while the channel fails. By default it does not: what is on disk is
    /// kept, and the next start delivers it. The channel fails when delivery is paused, when three requests in a row or those of
    /// a second have failed, or when it asks for a wait beyond the deadline; a shutdown tries once more in any case.
    pub fn shutdown_keeps_trying(mut self, keeps_trying: bool) -> Self {
        self.shutdown_keeps_trying = keeps_trying;
        self
    }

    /// The region, where something else has to name it: it must be the channel's own.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// Where the service is, if not at AWS: `http://127.0.0.1:8787`.
    pub fn endpoint_url(mut self, url: impl Into<String>) -> Self {
        self.endpoint_url = Some(url.into());
        self
    }

    /// Whom to sign as: the key of a lake, or one that does not expire. It takes the place of what AWS's usual chain and the
    /// environment say.
    ///
    /// ```no_run
    /// # async fn f() -> Result<(), audit_client::BuildError> {
    /// let client = audit_client::AuditClient::builder()
    ///     .channel_arn("arn:aws:cloudtrail:eu-west-1:123456789012:channel/EXAMPLE8-0558-4f7e-a06a-43969EXAMPLE")
    ///     .endpoint_url("http://127.0.0.1:8787")
    ///     .access_key("AKIDEXAMPLE", std::fs::read_to_string("/etc/shop/lake.key").unwrap_or_default().trim())
    ///     .build()
    ///     .await?;
    /// # Ok(()) }
    /// ```
    #[cfg(any(feature = "aws", feature = "http"))]
    pub fn access_key(mut self, id: impl Into<String>, secret: impl Into<String>) -> Self {
        self.keys = Some(Keys { id: id.into(), secret: Secret(secret.into()), session_token: None });
        #[cfg(feature = "aws")]
        {
            self.credentials = None;
        }
        self
    }

    /// Sends by [`HttpTransport`], also where the feature `aws` is on, because another crate needs it. Give it an
    /// [`access_key`](Self::access_key), or the environment has one: `credentials` and `sdk_config` are for the SDK, and an error here.
    #[cfg(feature = "http")]
    pub fn over_http(mut self) -> Self {
        self.over_http = true;
        self
    }

    /// Whom to sign as, if not as AWS's usual chain says. Of this and [`access_key`](Self::access_key), the last one counts.
    #[cfg(feature = "aws")]
    pub fn credentials(mut self, credentials: impl ProvideCredentials + 'static) -> Self {
        self.credentials = Some(SharedCredentialsProvider::new(credentials));
        self.keys = None;
        self
    }

    /// Takes endpoint, credentials and HTTP client of a configuration that the application has made. Its region, timeouts
    /// and retries are not taken.
    #[cfg(feature = "aws")]
    pub fn sdk_config(mut self, config: &SdkConfig) -> Self {
        self.sdk_config = Some(config.clone());
        self
    }

    /// The key for `hmac` fields, and its id: see [`Context::hmac_key`].
    pub fn hmac_key(mut self, id: &str, key: impl AsRef<[u8]>) -> Self {
        self.has_wrong_hmac_key_id = !is_hmac_key_id(id);
        self.context = self.context.hmac_key(id, key);
        self
    }

    /// Checks at [`build`](Self::build) that events of this type can be encoded: that there is a key if they have `hmac` fields.
    /// Without this, the first such event says so, after the change that it records. Call it for each event type of the program.
    ///
    /// The check knows what the type's catalog knows: fields of the event, and those inside of values that are marked `nested`.
    ///
    /// ```
    /// use audit_client::testing::CHANNEL_ARN;
    /// use audit_client::{AuditClient, AuditEvent, EventId};
    ///
    /// #[derive(AuditEvent)]
    /// #[audit(source = "orders.example.com")]
    /// struct RefundIssued<'a> {
    ///     #[audit(id)]
    ///     event: EventId,
    ///     #[audit(hmac)]
    ///     iban: &'a str,
    /// }
    ///
    /// let built = AuditClient::builder().channel_arn(CHANNEL_ARN).requires::<RefundIssued>().build_blocking();
    /// assert_eq!(
    ///     built.unwrap_err().to_string(),
    ///     "event RefundIssued of orders.example.com: `requestParameters.iban` is an hmac field, and there is no key; \
    ///      give one with `.hmac_key(id, key)`, or to audit-client in AUDIT_HMAC_KEY=<id>:<key>"
    /// );
    /// ```
    pub fn requires<E: EventCatalog + ?Sized>(mut self) -> Self {
        self.required.push(E::EVENT_TYPES);
        self
    }

    /// The user agent of events that do not name theirs.
    pub fn user_agent(mut self, user_agent: &str) -> Self {
        self.context = self.context.user_agent(user_agent);
        self
    }

    /// Who acts where neither the event nor [`acting_as`](AuditClient::acting_as) says so.
    pub fn identity(mut self, identity: &dyn UserIdentity) -> Self {
        self.context = self.context.identity(identity);
        self
    }

    /// Sends elsewhere than through the AWS SDK.
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// Is called with every dead letter, on a thread of its own; it may block, and may emit. What waits for it counts against
    /// the capacity.
    pub fn on_dead_letter(mut self, callback: impl FnMut(DeadLetter) + Send + 'static) -> Self {
        self.on_dead_letter = Some(Box::new(callback));
        self
    }

    pub(crate) fn tap(mut self, tap: Tap) -> Self {
        self.tap = Some(tap);
        self.spool = None;
        self
    }

    /// Repeatable jitter, for tests.
    #[cfg(test)]
    pub(crate) fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Checks the settings and starts the client's thread. No request is made: whether the channel can be reached shows
    /// with the first event.
    pub async fn build(self) -> Result<AuditClient, BuildError> {
        let plan = self.plan()?;
        let (context, tap, room) = (plan.context.clone(), plan.tap.clone(), plan.room);
        match thread::start(move || plan.assemble()).await {
            Ok(Ok((shared, timers))) => Ok(AuditClient::new(shared, context, Some(timers), tap, room)),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(BuildError::Thread(std::io::Error::other("it ended before it was ready"))),
        }
    }

    /// As [`build`](Self::build), for threads without a runtime.
    pub fn build_blocking(self) -> Result<AuditClient, BuildError> {
        block_on(self.build())
    }

    /// On the current runtime instead of a thread: time can be paused there.
    #[cfg(test)]
    pub(crate) async fn build_here(self) -> Result<AuditClient, BuildError> {
        let plan = self.plan()?;
        let (context, tap, room) = (plan.context.clone(), plan.tap.clone(), plan.room);
        let (shared, delivery) = Box::pin(plan.assemble()).await?;
        tokio::spawn(delivery.run());
        Ok(AuditClient::new(shared, context, Some(tokio::runtime::Handle::current()), tap, room))
    }

    /// What the transport is made by: taken out of these settings.
    #[cfg_attr(
        not(any(feature = "aws", feature = "http")),
        expect(unused_variables, reason = "there is only a given transport")
    )]
    fn connect(&mut self, channel: &ChannelArn) -> Result<Connect, BuildError> {
        if let Some(transport) = self.transport.take() {
            return Ok(Box::new(|| Box::pin(std::future::ready(Ok(transport)))));
        }
        #[cfg(any(feature = "aws", feature = "http"))]
        if let Some(Keys { id, secret, .. }) = &self.keys
            && (id.is_empty() || secret.0.is_empty())
        {
            let reason = "its id and its secret must not be empty".to_owned();
            return Err(BuildError::Value { key: "access_key", reason });
        }
        #[cfg(feature = "http")]
        if self.over_http {
            #[cfg(feature = "aws")]
            if self.credentials.is_some() || self.sdk_config.is_some() {
                let reason =
                    "`credentials` and `sdk_config` are for the SDK; give an `access_key`, or one in the environment";
                return Err(BuildError::Value { key: "over_http", reason: reason.to_owned() });
            }
            let config = HttpConfig {
                endpoint_url: self.endpoint_url.take(),
                keys: self.keys.take(),
                connect_timeout: Some(self.connect_timeout),
            };
            let channel = channel.clone();
            // It reads root certificates: not on the caller's thread.
            let make = move || HttpTransport::for_channel(&channel, config).map(|transport| Arc::new(transport) as _);
            return Ok(Box::new(|| Box::pin(std::future::ready(make()))));
        }
        #[cfg(feature = "aws")]
        {
            let settings = AwsSettings {
                region: channel.region().to_owned(),
                endpoint_url: self.endpoint_url.take(),
                credentials: self.keys.take().map(Into::into).or_else(|| self.credentials.take()),
                sdk_config: self.sdk_config.take(),
                attempt_timeout: self.attempt_timeout,
                connect_timeout: self.connect_timeout,
            };
            Ok(Box::new(|| Box::pin(async { Ok(Arc::new(AwsTransport::connect(settings).await?) as _) })))
        }
        #[cfg(not(feature = "aws"))]
        Err(BuildError::NoTransport)
    }

    fn plan(mut self) -> Result<Plan, BuildError> {
        let channel = self.channel_arn.take().filter(|arn| !arn.is_empty()).ok_or(BuildError::NoChannel)?;
        let channel =
            ChannelArn::try_from(channel).map_err(|source| BuildError::Name { key: "channel_arn", source })?;
        let external_id = self
            .external_id
            .take()
            .map(ExternalId::try_from)
            .transpose()
            .map_err(|source| BuildError::Name { key: "external_id", source })?;
        if let Some(region) = self.region.take()
            && region != channel.region()
        {
            return Err(BuildError::Region { region: cut(&region), of_channel: channel.region().to_owned() });
        }
        let wrong = |key, reason: String| Err(BuildError::Value { key, reason });
        if self.has_wrong_hmac_key_id {
            // What stands in the id's place may be the key: it is not shown.
            let reason =
                "its id must be 1 to 16 of [-_A-Za-z0-9]; give it as hmac_key(id, key), or AUDIT_HMAC_KEY=<id>:<key>";
            return wrong("hmac_key", reason.to_owned());
        }
        for event_type in self.required.iter().copied().flatten() {
            self.context.check_event_type(event_type).map_err(BuildError::EventType)?;
        }
        if self.capacity_entries == 0 {
            return wrong("capacity_entries", "is 0; it must be at least 1".to_owned());
        }
        if self.capacity_bytes < LEAST_CAPACITY_BYTES {
            let reason = format!("is {}; it must be at least {LEAST_CAPACITY_BYTES}", self.capacity_bytes);
            return wrong("capacity_bytes", reason);
        }
        if self.max_concurrency == 0 || self.max_concurrency > 1_000 {
            return wrong("max_concurrency", format!("is {}; it must be from 1 to 1000", self.max_concurrency));
        }
        for (key, limit) in [("attempt_timeout", self.attempt_timeout), ("connect_timeout", self.connect_timeout)] {
            if limit.is_zero() {
                return wrong(key, "is 0; it must be a positive time".to_owned());
            }
        }
        if self.emit_timeout.is_some() && self.spool.is_some() {
            let reason = "is for a client in memory; with a spool, use `when_full` with `WhenFull::Reject`";
            return wrong("emit_timeout", reason.to_owned());
        }
        let room = match (self.when_full, self.emit_timeout) {
            (Some(WhenFull::Reject), _) => WaitForRoom::Never,
            (_, Some(limit)) => WaitForRoom::AtMost(limit),
            (_, None) => WaitForRoom::Unlimited,
        };
        let connect = self.connect(&channel)?;
        let spool_options = match self.when_full {
            Some(policy) => self.spool_options.when_full(policy),
            None => self.spool_options,
        };
        let policy = Policy {
            linger: self.linger,
            attempt_timeout: self.attempt_timeout,
            give_up_after: match self.give_up_after {
                GiveUp::After(limit) => Some(limit),
                GiveUp::ByDefault if self.spool.is_none() => Some(DEFAULT_GIVE_UP_IN_MEMORY),
                GiveUp::ByDefault | GiveUp::Never => None,
            },
            most_concurrent: self.max_concurrency,
            waits: self.waits,
            shutdown_keeps_trying: self.shutdown_keeps_trying,
            seed: self.seed,
        };
        Ok(Plan {
            context: self.context.for_account(channel.account()),
            channel,
            external_id,
            spool: self.spool.map(|directory| (directory, spool_options)),
            capacity_entries: self.capacity_entries,
            capacity_bytes: self.capacity_bytes,
            report_ids_bytes: self.report_ids_bytes,
            on_dead_letter: self.on_dead_letter,
            policy,
            connect,
            tap: self.tap,
            room,
        })
    }
}

/// Settings that have been checked.
struct Plan {
    context: Context,
    channel: ChannelArn,
    external_id: Option<ExternalId>,
    spool: Option<(PathBuf, SpoolOptions)>,
    capacity_entries: usize,
    capacity_bytes: usize,
    report_ids_bytes: usize,
    on_dead_letter: Option<Callback>,
    policy: Policy,
    connect: Connect,
    tap: Option<Tap>,
    room: WaitForRoom,
}

/// Makes the transport, on the pipeline's thread.
type Connect = Box<dyn FnOnce() -> Connecting + Send>;
type Connecting = Pin<Box<dyn Future<Output = Result<Arc<dyn Transport>, TransportError>>>>;

impl Plan {
    /// On the pipeline's thread: opens the spool, makes the transport.
    async fn assemble(self) -> Result<(Arc<Shared>, DeliveryLoop), BuildError> {
        let transport = (self.connect)().await?;
        let (mut entries, mut bytes) = (self.capacity_entries, self.capacity_bytes);
        let (queue, intake, ledger) = match self.spool {
            None => (Queue::Memory(MemoryQueue::default()), Intake::memory(), Ledger::in_memory(self.report_ids_bytes)),
            Some((directory, options)) => {
                let (spool, reader) = Spool::open_slot(directory, options)?;
                (entries, bytes) = (entries.min(SPOOL_WINDOW_ENTRIES), bytes.min(SPOOL_WINDOW_BYTES));
                let ledger = Ledger::with_spool(spool.clone(), self.report_ids_bytes);
                (Queue::Spool(spool), Intake::Spool(Box::new(reader)), ledger)
            }
        };
        let shared = Arc::new(Shared {
            channel: self.channel,
            external_id: self.external_id,
            ledger,
            queue,
            capacity: Capacity::new(entries, bytes),
            handover: Handover::new(self.on_dead_letter).map_err(BuildError::Thread)?,
            observed: Observed::default(),
            wake: Notify::new(),
        });
        Ok((shared.clone(), DeliveryLoop::new(shared, intake, transport, self.policy)))
    }
}

/// Shows no credentials and no key.
impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("channel_arn", &self.channel_arn)
            .field("external_id", &self.external_id)
            .field("spool", &self.spool)
            .field("capacity_entries", &self.capacity_entries)
            .field("capacity_bytes", &self.capacity_bytes)
            .field("linger", &self.linger)
            .field("give_up_after", &self.give_up_after)
            .field("max_concurrency", &self.max_concurrency)
            .field("endpoint_url", &self.endpoint_url)
            .field("context", &self.context)
            .finish_non_exhaustive()
    }
}
