//! The writer: groups of records into segments, acknowledgements into their journal, segments removed when all in them
//! is acknowledged. It has no thread and no clock, so a test can put every one of its steps in any order.
//!
//! Its rules:
//! - One write and one `fdatasync` for a group; the directory is synced when a segment is new.
//! - Whatever fails, the segment is never written to again. What was not known to be durable is written anew, under the
//!   same sequence numbers, into a new segment; its base marks for every later reader where the old one ends.
//! - A record is refused only where it is certain that nothing of it is on disk; otherwise the caller gets *unknown*.
//! - A segment is removed only after the acknowledgements of all in it are durable.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use futures_channel::oneshot;

use super::ack_journal::AckJournal;
use super::cipher::TAG_BYTES;
use super::disk::{Disk, DiskFile, Lock, write_all_at};
use super::error::{AppendError, Refusal, is_out_of_space};
use super::frame::{CHECKSUM_BYTES, FrameCode, HEADER_BYTES, MAX_CONTENT_BYTES};
use super::options::{SpoolOptions, WhenFull};
use super::segment::{FRAMES_AT, SegmentHeader, SegmentName};
use super::state::{Segment, Shared, is_missing};

/// The most that is written at once.
pub(super) const GROUP_BYTES: usize = 4 << 20;
/// How far a segment's file is made longer ahead of the writes, by a hole that takes no room. While a file keeps its
/// length, ext4 syncs a write without a commit of its journal, which is a second wait and up to half the processor's time.
const AHEAD_BYTES: u64 = 256 * 1024;
/// How many segments are tried for one group before its callers get an error.
const ATTEMPTS: u32 = 3;

/// A record that waits to be written.
#[derive(Debug)]
pub(super) struct Pending {
    /// The checksum, the id, the event data.
    pub(super) content: Vec<u8>,
    pub(super) id_bytes: u8,
    pub(super) done: oneshot::Sender<Result<u64, AppendError>>,
    /// It comes from another slot.
    pub(super) is_adopted: bool,
    /// Set once bytes of it may have reached the disk without being known to be durable.
    pub(super) tainted: Option<Arc<io::Error>>,
}

impl Pending {
    pub(super) fn refuse(self, refusal: Refusal) {
        let error = self.tainted.map_or(AppendError::Refused(refusal), AppendError::Unknown);
        // The caller may be gone.
        let _ = self.done.send(Err(error));
    }
}

/// Why records are left waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Blocked {
    /// `max_bytes` are used.
    Full,
    /// The disk has no room.
    DiskFull,
}

#[derive(Debug)]
pub(super) struct Log {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    options: SpoolOptions,
    shared: Arc<Shared>,
    journal: AckJournal,
    /// Released with the log: then another process may open the spool.
    lock: Box<dyn Lock>,
    active: Option<Active>,
    next_number: u64,
    /// Whether acknowledgements are missing in the journal, after it failed.
    journal_behind: bool,
    buffer: Vec<u8>,
    /// The most that is written at once; less while the disk has no room for that.
    group_bytes: usize,
}

/// The segment that is being written.
#[derive(Debug)]
struct Active {
    file: Box<dyn DiskFile>,
    number: u64,
    code: FrameCode,
    /// Where the next frame goes.
    length: u64,
    /// How long the file is; zeros stand behind what was written.
    file_length: u64,
}

impl Active {
    /// Makes the file longer for a write up to `end` and for some after it, while the segment has that far to go. If
    /// that fails, the write itself makes it longer.
    fn reach(&mut self, end: u64, segment_bytes: u64) {
        let ahead = end.next_multiple_of(AHEAD_BYTES).min(segment_bytes);
        if end > self.file_length && ahead > end && self.file.set_len(ahead).is_ok() {
            self.file_length = ahead;
        }
    }

    /// Cuts the zeros off the end. If that fails they stay, and readers ignore them.
    fn trim(&self) {
        if self.file_length > self.length {
            let _ = self.file.set_len(self.length);
        }
    }
}

/// A group that is not known to be on disk.
struct Failure {
    error: io::Error,
    /// Whether some of it may be there all the same.
    tainted: bool,
}

impl Log {
    pub(super) fn new(
        disk: Arc<dyn Disk>,
        dir: PathBuf,
        options: SpoolOptions,
        shared: Arc<Shared>,
        journal: AckJournal,
        lock: Box<dyn Lock>,
        next_number: u64,
    ) -> Self {
        Self {
            disk,
            dir,
            options,
            shared,
            journal,
            lock,
            active: None,
            next_number,
            journal_behind: false,
            buffer: Vec::new(),
            group_bytes: GROUP_BYTES,
        }
    }

