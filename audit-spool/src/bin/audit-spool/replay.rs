//! `replay`: puts dead letters back among the events that wait.

use std::collections::{BTreeSet, VecDeque};
use std::io::Write;

use audit_spool::Spool;

use crate::arguments::Arguments;
use crate::inspect::open;
use crate::progress::Progress;
use crate::{Failure, with_causes};

/// How many are on their way to the disk at once.
const AT_ONCE: usize = 500;

pub(crate) fn replay(arguments: &Arguments, out: &mut impl Write) -> Result<(), Failure> {
    let letters = open(arguments)?.dead_letters()?.letters;
    if letters.is_empty() {
        writeln!(out, "there are no dead letters")?;
        return Ok(());
    }
    let mut progress = Progress::new("replaying", letters.len() as u64);
    let (spool, reader) = Spool::open(&arguments.dir, arguments.options()?)?;
    drop(reader);
    let mut replayed = BTreeSet::new();
    let mut on_their_way = VecDeque::new();
    let mut refused = Vec::new();
    for letter in &letters {
        if on_their_way.len() >= AT_ONCE
            && let Some((letter, append)) = on_their_way.pop_front()
        {
            settle(letter, append, &mut replayed, &mut refused);
        }
        // Waiting for room would never end: nothing is delivered meanwhile.
        match spool.try_append(letter) {
            Ok(append) => on_their_way.push_back((letter, append)),
            Err(refusal) => refused.push(with_causes(&refusal)),
        }
        progress.at(replayed.len() as u64);
    }
    // Closing refuses what has no room.
    spool.close()?;
    for (letter, append) in on_their_way {
        settle(letter, append, &mut replayed, &mut refused);
    }
    drop(progress);
    // They are durable as events that wait; now the letters can be removed. Letters that came meanwhile stay.
    let stopped = open(arguments)?;
    let mut kept = stopped.dead_letters()?.letters;
    kept.retain(|letter| !replayed.contains(&(letter.seq, letter.id.as_str())));
    stopped.keep_dead_letters(&kept)?;
    writeln!(out, "replayed {} of {} dead letters: they wait for delivery", replayed.len(), letters.len())?;
    match refused.first() {
        None => Ok(()),
        Some(first) => Err(format!("{} stay dead letters; the first one because: {first}", refused.len()).into()),
    }
}

fn settle<'a>(
    letter: &'a audit_spool::DeadLetter,
    append: audit_spool::Append,
    replayed: &mut BTreeSet<(u64, &'a str)>,
    refused: &mut Vec<String>,
) {
    match append.wait() {
        Ok(_) => {
            replayed.insert((letter.seq, letter.id.as_str()));
        }
        Err(error) => refused.push(with_causes(&error)),
    }
}
