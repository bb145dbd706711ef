#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(clippy::expect_used)]
//! A durable queue of audit events on disk: what it accepted survives a crash of the process or of the machine.
//!
//! `audit-client` uses it for `.spool(directory)`; use it directly to write a sender of your own.
//!
//! ```
//! use audit_spool::{Spool, SpoolOptions};
//!
//! # let dir = std::env::temp_dir().join(format!("audit-spool-doc-{}", std::process::id()));
//! let (spool, mut reader) = Spool::open(&dir, SpoolOptions::new().name("orders"))?;
//! let seq = spool.append(("refund-1", r#"{"version":"1.0"}"#)).wait()?; // or `.await`; it is on disk now
//! for record in reader.next_batch(100, 1_000_000)? {
//!     assert_eq!(record.id, "refund-1");
//!     spool.ack(record.seq); // it was delivered
//! }
//! assert_eq!(spool.status().pending_events, 0);
//! spool.close()?;
//! # std::fs::remove_dir_all(dir)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//! - `encryption`: spools encrypted at rest, with XChaCha20-Poly1305 (`Encryption`).
//! - `cli`: the program `audit-spool`, which shows what is in a stopped spool, puts dead letters back and removes them.
//!
//! # How it works
//! ```text
//!  append ──► queue ──► io_thread ──► log ──► segments          one write and one fdatasync for all that wait
//!                                      │
//!  ack ─────► state ───────────────────┴────► ack_journal       durable before a segment is removed
//!                                                               reader ◄── segments, streamed in order
//!  dead_letter ─► queue ─► io_thread ───────► dead_letters      lines of JSON beside the segments
//! ```
//!
//! A record gets a sequence number when it is written. Segments hold consecutive numbers, so the spool knows exactly what is
//! missing. Acknowledgements are a set of numbers, in any order. An entry's checksum, taken where the entry was made, is
//! written with it and compared when it is read ([`Record::entry`]). `slots` lets several processes share a directory. `recovery` says how a spool is opened after a crash, `log`
//! what is true when the disk fails, [docs/spool-format.md](https://example.com/REPLACE-BEFORE-RELEASE/audit/blob/main/docs/spool-format.md) what the files contain, [docs/spool.md](https://example.com/REPLACE-BEFORE-RELEASE/audit/blob/main/docs/spool.md) how to operate a spool.
//! All access to files goes through [`Disk`].

mod ack_journal;
mod append;
mod cipher;
mod dead_letters;
mod disk;
mod error;
mod frame;
mod inspect;
mod io_thread;
mod letter;
mod log;
mod options;
mod outcome;
mod queue;
mod reader;
mod record;
mod recovery;
mod segment;
mod seq_set;
mod slots;
mod state;

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use futures_channel::oneshot;

pub use append::Append;
#[cfg(feature = "encryption")]
pub use cipher::{Encryption, KeyError};
pub use dead_letters::Letters;
pub use disk::{Disk, DiskFile, Lock, LockError, RealDisk};
pub use error::{AppendError, Refusal, SpoolError};
pub use inspect::{Contents, DamagedFile, StoppedSpool};
pub use letter::{Attempt, DeadLetter};
pub use log::Blocked;
pub use options::{ParseWhenFullError, SpoolOptions, WhenFull};
pub use outcome::Outcome;
pub use reader::{DurableEnd, Reader};
pub use record::{NewRecord, Record};
pub use recovery::Recovery;
pub use seq_set::SeqSet;
pub use slots::{Adopted, slots_in};
pub use state::Damage;

use dead_letters::{DeadLetters, PendingLetter};
use io_thread::IoThread;
use log::Pending;
use queue::Queue;
use state::Shared;

/// An open spool. Clones are handles of the same one; dropping the last one ends it, without waiting. Use
/// [`close`](Self::close) to wait until everything is on disk and the next process can open the spool.
#[derive(Clone, Debug)]
pub struct Spool {
    handle: Arc<Handle>,
}

#[derive(Debug)]
struct Handle {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    options: SpoolOptions,
    shared: Arc<Shared>,
    queue: Arc<Queue>,
    recovery: Recovery,
    adopting: Mutex<Adopting>,
    thread: Mutex<Option<JoinHandle<std::io::Result<()>>>>,
}

/// The slot that is being moved from, and what is known of others.
#[derive(Debug, Default)]
struct Adopting {
    from: Option<(Spool, Reader)>,
    /// Segments from which everything was moved that can be.
    done: BTreeSet<String>,
    /// Why slots could not be opened, so that the log says it once.
    failed: BTreeMap<String, String>,
    stopped: bool,
}

impl Adopting {
    /// Ends it for good; returns what has to be closed.
    fn stop(&mut self) -> Option<Spool> {
        self.stopped = true;
        self.from.take().map(|(slot, _)| slot)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.queue.close();
    }
}

