//! `audit-lake prune`

use std::path::PathBuf;

use audit_lake::{EventReader, EventTime, confirm_clock};
use clap::Args;

use super::output::{Failure, say};

#[derive(Debug, Args)]
pub(super) struct Prune {
    /// The lake's data folder; a lake may be working in it
    #[arg(long)]
    data: PathBuf,
    /// Records that the clock is right: `serve` deletes what is past its retention within a minute
    #[arg(long)]
    confirm: bool,
}

impl Prune {
    pub(super) fn run(self) -> Result<(), Failure> {
        if self.confirm {
            let now = confirm_clock(&self.data)?;
            return say(&format!(
                "confirmed that it is {now}: `serve` deletes what is past its retention, within a minute if it runs"
            ));
        }
        let now = EventTime::now();
        match EventReader::open(&self.data)?.clock_doubt(now)? {
            None => {
                say(&format!("the clock says {now}, which is plausible: `serve` deletes what is past its retention"))
            }
            Some(doubt) => Err(doubt.to_string().into()),
        }
    }
}
