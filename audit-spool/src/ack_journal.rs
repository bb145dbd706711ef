//! The acknowledgements on disk: two files of fixed size that take turns.
//!
//! One of them is current: it begins with a snapshot of all that is acknowledged, and further acknowledgements are
//! written after it. When it is full, or its sync fails, a new snapshot goes into the other one, is synced, and that
//! one is current. Both get their full size when they are made, so that acknowledging works on a full disk: it is what
//! frees space.
//!
//! Acknowledgements are never taken back, so what can be read in either file is true, and reading takes both together.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::disk::{Disk, DiskFile, read_full_at, write_all_at};
use super::error::{SpoolError, is_out_of_space};
use super::segment::{FORMAT_VERSION, SEQ_LIMIT};
use super::seq_set::SeqSet;
use super::state::is_missing;

const MAGIC: &[u8; 8] = b"AUDACKS\n";
const HEADER_BYTES: usize = 64;
const RECORD_BYTES: usize = 32;
/// The size of each file, unless a snapshot takes more. Tests fill it often.
const SLOT_BYTES: usize = if cfg!(test) { 512 } else { 32 * 1024 };

#[derive(Debug)]
pub(super) struct AckJournal {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    slots: [Slot; 2],
    /// Where a new file is made, before it takes its name.
    new_path: PathBuf,
    current: Option<usize>,
    generation: u64,
    crc_of_salt: u32,
    /// Where the next record goes in the current file, and where that file is full.
    at: usize,
    full_at: usize,
    /// Whether something was written to the current file and not synced.
    dirty: bool,
}

#[derive(Debug)]
struct Slot {
    path: PathBuf,
    /// `None` where there is no file, or one that failed and is not to be used again.
    file: Option<Box<dyn DiskFile>>,
}

/// What the journal knew at the start.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) acked: SeqSet,
    /// Records below this number had been synced.
    pub(super) durable_end: u64,
    /// Whether there are files, and none of them is whole.
    pub(super) damaged: bool,
    /// Whether there are none.
    pub(super) missing: bool,
}

impl AckJournal {
    pub(super) fn load(disk: &Arc<dyn Disk>, dir: &Path, name: &str) -> Result<(Self, Known), SpoolError> {
        let mut known = Known::default();
        let mut best: Option<(u64, usize)> = None;
        let mut files = 0;
        let mut generation = 0;
        let mut load = |index: usize| {
            let path = dir.join(format!("{name}.acks.{index}"));
            let file = match disk.open(&path, true) {
                Ok(file) => file,
                Err(error) if is_missing(&error) => return Ok(Slot { path, file: None }),
                Err(error) => return Err(SpoolError::io("open", path)(error)),
            };
            files += 1;
            let bytes = read_slot(&*file).map_err(SpoolError::io("read", &path))?;
            if let Some(header) = Header::decode(&bytes) {
                if header.version != FORMAT_VERSION {
                    return Err(SpoolError::Version { path, version: header.version, known: FORMAT_VERSION });
                }
                generation = generation.max(header.generation);
                let whole = header.read_records(&bytes, &mut known);
                if whole && best.is_none_or(|(newest, _)| header.generation > newest) {
                    best = Some((header.generation, index));
                }
            }
            Ok(Slot { path, file: Some(file) })
        };
        let slots = [load(0)?, load(1)?];
        known.damaged = files > 0 && best.is_none();
        known.missing = files == 0;
        let journal = Self {
            disk: Arc::clone(disk),
            dir: dir.to_owned(),
            slots,
            new_path: dir.join(format!("{name}.acks.new")),
            current: best.map(|(_, index)| index),
            generation,
            crc_of_salt: 0,
            at: 0,
            full_at: 0,
            dirty: false,
        };
        Ok((journal, known))
    }

    /// Whether something is written that a power failure could take back.
    pub(super) fn is_dirty(&self) -> bool {
        self.dirty
    }

    /// Appends acknowledgements with one write. After an error, or if they do not fit, it writes and syncs a snapshot of all
    /// that is acknowledged instead.
    pub(super) fn append(
        &mut self,
        new: &[Range<u64>],
        acked: impl FnOnce() -> SeqSet,
        durable_end: u64,
    ) -> io::Result<()> {
        let bytes: Vec<u8> = new.iter().flat_map(|range| record(self.crc_of_salt, range, durable_end)).collect();
        if let Some(file) = self.current.and_then(|index| self.slots.get(index)).and_then(|slot| slot.file.as_ref())
            && self.full_at != 0
            && self.at + bytes.len() <= self.full_at
            && write_all_at(&**file, &bytes, self.at as u64).is_ok()
        {
            self.at += bytes.len();
            self.dirty = true;
            return Ok(());
        }
        self.write_snapshot(&acked(), durable_end)
    }

