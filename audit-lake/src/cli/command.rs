//! The program's command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use super::output::{Failure, say};
use super::{backup, events, prune, serve, verify};

/// Takes CloudTrail's PutAuditEvents and keeps every event.
#[derive(Debug, Parser)]
#[command(name = "audit-lake", version)]
pub(crate) struct Command {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Takes events until SIGTERM or SIGINT; reads its configuration anew on SIGHUP
    Serve(serve::Serve),
    /// Reads a configuration and tells every mistake in it
    CheckConfig {
        /// The file
        #[arg(long, default_value = "lake.toml")]
        config: PathBuf,
    },
    /// Shows what is stored
    Events(events::Events),
    /// Checks the database, every checksum and the counts
    Verify(verify::Verify),
    /// Writes a copy of everything stored, while the lake goes on
    Backup(backup::Backup),
    /// Shows whether retention waits because the clock may be wrong, and confirms that it is right
    Prune(prune::Prune),
}

impl Command {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self.action {
            Action::Serve(serve) => serve.run(),
            Action::CheckConfig { config } => {
                let read = audit_lake::LakeConfig::load(&config)?;
                let keys: usize = read.accounts.iter().map(|account| account.keys.len()).sum();
                say(&format!(
                    "{}: good: accounts {}, keys {keys}, channels {}",
                    config.display(),
                    read.accounts.len(),
                    read.channels.len()
                ))
            }
            Action::Events(events) => events.run(),
            Action::Verify(verify) => verify.run(),
            Action::Backup(backup) => backup.run(),
            Action::Prune(prune) => prune.run(),
        }
    }
}
