//! `audit-lake backup`

use std::path::PathBuf;

use audit_lake::EventReader;
use clap::Args;

use super::output::{Failure, say};

#[derive(Debug, Args)]
pub(super) struct Backup {
    /// The lake's data folder; a lake may be working in it
    #[arg(long)]
    data: PathBuf,
    /// The file to write, which must not exist; to restore, put it as `lake.db` into an empty data folder
    #[arg(long)]
    to: PathBuf,
}

impl Backup {
    pub(super) fn run(self) -> Result<(), Failure> {
        EventReader::open(&self.data)?.backup(&self.to)?;
        say(&format!("{}: written and synced", self.to.display()))
    }
}
