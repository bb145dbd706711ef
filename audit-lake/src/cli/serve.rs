//! `audit-lake serve`

use std::net::SocketAddr;
use std::path::PathBuf;

use audit_lake::{Lake, LakeConfig};
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::log;
use super::output::{Failure, say, with_causes};

#[derive(Debug, Args)]
pub(super) struct Serve {
    /// The configuration: accounts, keys, channels and more
    #[arg(long, default_value = "lake.toml")]
    config: PathBuf,
    /// The folder where the database lies; made if it is not there
    #[arg(long)]
    data: PathBuf,
    /// Where to listen, instead of what the configuration says
    #[arg(long)]
    listen: Option<SocketAddr>,
}

/// Raises the number of files that this process may open to what the system lets it have: each connection is one.
fn raise_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let maximum = getrlimit(Resource::Nofile).maximum;
    // Where it fails, the lake takes as many connections as fit, and says so.
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        tracing::debug!(%error, "the limit of open files was not raised");
    }
}

/// Where to listen by default.
const DEFAULT_LISTEN: &str = "127.0.0.1:8787";

impl Serve {
    pub(super) fn run(self) -> Result<(), Failure> {
        let config = LakeConfig::load(&self.config)?;
        log::start(config.log);
        raise_open_files();
        tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(self.serve(config))
    }

    async fn serve(self, config: LakeConfig) -> Result<(), Failure> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut hang_up = signal(SignalKind::hangup())?;
        let listen = match self.listen.or(config.listen) {
            Some(listen) => listen,
            None => DEFAULT_LISTEN.parse()?,
        };
        let lake = Lake::builder().data_dir(&self.data).listen(listen).config(config).start().await?;
        // The parent process may have closed standard output; the lake serves all the same.
        drop(say(&format!("audit-lake takes events at {}", lake.endpoint_url())));
        loop {
            tokio::select! {
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
                _ = hang_up.recv() => match LakeConfig::load(&self.config) {
                    Ok(config) => match lake.reload(&config) {
                        Ok(()) => tracing::info!("read the configuration anew"),
                        Err(error) => tracing::error!(error = with_causes(&error), "the configuration was not read anew"),
                    },
                    // What was right before goes on.
                    Err(error) => {
                        let error = with_causes(&error).replace("\n  ", "; ");
                        tracing::error!(error, "the configuration was not read anew");
                    }
                },
            }
        }
        tracing::info!("stopping");
        lake.shutdown().await;
        Ok(())
    }
}
