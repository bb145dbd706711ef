//! `status`, `list`, `show`: looking, without changing anything.

use std::io::Write;

use audit_core::EntryError;
use audit_spool::{DeadLetter, Record, StoppedSpool};
use serde::{Deserialize, Serialize};

use crate::Failure;
use crate::arguments::Arguments;
use crate::progress::Progress;

pub(crate) fn open(arguments: &Arguments, name: &str) -> Result<StoppedSpool, Failure> {
    Ok(StoppedSpool::open(&arguments.dir, arguments.options(name)?)?)
}

pub(crate) fn status(arguments: &Arguments, name: &str, out: &mut impl Write) -> Result<(), Failure> {
    let spool = open(arguments, name)?;
    let (bytes, segments) = (spool.used_bytes(), spool.segments());
    let mut progress = Progress::new("reading", bytes);
    let mut changed = 0;
    let contents = spool.each_pending(|record, behind| {
        changed += u64::from(has_changed(record));
        progress.at(behind);
    })?;
    drop(progress);
    let dead = spool.dead_letters()?;
    writeln!(out, "spool     {name:?} in {}", arguments.dir.display())?;
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

/// An event in the list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    spool: &'a str,
    number: u64,
    state: &'static str,
    bytes: usize,
    id: &'a str,
    #[serde(flatten)]
    event: Named,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dead_since: Option<String>,
}

/// What an event's data says of it, as far as it is an event's data.
#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all(serialize = "camelCase"))]
struct Named {
    #[serde(default, rename(deserialize = "eventTime"), skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    #[serde(default, rename(deserialize = "eventName"), skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, rename(deserialize = "UID"), skip_serializing_if = "Option::is_none")]
    uid: Option<String>,
}

impl<'a> Row<'a> {
    fn new(spool: &'a str, number: u64, state: &'static str, id: &'a str, event_data: &str) -> Self {
        let event = serde_json::from_str(event_data).unwrap_or_default();
        Self { spool, number, state, bytes: event_data.len(), id, event, code: None, dead_since: None }
    }

    fn write(&self, json: bool, out: &mut impl Write) -> Result<(), Failure> {
        if json {
            serde_json::to_writer(&mut *out, self)?;
            writeln!(out)?;
            return Ok(());
        }
        let Self { number, state, bytes, id, event: Named { time, name, uid }, code, .. } = self;
        write!(out, "{number}\t{state}\t{bytes}")?;
        for text in [time.as_deref(), name.as_deref(), Some(*id), uid.as_deref()] {
            write!(out, "\t{}", text.unwrap_or("-").escape_debug())?;
        }
        writeln!(out, "\t{}", code.as_deref().unwrap_or("-").escape_debug())?;
        Ok(())
    }
}

pub(crate) fn list(arguments: &Arguments, name: &str, json: bool, out: &mut impl Write) -> Result<(), Failure> {
    let spool = open(arguments, name)?;
    let mut failed = Ok(());
    let contents = spool.each_pending(|record, _| {
        if failed.is_ok() {
            failed = Row::new(name, record.seq, "pending", &record.id, &record.event_data).write(json, out);
        }
    })?;
    failed?;
    for letter in spool.dead_letters()?.letters {
        let row = Row::new(name, letter.seq, "dead", &letter.id, &letter.event_data);
        let (code, dead_since) = (Some(letter.code.to_string()), Some(letter.at.to_string()));
        Row { code, dead_since, ..row }.write(json, out)?;
    }
    if contents.missing_events > 0 {
        // Not on standard output, whose lines are events.
        return Err(format!("{} events of {name} cannot be read: `status` says more", contents.missing_events).into());
    }
    Ok(())
}

/// Returns whether there is such an event.
pub(crate) fn show(
    arguments: &Arguments,
    name: &str,
    id: &str,
    raw: bool,
    out: &mut impl Write,
) -> Result<bool, Failure> {
    let spool = open(arguments, name)?;
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
    let is_there = !(found.is_empty() && letters.is_empty());
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
    Ok(is_there)
}
