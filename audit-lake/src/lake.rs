//! A running lake, and how to start one.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use audit_core::{AccountId, ChannelArn};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::config::{
    AccountConfig, ChannelConfig, Directory, FixedSettings, KeyConfig, LakeConfig, Secret, Tls, TlsError,
};
use crate::http::{ADMIN_CONNECTIONS, Port, Server, connections_that_fit};
use crate::metrics::Metrics;
use crate::service::{self, Service, admin, retention};
use crate::store::{DataFolder, EventFilter, EventReader, Store, StoreError, StoredEvent};

/// The account of a lake that was given none.
const DEFAULT_ACCOUNT: AccountId = AccountId::from_static("123456789012");
/// The region of the channel of a lake that was given none.
const DEFAULT_REGION: &str = "eu-west-1";

/// A running service that takes events and keeps them.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use audit_lake::Lake;
///
/// // In a private folder that goes with it, with a key and a channel of its own.
/// let lake = Lake::builder().start().await?;
/// println!("send to {} with endpoint {}", lake.channel_arn(), lake.endpoint_url());
/// assert!(lake.events().await?.is_empty());
/// lake.shutdown().await;
/// # Ok::<(), audit_lake::LakeError>(()) }).unwrap();
/// ```
#[derive(Debug)]
#[must_use = "a lake stops when it is dropped"]
pub struct Lake {
    address: SocketAddr,
    admin_address: Option<SocketAddr>,
    tls: Option<Tls>,
    channel: ChannelArn,
    access_key: AccessKey,
    data_dir: PathBuf,
    stop: watch::Sender<bool>,
    retention: watch::Sender<Option<Duration>>,
    fixed: FixedSettings,
    running: Vec<JoinHandle<()>>,
    service: Option<Arc<Service>>,
    // Last, so that nothing works in the folder any more when it goes.
    _folder: Option<tempfile::TempDir>,
}

/// Why a lake cannot start, or cannot tell what it holds.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LakeError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The address to listen on.
    #[error("cannot listen on {address}; choose another address, or port 0 for any free port")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The private folder of a lake that was given none.
    #[error("cannot make a temporary folder; name a folder with `data_dir`")]
    TemporaryFolder(#[source] std::io::Error),
    /// The certificate or its key.
    #[error("the certificate cannot be used")]
    Tls(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The process may open too few files for any connection.
    #[error(
        "the process may open {limit} files, which leaves none for connections; raise the limit (`ulimit -n`, `LimitNOFILE=` of a \
         systemd unit)"
    )]
    OpenFiles {
        /// The soft limit of open files.
        limit: u64,
    },
    /// There is no channel, or no key of the first channel's account.
    #[error("the configuration has no {0}; add one")]
    Incomplete(&'static str),
}

/// An access key that may send to a lake's first channel. Its `Debug` output hides the secret.
#[derive(Clone, Debug)]
pub struct AccessKey {
    id: String,
    secret: Secret,
    session_token: Option<Secret>,
}

impl AccessKey {
    /// The access key ID.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The secret access key.
    #[must_use]
    pub fn secret(&self) -> &str {
        self.secret.expose()
    }

    /// The session token that must come with it, if any.
    #[must_use]
    pub fn session_token(&self) -> Option<&str> {
        self.session_token.as_ref().map(Secret::expose)
    }
}

/// What a [`Lake`] starts with. Everything has a default.
#[derive(Debug, Default)]
#[must_use = "a builder does nothing until `start`"]
pub struct LakeBuilder {
    data_dir: Option<PathBuf>,
    listen: Option<SocketAddr>,
    config: Option<LakeConfig>,
    account: Option<AccountId>,
    keys: Vec<(AccountId, KeyConfig)>,
    channels: Vec<ChannelArn>,
}