/// A spool's figures, all taken at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// Events that are on disk and not acknowledged.
    pub pending_events: u64,
    /// Bytes that the segments take.
    pub used_bytes: u64,
    /// What they may take.
    pub max_bytes: u64,
    /// The number of segments.
    pub segments: usize,
    /// The sequence number that the next event gets.
    pub next_seq: u64,
    /// Why callers wait, if they do.
    pub blocked: Option<Blocked>,
    /// What was found broken since the spool was opened.
    pub damage: Damage,
    /// Events that [`Spool::adopt_slots`] has moved here.
    pub adopted_events: u64,
}

impl Spool {
    /// Opens a spool, making the directory if needed, with what earlier runs left in it. Blocks on the disk: in
    /// async code call it in `spawn_blocking`.
    pub fn open(dir: impl AsRef<Path>, options: SpoolOptions) -> Result<(Self, Reader), SpoolError> {
        Self::open_on(Arc::new(RealDisk), dir, options)
    }

    /// Opens a spool on another disk than the operating system's: one that counts calls, or fails.
    pub fn open_on(
        disk: Arc<dyn Disk>,
        dir: impl AsRef<Path>,
        options: SpoolOptions,
    ) -> Result<(Self, Reader), SpoolError> {
        let dir = dir.as_ref().to_owned();
        let options = options.checked()?;
        disk.prepare_dir(&dir).map_err(SpoolError::io("make the directory", &dir))?;
        let lock = recovery::take_lock(&*disk, &dir, &options)?;
        let opened = recovery::recover(&disk, &dir, &options, lock)?;
        let letters =
            DeadLetters::open(&disk, &dir, &options.name).map_err(SpoolError::io("read the dead letters in", &dir))?;
        let queue = Arc::new(Queue::default());
        let shared = opened.shared;
        let work = IoThread { log: opened.log, letters, queue: Arc::clone(&queue), shared: Arc::clone(&shared) };
        let thread = std::thread::Builder::new()
            .name("audit-spool".to_owned())
            .spawn(|| work.run())
            .map_err(SpoolError::io("start a thread for", &dir))?;
        // Segments that the previous run acknowledged completely are removed now.
        queue.wake();
        let reader =
            Reader::new(Arc::clone(&disk), dir.clone(), options.clone(), Arc::clone(&shared), Arc::clone(&queue));
        let recovery = opened.recovery;
        let (thread, adopting) = (Mutex::new(Some(thread)), Mutex::default());
        let handle = Handle { disk, dir, options, shared, queue, recovery, adopting, thread };
        Ok((Self { handle: Arc::new(handle) }, reader))
    }

