//! A segment file: its name, its header in two copies, and a walk over its frames that steps over damage.

use std::io;
use std::ops::Range;

use super::cipher::KeyMark;
use super::disk::{DiskFile, read_full_at};
use super::frame::{Frame, FrameCode, HEADER_BYTES, MIN_FRAME_BYTES, Parsed};
use super::record::Record;

/// The bytes of one copy of the header.
pub(super) const HEADER_COPY_BYTES: usize = 64;
/// Where the second copy stands: in another disk sector than the first.
const SECOND_COPY_AT: usize = 512;
/// Where the frames begin.
pub(super) const FRAMES_AT: u64 = (SECOND_COPY_AT + HEADER_COPY_BYTES) as u64;

const MAGIC: &[u8; 8] = b"AUDSPOOL";
/// The version of the format that this code writes, and the only one that it reads.
pub(super) const FORMAT_VERSION: u16 = 2;

/// Sequence numbers stay below this: a number on disk that does not is no number of an event.
pub(super) const SEQ_LIMIT: u64 = 1 << 62;

/// The header of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SegmentHeader {
    /// The sequence number of its first record.
    pub(super) base: u64,
    pub(super) salt: [u8; 16],
    /// Which key it is encrypted with, if it is.
    pub(super) key: Option<KeyMark>,
}

/// Why a header cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadHeader {
    /// Neither copy is whole.
    Damaged,
    /// Written by another version of this crate.
    Version(u16),
    /// Encrypted in a way that this version does not know.
    Cipher(u8),
}

impl SegmentHeader {
    /// Both copies, as they stand before the frames.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut copy = Vec::with_capacity(HEADER_COPY_BYTES);
        copy.extend_from_slice(MAGIC);
        copy.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
        copy.push(u8::from(self.key.is_some()));
        copy.push(0);
        copy.extend_from_slice(&[0; 4]);
        copy.extend_from_slice(&self.base.to_le_bytes());
        copy.extend_from_slice(&self.salt);
        copy.extend_from_slice(&self.key.map_or([0; 16], |key| key.id));
        copy.extend_from_slice(&self.key.map_or([0; 8], |key| key.check));
        let crc = crc32c::crc32c(&copy);
        if let Some(place) = copy.get_mut(12..16) {
            place.copy_from_slice(&crc.to_le_bytes());
        }
        let mut both = copy.clone();
        both.resize(SECOND_COPY_AT, 0);
        both.extend_from_slice(&copy);
        both
    }

    /// Reads whichever copy is whole.
    pub(super) fn read(file: &dyn DiskFile) -> io::Result<Result<Self, BadHeader>> {
        let mut bytes = [0; SECOND_COPY_AT + HEADER_COPY_BYTES];
        read_full_at(file, &mut bytes, 0)?;
        let first = Self::decode(&bytes);
        if first != Err(BadHeader::Damaged) {
            return Ok(first);
        }
        Ok(bytes.get(SECOND_COPY_AT..).map_or(Err(BadHeader::Damaged), Self::decode))
    }

    fn decode(bytes: &[u8]) -> Result<Self, BadHeader> {
        let copy = bytes.first_chunk::<HEADER_COPY_BYTES>().ok_or(BadHeader::Damaged)?;
        let mut without_crc = *copy;
        without_crc[12..16].fill(0);
        let crc = u32::from_le_bytes([copy[12], copy[13], copy[14], copy[15]]);
        if !copy.starts_with(MAGIC) || crc32c::crc32c(&without_crc) != crc {
            return Err(BadHeader::Damaged);
        }
        let version = u16::from_le_bytes([copy[8], copy[9]]);
        if version != FORMAT_VERSION {
            return Err(BadHeader::Version(version));
        }
        let (mut base, mut salt, mut id, mut check) = ([0; 8], [0; 16], [0; 16], [0; 8]);
        base.copy_from_slice(&copy[16..24]);
        salt.copy_from_slice(&copy[24..40]);
        id.copy_from_slice(&copy[40..56]);
        check.copy_from_slice(&copy[56..64]);
        let key = match copy[10] {
            0 => None,
            1 => Some(KeyMark { id, check }),
            other => return Err(BadHeader::Cipher(other)),
        };
        Ok(Self { base: u64::from_le_bytes(base), salt, key })
    }
}

/// A segment's file name: `<spool>.<base>.<number>.seg`, or `.damaged` at the end once damage was found in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SegmentName {
    pub(super) base: u64,
    /// Counts up; distinguishes segments of one base.
    pub(super) number: u64,
    pub(super) damaged: bool,
}

