//! The official SDK as a transport: signs, sends, reads the answer. Its retries are off.

mod connection;
mod credentials;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use audit_core::ChannelArn;
use audit_core::wire::{FailedEntry, PutAuditEventsResponse, SuccessfulEntry};
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_cloudtraildata::Client;
use aws_sdk_cloudtraildata::config::retry::RetryConfig;
use aws_sdk_cloudtraildata::config::timeout::TimeoutConfig;
use aws_sdk_cloudtraildata::config::{Builder, IdentityCache, StalledStreamProtectionConfig};
use aws_sdk_cloudtraildata::error::ProvideErrorMetadata;
use aws_sdk_cloudtraildata::operation::put_audit_events::{PutAuditEventsError, PutAuditEventsOutput};
use aws_sdk_cloudtraildata::types::AuditEvent;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;

use self::connection::LastConnection;
use self::credentials::{Handle, RenewableCredentials, Source};
use super::endpoint::check_url;
use super::failure::{CloseUnlessAnswered, chain, code_without_answer, innermost_first, retry_after};
use super::keys::Keys;
use super::submit::{
    DEFAULT_ATTEMPT_TIMEOUT, DEFAULT_CONNECT_TIMEOUT, Failure, NO_CREDENTIALS, Submission, Submitting, Transport,
    TransportError,
};

/// The version of the SDK's behaviour that this crate was tested with.
fn behavior_version() -> BehaviorVersion {
    BehaviorVersion::v2026_01_12()
}

/// What the transport is made of.
#[derive(Debug)]
pub(crate) struct AwsSettings {
    pub(crate) region: String,
    pub(crate) endpoint_url: Option<String>,
    pub(crate) credentials: Option<SharedCredentialsProvider>,
    pub(crate) sdk_config: Option<SdkConfig>,
    pub(crate) attempt_timeout: Duration,
    pub(crate) connect_timeout: Duration,
}

/// `PutAuditEvents` through `aws-sdk-cloudtraildata`: what a client uses that is given no other transport.
///
/// Make one to wrap it in a [`Transport`] of your own, which sees every request and every answer.
#[derive(Debug)]
pub struct AwsTransport {
    client: Client,
    credentials: Arc<RenewableCredentials>,
}

impl AwsTransport {
    /// With the SDK's own configuration, but for the region, which is the channel's, and for retries, which are the delivery
    /// loop's. An attempt may take 10 seconds and connecting 3, unless the configuration says otherwise; the client's own
    /// [`attempt_timeout`](crate::ClientBuilder::attempt_timeout) holds as well.
    ///
    /// ```no_run
    /// # async fn f(channel: audit_client::ChannelArn, config: audit_client::SdkConfig) -> Result<(), Box<dyn std::error::Error>> {
    /// use audit_client::{AuditClient, AwsTransport, Submission, Submitting, Transport};
    ///
    /// struct Traced(AwsTransport);
    ///
    /// impl Transport for Traced {
    ///     fn submit<'a>(&'a self, submission: Submission<'a>) -> Submitting<'a> {
    ///         tracing::info!(entries = submission.batch.len(), "to CloudTrail");
    ///         self.0.submit(submission)
    ///     }
    ///
    ///     fn renew_credentials(&self) {
    ///         self.0.renew_credentials();
    ///     }
    /// }
    ///
    /// let transport = Traced(AwsTransport::for_channel(&channel, config).await?);
    /// let client = AuditClient::builder().channel_arn(channel.as_str()).transport(transport).build().await?;
    /// # Ok(()) }
    /// ```
    pub async fn for_channel(channel: &ChannelArn, config: SdkConfig) -> Result<Self, TransportError> {
        let timeouts = config.timeout_config();
        let attempt_timeout = timeouts.and_then(TimeoutConfig::operation_attempt_timeout);
        let connect_timeout = timeouts.and_then(TimeoutConfig::connect_timeout);
        Self::connect(AwsSettings {
            region: channel.region().to_owned(),
            endpoint_url: None,
            credentials: None,
            attempt_timeout: attempt_timeout.unwrap_or(DEFAULT_ATTEMPT_TIMEOUT),
            connect_timeout: connect_timeout.unwrap_or(DEFAULT_CONNECT_TIMEOUT),
            sdk_config: Some(config),
        })
        .await
    }

