//! `replay`: dead letters among the living again, and all of them to the channel.

use std::collections::{BTreeSet, VecDeque};
use std::io::Write;
use std::time::{Duration, Instant};

use audit_client::ClientConfig;
use audit_client::spool::Spool;

use crate::Failure;
use crate::arguments::Arguments;
use crate::inspect::open;
use crate::progress::Progress;

/// How many are on their way to the disk at once.
const AT_ONCE: usize = 500;

pub(crate) fn to_spool(arguments: &Arguments, out: &mut impl Write) -> Result<(), Failure> {
    let letters = open(arguments)?.dead_letters()?.0;
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
        // A spool that is full would keep this waiting for deliveries that nobody makes.
        match spool.try_append(&letter.id, &letter.event_data) {
            Ok(append) => on_their_way.push_back((letter, append)),
            Err(refusal) => refused.push(refusal.to_string()),
        }
        progress.at(replayed.len() as u64);
    }
    // Closing refuses what has no room.
    spool.close()?;
    for (letter, append) in on_their_way {
        settle(letter, append, &mut replayed, &mut refused);
    }
    drop(progress);
    // They are durable among the living; now they may go. Letters that came meanwhile stay.
    let stopped = open(arguments)?;
    let mut kept = stopped.dead_letters()?.0;
    kept.retain(|letter| !replayed.contains(&(letter.seq, letter.id.as_str())));
    stopped.keep_dead_letters(&kept)?;
    writeln!(out, "replayed {} of {} dead letters: they wait for delivery", replayed.len(), letters.len())?;
    match refused.first() {
        None => Ok(()),
        Some(first) => Err(format!("{} stay dead letters; the first one because: {first}", refused.len()).into()),
    }
}

fn settle<'a>(
    letter: &'a audit_client::spool::DeadLetter,
    append: audit_client::spool::Append,
    replayed: &mut BTreeSet<(u64, &'a str)>,
    refused: &mut Vec<String>,
) {
    match append.wait() {
        Ok(_) => {
            replayed.insert((letter.seq, letter.id.as_str()));
        }
        Err(error) => refused.push(error.to_string()),
    }
}

pub(crate) fn to_channel(arguments: &Arguments, give_up_after: Duration, out: &mut impl Write) -> Result<(), Failure> {
    // What is wrong with the configuration is told before anything is moved.
    let config = ClientConfig::from_env()?;
    if config.channel_arn.is_none() {
        return Err("AUDIT_CHANNEL_ARN is not set: it names the channel to deliver to".into());
    }
    to_spool(arguments, out)?;
    let client = config.into_builder().spool(&arguments.dir).spool_options(arguments.options()?).build_blocking()?;
    let total = client.stats().pending;
    let mut progress = Progress::new("delivering", total);
    let mut last_change = Instant::now();
    let mut left = total;
    while left > 0 && last_change.elapsed() < give_up_after {
        std::thread::sleep(Duration::from_millis(50));
        let now = client.stats().pending;
        if now != left {
            last_change = Instant::now();
        }
        left = now;
        progress.at(total.saturating_sub(left));
    }
    drop(progress);
    let stats = client.stats();
    client.shutdown_blocking(Duration::from_secs(10));
    writeln!(out, "delivered {}, dead {}, still waiting {}", stats.delivered, stats.dead, stats.pending)?;
    if stats.pending == 0 && stats.dead == 0 {
        return Ok(());
    }
    let why = stats.last_failure.map(|failure| format!("; the last failure: {failure:?}")).unwrap_or_default();
    Err(format!("not everything was delivered; what waits stays in the spool{why}").into())
}