impl SegmentName {
    pub(super) fn render(self, spool: &str) -> String {
        let ending = if self.damaged { "damaged" } else { "seg" };
        format!("{spool}.{:016x}.{:08x}.{ending}", self.base, self.number)
    }

    pub(super) fn parse(file_name: &str, spool: &str) -> Option<Self> {
        let mut parts = file_name.strip_prefix(spool)?.strip_prefix('.')?.split('.');
        let base = u64::from_str_radix(parts.next()?, 16).ok()?;
        let number = u64::from_str_radix(parts.next()?, 16).ok()?;
        let damaged = match parts.next()? {
            "seg" => false,
            "damaged" => true,
            _ => return None,
        };
        let name = Self { base, number, damaged };
        // Only the names that this code writes: `+a` is a number to `from_str_radix`, and no spool counts this far.
        (name.render(spool) == file_name && base < SEQ_LIMIT && number < SEQ_LIMIT).then_some(name)
    }
}

/// Where the zeros begin that a range of a file ends with: what was made longer ahead of the writes.
pub(super) fn end_of_content(file: &dyn DiskFile, range: Range<u64>) -> io::Result<u64> {
    let (mut end, mut at) = (range.start, range.start);
    let mut buffer = vec![0; PAGE_BYTES * 16];
    while at < range.end {
        let left = usize::try_from(range.end - at).unwrap_or(usize::MAX).min(buffer.len());
        let read = read_full_at(file, buffer.get_mut(..left).unwrap_or_default(), at)?;
        if let Some(last) = buffer.iter().take(read).rposition(|byte| *byte != 0) {
            end = at + last as u64 + 1;
        }
        at += read as u64;
        if read < left {
            break;
        }
    }
    Ok(end)
}

/// One step of a walk.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A sound frame; [`Walk::record`] gives what is in it, [`Walk::pass`] goes on.
    Frame(Frame),
    /// The frames with these numbers are not there, or not whole. The walk goes on behind them.
    Gap { seqs: Range<u64>, bytes: Range<u64> },
    /// No further frame. `at` is where the last sound one ended.
    End { at: u64 },
}

/// A walk over a segment's frames, in order, through a buffer that stays small.
#[derive(Debug)]
pub(super) struct Walk {
    file: Box<dyn DiskFile>,
    code: FrameCode,
    /// What was read and not yet walked over; `buffer[start..]` begins at `offset` in the file.
    buffer: Vec<u8>,
    start: usize,
    offset: u64,
    limit: u64,
    /// The number of the next frame, and the end of the segment's numbers.
    seqs: Range<u64>,
    failed_reads: u32,
    /// Where damage began that reached further than the buffer.
    damaged_from: Option<u64>,
    /// Whether something was unreadable for good and taken as zeros.
    gave_up: bool,
}

/// How much is read at a time.
const READ_BYTES: usize = 256 * 1024;
/// How often a read may fail at one place before it counts as damage.
const READS_BEFORE_DAMAGE: u32 = 8;
/// What is given up at a time where the disk cannot read: its own unit.
const PAGE_BYTES: usize = 4096;

impl Walk {
    /// A walk over the frames with the given numbers, in the file up to `limit` bytes.
    pub(super) fn new(file: Box<dyn DiskFile>, code: FrameCode, seqs: Range<u64>, limit: u64) -> Self {
        Self {
            file,
            code,
            buffer: Vec::new(),
            start: 0,
            offset: FRAMES_AT,
            limit,
            seqs,
            failed_reads: 0,
            damaged_from: None,
            gave_up: false,
        }
    }

    /// Lets the walk go on into what was written since.
    pub(super) fn extend(&mut self, end: u64, limit: u64) {
        self.seqs.end = end;
        self.limit = limit;
    }

    /// The number of the frame that comes next.
    pub(super) fn next_seq(&self) -> u64 {
        self.seqs.start
    }

