//! Looks into a spool that no process has open, without changing anything in it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::ack_journal::AckJournal;
use super::dead_letters::{Letters, read_letters, rewrite_letters};
use super::disk::{Disk, Lock, RealDisk};
use super::error::SpoolError;
use super::letter::DeadLetter;
use super::options::SpoolOptions;
use super::record::Record;
use super::recovery::{find_segments, take_lock};
use super::segment::{FRAMES_AT, SEQ_LIMIT, Step, Walk, end_of_content};
use super::seq_set::SeqSet;
use super::state::{Segment, frame_code};

/// A stopped spool, locked so that no process starts it meanwhile. For tools: an application opens a
/// [`Spool`](super::Spool).
#[derive(Debug)]
pub struct StoppedSpool {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    options: SpoolOptions,
    segments: Vec<Segment>,
    /// Zeros that the last segment ends with: a process that was killed leaves the zeros that it had added ahead of the writes.
    spare_bytes: u64,
    acked: SeqSet,
    _lock: Box<dyn Lock>,
}

/// What a walk through a stopped spool found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Contents {
    /// Events that wait for delivery.
    pub pending_events: u64,
    /// Bytes of their ids and event data.
    pub pending_bytes: u64,
    /// Sequence numbers whose event cannot be read, and was not acknowledged.
    pub missing_events: u64,
}

/// A segment with damage in it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DamagedFile {
    /// The file.
    pub path: PathBuf,
    /// Sound events in it that wait for delivery.
    pub pending_events: u64,
}

impl StoppedSpool {
    /// Takes the spool of this name in a directory that is there. Of the options, only the name and
    /// the keys matter.
    pub fn open(dir: impl AsRef<Path>, options: SpoolOptions) -> Result<Self, SpoolError> {
        let disk: Arc<dyn Disk> = Arc::new(RealDisk);
        let dir = dir.as_ref().to_owned();
        let options = options.checked()?;
        // Looking must not create anything: a wrong path is an error, not an empty spool.
        let files = disk.list(&dir).map_err(SpoolError::io("list", &dir))?;
        let lock_file = format!("{}.lock", options.name);
        if !files.contains(&lock_file) {
            return Err(SpoolError::NotFound { name: options.name, others: spool_names(&files), dir });
        }
        let lock = take_lock(&*disk, &dir, &options)?;
        let (_, known) = AckJournal::load(&disk, &dir, &options.name)?;
        let mut acked = known.acked;
        acked.insert(0..1);
        let mut segments = find_segments(&*disk, &dir, &options)?;
        let mut spare_bytes = 0;
        if let Some(last) = segments.last_mut() {
            last.seqs.end = known.durable_end.max(acked.end()).max(last.seqs.start);
            let path = last.path(&dir, &options);
            let file = disk.open(&path, false).map_err(SpoolError::io("open", &path))?;
            // Only for the size: the walk reads the whole file, as a sealed frame may end with a zero.
            let written = end_of_content(&*file, FRAMES_AT.min(last.length)..last.length);
            spare_bytes = last.length - written.map_err(SpoolError::io("read", &path))?;
        }
        Ok(Self { disk, dir, options, segments, spare_bytes, acked, _lock: lock })
    }

    /// Bytes that were written to the segments. Zeros that the last one ends with do not count.
    pub fn used_bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.length).sum::<u64>() - self.spare_bytes
    }

    /// The number of segments.
    pub fn segments(&self) -> usize {
        self.segments.len()
    }

    /// The segments that are kept because of damage in them.
    pub fn damaged_files(&self) -> Result<Vec<DamagedFile>, SpoolError> {
        let mut files = Vec::new();
        for (index, segment) in self.segments.iter().enumerate().filter(|(_, segment)| segment.name.damaged) {
            let mut contents = Contents::default();
            self.walk(segment, index + 1 == self.segments.len(), 0, &mut contents, &mut |_, _| {})?;
            let path = segment.path(&self.dir, &self.options);
            files.push(DamagedFile { path, pending_events: contents.pending_events });
        }
        Ok(files)
    }

    /// All dead letters.
    pub fn dead_letters(&self) -> Result<Letters, SpoolError> {
        read_letters(&*self.disk, &self.dir, &self.options)
    }

    /// Keeps only these of the dead letters. They are durable in a new file before the old ones go.
    pub fn keep_dead_letters(&self, letters: &[DeadLetter]) -> Result<(), SpoolError> {
        rewrite_letters(&*self.disk, &self.dir, &self.options, letters)
            .map_err(SpoolError::io("write the dead letters in", &self.dir))
    }

    /// Shows every event that waits for delivery, in order, with the number of bytes of the segments before it.
    pub fn each_pending(&self, mut visit: impl FnMut(&Record, u64)) -> Result<Contents, SpoolError> {
        let mut contents = Contents::default();
        let mut behind = 0;
        for (index, segment) in self.segments.iter().enumerate() {
            let last = index + 1 == self.segments.len();
            if last || !self.acked.contains_all(&segment.seqs) {
                self.walk(segment, last, behind, &mut contents, &mut visit)?;
            }
            behind += segment.length;
        }
        Ok(contents)
    }

    fn walk(
        &self,
        segment: &Segment,
        last: bool,
        behind: u64,
        contents: &mut Contents,
        visit: &mut impl FnMut(&Record, u64),
    ) -> Result<(), SpoolError> {
        let path = segment.path(&self.dir, &self.options);
        let Some(header) = &segment.header else {
            contents.missing_events += self.unacknowledged(segment.seqs.clone());
            return Ok(());
        };
        let code = frame_code(header, &self.options, &path)?;
        let file = self.disk.open(&path, false).map_err(SpoolError::io("open", &path))?;
        // Where the last segment ends is known only by its frames.
        let end = if last { SEQ_LIMIT } else { segment.seqs.end };
        let mut walk = Walk::new(file, code, segment.seqs.start..end, segment.length);
        loop {
            match walk.step().map_err(SpoolError::io("read", &path))? {
                Step::Frame(frame) => {
                    match walk.record(frame) {
                        _ if self.acked.first_absent(frame.seq) != frame.seq => {}
                        Some(record) => {
                            contents.pending_events += 1;
                            contents.pending_bytes += (record.id.len() + record.event_data.len()) as u64;
                            visit(&record, behind + walk.offset());
                        }
                        None => contents.missing_events += 1,
                    }
                    walk.pass(frame);
                }
                Step::Gap { seqs, .. } => contents.missing_events += self.unacknowledged(seqs),
                Step::End { .. } => break,
            }
        }
        contents.missing_events += self.unacknowledged(walk.next_seq()..segment.seqs.end);
        Ok(())
    }

    fn unacknowledged(&self, seqs: std::ops::Range<u64>) -> u64 {
        // The last segment may hold sound frames behind all that its end is known by: those of the last moments before a kill.
        if seqs.is_empty() { 0 } else { seqs.end - seqs.start - self.acked.members_in(&seqs) }
    }
}

/// The names of the spools that these files belong to.
fn spool_names(files: &[String]) -> Vec<String> {
    let mut names: Vec<String> = files.iter().filter_map(|file| Some(file.strip_suffix(".lock")?.to_owned())).collect();
    names.sort();
    names
}
