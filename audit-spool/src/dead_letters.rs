//! Dead letters on disk: lines of JSON that people and their tools can read.
//!
//! They lie beside the segments in `<spool>.dead.ndjson`; after a failed sync, further ones go to `<spool>.dead.1.ndjson`
//! and so on. A letter is durable before its record is acknowledged, so one that was interrupted in between is written
//! again by the next run: readers take the last line of a sequence number.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use audit_core::{Checksum, EventTime};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use futures_channel::oneshot;
use serde::{Deserialize, Serialize};

use super::cipher::{Encryption, NoKey};
use super::disk::{Disk, DiskFile, read_full_at, write_all_at};
use super::error::{AppendError, Refusal, SpoolError, is_out_of_space};
use super::letter::{Attempt, DeadLetter};
use super::options::SpoolOptions;
use super::outcome::Outcome;
use super::record::NewRecord;
use super::state::{Shared, is_missing};

/// A letter as it stands in its file: with its event data, or with that sealed where the spool is encrypted. What it is
/// about and why it is dead stay readable.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    id: String,
    seq: u64,
    time: String,
    code: String,
    message: String,
    attempts: Vec<Tried>,
    attempt_count: u32,
    checksum: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_data: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sealed: Option<Sealed>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Tried {
    time: String,
    outcome: String,
}

/// Event data under XChaCha20-Poly1305; the additional data is the id, a zero byte, and the number in eight bytes.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sealed {
    key_id: String,
    /// 24 bytes in base64.
    nonce: String,
    /// Ciphertext and tag in base64.
    event_data: String,
}

fn about(id: &str, seq: u64) -> Vec<u8> {
    [id.as_bytes(), &[0], &seq.to_le_bytes()].concat()
}

/// A letter's line, with the line's end.
pub(super) fn line(letter: &DeadLetter, disk: &dyn Disk, keys: Option<&Encryption>) -> io::Result<Vec<u8>> {
    let tried = |attempt: &Attempt| Tried { time: attempt.at.to_string(), outcome: attempt.outcome.to_string() };
    let mut line = Line {
        id: letter.id.clone(),
        seq: letter.seq,
        time: letter.at.to_string(),
        code: letter.code.to_string(),
        message: letter.message.clone(),
        attempts: letter.attempts.iter().map(tried).collect(),
        attempt_count: letter.attempt_count,
        checksum: letter.checksum.to_string(),
        event_data: None,
        sealed: None,
    };
    match keys {
        None => line.event_data = Some(letter.event_data.clone()),
        Some(keys) => {
            let mut nonce = [0; 24];
            disk.random(&mut nonce)?;
            let sealed = keys.seal_text(nonce, &about(&letter.id, letter.seq), &letter.event_data);
            line.sealed =
                Some(Sealed { key_id: keys.key_id(), nonce: BASE64.encode(nonce), event_data: BASE64.encode(sealed) });
        }
    }
    let mut bytes = serde_json::to_vec(&line)?;
    bytes.push(b'\n');
    Ok(bytes)
}

impl Line {
    /// The letter; `None` if the line is none, or if what is sealed in it is not what was written.
    fn letter(self, path: &Path, keys: Option<&Encryption>) -> Result<Option<DeadLetter>, SpoolError> {
        let event_data = match (self.event_data, self.sealed) {
            (Some(event_data), _) => event_data,
            (None, None) => return Ok(None),
            (None, Some(sealed)) => {
                let (path, key_id) = (path.to_owned(), sealed.key_id);
                let Some(keys) = keys else { return Err(SpoolError::KeyMissing { path, key_id }) };
                let nonce = BASE64.decode(sealed.nonce).ok().and_then(|nonce| <[u8; 24]>::try_from(nonce).ok());
                let (Some(nonce), Ok(data)) = (nonce, BASE64.decode(sealed.event_data)) else { return Ok(None) };
                match keys.open_text(&key_id, nonce, &about(&self.id, self.seq), &data) {
                    Ok(event_data) => event_data,
                    Err(NoKey::Missing) => return Err(SpoolError::KeyMissing { path, key_id }),
                    Err(NoKey::Wrong) => return Err(SpoolError::KeyWrong { path, key_id }),
                }
            }
        };
        let time = |text: &str| EventTime::try_from(text).ok();
        let tried = |tried: Tried| Some(Attempt::new(time(&tried.time)?, tried.outcome.as_str()));
        let attempts: Option<Vec<Attempt>> = self.attempts.into_iter().map(tried).collect();
        let checksum = Checksum::try_from(self.checksum.as_str()).ok();
        let (Some(attempts), Some(checksum), Some(at)) = (attempts, checksum, time(&self.time)) else {
            return Ok(None);
        };
        let record = NewRecord::new(self.id, event_data, checksum);
        let mut letter = DeadLetter::new(self.seq, record, Outcome::from(self.code.as_str()), self.message);
        letter.at = at;
        Ok(Some(letter.after(attempts, self.attempt_count)))
    }
}

