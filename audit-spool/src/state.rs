//! What the writer, the reader and the callers share. It is under one lock, which is never held during disk access.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::cipher::NoKey;
use super::error::SpoolError;
use super::frame::FrameCode;
use super::options::SpoolOptions;
use super::segment::{SegmentHeader, SegmentName};
use super::seq_set::SeqSet;

/// The state behind its lock, and the mark that readers wait for.
#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    /// One more than the last sequence number that is on disk and synced.
    pub(super) durable_end: watch::Sender<u64>,
}

impl Shared {
    pub(super) fn new(state: State) -> Self {
        let durable_end = watch::Sender::new(state.next_seq);
        Self { state: Mutex::new(state), durable_end }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // Nothing under the lock can leave the state half changed, so it is valid also after a panic elsewhere.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
pub(super) struct State {
    /// Oldest first; their numbers follow on one another.
    pub(super) segments: Vec<Segment>,
    pub(super) acked: SeqSet,
    /// Acknowledged, and not yet in the journal.
    pub(super) new_acks: Vec<Range<u64>>,
    /// The number that the next durable record gets.
    pub(super) next_seq: u64,
    pub(super) damage: Damage,
    /// Events that came from other slots.
    pub(super) adopted: u64,
    pub(super) closed: bool,
}

/// What was found broken since the spool was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Damage {
    /// Events that were accepted and cannot be read: their frames are broken, or their segment is missing.
    pub events: u64,
    /// Bytes in segments that are no frame.
    pub bytes: u64,
    /// Segments that are kept under a name that ends in `.damaged`, for an operator to look at.
    pub segments: u64,
}

/// A segment that holds something which is not acknowledged.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    pub(super) name: SegmentName,
    /// `None` where neither copy of it can be read.
    pub(super) header: Option<SegmentHeader>,
    /// The numbers of its durable records.
    pub(super) seqs: Range<u64>,
    /// Its durable bytes.
    pub(super) length: u64,
    /// The one that is being written.
    pub(super) active: bool,
}

impl Segment {
    pub(super) fn path(&self, dir: &Path, options: &SpoolOptions) -> PathBuf {
        dir.join(self.name.render(&options.name))
    }
}

impl State {
    /// Marks numbers as acknowledged; returns how many were not before.
    pub(super) fn acknowledge(&mut self, seqs: Range<u64>) -> u64 {
        let added = self.acked.insert(seqs.clone());
        if added > 0 {
            match self.new_acks.last_mut() {
                Some(last) if last.end == seqs.start => last.end = seqs.end,
                _ => self.new_acks.push(seqs),
            }
        }
        added
    }

    /// Events that are kept and not acknowledged.
    pub(super) fn pending(&self) -> u64 {
        self.pending_before(self.next_seq)
    }

    /// Of those, the ones before `seq`.
    pub(super) fn pending_before(&self, seq: u64) -> u64 {
        let end = seq.min(self.next_seq);
        end.saturating_sub(self.acked.members_in(&(0..end)))
    }

    /// Bytes that the segments take.
    pub(super) fn used_bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.length).sum()
    }

    pub(super) fn segment_mut(&mut self, number: u64) -> Option<&mut Segment> {
        self.segments.iter_mut().find(|segment| segment.name.number == number)
    }
}

/// How the frames of a segment are read.
pub(super) fn frame_code(header: &SegmentHeader, options: &SpoolOptions, path: &Path) -> Result<FrameCode, SpoolError> {
    let Some(mark) = header.key else { return Ok(FrameCode::new(header.salt, None)) };
    let found = match &options.encryption {
        None => Err(NoKey::Missing),
        Some(keys) => keys.cipher_for(header.salt, mark),
    };
    let path = path.to_owned();
    match found {
        Ok(cipher) => Ok(FrameCode::new(header.salt, Some(cipher))),
        Err(NoKey::Missing) => Err(SpoolError::KeyMissing { path, key_id: mark.id() }),
        Err(NoKey::Wrong) => Err(SpoolError::KeyWrong { path, key_id: mark.id() }),
    }
}

/// Whether an error says that the file is not there.
pub(super) fn is_missing(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}
