//! `status`, `list`, `show`: looking, without changing anything.

use std::io::Write;

use audit_core::EntryError;
use audit_spool::{DeadLetter, Record, StoppedSpool};

use crate::Failure;
use crate::arguments::Arguments;
use crate::progress::Progress;

pub(crate) fn open(arguments: &Arguments) -> Result<StoppedSpool, Failure> {
    Ok(StoppedSpool::open(&arguments.dir, arguments.options()?)?)
}

pub(crate) fn status(arguments: &Arguments, out: &mut impl Write) -> Result<(), Failure> {
    let spool = open(arguments)?;
    let (bytes, segments) = (spool.used_bytes(), spool.segments());
    let mut progress = Progress::new("reading", bytes);
    let mut changed = 0;
    let contents = spool.each_pending(|record, behind| {
        changed += u64::from(has_changed(record));
        progress.at(behind);
    })?;
    drop(progress);
    let dead = spool.dead_letters()?;
    writeln!(out, "spool     {:?} in {}", arguments.name, arguments.dir.display())?;
    writeln!(out, "segments  {segments}, {bytes} bytes")?;
    writeln!(out, "pending   {} events, {} bytes", contents.pending_events, contents.pending_bytes)?;
    writeln!(out, "dead      {} letters", dead.letters.len())?;
    if dead.unreadable_lines > 0 {
        writeln!(out, "          {} lines that are no letters", dead.unreadable_lines)?;
    }
    writeln!(out, "missing   {} events that cannot be read", contents.missing_events)?;
    writeln!(out, "changed   {changed} events that do not have their checksum")?;
    for file in spool.damaged_files()? {
        writeln!(out, "damaged   {}, {} events in it wait", file.path.display(), file.pending_events)?;
    }
    Ok(())
}

/// Whether the bytes are not those that the entry was made with.
fn has_changed(record: &Record) -> bool {
    matches!(record.entry(), Err(EntryError::Checksum { .. }))
}

pub(crate) fn list(arguments: &Arguments, out: &mut impl Write) -> Result<(), Failure> {
    let spool = open(arguments)?;
    let mut failed = Ok(());
    let contents = spool.each_pending(|record, _| {
        if failed.is_ok() {
            let id = record.id.escape_debug();
            failed = writeln!(out, "{}\tpending\t{}\t{id}", record.seq, record.event_data.len());
        }
    })?;
    failed?;
    for letter in spool.dead_letters()?.letters {
        let (id, code) = (letter.id.escape_debug(), letter.code.to_string());
        let code = code.escape_debug();
        writeln!(out, "{}\tdead\t{}\t{id}\t{code}", letter.seq, letter.event_data.len())?;
    }
    if contents.missing_events > 0 {
        writeln!(out, "-\tmissing\t{} events that cannot be read", contents.missing_events)?;
    }
    Ok(())
}

pub(crate) fn show(arguments: &Arguments, id: &str, raw: bool, out: &mut impl Write) -> Result<(), Failure> {
    let spool = open(arguments)?;
    let mut progress = Progress::new("searching", spool.used_bytes());
    let mut found = Vec::new();
    spool.each_pending(|record, behind| {
        progress.at(behind);
        if record.id == id {
            found.push(record.clone());
        }
    })?;
    drop(progress);
    let letters: Vec<DeadLetter> = spool.dead_letters()?.letters.into_iter().filter(|letter| letter.id == id).collect();
    if found.is_empty() && letters.is_empty() {
        let shown: String = id.escape_debug().take(80).collect();
        return Err(
            format!("no event with the id {shown} waits, and none is dead; `list` shows which there are").into()
        );
    }
    for record in found {
        if !raw {
            writeln!(out, "pending, number {}, {} bytes", record.seq, record.event_data.len())?;
            if has_changed(&record) {
                writeln!(out, "its bytes have changed: they do not have the checksum {}", record.checksum)?;
            }
        }
        writeln!(out, "{}", record.event_data)?;
    }
    for letter in letters {
        if !raw {
            writeln!(out, "dead since {}, number {}, {} bytes", letter.at, letter.seq, letter.event_data.len())?;
            writeln!(out, "because {}: {}", letter.code.to_string().escape_debug(), letter.message.escape_debug())?;
            for attempt in &letter.attempts {
                writeln!(out, "attempt {} {}", attempt.at, attempt.outcome.to_string().escape_debug())?;
            }
        }
        writeln!(out, "{}", letter.event_data)?;
    }
    Ok(())
}
