//! Opens a spool: finds what is there, how far it is sound, and where to continue.
//!
//! Only headers, acknowledgements and the last segment are read, so a long backlog does not delay the start; the reader
//! finds damage further back when it comes there.
//!
//! A process that ended in the middle of a write leaves a torn tail. Writes follow one another only after a sync, so
//! everything before the last write is durable, and each write's first frame is marked: what is broken before such a
//! mark is damage, what is broken behind the last one was never accepted and is cut off.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::ack_journal::AckJournal;
use super::disk::{Disk, Lock, LockError};
use super::error::SpoolError;
use super::log::Log;
use super::options::SpoolOptions;
use super::segment::{
    BadHeader, FORMAT_VERSION, FRAMES_AT, SEQ_LIMIT, SegmentHeader, SegmentName, Step, Walk, end_of_content,
};
use super::state::{Segment, Shared, State, frame_code, is_missing};

/// What was found when a spool was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recovery {
    /// Events of earlier runs that are to be delivered.
    pub backlog_events: u64,
    /// What their segments take on disk.
    pub backlog_bytes: u64,
    /// Bytes of an unfinished write that were cut off. None of them was accepted.
    pub torn_bytes: u64,
    /// Whether the acknowledgements were damaged, or their files removed: events that were delivered may be delivered again.
    pub acks_damaged: bool,
    /// Segments with damage that earlier runs set aside, under names that end in `.damaged`.
    pub damaged_segments: u64,
}

/// A spool that is ready to work.
pub(super) struct Opened {
    pub(super) log: Log,
    pub(super) shared: Arc<Shared>,
    pub(super) recovery: Recovery,
}

/// Makes this process the spool's owner.
pub(super) fn take_lock(disk: &dyn Disk, dir: &Path, options: &SpoolOptions) -> Result<Box<dyn Lock>, SpoolError> {
    let path = dir.join(format!("{}.lock", options.name));
    loop {
        let lock = disk.lock(&path).map_err(|error| match error {
            LockError::Held { owner } => SpoolError::Owned { dir: dir.to_owned(), name: options.name.clone(), owner },
            LockError::Io(source) => SpoolError::Io { doing: "lock", path: path.clone(), source },
        })?;
        // Another process may have removed the file between its opening and its locking.
        if lock.is_in_place().map_err(SpoolError::io("lock", &path))? {
            return Ok(lock);
        }
    }
}

/// Reads what is there and makes it ready.
pub(super) fn recover(
    disk: &Arc<dyn Disk>,
    dir: &Path,
    options: &SpoolOptions,
    lock: Box<dyn Lock>,
) -> Result<Opened, SpoolError> {
    let (mut journal, known) = AckJournal::load(disk, dir, &options.name)?;
    let mut acked = known.acked;
    acked.insert(0..1);
    let mut segments = find_segments(&**disk, dir, options)?;
    let mut recovery = Recovery {
        acks_damaged: (known.damaged || known.missing) && !segments.is_empty(),
        damaged_segments: segments.iter().filter(|segment| segment.name.damaged).count() as u64,
        ..Recovery::default()
    };
    let next_number = segments.iter().map(|segment| segment.name.number + 1).max().unwrap_or(1);

    let mut next_seq = known.durable_end.max(acked.end());
    if let Some(last) = segments.last_mut() {
        next_seq = next_seq.max(last.seqs.start);
        let tail = read_tail(&**disk, dir, options, last, known.durable_end)?;
        next_seq = next_seq.max(tail.end);
        last.seqs.end = next_seq;
        last.length = tail.length;
        recovery.torn_bytes = tail.torn_bytes;
        for seqs in tail.never_accepted {
            acked.insert(seqs);
        }
    }
    for segment in &segments {
        // Before anything is changed: a missing key is an error now, not in the middle of the backlog.
        if let Some(header) = &segment.header
            && !acked.contains_all(&segment.seqs)
        {
            frame_code(header, options, &segment.path(dir, options))?;
        }
    }
    if segments.is_empty() && known.damaged {
        return Err(SpoolError::AcknowledgementsDamaged { dir: dir.to_owned(), name: options.name.clone() });
    }
    let kept = next_seq - acked.members_in(&(0..next_seq));
    if segments.is_empty() && kept > 0 {
        return Err(SpoolError::SegmentsMissing { dir: dir.to_owned(), name: options.name.clone(), events: kept });
    }
    if recovery.acks_damaged {
        tracing::error!(
            ?dir,
            spool = options.name,
            "the acknowledgements of the spool are damaged or were removed: what was delivered may be delivered again, and \
             counts as lost where its segment is gone"
        );
    }
    journal.write_first_snapshot(&acked, next_seq).map_err(SpoolError::io("write the acknowledgements in", dir))?;

    let state = State { segments, acked, next_seq, ..State::default() };
    recovery.backlog_events = state.pending();
    let open = state.segments.iter().filter(|segment| !state.acked.contains_all(&segment.seqs));
    recovery.backlog_bytes = open.map(|segment| segment.length).sum();
    let shared = Arc::new(Shared::new(state));
    let dir = dir.to_owned();
    let log = Log::new(Arc::clone(disk), dir, options.clone(), Arc::clone(&shared), journal, lock, next_number);
    Ok(Opened { log, shared, recovery })
}

