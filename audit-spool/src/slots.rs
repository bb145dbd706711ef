//! Slots: spools of one directory that processes take without naming them, and take over from one another.
//!
//! A slot is a spool as any other, with a name from a fixed list: `default`, `default-1`, `default-2`. A process takes the first
//! one whose lock is free. What is left in a slot that no process has open is moved: written and synced here, then acknowledged
//! there. A crash in between leaves an event in both, and it is delivered twice under one id.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, PoisonError};

use super::disk::{Disk, RealDisk};
use super::error::{AppendError, Refusal, SpoolError};
use super::options::SpoolOptions;
use super::reader::Reader;
use super::record::Record;
use super::segment::SegmentName;
use super::{Adopting, Spool};

/// How many processes can share a directory.
const SLOTS: u32 = 1000;
/// How much is moved by one call.
const STEP_RECORDS: usize = 500;
const STEP_BYTES: u64 = 1 << 20;

fn name(slot: u32) -> String {
    if slot == 0 { "default".to_owned() } else { format!("default-{slot}") }
}

fn number(name: &str) -> Option<u32> {
    let slot = match name.strip_prefix("default")? {
        "" => 0,
        rest => rest.strip_prefix('-')?.parse().ok()?,
    };
    // Only the names that this code writes: `default-007` is none.
    (slot < SLOTS && self::name(slot) == name).then_some(slot)
}

/// The slots that have files, in the order of their numbers.
fn present(files: &[String]) -> Vec<String> {
    let slots: BTreeSet<u32> = files.iter().filter_map(|file| number(file.split('.').next()?)).collect();
    slots.into_iter().map(name).collect()
}

/// The names of the slots that are in a directory.
pub fn slots_in(dir: impl AsRef<Path>) -> Result<Vec<String>, SpoolError> {
    let files = RealDisk.list(dir.as_ref()).map_err(SpoolError::io("list", dir.as_ref()))?;
    Ok(present(&files))
}

/// What a call of [`Spool::adopt_slots`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Adopted {
    /// Events that it moved into this spool.
    pub events: u64,
    /// Whether there is nothing more to move. If there is, and no event was moved, there is no room for it now.
    pub is_complete: bool,
}

impl Spool {
    /// As [`open`](Self::open), and where the options give no name: takes the first of the slots `default`, `default-1`,
    /// `default-2` and so on that no process has open. So a program can run several times at once, and a new instance can start
    /// before the old one has ended. [`SpoolError::Owned`] is then left for names that were given.
    ///
    /// What a process left in a slot comes with the slot, or is taken over by [`adopt_slots`](Self::adopt_slots).
    pub fn open_slot(dir: impl AsRef<Path>, options: SpoolOptions) -> Result<(Self, Reader), SpoolError> {
        Self::open_slot_on(Arc::new(RealDisk), dir, options)
    }