/// A letter that waits to be written.
#[derive(Debug)]
pub(super) struct PendingLetter {
    pub(super) seq: u64,
    /// Its line, with the line's end.
    pub(super) line: Vec<u8>,
    pub(super) done: oneshot::Sender<Result<u64, AppendError>>,
}

impl PendingLetter {
    pub(super) fn refuse(self, refusal: Refusal) {
        // The caller may be gone.
        let _ = self.done.send(Err(refusal.into()));
    }
}

/// The most that is read back at the start, and the most that is written at once beyond a single letter: a torn write
/// is always within what is read.
const WRITE_BYTES: usize = 1 << 20;
const TAIL_BYTES: usize = 8 << 20;

#[derive(Debug)]
pub(super) struct DeadLetters {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    name: String,
    /// Which of the files is written to.
    index: u32,
    file: Option<Box<dyn DiskFile>>,
    length: u64,
}

/// The files that hold dead letters, in the order in which they were begun.
pub(super) fn dead_letter_files(disk: &dyn Disk, dir: &Path, name: &str) -> io::Result<Vec<(u32, PathBuf)>> {
    let mut found: Vec<(u32, PathBuf)> = disk
        .list(dir)?
        .into_iter()
        .filter_map(|file_name| {
            let rest = file_name.strip_prefix(name)?.strip_prefix(".dead")?.strip_suffix("ndjson")?;
            let index = match rest.strip_prefix('.')? {
                "" => 0,
                number => number.strip_suffix('.')?.parse().ok()?,
            };
            (file_name == dead_letter_file(name, index)).then(|| (index, dir.join(file_name)))
        })
        .collect();
    found.sort_unstable();
    Ok(found)
}

fn dead_letter_file(name: &str, index: u32) -> String {
    if index == 0 { format!("{name}.dead.ndjson") } else { format!("{name}.dead.{index}.ndjson") }
}

impl DeadLetters {
    /// Finds the file to continue with, and removes from all files what unfinished writes left.
    pub(super) fn open(disk: &Arc<dyn Disk>, dir: &Path, name: &str) -> io::Result<Self> {
        let mut letters = Self {
            disk: Arc::clone(disk),
            dir: dir.to_owned(),
            name: name.to_owned(),
            index: 0,
            file: None,
            length: 0,
        };
        // Every file: one whose sync failed was left as it was.
        for (index, path) in dead_letter_files(&**disk, dir, name)? {
            let file = disk.open(&path, true)?;
            letters.length = repair(&*file)?;
            letters.index = index;
            letters.file = Some(file);
        }
        Ok(letters)
    }