    pub(crate) async fn connect(settings: AwsSettings) -> Result<Self, TransportError> {
        let AwsSettings { region, endpoint_url, credentials, sdk_config, attempt_timeout, connect_timeout } = settings;
        let region = Region::new(region);
        let given = credentials.or_else(|| sdk_config.as_ref().and_then(SdkConfig::credentials_provider));
        let source = given.map_or_else(|| Source::Chain { region: region.clone() }, Source::Given);
        let credentials = Arc::new(RenewableCredentials::new(source));
        let handle = Handle(credentials.clone());
        // With region and credentials settled, this looks at the environment and the profile for the rest (endpoint,
        // FIPS, dual stack) and sends no request.
        let shared = match sdk_config {
            Some(config) => config,
            None => {
                aws_config::defaults(behavior_version())
                    .region(region.clone())
                    .credentials_provider(handle.clone())
                    .load()
                    .await
            }
        };
        let mut config = Builder::from(&shared)
            .behavior_version(behavior_version())
            .region(region)
            .credentials_provider(handle)
            // Ours is the cache: the SDK's cannot be told to forget.
            .identity_cache(IdentityCache::no_cache())
            .retry_config(RetryConfig::disabled())
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(connect_timeout)
                    .operation_attempt_timeout(attempt_timeout)
                    .operation_timeout(attempt_timeout)
                    .build(),
            )
            // The attempt's timeout bounds what this would.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        if let Some(url) = endpoint_url {
            check_url(&url)?;
            config = config.endpoint_url(url);
        }
        // Built for debugging, the SDK panics where it finds no root certificates, even if the endpoint needs none.
        let client = catch_unwind(AssertUnwindSafe(|| Client::from_conf(config.build())));
        Ok(Self { client: client.map_err(|_| TransportError::Sdk)?, credentials })
    }

    async fn put(&self, submission: Submission<'_>) -> Result<PutAuditEventsResponse, Failure> {
        let mut events = Vec::with_capacity(submission.batch.len());
        for entry in submission.batch.entries() {
            let event = AuditEvent::builder()
                .id(entry.id().as_str())
                .event_data(entry.event_data())
                .event_data_checksum(entry.checksum().to_string())
                .build()
                .map_err(|error| Failure::new(error.to_string()))?;
            events.push(event);
        }
        let connection = LastConnection::default();
        let used = connection.clone();
        let close_if_silent = CloseUnlessAnswered::new(move || used.close());
        let answer = self
            .client
            .put_audit_events()
            .channel_arn(submission.channel.as_str())
            .set_external_id(submission.external_id.map(ToString::to_string))
            .set_audit_events(Some(events))
            .customize()
            .interceptor(connection.clone())
            .send()
            .await;
        if answer.as_ref().map_or_else(|error| error.raw_response().is_some(), |_| true) {
            close_if_silent.answered();
        }
        answer.map(read).map_err(|error| classify(&error, connection.is_known()))
    }
}

impl Transport for AwsTransport {
    fn submit<'a>(&'a self, submission: Submission<'a>) -> Submitting<'a> {
        Box::pin(self.put(submission))
    }

    fn renew_credentials(&self) {
        self.credentials.forget();
    }
}

fn read(output: PutAuditEventsOutput) -> PutAuditEventsResponse {
    let PutAuditEventsOutput { failed, successful, .. } = output;
    let successful = successful.into_iter().map(|entry| SuccessfulEntry::new(entry.id, entry.event_id));
    let failed = failed.into_iter().map(|entry| FailedEntry::new(entry.id, entry.error_code, entry.error_message));
    PutAuditEventsResponse::new(successful.collect(), failed.collect())
}

/// Keys without an end.
impl From<Keys> for SharedCredentialsProvider {
    fn from(keys: Keys) -> Self {
        let Keys { id, secret, session_token } = keys;
        Self::new(Credentials::new(id, secret.0, session_token.map(|token| token.0), None, "audit-client"))
    }
}

/// The SDK's error as status, code, words and wait.
fn classify(error: &SdkError<PutAuditEventsError, HttpResponse>, was_connected: bool) -> Failure {
    let service = error.as_service_error();
    let words = service.and_then(|error| error.message()).map(ToOwned::to_owned);
    let mut failure = Failure::new(words.unwrap_or_else(|| innermost_first(error)));
    failure.code = service.and_then(|error| error.code()).map(ToOwned::to_owned);
    if error.raw_response().is_none() {
        failure.never_sent = !was_connected;
        if failure.code.is_none() {
            failure.code = own_code(error, was_connected).map(ToOwned::to_owned);
        }
    }
    if let Some(response) = error.raw_response() {
        failure.status = Some(response.status().as_u16());
        failure.retry_after = retry_after(|name| response.headers().get(name));
    }
    failure
}

/// Our own code for a request without an answer, if sending it again cannot help until something is repaired.
fn own_code(error: &SdkError<PutAuditEventsError, HttpResponse>, was_connected: bool) -> Option<&'static str> {
    if chain(error).any(<dyn std::error::Error + 'static>::is::<CredentialsError>) {
        return Some(NO_CREDENTIALS);
    }
    // What is neither the network's nor the service's doing comes from the configuration.
    let may_pass = match error {
        SdkError::ConstructionFailure(_) => false,
        SdkError::DispatchFailure(failure) => failure.is_io() || failure.is_timeout() || was_connected,
        _ => true,
    };
    code_without_answer(error, may_pass)
}
