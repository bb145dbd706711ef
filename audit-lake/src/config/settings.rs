//! The model of `lake.toml`.
//!
//! `parse` reads the file and reports all mistakes at once, each with its line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

use audit_core::{AccountId, ChannelArn, EventTime, ExternalId};

use super::secret::Secret;

/// A whole configuration. [`LakeConfig::load`] reads it from a file; a program that embeds a lake may also fill it in.
///
/// ```
/// use audit_lake::LakeConfig;
///
/// let config = LakeConfig::parse(
///     r#"
///     [[account]]
///     id = "123456789012"
///     [[account.key]]
///     id = "AKIDEXAMPLE"
///     secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
///     [[channel]]
///     arn = "arn:aws:cloudtrail:eu-west-1:123456789012:channel/orders"
///     "#,
/// )?;
/// assert_eq!(config.channels[0].arn.channel_id(), "orders");
///
/// let error = LakeConfig::parse("[[acount]]\nid = 12").unwrap_err();
/// assert!(error.to_string().contains("line 1"), "{error}");
/// # Ok::<(), audit_lake::ConfigError>(())
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct LakeConfig {
    /// A region that requests may be signed for, beside those of the channels.
    pub region: Option<String>,
    /// Where to listen for requests.
    pub listen: Option<SocketAddr>,
    /// Where to serve `/healthz`, `/readyz` and `/metrics`.
    pub admin: Option<SocketAddr>,
    /// Host names, without port, for which the admin address answers, beside IP addresses and `localhost`. It refuses others, so
    /// that no web page can read it through a name that resolves to it (DNS rebinding).
    pub admin_hosts: Vec<String>,
    /// The certificate to serve with. Without it: plain HTTP.
    pub tls: Option<TlsConfig>,
    /// Whose keys may sign.
    pub accounts: Vec<AccountConfig>,
    /// Where events may go.
    pub channels: Vec<ChannelConfig>,
    /// What bounds a connection and a request.
    pub limits: LimitsConfig,
    /// How the store begins.
    pub store: StoreConfig,
    /// How long events are kept, counted from their `eventTime`. Without it: for ever.
    pub retention: Option<Duration>,
    /// How the service logs.
    pub log: LogConfig,
}

/// Certificate and key files, PEM.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TlsConfig {
    /// The certificate, followed by those that it builds on.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl TlsConfig {
    /// A certificate and its key, each a file.
    #[must_use]
    pub fn new(certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Self { certificate: certificate.into(), key: key.into() }
    }
}

/// An account and the keys of its users.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AccountConfig {
    /// Twelve digits.
    pub id: AccountId,
    /// Its access keys.
    pub keys: Vec<KeyConfig>,
    /// Whether the account may use the service at all. If not, its requests get `OptInRequired`.
    pub opted_in: bool,
    /// Requests a second; more get `ThrottlingException`. Without it: no bound.
    pub requests_per_second: Option<u32>,
    /// Events a second; more get `Throttling`, each. Without it: no bound.
    pub events_per_second: Option<u32>,
}

impl AccountConfig {
    /// An account with no key yet, opted in, at no bounded rate.
    #[must_use]
    pub fn new(id: AccountId) -> Self {
        Self { id, keys: Vec::new(), opted_in: true, requests_per_second: None, events_per_second: None }
    }
}

/// An access key.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct KeyConfig {
    /// The access key ID.
    pub id: String,
    /// The secret access key.
    pub secret: Secret,
    /// The session token that must come with a temporary key.
    pub session_token: Option<Secret>,
    /// From when on requests with it get `ExpiredTokenException`.
    pub expires: Option<EventTime>,
}

impl KeyConfig {
    /// A key without a session token that does not expire.
    #[must_use]
    pub fn new(id: impl Into<String>, secret: impl Into<Secret>) -> Self {
        Self { id: id.into(), secret: secret.into(), session_token: None, expires: None }
    }
}