    /// Writes what waits, oldest first, and answers each caller. What is left in the queue has to wait, for the returned
    /// reason.
    pub(super) fn commit(&mut self, queue: &mut VecDeque<Pending>) -> Option<Blocked> {
        let mut attempts = 0;
        loop {
            if self.active.as_ref().is_some_and(|active| active.length >= self.options.segment_bytes) {
                self.seal();
            }
            let mut group = self.take_group(queue);
            if group.is_empty() {
                if queue.is_empty() {
                    return None;
                }
                if self.free_active() {
                    continue;
                }
                return self.no_room(queue, Blocked::Full);
            }
            let Err(Failure { error, tainted }) = self.write(&group) else {
                let end = self.shared.state().next_seq;
                self.shared.durable_end.send_replace(end);
                // The last one first: a caller that waits for them in order is woken once, when all are answered.
                for (seq, record) in (0..end).rev().zip(group.into_iter().rev()) {
                    let _ = record.done.send(Ok(seq));
                }
                attempts = 0;
                self.group_bytes = GROUP_BYTES.min(self.group_bytes * 2);
                continue;
            };
            let out_of_space = is_out_of_space(&error);
            tracing::warn!(%error, records = group.len(), "a write to the spool failed");
            let error = Arc::new(error);
            if tainted {
                for record in &mut group {
                    record.tainted = Some(Arc::clone(&error));
                }
            }
            attempts += 1;
            // There may be room for half of it.
            let smaller = out_of_space && group.len() > 1;
            if smaller {
                self.group_bytes = group.iter().map(|record| record.content.len()).sum::<usize>() / 2;
            }
            if out_of_space || attempts < ATTEMPTS {
                for record in group.into_iter().rev() {
                    queue.push_front(record);
                }
                if out_of_space && !smaller {
                    return self.no_room(queue, Blocked::DiskFull);
                }
            } else {
                for record in group {
                    record.refuse(Refusal::Disk(Arc::clone(&error)));
                }
                attempts = 0;
            }
        }
    }

    /// Takes from the queue what fits into one write and into the spool; drops records whose caller is gone.
    fn take_group(&self, queue: &mut VecDeque<Pending>) -> Vec<Pending> {
        let used = self.shared.state().used_bytes() + if self.active.is_some() { 0 } else { FRAMES_AT };
        let room = usize::try_from(self.options.max_bytes.saturating_sub(used)).unwrap_or(usize::MAX);
        let around = frame_overhead(&self.options) - CHECKSUM_BYTES;
        let mut group = Vec::new();
        let mut bytes = 0;
        while let Some(next) = queue.front() {
            if next.done.is_canceled() {
                queue.pop_front();
                continue;
            }
            bytes += around + next.content.len();
            if bytes > room || (bytes > self.group_bytes && !group.is_empty()) {
                break;
            }
            group.extend(queue.pop_front());
        }
        group
    }

    /// There is no room: refuses the records, unless the policy is to wait.
    fn no_room(&self, queue: &mut VecDeque<Pending>, why: Blocked) -> Option<Blocked> {
        queue.retain(|record| !record.done.is_canceled());
        if self.options.when_full == WhenFull::Wait {
            return (!queue.is_empty()).then_some(why);
        }
        let used = self.shared.state().used_bytes();
        for record in queue.drain(..) {
            record.refuse(match why {
                Blocked::Full => Refusal::Full { used, max_bytes: self.options.max_bytes },
                Blocked::DiskFull => Refusal::DiskFull,
            });
        }
        None
    }

