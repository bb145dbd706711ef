//! Credentials that can be thrown away: the SDK keeps what it has until it expires by its own word, also when the service
//! has said that it is spent.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_config::Region;
use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use tokio::sync::Mutex as AsyncMutex;

/// How long before their end credentials are replaced.
const REPLACED_BEFORE: Duration = Duration::from_mins(1);
/// How long a lookup may take, all sources of the chain together.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(9);

/// Where credentials come from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// AWS's usual chain. It is built anew for each lookup: parts of it read their files only once.
    Chain { region: Region },
    /// What the application gave us.
    Given(SharedCredentialsProvider),
}

/// A cache of credentials that can be told to forget.
#[derive(Debug)]
pub(crate) struct RenewableCredentials {
    source: Source,
    cached: Mutex<Cached>,
    /// One lookup at a time.
    lookup: AsyncMutex<()>,
}

#[derive(Debug, Default)]
struct Cached {
    credentials: Option<Credentials>,
    /// Rises when they are thrown away: a lookup that began before brings nothing new.
    generation: u64,
}

impl RenewableCredentials {
    pub(crate) fn new(source: Source) -> Self {
        Self { source, cached: Mutex::default(), lookup: AsyncMutex::new(()) }
    }

    /// Throws away what is cached: the next request looks them up anew.
    pub(crate) fn forget(&self) {
        let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        cached.credentials = None;
        cached.generation += 1;
    }

    fn usable(&self, margin: Duration) -> (Option<Credentials>, u64) {
        let cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        let now = SystemTime::now();
        let lasts = |credentials: &&Credentials| credentials.expiry().is_none_or(|end| end > now + margin);
        (cached.credentials.as_ref().filter(lasts).cloned(), cached.generation)
    }

    async fn credentials(&self) -> Result<Credentials, CredentialsError> {
        if let (Some(credentials), _) = self.usable(REPLACED_BEFORE) {
            return Ok(credentials);
        }
        let _turn = self.lookup.lock().await;
        let (usable, generation) = self.usable(REPLACED_BEFORE);
        if let Some(credentials) = usable {
            return Ok(credentials);
        }
        let found = match tokio::time::timeout(LOOKUP_TIMEOUT, self.look_up()).await {
            Ok(found) => found,
            Err(_) => Err(CredentialsError::provider_timed_out(LOOKUP_TIMEOUT)),
        };
        match found {
            Ok(credentials) => {
                let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
                if cached.generation == generation {
                    cached.credentials = Some(credentials.clone());
                }
                Ok(credentials)
            }
            // What is nearly over is better than nothing.
            Err(error) => self.usable(Duration::ZERO).0.ok_or(error),
        }
    }

    async fn look_up(&self) -> Result<Credentials, CredentialsError> {
        match &self.source {
            Source::Given(provider) => provider.provide_credentials().await,
            Source::Chain { region } => {
                let chain = DefaultCredentialsChain::builder().region(region.clone()).build().await;
                chain.provide_credentials().await
            }
        }
    }
}

/// The SDK's handle on them.
#[derive(Clone, Debug)]
pub(crate) struct Handle(pub(crate) std::sync::Arc<RenewableCredentials>);

impl ProvideCredentials for Handle {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.0.credentials())
    }
}