    /// As [`open_slot`](Self::open_slot), on another disk.
    pub fn open_slot_on(
        disk: Arc<dyn Disk>,
        dir: impl AsRef<Path>,
        options: SpoolOptions,
    ) -> Result<(Self, Reader), SpoolError> {
        if options.is_named {
            return Self::open_on(disk, dir, options);
        }
        let mut slot = 0;
        loop {
            let of_slot = SpoolOptions { name: name(slot), ..options.clone() };
            match Self::open_on(Arc::clone(&disk), dir.as_ref(), of_slot) {
                Err(SpoolError::Owned { .. }) if slot + 1 < SLOTS => slot += 1,
                opened => return opened,
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

    /// Moves events into this spool from slots that no process has open: what a process left that ended, or was killed. Their
    /// dead letters stay where they are. Blocks on the disk.
    ///
    /// A call moves up to 500 events or 1 MiB, and none while this spool is half full. Call it again while there are more, and
    /// then every few seconds: processes may end at any time. For a spool that was opened by its name, there is nothing to do.
    ///
    /// ```
    /// # use audit_spool::{Spool, SpoolOptions};
    /// # let dir = std::env::temp_dir().join(format!("audit-spool-adopt-doc-{}", std::process::id()));
    /// let (first, _reader) = Spool::open_slot(&dir, SpoolOptions::new())?;
    /// let (second, _reader) = Spool::open_slot(&dir, SpoolOptions::new())?;
    /// second.append(("refund-1", "{}")).wait()?;
    /// second.close()?;
    /// assert_eq!(first.adopt_slots()?.events, 1);
    /// assert!(first.adopt_slots()?.is_complete);
    /// # first.close()?;
    /// # std::fs::remove_dir_all(dir)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn adopt_slots(&self) -> Result<Adopted, SpoolError> {
        let nothing = Adopted { events: 0, is_complete: true };
        let mut adopting = self.handle.adopting.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if adopting.stopped || !self.is_slot() {
                return Ok(nothing);
            }
            if !self.has_room() {
                return Ok(Adopted { is_complete: false, ..nothing });
            }
            if adopting.from.is_none() {
                let Some(next) = self.next_abandoned(&mut adopting)? else { return Ok(nothing) };
                adopting.from = Some(next);
            }
            let Some((slot, reader)) = &mut adopting.from else { return Ok(nothing) };
            let step_bytes = usize::try_from(STEP_BYTES.min(self.handle.options.max_bytes / 8)).unwrap_or(usize::MAX);
            // After an error, the next call goes on at the same place.
            let records = reader.next_batch(STEP_RECORDS, step_bytes)?;
            if records.is_empty() {
                self.finish(&mut adopting, true)?;
                continue;
            }
            let (events, refusal) = self.take_over(slot, &records);
            if let Some(error) = refusal {
                // What was not acknowledged is read again when the slot is opened again.
                tracing::warn!(slot = slot.name(), %error, "events of another slot cannot be taken over now");
                self.finish(&mut adopting, false)?;
            }
            return Ok(Adopted { events, is_complete: false });
        }
    }

    /// Others' events take up to half of the spool, so that there is room for those of its own process.
    fn has_room(&self) -> bool {
        let status = self.status();
        status.pending_events == 0 || status.used_bytes < status.max_bytes / 2
    }

    /// Writes records here and then acknowledges them there. Says how many, and why others could not be written.
    fn take_over(&self, slot: &Self, records: &[Record]) -> (u64, Option<AppendError>) {
        let appends = self.push_all(records, true);
        let mut moved = Vec::with_capacity(records.len());
        let mut failed = None;
        for (record, append) in records.iter().zip(appends) {
            match append.wait() {
                Ok(_) => moved.push(record.seq),
                // It stays there; the others need not.
                Err(AppendError::Refused(refusal @ Refusal::TooLarge { .. })) => {
                    tracing::error!(slot = slot.name(), seq = record.seq, error = %refusal, "an event of another slot cannot be taken over");
                }
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        let events = moved.len() as u64;
        slot.ack_all(moved);
        (events, failed)
    }

    /// Closes the slot that is being moved from.
    fn finish(&self, adopting: &mut Adopting, is_done: bool) -> Result<(), SpoolError> {
        let Some((slot, _)) = adopting.from.take() else { return Ok(()) };
        self.close_slot(&slot)?;
        if is_done {
            // What is there now is damaged, or too large.
            let files = self.files()?;
            adopting.done.extend(files.into_iter().filter(|file| SegmentName::parse(file, slot.name()).is_some()));
            tracing::info!(slot = slot.name(), "the events of a slot that no process had open were taken over");
        }
        Ok(())
    }

    /// Closes a slot, and counts here what was lost there.
    pub(super) fn close_slot(&self, slot: &Self) -> Result<(), SpoolError> {
        let closed = slot.close();
        let damage = slot.status().damage;
        let mut state = self.handle.shared.state();
        state.damage.events += damage.events;
        state.damage.bytes += damage.bytes;
        state.damage.segments += damage.segments;
        closed
    }

    fn files(&self) -> Result<Vec<String>, SpoolError> {
        self.handle.disk.list(&self.handle.dir).map_err(SpoolError::io("list", &self.handle.dir))
    }

    /// Opens the next slot that has segments and no owner.
    fn next_abandoned(
        &self,
        Adopting { done, failed, .. }: &mut Adopting,
    ) -> Result<Option<(Self, Reader)>, SpoolError> {
        let files = self.files()?;
        done.retain(|file| files.contains(file));
        for slot in present(&files).into_iter().filter(|slot| slot != self.name()) {
            let mut segments = files.iter().filter(|file| SegmentName::parse(file, &slot).is_some());
            if segments.all(|file| done.contains(file)) {
                continue;
            }
            let of_slot = self.handle.options.clone().name(slot.as_str());
            match Self::open_on(Arc::clone(&self.handle.disk), &self.handle.dir, of_slot) {
                Ok(opened) => {
                    failed.remove(&slot);
                    return Ok(Some(opened));
                }
                Err(SpoolError::Owned { .. }) => {}
                Err(error) => {
                    let why = error.to_string();
                    if failed.get(&slot) != Some(&why) {
                        tracing::error!(slot, %error, "a slot that no process has open cannot be opened: its events stay there");
                        failed.insert(slot, why);
                    }
                }
            }
        }
        Ok(None)
    }
}