/// All segments by their order, each with the numbers from its base to the next one's.
pub(super) fn find_segments(disk: &dyn Disk, dir: &Path, options: &SpoolOptions) -> Result<Vec<Segment>, SpoolError> {
    let mut segments = Vec::new();
    for file_name in disk.list(dir).map_err(SpoolError::io("list", dir))? {
        let Some(name) = SegmentName::parse(&file_name, &options.name) else { continue };
        let path = dir.join(file_name);
        let file = match disk.open(&path, false) {
            Ok(file) => file,
            Err(error) if is_missing(&error) => continue,
            Err(error) => return Err(SpoolError::io("open", path)(error)),
        };
        let length = file.length().map_err(SpoolError::io("read", &path))?;
        let header = match SegmentHeader::read(&*file).map_err(SpoolError::io("read", &path))? {
            Ok(header) => Some(header).filter(|header| header.base == name.base),
            Err(BadHeader::Damaged) => None,
            Err(BadHeader::Version(version)) => {
                return Err(SpoolError::Version { path, version, known: FORMAT_VERSION });
            }
            Err(BadHeader::Cipher(cipher)) => return Err(SpoolError::Cipher { path, cipher }),
        };
        segments.push(Segment { name, header, seqs: name.base..name.base, length, active: false });
    }
    segments.sort_by_key(|segment| (segment.name.base, segment.name.number));
    let bases: Vec<u64> = segments.iter().skip(1).map(|segment| segment.name.base).collect();
    for (segment, next_base) in segments.iter_mut().zip(bases) {
        segment.seqs.end = next_base;
    }
    Ok(segments)
}

/// What the last segment turned out to be.
#[derive(Debug, Default)]
struct Tail {
    /// One more than its last sound number.
    end: u64,
    length: u64,
    torn_bytes: u64,
    /// Numbers that a torn write skipped.
    never_accepted: Vec<Range<u64>>,
}

fn read_tail(
    disk: &dyn Disk,
    dir: &Path,
    options: &SpoolOptions,
    last: &mut Segment,
    durable_end: u64,
) -> Result<Tail, SpoolError> {
    let path = last.path(dir, options);
    let untouched = Tail { length: last.length, ..Tail::default() };
    let Some(header) = &last.header else {
        set_aside(disk, dir, options, last)?;
        return Ok(untouched);
    };
    let code = frame_code(header, options, &path)?;
    let file = disk.open(&path, false).map_err(SpoolError::io("open", &path))?;
    let mut walk = Walk::new(file, code, last.seqs.start..SEQ_LIMIT, last.length);
    let mut tail = Tail { end: last.seqs.start, length: FRAMES_AT, ..Tail::default() };
    let mut gaps = Vec::new();
    let mut last_write = last.seqs.start;
    let mut failures = 0;
    loop {
        match walk.step() {
            Ok(Step::Frame(frame)) => {
                if frame.starts_write {
                    last_write = frame.seq;
                }
                walk.pass(frame);
                (tail.end, tail.length) = (frame.seq + 1, walk.offset());
            }
            Ok(Step::Gap { seqs, .. }) => gaps.push(seqs),
            Ok(Step::End { .. }) => break,
            // A walk gives up on a place after some failures; one that fails everywhere is a disk that is not there.
            Err(error) if failures > 1000 => return Err(SpoolError::io("read", path)(error)),
            Err(_) => failures += 1,
        }
    }
    let file = disk.open(&path, true).map_err(SpoolError::io("open", &path))?;
    let written = end_of_content(&*file, tail.length..last.length).unwrap_or(last.length).min(last.length);
    if walk.gave_up() || last.name.damaged || tail.end < durable_end {
        // More was durable than can be read: that is damage, which is not cut off but reported by the reader.
        tail.length = if walk.gave_up() { last.length } else { written };
    } else {
        // What a torn write left out stays a gap, and is no loss.
        gaps.retain(|seqs| seqs.end > last_write && seqs.start >= durable_end);
        tail.never_accepted = gaps;
        if tail.length < last.length {
            tail.torn_bytes = written - tail.length;
            file.set_len(tail.length).map_err(SpoolError::io("cut the unfinished write off", &path))?;
        }
    }
    // What was read may not be on disk yet, if only the process ended and not the machine; nor the file's name.
    file.sync_data().map_err(SpoolError::io("sync", path))?;
    disk.sync_dir(dir).map_err(SpoolError::io("sync", dir))?;
    Ok(tail)
}

/// Keeps a last segment whose header is unreadable, unless there is nothing in it: it may be one that was never
/// finished, or a damaged one. Nothing can be read from it either way.
fn set_aside(disk: &dyn Disk, dir: &Path, options: &SpoolOptions, last: &mut Segment) -> Result<(), SpoolError> {
    let from = last.path(dir, options);
    let file = disk.open(&from, false).map_err(SpoolError::io("open", &from))?;
    let written = end_of_content(&*file, 0..last.length).unwrap_or(last.length);
    if last.name.damaged || written <= FRAMES_AT {
        return Ok(());
    }
    last.name.damaged = true;
    let to = last.path(dir, options);
    tracing::warn!(
        ?to,
        "a segment of the spool has no readable header and is set aside: it was torn at its making, or is damaged"
    );
    let renamed: io::Result<()> = disk.rename(&from, &to).and_then(|()| disk.sync_dir(dir));
    renamed.map_err(SpoolError::io("rename", PathBuf::from(&from)))
}
