//! What is kept, in order, streamed from disk: the backlog of earlier runs first, then what is appended meanwhile.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::watch;

use super::disk::Disk;
use super::error::SpoolError;
use super::frame::Frame;
use super::options::SpoolOptions;
use super::queue::Queue;
use super::record::Record;
use super::segment::{SegmentName, Step, Walk};
use super::state::{Segment, Shared, frame_code, is_missing};

/// Reads each record that is not acknowledged, once, in order. There is one for a spool.
///
/// It holds at most about 2 MiB besides what it returns, however long the backlog is. Reading blocks on the disk,
/// never on new records: if there are none, the batch is empty, and [`Spool::durable_end`](super::Spool::durable_end)
/// says when there are.
#[derive(Debug)]
pub struct Reader {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    options: SpoolOptions,
    shared: Arc<Shared>,
    queue: Arc<Queue>,
    /// The segment that is being read, by number.
    walk: Option<(u64, Walk)>,
    /// The number to go on with.
    seq: u64,
}

impl Reader {
    pub(super) fn new(
        disk: Arc<dyn Disk>,
        dir: PathBuf,
        options: SpoolOptions,
        shared: Arc<Shared>,
        queue: Arc<Queue>,
    ) -> Self {
        Self { disk, dir, options, shared, queue, walk: None, seq: 0 }
    }