    /// Makes what was appended durable. If the sync fails, it writes a snapshot to the other file.
    pub(super) fn sync(&mut self, acked: impl FnOnce() -> SeqSet, durable_end: u64) -> io::Result<()> {
        if !self.dirty {
            return Ok(());
        }
        let slot = self.current.and_then(|index| self.slots.get_mut(index));
        if let Some(slot) = slot
            && let Some(file) = &slot.file
        {
            if file.sync_data().is_ok() && file.is_at(&slot.path).unwrap_or(true) {
                self.dirty = false;
                return Ok(());
            }
            // What this file holds is unknown from now on, or no later run would find it; it is not synced again.
            slot.file = None;
        }
        self.write_snapshot(&acked(), durable_end)
    }

    /// Writes all that is acknowledged into the file that is not current, syncs it, and makes it the current one.
    pub(super) fn write_snapshot(&mut self, acked: &SeqSet, durable_end: u64) -> io::Result<()> {
        self.snapshot(acked, durable_end, false)
    }

    /// The first snapshot of a run. If a sync failed in the previous run, the file that looks whole may be whole only in
    /// memory. So the other file is not overwritten, but replaced by a new one once that is durable. On a full disk it is
    /// overwritten, since a spool that cannot be opened would not drain.
    pub(super) fn write_first_snapshot(&mut self, acked: &SeqSet, durable_end: u64) -> io::Result<()> {
        match self.snapshot(acked, durable_end, true) {
            Err(error) if is_out_of_space(&error) => self.write_snapshot(acked, durable_end),
            other => other,
        }
    }

    fn snapshot(&mut self, acked: &SeqSet, durable_end: u64, replace: bool) -> io::Result<()> {
        let target = self.current.map_or(0, |index| 1 - index);
        let mut salt = [0; 16];
        self.disk.random(&mut salt)?;
        let crc_of_salt = crc32c::crc32c(&salt);
        let generation = self.generation + 1;
        // An empty range still carries how far the records are durable.
        let mut ranges: Vec<Range<u64>> = acked.ranges().collect();
        if ranges.is_empty() {
            ranges.push(0..0);
        }
        let mut bytes = Header { version: FORMAT_VERSION, generation, salt, snapshot: ranges.len() as u64 }.encode();
        bytes.extend(ranges.iter().flat_map(|range| record(crc_of_salt, range, durable_end)));
        let at = bytes.len();
        let full_at = if at <= SLOT_BYTES / 4 * 3 { SLOT_BYTES } else { 2 * at };

        // Whether the current file's own sync never failed.
        let is_safe = self.current.and_then(|index| self.slots.get(index)).is_some_and(|slot| slot.file.is_some());
        let Some(slot) = self.slots.get_mut(target) else { return Ok(()) };
        let existing =
            if replace { None } else { slot.file.take().filter(|file| file.is_at(&slot.path).unwrap_or(true)) };
        let file = if let Some(file) = existing {
            if file.length()? < full_at as u64 {
                bytes.resize(full_at, 0);
            }
            if let Err(error) = write_all_at(&*file, &bytes, 0) {
                // A write that failed can be made again; only a failed sync makes a file useless.
                slot.file = Some(file);
                return Err(error);
            }
            if let Err(error) = file.sync_data() {
                // A reader sees this file whole now, although it may not be on disk. The current file is on disk, so no
                // reader may take this one for the newer and overwrite the other.
                if is_safe {
                    let _ = write_all_at(&*file, &[0; HEADER_BYTES], 0);
                }
                return Err(error);
            }
            file
        } else {
            bytes.resize(full_at, 0);
            let file = write_new(&*self.disk, &self.new_path, &bytes)?;
            // From here on, the old file may be out of the directory.
            slot.file = None;
            self.disk.rename(&self.new_path, &slot.path)?;
            self.disk.sync_dir(&self.dir)?;
            file
        };
        slot.file = Some(file);
        self.current = Some(target);
        self.generation = generation;
        self.crc_of_salt = crc_of_salt;
        (self.at, self.full_at) = (at, full_at);
        self.dirty = false;
        self.prepare_spare(1 - target);
        Ok(())
    }