    /// Writes letters with one sync for many, acknowledges their records, and answers the callers.
    pub(super) fn commit(&mut self, mut letters: VecDeque<PendingLetter>, shared: &Shared) {
        while !letters.is_empty() {
            let mut bytes = Vec::new();
            let mut group = Vec::new();
            while let Some(letter) = letters.front() {
                if !group.is_empty() && bytes.len() + letter.line.len() > WRITE_BYTES {
                    break;
                }
                bytes.extend_from_slice(&letter.line);
                group.extend(letters.pop_front());
            }
            // A second file, if the first one failed.
            let written = self
                .write(&bytes)
                .or_else(|error| if is_out_of_space(&error) { Err(error) } else { self.write(&bytes) });
            match written {
                Ok(()) => {
                    for letter in group {
                        let mut state = shared.state();
                        // A number that no event has yet is not acknowledged for the one that will get it.
                        if letter.seq < state.next_seq {
                            state.acknowledge(letter.seq..letter.seq + 1);
                        }
                        drop(state);
                        let _ = letter.done.send(Ok(letter.seq));
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, letters = group.len(), "dead letters cannot be written; their events are kept");
                    let error = Arc::new(error);
                    for letter in group {
                        letter.refuse(if is_out_of_space(&error) {
                            Refusal::DiskFull
                        } else {
                            Refusal::Disk(Arc::clone(&error))
                        });
                    }
                }
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let path = self.dir.join(dead_letter_file(&self.name, self.index));
        let still_there = self.file.take().filter(|file| file.is_at(&path).unwrap_or(true));
        if still_there.is_none() {
            self.length = 0;
        }
        let (file, fresh) = match still_there {
            Some(file) => (file, false),
            None => (self.create()?, true),
        };
        if let Err(error) = write_all_at(&*file, bytes, self.length) {
            // Nothing of it may stay below the next one: two halves might look like a letter.
            let cut = if fresh {
                self.disk.remove(&self.dir.join(dead_letter_file(&self.name, self.index)))
            } else {
                file.set_len(self.length).and_then(|()| file.sync_data())
            };
            match cut {
                Ok(()) if !fresh => self.file = Some(file),
                Ok(()) => {}
                Err(_) => self.next_file(),
            }
            return Err(error);
        }
        let synced = file.sync_data().and_then(|()| if fresh { self.disk.sync_dir(&self.dir) } else { Ok(()) });
        if let Err(error) = synced {
            // Not synced again: what it holds of this write is unknown.
            self.next_file();
            return Err(error);
        }
        self.length += bytes.len() as u64;
        // Its index is another one if it is new.
        let path = self.dir.join(dead_letter_file(&self.name, self.index));
        if !file.is_at(&path)? {
            return Err(io::Error::other("the file of dead letters was removed or replaced while it was in use"));
        }
        self.file = Some(file);
        Ok(())
    }

    fn next_file(&mut self) {
        self.index = self.index.saturating_add(1);
        self.length = 0;
    }

    fn create(&mut self) -> io::Result<Box<dyn DiskFile>> {
        loop {
            match self.disk.create(&self.dir.join(dead_letter_file(&self.name, self.index))) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => self.next_file(),
                other => return other,
            }
        }
    }
}

/// Blanks the lines of an unfinished write, none of which was accepted, and ends the last line; returns the length. The
/// other lines stay where they are, so that an interrupted repair does no harm.
fn repair(file: &dyn DiskFile) -> io::Result<u64> {
    let length = file.length()?;
    let from = length.saturating_sub(TAIL_BYTES as u64);
    let mut tail = vec![0; usize::try_from(length - from).unwrap_or(TAIL_BYTES)];
    let read = read_full_at(file, &mut tail, from)?;
    tail.truncate(read);
    let mut at = from;
    let mut changed = false;
    for (index, line) in tail.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let begun_before = index == 0 && from > 0;
        let whole = line.ends_with(b"\n");
        let sound = begun_before || line.trim_ascii().is_empty() || serde_json::from_slice::<Line>(line).is_ok();
        if !sound {
            tracing::warn!(
                at,
                bytes = line.len(),
                "a line of the dead letters is no letter and is blanked: a write was cut short"
            );
            let mut blank = vec![b' '; line.len()];
            if let Some(end) = blank.last_mut() {
                *end = b'\n';
            }
            write_all_at(file, &blank, at)?;
            changed = true;
        } else if !whole {
            write_all_at(file, b"\n", at + line.len() as u64)?;
            changed = true;
        }
        at += line.len() as u64 + u64::from(sound && !whole);
    }
    if changed {
        file.sync_data()?;
    }
    Ok(at)
}

/// Keeps only the given letters: writes them to a new file, then removes the old ones. If it is interrupted in between,
/// all letters are there.
pub(super) fn rewrite_letters(
    disk: &dyn Disk,
    dir: &Path,
    options: &SpoolOptions,
    keep: &[DeadLetter],
) -> io::Result<()> {
    let old = dead_letter_files(disk, dir, &options.name)?;
    if !keep.is_empty() {
        let mut bytes = Vec::new();
        for letter in keep {
            bytes.extend(line(letter, disk, options.encryption.as_ref())?);
        }
        let index = old.last().map_or(0, |(index, _)| index + 1);
        let file = disk.create(&dir.join(dead_letter_file(&options.name, index)))?;
        write_all_at(&*file, &bytes, 0)?;
        file.sync_data()?;
        disk.sync_dir(dir)?;
    }
    for (_, path) in old {
        disk.remove(&path)?;
    }
    disk.sync_dir(dir)
}

/// The dead letters of a spool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Letters {
    /// The letters, each event once, the oldest first.
    pub letters: Vec<DeadLetter>,
    /// How many lines of the files are no letters.
    pub unreadable_lines: u64,
}

/// All letters of a spool, each event once, by the last line about it.
pub(super) fn read_letters(disk: &dyn Disk, dir: &Path, options: &SpoolOptions) -> Result<Letters, SpoolError> {
    let mut letters: BTreeMap<(u64, String), DeadLetter> = BTreeMap::new();
    let mut unreadable_lines = 0;
    for (_, path) in dead_letter_files(disk, dir, &options.name).map_err(SpoolError::io("list", dir))? {
        let bytes = read_file(disk, &path).map_err(SpoolError::io("read", &path))?;
        for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
            let letter = match serde_json::from_slice::<Line>(line) {
                Ok(line) => line.letter(&path, options.encryption.as_ref())?,
                Err(_) => None,
            };
            match letter {
                Some(letter) => {
                    letters.insert((letter.seq, letter.id.clone()), letter);
                }
                None => unreadable_lines += 1,
            }
        }
    }
    Ok(Letters { letters: letters.into_values().collect(), unreadable_lines })
}

fn read_file(disk: &dyn Disk, path: &Path) -> io::Result<Vec<u8>> {
    let file = match disk.open(path, false) {
        Ok(file) => file,
        Err(error) if is_missing(&error) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut bytes = vec![0; usize::try_from(file.length()?).unwrap_or(usize::MAX)];
    let read = read_full_at(&*file, &mut bytes, 0)?;
    bytes.truncate(read);
    Ok(bytes)
}