    /// Writes and syncs a group. On success it is durable, in a file that is at its path, and the state says so.
    fn write(&mut self, group: &[Pending]) -> Result<(), Failure> {
        self.check_lock().map_err(|error| Failure { error, tainted: false })?;
        let base = self.shared.state().next_seq;
        self.buffer.clear();
        let (mut active, fresh) = if let Some(active) = self.active.take() {
            (active, None)
        } else {
            let (active, header, name) = self.begin(base).map_err(|error| Failure { error, tainted: false })?;
            self.buffer.extend_from_slice(&header.encode());
            (active, Some((header, name)))
        };
        for (index, (seq, record)) in (base..).zip(group).enumerate() {
            active.code.encode(&mut self.buffer, seq, index == 0, record.id_bytes, &record.content);
        }
        let added = self.buffer.len() as u64;
        active.reach(active.length + added, self.options.segment_bytes);
        let written = write_all_at(&*active.file, &self.buffer, active.length);
        if self.buffer.capacity() > GROUP_BYTES / 4 {
            self.buffer = Vec::new();
        }
        let synced = match &written {
            Ok(()) => active.file.sync_data().and_then(|()| match fresh {
                Some(_) => self.disk.sync_dir(&self.dir),
                None => Ok(()),
            }),
            Err(_) => Ok(()),
        };
        let write_failed = written.is_err();
        let synced = synced.and_then(|()| self.check_lock()).and_then(|()| self.check_file(&active, base, fresh));
        if let Err(error) = written.and(synced) {
            let tainted = match fresh {
                Some((_, name)) => !self.undo_segment(name),
                None => !self.cut(&active, write_failed),
            };
            return Err(Failure { error, tainted });
        }
        let length = active.length + added;
        let seqs = base..base + group.len() as u64;
        let mut state = self.shared.state();
        state.next_seq = seqs.end;
        state.adopted += group.iter().filter(|record| record.is_adopted).count() as u64;
        match fresh {
            Some((header, name)) => {
                state.segments.push(Segment { name, header: Some(header), seqs, length, active: true });
            }
            None => {
                if let Some(segment) = state.segment_mut(active.number) {
                    segment.seqs.end = seqs.end;
                    segment.length = length;
                }
            }
        }
        drop(state);
        self.active = Some(Active { length, ..active });
        Ok(())
    }

    /// Whether this process still owns the spool.
    fn check_lock(&self) -> io::Result<()> {
        if self.lock.is_in_place()? { Ok(()) } else { Err(moved("the lock file")) }
    }

    /// Whether a segment is still the file at its path.
    fn check_file(&self, active: &Active, base: u64, fresh: Option<(SegmentHeader, SegmentName)>) -> io::Result<()> {
        let name = match fresh {
            Some((_, name)) => name,
            None => match self.shared.state().segment_mut(active.number) {
                Some(segment) => segment.name,
                None => SegmentName { base, number: active.number, damaged: false },
            },
        };
        let path = self.dir.join(name.render(&self.options.name));
        if active.file.is_at(&path)? { Ok(()) } else { Err(moved("the segment that is being written")) }
    }

