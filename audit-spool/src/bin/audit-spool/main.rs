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

/// Works on each spool that is meant. One that cannot be opened, such as that of a process that runs, holds up no other.
fn run(arguments: &Arguments, out: &mut impl Write) -> Result<(), Failure> {
    let names = arguments.names()?;
    if let Command::Retry { ids, .. } = &arguments.command {
        retry::check_ids(arguments, &names, ids)?;
    }
    let mut is_shown = false;
    let mut failed = Vec::new();
    for name in &names {
        let changes = matches!(arguments.command, Command::Retry { .. } | Command::Purge { .. });
        if changes && names.len() > 1 {
            writeln!(out, "in {name}:")?;
        }
        let done = match &arguments.command {
            Command::Status => inspect::status(arguments, name, out),
            Command::List { json } => inspect::list(arguments, name, *json, out),
            Command::Show { id, raw } => {
                inspect::show(arguments, name, id, *raw, out).map(|is_there| is_shown |= is_there)
            }
            Command::Retry { ids, new_id } => retry::retry(arguments, name, ids, *new_id, out),
            Command::Purge { dead, damaged, yes } => purge::purge(arguments, name, *dead, *damaged, *yes, out),
        };
        match done {
            Err(error) if names.len() > 1 && !error.is::<io::Error>() => failed.push(with_causes(&*error)),
            done => done?,
        }
    }
    if let (Command::Show { id, .. }, false, true) = (&arguments.command, is_shown, failed.is_empty()) {
        let shown: String = id.escape_debug().take(80).collect();
        failed.push(format!("no event with the id {shown} waits, and none is dead; `list` shows which there are"));
    }
    failed.dedup();
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\naudit-spool: ").into()) }
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
