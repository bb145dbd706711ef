//! `retry`: puts dead letters back among the events that wait.

use std::collections::{BTreeSet, VecDeque};
use std::io::Write;

use audit_core::{Entry, EventId};
use audit_spool::{DeadLetter, Spool};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::arguments::Arguments;
use crate::inspect::open;
use crate::progress::Progress;
use crate::{Failure, with_causes};

/// How many are on their way to the disk at once.
const AT_ONCE: usize = 500;

/// Refuses ids that no dead letter has, before anything is changed.
pub(crate) fn check_ids(arguments: &Arguments, names: &[String], ids: &[String]) -> Result<(), Failure> {
    let mut unknown: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
    for name in names {
        if unknown.is_empty() {
            return Ok(());
        }
        for letter in open(arguments, name)?.dead_letters()?.letters {
            unknown.remove(letter.id.as_str());
        }
    }
    let Some(id) = unknown.first() else { return Ok(()) };
    let shown: String = id.escape_debug().take(80).collect();
    Err(format!("no dead letter has the id {shown}; `list` shows which there are").into())
}

/// Of the ids, those that are in this spool; without any, all.
pub(crate) fn retry(
    arguments: &Arguments,
    name: &str,
    ids: &[String],
    new_id: bool,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let mut letters = open(arguments, name)?.dead_letters()?.letters;
    letters.retain(|letter| ids.is_empty() || ids.contains(&letter.id));
    if letters.is_empty() {
        writeln!(out, "there are no dead letters")?;
        return Ok(());
    }
    let mut retried = Vec::with_capacity(letters.len());
    for letter in &letters {
        retried.push(if new_id { Some(with_new_id(letter)?) } else { None });
    }
    let mut progress = Progress::new("retrying", letters.len() as u64);
    let (spool, reader) = Spool::open(&arguments.dir, arguments.options(name)?)?;
    drop(reader);
    let mut back = BTreeSet::new();
    let mut on_their_way = VecDeque::new();
    let mut refused = Vec::new();
    for (letter, entry) in letters.iter().zip(&retried) {
        if on_their_way.len() >= AT_ONCE
            && let Some((letter, append)) = on_their_way.pop_front()
        {
            take_answer(letter, append, &mut back, &mut refused);
        }
        // Waiting for room would never end: nothing is delivered meanwhile.
        let append = match entry {
            Some(entry) => spool.try_append(entry),
            None => spool.try_append(letter),
        };
        match append {
            Ok(append) => on_their_way.push_back((letter, append)),
            Err(refusal) => refused.push(with_causes(&refusal)),
        }
        progress.at(back.len() as u64);
    }
    // Closing refuses what has no room.
    spool.close()?;
    for (letter, append) in on_their_way {
        take_answer(letter, append, &mut back, &mut refused);
    }
    drop(progress);
    // They are durable as events that wait; now the letters can be removed. Letters that came meanwhile stay.
    let stopped = open(arguments, name)?;
    let mut kept = stopped.dead_letters()?.letters;
    kept.retain(|letter| !back.contains(&(letter.seq, letter.id.as_str())));
    stopped.keep_dead_letters(&kept)?;
    for (letter, entry) in letters.iter().zip(&retried) {
        if let Some(entry) = entry
            && back.contains(&(letter.seq, letter.id.as_str()))
        {
            writeln!(out, "{} is now {}", letter.id.escape_debug(), entry.id())?;
        }
    }
    writeln!(out, "{} of {} dead letters wait for delivery", back.len(), letters.len())?;
    match refused.first() {
        None => Ok(()),
        Some(first) => Err(format!("{} stay dead letters; the first one because: {first}", refused.len()).into()),
    }
}

fn take_answer<'a>(
    letter: &'a DeadLetter,
    append: audit_spool::Append,
    back: &mut BTreeSet<(u64, &'a str)>,
    refused: &mut Vec<String>,
) {
    match append.wait() {
        Ok(_) => {
            back.insert((letter.seq, letter.id.as_str()));
        }
        Err(error) => refused.push(with_causes(&error)),
    }
}

/// The event under another id: a new entry, whose data differs in the `UID` alone.
fn with_new_id(letter: &DeadLetter) -> Result<Entry, Failure> {
    #[derive(Deserialize)]
    struct Data<'a> {
        #[serde(borrow, rename = "UID")]
        uid: &'a RawValue,
    }
    let (id, data) = (EventId::generate(), letter.event_data.as_str());
    let refused = |why: &dyn std::error::Error| {
        format!(
            "the dead letter {} gets no new id, and nothing was changed: {}",
            letter.id.escape_debug(),
            with_causes(why)
        )
    };
    let Data { uid } = serde_json::from_str(data).map_err(|error| refused(&error))?;
    // It is a part of the data.
    let at = uid.get().as_ptr() as usize - data.as_ptr() as usize;
    let new = format!("{}\"{id}\"{}", &data[..at], &data[at + uid.get().len()..]);
    Ok(Entry::parse(id, new).map_err(|error| refused(&error))?)
}
