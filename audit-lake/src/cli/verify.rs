//! `audit-lake verify`

use std::path::PathBuf;

use audit_lake::EventReader;
use clap::Args;

use super::output::{Failure, say};

#[derive(Debug, Args)]
pub(super) struct Verify {
    /// The lake's data folder; a lake may be working in it
    #[arg(long)]
    data: PathBuf,
}

impl Verify {
    pub(super) fn run(self) -> Result<(), Failure> {
        let verification = EventReader::open(&self.data)?.verify()?;
        for (channel, events) in &verification.channels {
            say(&format!("{channel}: {events} events"))?;
        }
        for finding in &verification.findings {
            say(&format!("WRONG: {finding}"))?;
        }
        if verification.more_findings > 0 {
            say(&format!("and {} more findings", verification.more_findings))?;
        }
        if !verification.is_sound() {
            return Err(
                "the database is not sound: keep a copy of the folder, then put the latest backup as lake.db into an empty \
                 folder, without the old lake.db-wal, or save what can be read with `sqlite3 lake.db .recover`"
                    .into(),
            );
        }
        say(&format!("sound: {} events, each with its checksum and its digest", verification.events))
    }
}
