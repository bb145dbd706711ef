//! `audit-spool`: shows what is in a spool that no process uses, puts dead letters back, removes them.
//!
//! ```text
//! audit-spool /var/lib/shop/audit status
//! audit-spool /var/lib/shop/audit list
//! audit-spool /var/lib/shop/audit show refund-1
//! audit-spool /var/lib/shop/audit retry
//! audit-spool /var/lib/shop/audit purge --dead --yes
//! ```

mod arguments;
mod inspect;
mod progress;
mod purge;
mod retry;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};

/// Why a command failed.
type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut out = io::stdout().lock();
    let done = run(&arguments, &mut out).and_then(|()| Ok(out.flush()?));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // The reader has enough: `audit-spool … list | head`.
        Err(error)
            if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe) =>
        {
            ExitCode::SUCCESS
        }
        Err(error) => {
            // Standard error may be closed as well.
            let _ = writeln!(io::stderr(), "audit-spool: {}", with_causes(&*error));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments, out: &mut impl Write) -> Result<(), Failure> {
    match &arguments.command {
        Command::Status => inspect::status(arguments, out),
        Command::List { json } => inspect::list(arguments, *json, out),
        Command::Show { id, raw } => inspect::show(arguments, id, *raw, out),
        Command::Retry { ids, new_id } => retry::retry(arguments, ids, *new_id, out),
        Command::Purge { dead, damaged, yes } => purge::purge(arguments, *dead, *damaged, *yes, out),
    }
}

/// An error and its causes in one line.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