    /// What comes next. The same again until [`pass`](Self::pass). After an error, asking again tries again; where
    /// reading keeps failing, it becomes a gap.
    pub(super) fn step(&mut self) -> io::Result<Step> {
        if self.seqs.is_empty() {
            return Ok(Step::End { at: self.offset });
        }
        let mut skipped = 0;
        loop {
            match self.parse(skipped) {
                Parsed::Short(wanted) if self.has(skipped + wanted)? => {}
                Parsed::Frame(frame) => {
                    let bytes = self.damaged_from.take().unwrap_or(self.offset)..self.offset + skipped as u64;
                    if bytes.is_empty() && frame.seq == self.seqs.start {
                        return Ok(Step::Frame(frame));
                    }
                    self.drop_front(skipped);
                    let seqs = self.seqs.start..frame.seq;
                    self.seqs.start = frame.seq;
                    return Ok(Step::Gap { seqs, bytes });
                }
                // Too few bytes are left for what the header promises: go on as if it were none, for one may stand behind.
                Parsed::Short(_) | Parsed::Nothing => {
                    skipped += self.zeros(skipped).saturating_sub(HEADER_BYTES - 1).max(1);
                    if !self.has(skipped + MIN_FRAME_BYTES)? {
                        return Ok(Step::End { at: self.damaged_from.unwrap_or(self.offset) });
                    }
                    if skipped >= READ_BYTES {
                        // Keeps the buffer small however long the damage is.
                        self.damaged_from.get_or_insert(self.offset);
                        self.drop_front(skipped);
                        skipped = 0;
                    }
                }
            }
        }
    }

    /// Goes past the frame that [`step`](Self::step) showed.
    pub(super) fn pass(&mut self, frame: Frame) {
        self.drop_front(frame.size());
        self.seqs.start = frame.seq + 1;
    }

    /// The record in the frame that [`step`](Self::step) showed.
    pub(super) fn record(&self, frame: Frame) -> Option<Record> {
        self.code.record(self.buffer.get(self.start..)?, frame)
    }

    /// Whether there were places that the disk could not read.
    pub(super) fn gave_up(&self) -> bool {
        self.gave_up
    }

    /// Where in the file the walk stands.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    fn parse(&self, skipped: usize) -> Parsed {
        let bytes = self.buffer.get(self.start + skipped..).unwrap_or_default();
        // A frame takes its bytes: no more numbers can have gone by than fit into what was skipped.
        let gone = (skipped / MIN_FRAME_BYTES) as u64 + u64::from(skipped > 0);
        let passed = self.offset - FRAMES_AT;
        let far = self.seqs.start.saturating_add(gone).saturating_add(passed / MIN_FRAME_BYTES as u64);
        self.code.parse(bytes, &(self.seqs.start..self.seqs.end.min(far.saturating_add(1))))
    }

    /// How many zeros stand there: no header is one of zeros alone.
    fn zeros(&self, skipped: usize) -> usize {
        let bytes = self.buffer.get(self.start + skipped..).unwrap_or_default();
        bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len())
    }

    fn drop_front(&mut self, bytes: usize) {
        self.start += bytes;
        self.offset += bytes as u64;
    }

    /// Whether this many bytes stand in the buffer from where the walk stands, after reading more if needed.
    fn has(&mut self, wanted: usize) -> io::Result<bool> {
        let there = self.buffer.len() - self.start;
        if there >= wanted {
            return Ok(true);
        }
        self.buffer.drain(..self.start);
        self.start = 0;
        let place = self.offset + there as u64;
        let left = usize::try_from(self.limit.saturating_sub(place)).unwrap_or(usize::MAX);
        let ask = left.min(READ_BYTES.max(wanted - there));
        self.buffer.resize(there + ask, 0);
        let read = self.read(there, place);
        self.buffer.truncate(there + *read.as_ref().unwrap_or(&0));
        if read? < ask {
            self.limit = self.offset + self.buffer.len() as u64;
        }
        Ok(self.buffer.len() >= wanted)
    }

    /// Fills the buffer from `there` on. What the disk cannot read again and again reads as zeros, which are no frame.
    fn read(&mut self, there: usize, place: u64) -> io::Result<usize> {
        let into = self.buffer.get_mut(there..).unwrap_or_default();
        match read_full_at(&*self.file, into, place) {
            Ok(read) => {
                self.failed_reads = 0;
                return Ok(read);
            }
            Err(error) => {
                self.failed_reads += 1;
                if self.failed_reads < READS_BEFORE_DAMAGE {
                    return Err(error);
                }
            }
        }
        self.failed_reads = 0;
        self.gave_up = true;
        let mut filled = 0;
        for page in into.chunks_mut(PAGE_BYTES) {
            match read_full_at(&*self.file, page, place + filled as u64) {
                Ok(read) if read < page.len() => return Ok(filled + read),
                Ok(_) => {}
                Err(_) => page.fill(0),
            }
            filled += page.len();
        }
        Ok(filled)
    }
}