    /// Makes the next file, at its full size, while there is room for it. If that fails, the file is made when it is
    /// needed.
    fn prepare_spare(&mut self, index: usize) {
        if let Some(slot) = self.slots.get_mut(index)
            && slot.file.is_none()
            && let Ok(file) = write_new(&*self.disk, &self.new_path, &vec![0; SLOT_BYTES])
            && self.disk.rename(&self.new_path, &slot.path).is_ok()
            && self.disk.sync_dir(&self.dir).is_ok()
        {
            slot.file = Some(file);
        }
    }
}

fn read_slot(file: &dyn DiskFile) -> io::Result<Vec<u8>> {
    let length = usize::try_from(file.length()?).unwrap_or(usize::MAX).min(1 << 26);
    let mut bytes = vec![0; length];
    let read = read_full_at(file, &mut bytes, 0)?;
    bytes.truncate(read);
    Ok(bytes)
}

/// A new file, durable except for its name. Removes one that an earlier try left.
fn write_new(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<Box<dyn DiskFile>> {
    match disk.remove(path) {
        Err(error) if !is_missing(&error) => return Err(error),
        _ => {}
    }
    let file = disk.create(path)?;
    let written = write_all_at(&*file, bytes, 0).and_then(|()| file.sync_data());
    if written.is_err() {
        // It would take room for nothing. If it stays, the next try removes it.
        let _ = disk.remove(path);
    }
    written.map(|()| file)
}

#[derive(Debug)]
struct Header {
    version: u16,
    /// The higher one of two is the newer.
    generation: u64,
    salt: [u8; 16],
    /// How many records the snapshot has.
    snapshot: u64,
}

impl Header {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(SLOT_BYTES);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&self.version.to_le_bytes());
        bytes.extend_from_slice(&[0; 6]);
        bytes.extend_from_slice(&self.generation.to_le_bytes());
        bytes.extend_from_slice(&self.salt);
        bytes.extend_from_slice(&self.snapshot.to_le_bytes());
        bytes.resize(HEADER_BYTES, 0);
        let crc = crc32c::crc32c(&bytes);
        if let Some(place) = bytes.get_mut(12..16) {
            place.copy_from_slice(&crc.to_le_bytes());
        }
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.first_chunk::<HEADER_BYTES>()?;
        let mut without_crc = *bytes;
        without_crc[12..16].fill(0);
        let crc = u32::from_le_bytes([bytes[12], bytes[13], bytes[14], bytes[15]]);
        let version = u16::from_le_bytes([bytes[8], bytes[9]]);
        if !bytes.starts_with(MAGIC) || crc32c::crc32c(&without_crc) != crc {
            return None;
        }
        let mut salt = [0; 16];
        salt.copy_from_slice(&bytes[24..40]);
        Some(Self { version, generation: number(&bytes[16..24]), salt, snapshot: number(&bytes[40..48]) })
    }

    /// Takes every sound record; returns whether the snapshot is whole.
    fn read_records(&self, bytes: &[u8], known: &mut Known) -> bool {
        let crc_of_salt = crc32c::crc32c(&self.salt);
        let mut in_snapshot = 0;
        for (index, record) in bytes.get(HEADER_BYTES..).unwrap_or_default().chunks_exact(RECORD_BYTES).enumerate() {
            let (covered, crc) = record.split_at(RECORD_BYTES - 4);
            let crc = crc.first_chunk().map_or(0, |crc| u32::from_le_bytes(*crc));
            let (from, to, durable_end) = (number(&covered[0..8]), number(&covered[8..16]), number(&covered[16..24]));
            if crc32c::crc32c_append(crc_of_salt, covered) == crc && to < SEQ_LIMIT && durable_end < SEQ_LIMIT {
                known.acked.insert(from..to);
                known.durable_end = known.durable_end.max(durable_end);
                in_snapshot += u64::from((index as u64) < self.snapshot);
            }
        }
        in_snapshot == self.snapshot
    }
}

/// One record: from, to (exclusive), the end of what was durable, four zeros, the CRC.
fn record(crc_of_salt: u32, range: &Range<u64>, durable_end: u64) -> [u8; RECORD_BYTES] {
    let mut record = [0; RECORD_BYTES];
    record[0..8].copy_from_slice(&range.start.to_le_bytes());
    record[8..16].copy_from_slice(&range.end.to_le_bytes());
    record[16..24].copy_from_slice(&durable_end.to_le_bytes());
    let crc = crc32c::crc32c_append(crc_of_salt, &record[..28]);
    record[28..].copy_from_slice(&crc.to_le_bytes());
    record
}

fn number(bytes: &[u8]) -> u64 {
    bytes.first_chunk::<8>().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}
