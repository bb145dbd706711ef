//! One record on disk: a header of 16 bytes, then the checksum, the id and the event data. docs/spool-format.md is the specification.
//!
//! | bytes | what |
//! |---|---|
//! | 0..4 | CRC-32C, little endian, over the segment's salt, bytes 4..16 and the body |
//! | 4..8 | little endian: bits 0 to 22 the body's length, bit 23 set on the first frame of a write, bits 24 to 31 the id's length |
//! | 8..16 | the sequence number, little endian |
//! | 16.. | the body: the entry's checksum (32), the id, the event data; if encrypted, their ciphertext and 16 bytes of tag |
//!
//! The salt distinguishes a frame of this segment from bytes that look like one: those of another segment that once
//! lay in the same blocks, or of event data made to look so.

use audit_core::Checksum;

use super::cipher::{SegmentCipher, TAG_BYTES};
use super::record::Record;

/// Bytes of the checksum, with which the body begins.
pub(super) const CHECKSUM_BYTES: usize = 32;
/// Bytes before the body.
pub(super) const HEADER_BYTES: usize = 16;
/// The largest id and event data together; four times what the sender's contract allows.
pub(super) const MAX_CONTENT_BYTES: usize = 1 << 20;
/// The smallest frame: an id of one character, no event data.
pub(super) const MIN_FRAME_BYTES: usize = HEADER_BYTES + CHECKSUM_BYTES + 1;

const LENGTH_MASK: u32 = (1 << 23) - 1;
const STARTS_WRITE: u32 = 1 << 23;

/// What the frames of one segment have in common.
#[derive(Debug)]
pub(super) struct FrameCode {
    crc_of_salt: u32,
    cipher: Option<SegmentCipher>,
}

/// A frame that was read and found sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) seq: u64,
    pub(super) starts_write: bool,
    id_bytes: usize,
    body_bytes: usize,
}

impl Frame {
    /// The bytes that it takes on disk.
    pub(super) fn size(&self) -> usize {
        HEADER_BYTES + self.body_bytes
    }
}

/// What is at a position in a segment.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Parsed {
    Frame(Frame),
    /// It may be a frame: this many bytes from its start are needed to decide.
    Short(usize),
    Nothing,
}

impl FrameCode {
    pub(super) fn new(salt: [u8; 16], cipher: Option<SegmentCipher>) -> Self {
        Self { crc_of_salt: crc32c::crc32c(&salt), cipher }
    }

    /// The bytes that a record takes on disk.
    pub(super) fn size_of(&self, content_bytes: usize) -> usize {
        HEADER_BYTES + content_bytes + if self.cipher.is_some() { TAG_BYTES } else { 0 }
    }

    /// Appends a record to `out`. `content` is the checksum, the id and the event data.
    pub(super) fn encode(&self, out: &mut Vec<u8>, seq: u64, starts_write: bool, id_bytes: u8, content: &[u8]) {
        let body_bytes = self.size_of(content.len()) - HEADER_BYTES;
        let length = u32::try_from(body_bytes).unwrap_or(LENGTH_MASK) & LENGTH_MASK;
        let word = length | if starts_write { STARTS_WRITE } else { 0 } | (u32::from(id_bytes) << 24);
        let start = out.len();
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&word.to_le_bytes());
        out.extend_from_slice(&seq.to_le_bytes());
        let body = out.len();
        out.extend_from_slice(content);
        if let Some(cipher) = &self.cipher {
            let (before, content) = out.split_at_mut(body);
            let tag = cipher.seal(seq, before.get(start + 4..).unwrap_or_default(), content);
            out.extend_from_slice(&tag);
        }
        let crc = crc32c::crc32c_append(self.crc_of_salt, out.get(start + 4..).unwrap_or_default());
        if let Some(place) = out.get_mut(start..start + 4) {
            place.copy_from_slice(&crc.to_le_bytes());
        }
    }

    /// Looks for a frame at the start of `bytes`, with a sequence number in the given range.
    pub(super) fn parse(&self, bytes: &[u8], seqs: &std::ops::Range<u64>) -> Parsed {
        let Some(header) = bytes.first_chunk::<HEADER_BYTES>() else { return Parsed::Short(HEADER_BYTES) };
        let seq = number(header, 8);
        if !seqs.contains(&seq) {
            return Parsed::Nothing;
        }
        let word = (number(header, 0) >> 32) as u32;
        let (body_bytes, id_bytes) = ((word & LENGTH_MASK) as usize, (word >> 24) as usize);
        let around = CHECKSUM_BYTES + if self.cipher.is_some() { TAG_BYTES } else { 0 };
        if id_bytes == 0 || body_bytes < id_bytes + around || body_bytes > MAX_CONTENT_BYTES + around {
            return Parsed::Nothing;
        }
        let frame = Frame { seq, starts_write: word & STARTS_WRITE != 0, id_bytes, body_bytes };
        let Some(covered) = bytes.get(4..frame.size()) else { return Parsed::Short(frame.size()) };
        let [a, b, c, d, ..] = *header;
        if crc32c::crc32c_append(self.crc_of_salt, covered) == u32::from_le_bytes([a, b, c, d]) {
            Parsed::Frame(frame)
        } else {
            Parsed::Nothing
        }
    }

    /// The record in a frame that [`parse`](Self::parse) found at the start of `bytes`; `None` if it is not text or the
    /// cipher says that it is not what was written.
    pub(super) fn record(&self, bytes: &[u8], frame: Frame) -> Option<Record> {
        let body = bytes.get(HEADER_BYTES..frame.size())?;
        let opened;
        let content = match &self.cipher {
            None => body,
            Some(cipher) => {
                opened = cipher.open(frame.seq, bytes.get(4..HEADER_BYTES)?, body)?;
                &opened
            }
        };
        let (checksum, content) = content.split_first_chunk::<CHECKSUM_BYTES>()?;
        let (id, event_data) = content.split_at_checked(frame.id_bytes)?;
        Some(Record {
            seq: frame.seq,
            id: String::from_utf8(id.to_vec()).ok()?,
            event_data: String::from_utf8(event_data.to_vec()).ok()?,
            checksum: Checksum::from_bytes(*checksum),
        })
    }
}

/// The eight bytes at a place of a header, as a number.
fn number(header: &[u8; HEADER_BYTES], at: usize) -> u64 {
    header.get(at..).and_then(|rest| rest.first_chunk::<8>()).map_or(0, |bytes| u64::from_le_bytes(*bytes))
}