    /// Makes the file of a new segment.
    fn begin(&mut self, base: u64) -> io::Result<(Active, SegmentHeader, SegmentName)> {
        let mut salt = [0; 16];
        self.disk.random(&mut salt)?;
        let (cipher, key) = self.options.encryption.as_ref().map(|keys| keys.cipher_for_new(salt)).unzip();
        let header = SegmentHeader { base, salt, key };
        loop {
            let name = SegmentName { base, number: self.next_number, damaged: false };
            self.next_number += 1;
            match self.disk.create(&self.dir.join(name.render(&self.options.name))) {
                Ok(file) => {
                    let code = FrameCode::new(salt, cipher);
                    return Ok((Active { file, number: name.number, code, length: 0, file_length: 0 }, header, name));
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Removes a segment whose first group failed; returns whether it is certain to be gone.
    fn undo_segment(&self, name: SegmentName) -> bool {
        let gone = self.disk.remove(&self.dir.join(name.render(&self.options.name)));
        if gone.is_err() {
            // Its numbers are written anew elsewhere. It stays on the list, so that it is removed later.
            let seqs = name.base..name.base;
            self.shared.state().segments.push(Segment { name, header: None, seqs, length: 0, active: false });
        }
        gone.and_then(|()| self.disk.sync_dir(&self.dir)).is_ok()
    }

    /// Takes a failed group off the end of a segment that is given up; returns whether it is certain to be gone. If the
    /// sync failed, this file is not synced again, so nothing is certain.
    fn cut(&self, active: &Active, write_failed: bool) -> bool {
        if let Some(segment) = self.shared.state().segment_mut(active.number) {
            segment.active = false;
        }
        let cut = active.file.set_len(active.length);
        write_failed && cut.and_then(|()| active.file.sync_data()).is_ok()
    }

    /// Gives up the active segment; the next group begins a new one.
    fn seal(&mut self) {
        if let Some(active) = self.active.take() {
            active.trim();
            if let Some(segment) = self.shared.state().segment_mut(active.number) {
                segment.active = false;
            }
        }
    }

    /// Frees the active segment if all in it is acknowledged; returns whether that made room.
    fn free_active(&mut self) -> bool {
        let Some(active) = &self.active else { return false };
        let number = active.number;
        let mut state = self.shared.state();
        let seqs = state.segment_mut(number).map(|segment| segment.seqs.clone());
        let free = seqs.is_some_and(|seqs| state.acked.contains_all(&seqs));
        drop(state);
        if free {
            self.seal();
            // Where it fails, the next call of `persist_acks` tries it again, and nothing is free until then.
            let _ = self.persist_acks(false);
        }
        free && self.shared.state().segment_mut(number).is_none()
    }

    /// Writes new acknowledgements to the journal and removes segments that hold nothing else. With `sync`, the
    /// acknowledgements are durable afterwards. What fails is tried again by the next call.
    pub(super) fn persist_acks(&mut self, sync: bool) -> io::Result<()> {
        let (new, done, durable_end) = {
            let mut state = self.shared.state();
            let new = std::mem::take(&mut state.new_acks);
            let done: Vec<SegmentName> = state
                .segments
                .iter()
                .filter(|segment| !segment.active && state.acked.contains_all(&segment.seqs))
                .map(|segment| segment.name)
                .collect();
            (new, done, state.next_seq)
        };
        let changes_something = self.journal_behind || !new.is_empty() || !done.is_empty() || sync;
        if changes_something && let Err(error) = self.check_lock() {
            // The journal may be another process's.
            self.shared.state().new_acks.splice(0..0, new);
            return Err(error);
        }
        let shared = &self.shared;
        let acked = || shared.state().acked.clone();
        let written = if self.journal_behind {
            self.journal.write_snapshot(&acked(), durable_end)
        } else if new.is_empty() {
            Ok(())
        } else {
            self.journal.append(&new, acked, durable_end)
        };
        self.journal_behind = written.is_err();
        written?;
        if !sync && done.is_empty() {
            return Ok(());
        }
        let synced = self.journal.sync(acked, durable_end);
        self.journal_behind = synced.is_err();
        synced?;
        for name in done {
            if !name.damaged {
                match self.disk.remove(&self.dir.join(name.render(&self.options.name))) {
                    Err(error) if !is_missing(&error) => return Err(error),
                    _ => {}
                }
            }
            self.shared.state().segments.retain(|segment| segment.name.number != name.number);
        }
        Ok(())
    }

    /// Whether acknowledgements are written that a power failure could take back, or not written at all.
    pub(super) fn owes_sync(&self) -> bool {
        self.journal_behind || self.journal.is_dirty()
    }

    /// Ends the work: all acknowledgements durable, and a mark of how far the records are. What is not there any more is counted as
    /// lost, so that no caller relies on it.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        self.seal();
        self.lose_missing();
        self.shared.state().new_acks.push(0..0);
        self.persist_acks(true)
    }
}

impl Log {
    /// Gives up the records whose segment is not at its path, is shorter than it was, or is another file.
    fn lose_missing(&self) {
        let segments = self.shared.state().segments.clone();
        for segment in segments {
            let path = segment.path(&self.dir, &self.options);
            let found =
                self.disk.open(&path, false).and_then(|file| Ok((file.length()?, SegmentHeader::read(&*file)?.ok())));
            let is_there = match found {
                // Without a header, nothing could be read from it before either.
                Ok((length, header)) => {
                    length >= segment.length && (segment.header.is_none() || header == segment.header)
                }
                Err(error) if is_missing(&error) => false,
                // It may well be there.
                Err(_) => true,
            };
            if is_there {
                continue;
            }
            let mut state = self.shared.state();
            let events = state.acknowledge(segment.seqs.clone());
            state.damage.events += events;
            drop(state);
            if events > 0 {
                tracing::error!(
                    events,
                    ?path,
                    "a segment of the spool was removed while it was in use: its events are lost"
                );
            }
        }
    }
}

/// What happened to a file that this process has open.
fn moved(what: &str) -> io::Error {
    io::Error::other(format!(
        "{what} was removed or replaced while it was in use: put the files of the spool back, and restart the process"
    ))
}

/// Bytes around a record's id and event data on disk.
pub(super) fn frame_overhead(options: &SpoolOptions) -> usize {
    HEADER_BYTES + CHECKSUM_BYTES + if options.encryption.is_some() { TAG_BYTES } else { 0 }
}

/// The largest id and event data together that a spool takes.
pub(super) fn max_content(options: &SpoolOptions) -> usize {
    let room = options.max_bytes.saturating_sub(FRAMES_AT + frame_overhead(options) as u64);
    usize::try_from(room).unwrap_or(usize::MAX).min(MAX_CONTENT_BYTES)
}