impl LakeBuilder {
    /// Where the database lies. Without it: a private temporary folder, deleted with the lake.
    pub fn data_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.data_dir = Some(path.into());
        self
    }

    /// Where to listen. Without it: what the configuration says, or any free port of 127.0.0.1.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = Some(address);
        self
    }

    /// A whole configuration. Later calls of the builder override it.
    pub fn config(mut self, config: LakeConfig) -> Self {
        self.config = Some(config);
        self
    }

    /// The account that owns the default channel and key.
    pub fn account(mut self, account: AccountId) -> Self {
        self.account = Some(account);
        self
    }

    /// An access key of an account.
    pub fn access_key(mut self, account: AccountId, id: impl Into<String>, secret: impl Into<Secret>) -> Self {
        let key = KeyConfig::new(id, secret);
        self.keys.push((account, key));
        self
    }

    /// A channel that takes every source and asks for no external ID.
    pub fn channel(mut self, arn: ChannelArn) -> Self {
        self.channels.push(arn);
        self
    }

    /// The configuration with what else the builder was told, and with defaults for what is missing if no configuration
    /// was given.
    fn complete(&mut self) -> LakeConfig {
        let whole = self.config.is_some();
        let mut config = self.config.take().unwrap_or_default();
        for (account, key) in self.keys.drain(..) {
            account_of(&mut config, account).keys.push(key);
        }
        config.channels.extend(self.channels.drain(..).map(ChannelConfig::new));
        if let Some(account) = self.account {
            account_of(&mut config, account);
        }
        if !whole {
            if config.channels.is_empty() {
                let account = config.accounts.first().map_or(DEFAULT_ACCOUNT, |account| account.id);
                let account = self.account.unwrap_or(account);
                let arn = format!("arn:aws:cloudtrail:{DEFAULT_REGION}:{account}:channel/{}", Uuid::new_v4());
                // Of twelve digits and a UUID: always an ARN.
                config.channels.extend(ChannelArn::try_from(arn).map(ChannelConfig::new));
            }
            let owners: Vec<AccountId> = config.channels.iter().map(|channel| channel.arn.account()).collect();
            for owner in owners {
                let account = account_of(&mut config, owner);
                if account.keys.is_empty() {
                    account.keys.push(random_key());
                }
            }
        }
        config
    }

    /// Opens the database and begins to serve.
    ///
    /// # Errors
    /// If the folder is in use or cannot be written to, if the database is damaged or of another program, if the address
    /// is taken, or if a given configuration has no channel or no key for its first channel.
    pub async fn start(mut self) -> Result<Lake, LakeError> {
        let config = self.complete();
        let channel = config.channels.first().ok_or(LakeError::Incomplete("channel"))?.arn.clone();
        let access_key = config
            .accounts
            .iter()
            .find(|account| account.id == channel.account())
            .and_then(|account| account.keys.first())
            .map(|key| AccessKey {
                id: key.id.clone(),
                secret: key.secret.clone(),
                session_token: key.session_token.clone(),
            })
            .ok_or(LakeError::Incomplete("access key for its first channel's account"))?;

        let (data_dir, folder) = if let Some(path) = self.data_dir {
            (path, None)
        } else {
            let folder =
                tempfile::Builder::new().prefix("audit-lake-").tempdir().map_err(LakeError::TemporaryFolder)?;
            (folder.path().to_owned(), Some(folder))
        };
        let tls = match &config.tls {
            None => None,
            Some(files) => Some(Tls::load(files)?),
        };
        let listener = listen(self.listen.or(config.listen).unwrap_or((Ipv4Addr::LOCALHOST, 0).into())).await?;
        let address = local_address(&listener)?;
        let admin_listener = match config.admin {
            None => None,
            Some(address) => Some(listen(address).await?),
        };
        let admin_address = admin_listener.as_ref().map(local_address).transpose()?;

        let connections =
            connections_that_fit(config.limits.connections).map_err(|limit| LakeError::OpenFiles { limit })?;

        let metrics = Arc::new(Metrics::default());
        let (path, counted) = (data_dir.clone(), Arc::clone(&metrics));
        let claim = if config.store.create { DataFolder::claim } else { DataFolder::claim_existing };
        let store = blocking(move || Store::open(claim(&path)?, counted)).await?;
        let service = Arc::new(Service::new(Directory::new(&config), store, config.limits, metrics));

        let (stop, stopped) = watch::channel(false);
        let server = |listener, tls, router, port| Server {
            listener,
            tls,
            router,
            limits: config.limits,
            connections: match port {
                Port::Senders => connections,
                Port::Admin => ADMIN_CONNECTIONS,
            },
            service: Arc::clone(&service),
            port,
            stop: stopped.clone(),
        };
        let mut running = vec![tokio::spawn(
            server(listener, tls.clone(), service::router(Arc::clone(&service)), Port::Senders).run(),
        )];
        if let Some(listener) = admin_listener {
            running.push(tokio::spawn(
                server(listener, None, admin::router(Arc::clone(&service), &config.admin_hosts), Port::Admin).run(),
            ));
        }
        let (retention, age) = watch::channel(config.retention);
        let (kept, mut stopped) = (Arc::clone(&service), stopped);
        running.push(tokio::spawn(async move {
            tokio::select! {
                () = retention::keep(&kept, age) => {}
                () = kept.sum_up_refusals() => {}
                () = kept.store().watch_files() => {}
                _ = stopped.wait_for(|stop| *stop) => {}
            }
        }));
        let admin = admin_address.map(tracing::field::display);
        tracing::info!(%address, admin, data = %data_dir.display(), "the lake takes events");
        Ok(Lake {
            address,
            admin_address,
            tls,
            channel,
            access_key,
            data_dir,
            retention,
            fixed: FixedSettings::of(&config),
            stop,
            running,
            service: Some(service),
            _folder: folder,
        })
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, LakeError> {
    TcpListener::bind(address).await.map_err(|source| LakeError::Listen { address, source })
}

fn local_address(listener: &TcpListener) -> Result<SocketAddr, LakeError> {
    let any = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    listener.local_addr().map_err(|source| LakeError::Listen { address: any, source })
}

impl From<TlsError> for LakeError {
    fn from(error: TlsError) -> Self {
        Self::Tls(error.into())
    }
}

fn account_of(config: &mut LakeConfig, id: AccountId) -> &mut AccountConfig {
    let at = config.accounts.iter().position(|account| account.id == id).unwrap_or_else(|| {
        config.accounts.push(AccountConfig::new(id));
        config.accounts.len() - 1
    });
    &mut config.accounts[at]
}

/// A key that cannot be guessed: 244 bits from the system's source of randomness.
fn random_key() -> KeyConfig {
    let id: String = Uuid::new_v4().simple().to_string().to_uppercase().chars().take(16).collect();
    KeyConfig::new(format!("AKIA{id}"), format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple()))
}