    /// The next records: up to `max_records`, and up to `max_bytes` of ids and event data, but at least one. Empty if all was
    /// read. Damage is skipped, counted in the spool's status and logged.
    ///
    /// After an error, the next call goes on at the same place: a disk that cannot read something for good is taken as
    /// damaged there after a few calls.
    pub fn next_batch(&mut self, max_records: usize, max_bytes: usize) -> Result<Vec<Record>, SpoolError> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        while batch.len() < max_records.max(1) {
            let Some((record, frame)) = self.peek()? else { break };
            bytes += record.id.len() + record.event_data.len();
            if bytes > max_bytes && !batch.is_empty() {
                break;
            }
            self.seq = record.seq + 1;
            if let Some((_, walk)) = &mut self.walk {
                walk.pass(frame);
            }
            batch.push(record);
        }
        Ok(batch)
    }

    /// The next record and its frame, without going past it.
    fn peek(&mut self) -> Result<Option<(Record, Frame)>, SpoolError> {
        while let Some(segment) = self.place()? {
            if self.walk.as_ref().is_none_or(|(number, _)| *number != segment.name.number) && !self.open(&segment)? {
                continue;
            }
            let Some((_, walk)) = &mut self.walk else { continue };
            walk.extend(segment.seqs.end, segment.length);
            let failed = |error| SpoolError::io("read", segment.path(&self.dir, &self.options))(error);
            match walk.step().map_err(failed)? {
                Step::Frame(frame) if frame.seq < self.seq => walk.pass(frame),
                Step::Frame(frame) => {
                    if let Some(record) = walk.record(frame) {
                        return Ok(Some((record, frame)));
                    }
                    // The CRC holds and the content does not: another program wrote it, or the cipher says no.
                    let at = walk.offset();
                    walk.pass(frame);
                    self.lose(&segment, frame.seq..frame.seq + 1, at..at + frame.size() as u64);
                }
                Step::Gap { seqs, bytes } => self.lose(&segment, seqs, bytes),
                Step::End { at } => {
                    let seqs = walk.next_seq()..segment.seqs.end;
                    self.walk = None;
                    self.lose(&segment, seqs, at..segment.length.max(at));
                    self.seq = self.seq.max(segment.seqs.end);
                }
            }
        }
        Ok(None)
    }

    /// The segment that holds the next number, after passing over what is acknowledged.
    fn place(&mut self) -> Result<Option<Segment>, SpoolError> {
        let mut state = self.shared.state();
        if state.closed {
            return Err(SpoolError::Closed);
        }
        self.seq = state.acked.first_absent(self.seq);
        if self.seq >= state.next_seq {
            return Ok(None);
        }
        let holder = state.segments.iter().find(|segment| self.seq < segment.seqs.end).cloned();
        let missing = match &holder {
            Some(segment) if segment.seqs.start <= self.seq => return Ok(holder),
            Some(segment) => self.seq..segment.seqs.start,
            None => self.seq..state.next_seq,
        };
        // Numbers that no segment holds and that are not acknowledged: a file was removed.
        self.seq = missing.end;
        let events = state.acknowledge(missing.clone());
        state.damage.events += events;
        drop(state);
        tracing::error!(events, from = missing.start, to = missing.end, "a segment of the spool is missing");
        self.queue.wake();
        Ok(holder)
    }

    /// Opens a segment; `false` if nothing can be read from it.
    fn open(&mut self, segment: &Segment) -> Result<bool, SpoolError> {
        let path = segment.path(&self.dir, &self.options);
        let Some(header) = &segment.header else {
            self.lose(segment, segment.seqs.clone(), 0..segment.length);
            return Ok(false);
        };
        let file = match self.disk.open(&path, false) {
            Ok(file) => file,
            Err(error) if is_missing(&error) => {
                // It may have been acknowledged and removed between the look and the opening; then nothing is lost.
                self.lose(segment, segment.seqs.clone(), 0..segment.length);
                return Ok(false);
            }
            Err(error) => return Err(SpoolError::io("open", path)(error)),
        };
        let code = frame_code(header, &self.options, &path)?;
        let walk = Walk::new(file, code, segment.seqs.clone(), segment.length);
        self.walk = Some((segment.name.number, walk));
        Ok(true)
    }

    /// Gives up records that cannot be read, and keeps their segment for an operator to look at. Those that were acknowledged
    /// are no loss: their place may well be unreadable.
    fn lose(&self, segment: &Segment, seqs: Range<u64>, bytes: Range<u64>) {
        if self.shared.state().acked.contains_all(&seqs) {
            return;
        }
        // Under its new name first: once the loss is acknowledged, the segment could be removed.
        let kept = self.keep_damaged(segment.name.number);
        let mut state = self.shared.state();
        let events = state.acknowledge(seqs.clone());
        state.damage.events += events;
        state.damage.bytes += bytes.end - bytes.start;
        drop(state);
        tracing::error!(
            events,
            from = seqs.start,
            to = seqs.end,
            at = bytes.start,
            bytes = bytes.end - bytes.start,
            kept,
            "damage in the spool: events are lost, the rest is delivered"
        );
        self.queue.wake();
    }

    /// Renames a segment so that it is kept; returns the name.
    fn keep_damaged(&self, number: u64) -> Option<String> {
        let name = self.shared.state().segment_mut(number)?.name;
        let damaged = SegmentName { damaged: true, ..name };
        let kept = damaged.render(&self.options.name);
        if !name.damaged {
            let from = self.dir.join(name.render(&self.options.name));
            if let Err(error) = self.disk.rename(&from, &self.dir.join(&kept)) {
                tracing::warn!(%error, "a damaged segment could not be renamed, and will be removed with the others");
                return None;
            }
            if let Err(error) = self.disk.sync_dir(&self.dir) {
                tracing::warn!(%error, "the name of a damaged segment may be lost in a power failure");
            }
            let mut state = self.shared.state();
            state.damage.segments += 1;
            state.segment_mut(number)?.name = damaged;
        }
        Some(kept)
    }
}

/// One more than the highest sequence number on disk, as it grows: says when there is something new to read.
#[derive(Clone, Debug)]
pub struct DurableEnd(watch::Receiver<u64>);

impl DurableEnd {
    pub(super) fn new(end: watch::Receiver<u64>) -> Self {
        Self(end)
    }

    /// The number now.
    pub fn get(&self) -> u64 {
        *self.0.borrow()
    }

    /// Waits until the number has grown since the last call; `None` once the spool has ended. Needs no runtime. Dropping
    /// the future loses nothing.
    pub async fn changed(&mut self) -> Option<u64> {
        self.0.changed().await.ok()?;
        Some(*self.0.borrow_and_update())
    }
}