/// A channel.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ChannelConfig {
    /// Its ARN, which names its region and the account that owns it.
    pub arn: ChannelArn,
    /// What every call must send as `externalId`.
    pub external_id: Option<ExternalId>,
    /// The event sources that it takes. Without it: all.
    pub sources: Option<Vec<String>>,
    /// Whether it has somewhere to store events. If not, entries get `AccountNotSubscribed`.
    pub destination: bool,
    /// Whether it takes activity events. If not, requests get `ChannelUnsupportedSchema`.
    pub activity_events: bool,
}

impl ChannelConfig {
    /// A channel that takes every source and asks for no external ID.
    #[must_use]
    pub fn new(arn: ChannelArn) -> Self {
        Self { arn, external_id: None, sources: None, destination: true, activity_events: true }
    }
}

/// What bounds a connection and a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LimitsConfig {
    /// Connections at a time; more wait until one ends.
    pub connections: usize,
    /// Bytes of request bodies held at a time, over all connections; beyond it requests get `ServiceUnavailable`.
    pub body_memory: usize,
    /// How long the headers of a request, or the handshake of a connection, may take.
    pub header_timeout: Duration,
    /// How long the body of a request may take; then it gets `RequestTimeoutException`.
    pub body_timeout: Duration,
    /// How long a connection may stay open without a request.
    pub idle_timeout: Duration,
    /// How long requests may take to finish after the service began to stop.
    pub shutdown_timeout: Duration,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            connections: 1_024,
            body_memory: 256 * 1_024 * 1_024,
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_mins(1),
            shutdown_timeout: Duration::from_secs(30),
        }
    }
}

/// How the store begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreConfig {
    /// Whether a new lake is made where there is none. If not, the start fails there: its volume may not be mounted.
    pub create: bool,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self { create: true }
    }
}

/// How the service logs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogConfig {
    /// Text or JSON.
    pub format: LogFormat,
    /// What is worth a line.
    pub level: LogLevel,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// What is worth a log line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogLevel {
    /// Failures that need an operator.
    Error,
    /// And unusual events.
    Warn,
    /// And what the service does: starts, reloads, stops, refuses.
    #[default]
    Info,
    /// And every request.
    Debug,
}

/// How many mistakes the text of a [`ConfigError`] shows.
const SHOWN_MISTAKES: usize = 100;

/// Why a configuration cannot be used: its file cannot be read, which is the error's source, or it has mistakes. Its text shows
/// the first hundred.
#[derive(Clone, Debug)]
pub struct ConfigError {
    pub(crate) file: Option<PathBuf>,
    pub(crate) mistakes: Vec<Mistake>,
    pub(crate) unreadable: Option<Arc<io::Error>>,
}

/// One mistake: its place, what is wrong, and what is right.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mistake {
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    /// What is wrong, without any secret.
    pub message: String,
}

impl ConfigError {
    /// All mistakes, in the order of their lines; none if the file cannot be read.
    #[must_use]
    pub fn mistakes(&self) -> &[Mistake] {
        &self.mistakes
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.mistakes.len();
        if self.unreadable.is_none() {
            write!(f, "{count} {} in ", if count == 1 { "mistake" } else { "mistakes" })?;
        }
        match &self.file {
            Some(file) => write!(f, "{}", file.display())?,
            None => f.write_str("the configuration")?,
        }
        if self.unreadable.is_some() {
            f.write_str(" cannot be read")?;
        }
        for mistake in self.mistakes.iter().take(SHOWN_MISTAKES) {
            write!(f, "\n  line {}, column {}: {}", mistake.line, mistake.column, mistake.message)?;
        }
        if count > SHOWN_MISTAKES { write!(f, "\n  and {} more", count - SHOWN_MISTAKES) } else { Ok(()) }
    }
}

impl std::error::Error for ConfigError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        let error: &(dyn std::error::Error + 'static) = &**self.unreadable.as_ref()?;
        Some(error)
    }
}