/// Does disk work where it may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    // The task neither panics nor is it cancelled, unless the runtime ends.
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(StoreError::Closed))
}

impl Lake {
    /// What to start with.
    pub fn builder() -> LakeBuilder {
        LakeBuilder::default()
    }

    /// Where the lake listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address as AWS's clients want it: `http://127.0.0.1:8787`.
    #[must_use]
    pub fn endpoint_url(&self) -> String {
        format!("{}://{}", if self.tls.is_some() { "https" } else { "http" }, self.address)
    }

    /// Where `/healthz`, `/readyz` and `/metrics` are, if the configuration says so.
    #[must_use]
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin_address
    }

    /// The first channel.
    #[must_use]
    pub fn channel_arn(&self) -> &ChannelArn {
        &self.channel
    }

    /// A key that may send to the first channel.
    #[must_use]
    pub fn access_key(&self) -> &AccessKey {
        &self.access_key
    }

    /// The folder where the database lies.
    #[must_use]
    pub fn data_dir(&self) -> &std::path::Path {
        &self.data_dir
    }

    /// Every event that was acknowledged, in the order of ingestion.
    pub async fn events(&self) -> Result<Vec<StoredEvent>, LakeError> {
        self.events_where(EventFilter::default()).await
    }

    /// The events that pass a filter, in the order of ingestion.
    pub async fn events_where(&self, filter: EventFilter) -> Result<Vec<StoredEvent>, LakeError> {
        let folder = self.data_dir.clone();
        Ok(blocking(move || EventReader::open(&folder)?.events(&filter)).await?)
    }

    /// Puts other accounts, keys, rates and channels, another retention and another certificate in the place of those that
    /// the lake has. Connections and requests go on with what they began with. Addresses, limits, the log, and whether
    /// there is TLS at all stay as they were at the start; a warning in the log names each of these that is another now.
    ///
    /// # Errors
    /// If the certificate cannot be used. Then nothing changes.
    pub fn reload(&self, config: &LakeConfig) -> Result<(), LakeError> {
        if let (Some(tls), Some(config)) = (&self.tls, &config.tls) {
            tls.reload(config)?;
        }
        if let Some(service) = &self.service {
            service.replace_directory(Directory::new(config));
        }
        self.retention.send_replace(config.retention);
        for setting in self.fixed.changed(config) {
            tracing::warn!(
                setting,
                "this setting has changed, and takes effect only when the service is started again"
            );
        }
        Ok(())
    }

    /// Stops accepting, answers what was accepted, and closes the database.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        for task in self.running.drain(..) {
            // It neither panics nor is it cancelled.
            drop(task.await);
        }
        if let Some(service) = self.service.take() {
            service.sum_up();
            // Closing waits for the writer's last commit.
            drop(tokio::task::spawn_blocking(move || drop(service)).await);
        }
        tracing::info!("the lake is closed");
    }
}

impl Drop for Lake {
    fn drop(&mut self) {
        // Running tasks get the signal to stop; the database closes after them.
        self.stop.send_replace(true);
    }
}
