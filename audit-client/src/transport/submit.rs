//! The seam between the delivery loop and the outside: [`Transport`], what it is given and what it answers.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use audit_core::wire::PutAuditEventsResponse;
use audit_core::{Batch, ChannelArn, ExternalId};
use audit_spool::Outcome;

pub(crate) const DEFAULT_ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);
pub(crate) const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Our own code for a request that could not be signed because there are no credentials.
pub(crate) const NO_CREDENTIALS: &str = "CredentialsNotLoaded";
/// Our own code for a request that cannot be made from the configuration, such as one to an address that is none.
pub(crate) const NOT_SENDABLE: &str = "RequestNotSendable";
/// Our own code for a service whose certificate this machine does not trust.
pub(crate) const NOT_TRUSTED: &str = "CertificateNotTrusted";

/// A transport that cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// The endpoint is no URL.
    #[error("endpoint_url is `{0}`; it must be a URL such as https://cloudtrail-data.eu-west-1.amazonaws.com")]
    EndpointUrl(String),
    /// The SDK cannot be set up. It panics then, and says on standard error why.
    #[error(
        "the AWS SDK cannot be set up; most often this machine has no root certificates: install them (Debian's package \
         ca-certificates), or name a file of them in SSL_CERT_FILE"
    )]
    Sdk,
    /// There is no root certificate, and the endpoint needs one.
    #[error(
        "this machine has no root certificates: install them (Debian's package ca-certificates), or name a file of them in \
         SSL_CERT_FILE"
    )]
    NoRootCertificates,
    /// TLS cannot be set up.
    #[error("TLS cannot be set up")]
    Tls(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// One request: a batch, and the channel that it is for.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Submission<'a> {
    /// The channel.
    pub channel: &'a ChannelArn,
    /// What every call to the channel must name, if its policy asks for it.
    pub external_id: Option<&'a ExternalId>,
    /// 1 to 100 entries that fit one request, no two with the same id.
    pub batch: &'a Batch,
}

impl<'a> Submission<'a> {
    /// For tests of a transport.
    pub fn new(channel: &'a ChannelArn, external_id: Option<&'a ExternalId>, batch: &'a Batch) -> Self {
        Self { channel, external_id, batch }
    }
}

/// The answer that a [`Transport`] owes, in time.
pub type Submitting<'a> = Pin<Box<dyn Future<Output = Result<PutAuditEventsResponse, Failure>> + Send + 'a>>;

/// Carries one batch to its destination and returns the answer: no more. It does not retry, does not split, does
/// not judge: the delivery loop does all that, by the status and the code that the transport reports.
///
/// The future is dropped when the attempt's time is over or the client shuts down.
///
/// ```
/// use audit_client::wire::{PutAuditEventsResponse, SuccessfulEntry};
/// use audit_client::{Submission, Submitting, Transport};
///
/// /// Takes everything and keeps nothing.
/// struct Sink;
///
/// impl Transport for Sink {
///     fn submit<'a>(&'a self, submission: Submission<'a>) -> Submitting<'a> {
///         Box::pin(async move {
///             let taken = submission.batch.entries().iter();
///             let taken = taken.map(|entry| SuccessfulEntry::new(entry.id().as_str(), format!("stored-{}", entry.id())));
///             Ok(PutAuditEventsResponse::new(taken.collect(), Vec::new()))
///         })
///     }
/// }
/// ```
pub trait Transport: Send + Sync + 'static {
    /// Sends one request and waits for its answer. It runs on the client's own thread, on a current-thread tokio
    /// runtime with I/O and time, and must not block it.
    fn submit<'a>(&'a self, submission: Submission<'a>) -> Submitting<'a>;

    /// The service refused the credentials as expired or unknown: whatever is cached of them must be fetched anew
    /// before the next [`submit`](Self::submit).
    fn renew_credentials(&self) {}
}

/// A request that got no answer for its entries. What follows from it depends on the code, and where there is none on
/// the status; without either, it is a request that got no answer at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// The HTTP status, if there was one.
    pub status: Option<u16>,
    /// The service's error code, such as `ThrottlingException`.
    pub code: Option<String>,
    /// What happened, in words; without secrets and without event data.
    pub message: String,
    /// How long the service asks to wait.
    pub retry_after: Option<Duration>,
    /// Whether the request certainly never reached the service, since there was no connection, or nothing to sign it with. Its
    /// events are then not in doubt.
    pub never_sent: bool,
}

impl Failure {
    /// A request that got no answer: not connected, cut off, timed out, unreadable.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }

    /// With the HTTP status.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// With the service's error code.
    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// With the time that the service asks to wait.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// For a request that certainly never reached the service.
    #[must_use]
    pub fn never_sent(mut self) -> Self {
        self.never_sent = true;
        self
    }

    /// The code, or the status, or that there was no answer: for logs and histories.
    pub(crate) fn outcome(&self) -> Outcome {
        match (&self.code, self.status) {
            (Some(code), _) => Outcome::from(crate::text::cut(code).as_str()),
            (None, Some(status)) => Outcome::Status(status),
            (None, None) => Outcome::NoAnswer,
        }
    }
}