    /// Queues an event for the disk: a reference to an [`Entry`](audit_core::Entry), or anything else that makes a
    /// [`NewRecord`]. Await the returned [`Append`] or call [`wait`](Append::wait) on it: it returns the sequence number once
    /// the event is on disk and synced. Dropping it withdraws the event, unless the event is being written.
    pub fn append<'a>(&self, record: impl Into<NewRecord<'a>>) -> Append {
        let (done, append) = Append::new();
        match self.pending(&record.into(), done, false) {
            Ok(record) => self.handle.queue.push([record]),
            Err((done, refusal)) => {
                let _ = done.send(Err(refusal.into()));
            }
        }
        append
    }

    /// Queues several events at once: they are written and synced together, by one write for each 4 MiB. Returns one
    /// [`Append`] for each, in their order; some may be accepted and others not.
    ///
    /// ```
    /// # use audit_spool::{Spool, SpoolOptions};
    /// # let dir = std::env::temp_dir().join(format!("audit-spool-all-doc-{}", std::process::id()));
    /// # let (spool, _reader) = Spool::open(&dir, SpoolOptions::new())?;
    /// for append in spool.append_all([("refund-1", "{}"), ("refund-2", "{}")]) {
    ///     append.wait()?;
    /// }
    /// # spool.close()?;
    /// # std::fs::remove_dir_all(dir)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn append_all<'a, R: Into<NewRecord<'a>>>(&self, records: impl IntoIterator<Item = R>) -> Vec<Append> {
        self.push_all(records, false)
    }

    fn push_all<'a, R: Into<NewRecord<'a>>>(
        &self,
        records: impl IntoIterator<Item = R>,
        is_adopted: bool,
    ) -> Vec<Append> {
        let mut appends = Vec::new();
        let mut pending = Vec::new();
        for record in records {
            let (done, append) = Append::new();
            match self.pending(&record.into(), done, is_adopted) {
                Ok(record) => pending.push(record),
                Err((done, refusal)) => {
                    let _ = done.send(Err(refusal.into()));
                }
            }
            appends.push(append);
        }
        self.handle.queue.push(pending);
        appends
    }

    /// Like [`append`](Self::append), but refuses immediately if the event would have to wait for room, or for megabytes of
    /// others.
    pub fn try_append<'a>(&self, record: impl Into<NewRecord<'a>>) -> Result<Append, Refusal> {
        match self.handle.queue.blocked() {
            Some(Blocked::DiskFull) => return Err(Refusal::DiskFull),
            Some(Blocked::Full) => {
                let used = self.handle.shared.state().used_bytes();
                return Err(Refusal::Full { used, max_bytes: self.handle.options.max_bytes });
            }
            None => {}
        }
        if let Some(waiting) = self.handle.queue.busy() {
            return Err(Refusal::Busy { waiting });
        }
        let (done, append) = Append::new();
        let record = self.pending(&record.into(), done, false).map_err(|(_, refusal)| refusal)?;
        self.handle.queue.push([record]);
        Ok(append)
    }

    fn pending(
        &self,
        NewRecord { id, event_data, checksum }: &NewRecord<'_>,
        done: oneshot::Sender<Result<u64, AppendError>>,
        is_adopted: bool,
    ) -> Result<Pending, (oneshot::Sender<Result<u64, AppendError>>, Refusal)> {
        let id_bytes = match u8::try_from(id.len()) {
            Ok(bytes) if bytes > 0 => bytes,
            _ => return Err((done, Refusal::Id { bytes: id.len() })),
        };
        let bytes = id.len() + event_data.len();
        let max_bytes = log::max_content(&self.handle.options);
        if bytes > max_bytes {
            return Err((done, Refusal::TooLarge { bytes, max_bytes }));
        }
        let mut content = Vec::with_capacity(frame::CHECKSUM_BYTES + bytes);
        content.extend_from_slice(checksum.as_bytes());
        content.extend_from_slice(id.as_bytes());
        content.extend_from_slice(event_data.as_bytes());
        Ok(Pending { content, id_bytes, done, is_adopted, tainted: None })
    }

    /// Acknowledges an event: it was delivered, and is not kept any longer. In any order, any number of times; returns
    /// whether it was not acknowledged before. Never blocks on the disk: a power failure within the next second may bring the event back.
    pub fn ack(&self, seq: u64) -> bool {
        self.ack_all([seq]) == 1
    }

    /// Acknowledges several events; returns how many of them were not acknowledged before. Ignores numbers that no event has.
    pub fn ack_all(&self, seqs: impl IntoIterator<Item = u64>) -> u64 {
        let mut state = self.handle.shared.state();
        let mut fresh = 0;
        for seq in seqs {
            if seq < state.next_seq {
                fresh += state.acknowledge(seq..seq + 1);
            }
        }
        drop(state);
        if fresh > 0 {
            self.handle.queue.wake();
        }
        fresh
    }

    /// Writes a dead letter, and acknowledges its event once the letter is on disk and synced. If that fails, the event
    /// is kept.
    pub fn dead_letter(&self, letter: &DeadLetter) -> Append {
        let (done, append) = Append::new();
        match dead_letters::line(letter, &*self.handle.disk, self.handle.options.encryption.as_ref()) {
            Ok(line) => self.handle.queue.push_letter(PendingLetter { seq: letter.seq, line, done }),
            Err(error) => {
                let _ = done.send(Err(Refusal::Disk(Arc::new(error)).into()));
            }
        }
        append
    }

    /// Says when there is something new to read.
    pub fn durable_end(&self) -> DurableEnd {
        DurableEnd::new(self.handle.shared.durable_end.subscribe())
    }

    /// How many events before this sequence number are kept and not acknowledged.
    pub fn pending_before(&self, seq: u64) -> u64 {
        self.handle.shared.state().pending_before(seq)
    }

    /// Whether an event is kept and not acknowledged.
    pub fn keeps(&self, seq: u64) -> bool {
        let state = self.handle.shared.state();
        seq < state.next_seq && !state.acked.contains_all(&(seq..seq + 1))
    }

    /// What was found at the opening.
    pub fn recovery(&self) -> &Recovery {
        &self.handle.recovery
    }

    /// The spool's figures now.
    pub fn status(&self) -> Status {
        let blocked = self.handle.queue.blocked();
        let state = self.handle.shared.state();
        Status {
            pending_events: state.pending(),
            used_bytes: state.used_bytes(),
            max_bytes: self.handle.options.max_bytes,
            segments: state.segments.len(),
            next_seq: state.next_seq,
            blocked,
            damage: state.damage,
            adopted_events: state.adopted,
        }
    }

    /// All dead letters in the directory. Reads their files whole.
    pub fn dead_letters(&self) -> Result<Letters, SpoolError> {
        let Handle { disk, dir, options, .. } = &*self.handle;
        dead_letters::read_letters(&**disk, dir, options)
    }

    /// Ends the spool: writes what is queued, or refuses it if there is no room; makes acknowledgements durable; releases the
    /// lock. Blocks on the disk. A second call does nothing. Events whose segment was removed meanwhile count as damage, and are no
    /// longer kept.
    pub fn close(&self) -> Result<(), SpoolError> {
        self.handle.queue.close();
        let adopted_from = self.handle.adopting.lock().unwrap_or_else(PoisonError::into_inner).stop();
        if let Some(Err(error)) = adopted_from.map(|slot| self.close_slot(&slot)) {
            tracing::warn!(%error, "a slot does not close: what was taken over from it may be delivered again");
        }
        let thread = self.handle.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        let ended = thread.map_or(Ok(Ok(())), JoinHandle::join);
        let ended = ended.unwrap_or_else(|_| Err(std::io::Error::other("the spool's thread panicked")));
        ended.map_err(SpoolError::io("write the last acknowledgements in", &self.handle.dir))
    }
}
