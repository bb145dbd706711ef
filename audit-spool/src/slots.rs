//! Several processes that are alike, in one directory: each takes a slot of its own, and drains those that no process uses.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::disk::{Disk, RealDisk};
use super::error::SpoolError;
use super::options::SpoolOptions;
use super::reader::Reader;
use super::record::NewRecord;
use super::segment::SegmentName;
use super::{Handle, Spool};

/// The name of a spool for which the options give none, and of the first slot.
const FIRST: &str = "default";
/// More processes than that share no directory.
const MOST: u32 = 1_000;
/// How much is moved at a time.
const BATCH_EVENTS: usize = 500;
const BATCH_BYTES: usize = 1 << 20;

fn slot(number: u32) -> String {
    if number == 0 { FIRST.to_owned() } else { format!("{FIRST}-{number}") }
}

fn is_slot(name: &str) -> bool {
    let number = name.strip_prefix(FIRST).map(|rest| rest.strip_prefix('-').unwrap_or(rest));
    number.is_some_and(|number| {
        number.is_empty() || number.parse().is_ok_and(|number| (1..MOST).contains(&number) && slot(number) == name)
    })
}

impl Spool {
    /// As [`open`](Self::open), and where the options give no name: takes the first of the slots `default`, `default-1`,
    /// `default-2` and so on that no other process uses. So a program can run several times at once, and a new instance can
    /// start before the old one has ended. [`SpoolError::Owned`] is then left for names that were given.
    ///
    /// What a process left in a slot is delivered by the next one that takes the slot, or by any that
    /// [adopts](Self::adopt_slots) it.
    pub fn open_slot(dir: impl AsRef<Path>, options: SpoolOptions) -> Result<(Self, Reader), SpoolError> {
        let disk: Arc<dyn Disk> = Arc::new(RealDisk);
        if options.is_named {
            return Self::open_on(disk, dir, options);
        }
        let mut number = 0;
        loop {
            let of_slot = SpoolOptions { name: slot(number), ..options.clone() };
            match Self::open_on(Arc::clone(&disk), dir.as_ref(), of_slot) {
                Err(SpoolError::Owned { .. }) if number + 1 < MOST => number += 1,
                opened => return opened,
            }
        }
    }

    /// Moves to this spool what waits in the slots of its directory that no process uses, and returns how many events that
    /// were. Does nothing if this spool was given a name. Blocks on the disk.
    ///
    /// Each event is synced here before it is acknowledged there, so a crash in between leaves it in both: it is then
    /// delivered twice, with the same id and bytes. Other slots are left alone once this spool is half full. Dead letters stay
    /// where they are.
    pub fn adopt_slots(&self) -> Result<u64, SpoolError> {
        let Handle { disk, dir, options, .. } = &*self.handle;
        if !self.is_slot() {
            return Ok(0);
        }
        let mut names: Vec<String> = Vec::new();
        for file in disk.list(dir).map_err(SpoolError::io("list", dir))? {
            let name = file.split('.').next().unwrap_or_default();
            let is_left = name != options.name && is_slot(name) && SegmentName::parse(&file, name).is_some();
            if is_left && !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
        let mut moved = 0;
        for name in names {
            let of_slot = SpoolOptions { name, ..options.clone() };
            match Self::open_on(Arc::clone(disk), dir, of_slot) {
                Ok((slot, reader)) => {
                    let result = self.take_over(&slot, reader, &mut moved);
                    slot.close()?;
                    result?;
                }
                // A process has it.
                Err(SpoolError::Owned { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(moved)
    }

    fn take_over(&self, slot: &Self, mut reader: Reader, moved: &mut u64) -> Result<(), SpoolError> {
        loop {
            let status = self.status();
            if status.used_bytes > status.max_bytes / 2 {
                return Ok(());
            }
            let batch = reader.next_batch(BATCH_EVENTS, BATCH_BYTES)?;
            if batch.is_empty() {
                return Ok(());
            }
            let records = batch
                .iter()
                .map(|record| NewRecord::new(record.id.as_str(), record.event_data.as_str(), record.checksum));
            // Before they can be read here, and delivered.
            let adopted = &self.handle.adopted;
            adopted.fetch_add(batch.len() as u64, Ordering::Relaxed);
            let appends = self.append_all(records);
            let mut refused = None;
            for (record, append) in batch.iter().zip(appends) {
                match append.wait() {
                    Ok(_) => *moved += u64::from(slot.ack(record.seq)),
                    Err(error) => {
                        adopted.fetch_sub(1, Ordering::Relaxed);
                        refused = Some(error);
                    }
                }
            }
            if let Some(error) = refused {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "a spool that no process uses is left for later"
                );
                return Ok(());
            }
        }
    }

    /// Whether it is a slot: no name was given.
    pub fn is_slot(&self) -> bool {
        !self.handle.options.is_named
    }

    /// The spool's name: the one that was given, or its slot's.
    pub fn name(&self) -> &str {
        &self.handle.options.name
    }
}
