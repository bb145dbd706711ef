//! The commands of the program `audit-lake`, one file each.

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

mod backup;
mod events;
mod log;
mod serve;
mod verify;

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
}

type Failure = Box<dyn Error + Send + Sync>;

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
        }
    }
}

/// Writes a line to standard output.
fn say(line: &str) -> Result<(), Failure> {
    Ok(writeln!(std::io::stdout().lock(), "{line}")?)
}

/// Writes an error to standard error.
pub(crate) fn complain(error: &(dyn Error + Send + Sync)) {
    // Where standard error is closed, nobody listens.
    drop(writeln!(std::io::stderr().lock(), "audit-lake: {error}"));
}
