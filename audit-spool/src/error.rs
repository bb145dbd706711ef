//! What can go wrong, and what to do about it.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use thiserror::Error;

/// A spool could not be opened, read or closed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SpoolError {
    /// Another process uses it.
    #[error(
        "the spool {name:?} in {dir:?} belongs to {owner}: stop that process, or give this one a directory or a spool name of its own; without a name, each process takes a slot",
        owner = owner.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
    )]
    #[non_exhaustive]
    Owned {
        /// The directory.
        dir: PathBuf,
        /// The spool's name.
        name: String,
        /// The owner's process id, if its lock file says so.
        owner: Option<u32>,
    },
    /// There is no such spool to look into.
    #[error("there is no spool {name:?} in {dir:?}; {others}", others = if others.is_empty() {
        "nor any other".to_owned()
    } else {
        format!("there are: {}", others.join(", "))
    })]
    #[non_exhaustive]
    NotFound {
        /// The directory.
        dir: PathBuf,
        /// The name that was asked for.
        name: String,
        /// The spools that are there.
        others: Vec<String>,
    },
    /// The name is not allowed.
    #[error("a spool's name has 1 to 64 of [-_A-Za-z0-9]; {name:?} is not one")]
    #[non_exhaustive]
    Name {
        /// The name, cut to 80 characters.
        name: String,
    },
    /// `max_bytes` leaves no room to work.
    #[error("max_bytes is {given}, and a spool needs at least {min}")]
    #[non_exhaustive]
    MaxBytes {
        /// What was given.
        given: u64,
        /// What a spool needs.
        min: u64,
    },
    /// A segment is encrypted with a key that was not given.
    #[error(
        "{path:?} is encrypted with the key {key_id:?}, which was not given: add it with Encryption::also_reads (feature `encryption`)"
    )]
    #[non_exhaustive]
    KeyMissing {
        /// The segment.
        path: PathBuf,
        /// The key's id.
        key_id: String,
    },
    /// A key was given under the id that a segment names, and it is another one.
    #[error(
        "{path:?} is encrypted with another key than the one given under the id {key_id:?}: find the one that wrote it"
    )]
    #[non_exhaustive]
    KeyWrong {
        /// The segment.
        path: PathBuf,
        /// The key's id.
        key_id: String,
    },
    /// A file was written by another version.
    #[error(
        "{path:?} has format version {version}, and this program knows only version {known}: deliver what is in it with the program that wrote it"
    )]
    #[non_exhaustive]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u16,
        /// The version that this program reads and writes.
        known: u16,
    },
    /// A segment is encrypted in a way that this version does not know.
    #[error(
        "{path:?} is encrypted with cipher {cipher}, and this program knows only 1 (XChaCha20-Poly1305): use the program that wrote it, or a later one"
    )]
    #[non_exhaustive]
    Cipher {
        /// The segment.
        path: PathBuf,
        /// The cipher's number.
        cipher: u8,
    },
    /// The acknowledgements say that events are kept, and no segment is there.
    #[error(
        "the files {name}.acks.* in {dir:?} say that {kept}, and no segment is there: put the files \
         {name}.*.seg back; if that is impossible, the events are lost: remove the files {name}.acks.*",
        kept = if *events == 1 { "1 event is kept".to_owned() } else { format!("{events} events are kept") }
    )]
    #[non_exhaustive]
    SegmentsMissing {
        /// The directory.
        dir: PathBuf,
        /// The spool's name.
        name: String,
        /// How many events are kept, as it says.
        events: u64,
    },
    /// The acknowledgements cannot be read, and no segment is there: whether events are missing is unknown.
    #[error(
        "the files {name}.acks.* in {dir:?} are damaged, and no segment is there: events may be missing. Put the files \
         {name}.* back; if that is impossible, remove the files {name}.acks.*"
    )]
    #[non_exhaustive]
    AcknowledgementsDamaged {
        /// The directory.
        dir: PathBuf,
        /// The spool's name.
        name: String,
    },
    /// The spool was closed.
    #[error("the spool is closed")]
    Closed,
    /// The disk failed.
    #[error("cannot {doing} {path:?}")]
    #[non_exhaustive]
    Io {
        /// What was tried.
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

impl SpoolError {
    pub(super) fn io(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { doing, path, source }
    }
}

/// Why an event is not known to be on disk.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum AppendError {
    /// It is not on disk, and will not be delivered.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It may be on disk or not. If the process ends now, the next one may find the event and deliver it. Appending it again
    /// under the same id is safe if the receiver compares ids.
    #[error("it is unknown whether the event was kept: the disk failed while it was written")]
    Unknown(#[source] Arc<io::Error>),
}

/// Why an event was not accepted.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The spool has reached `max_bytes`.
    #[error("the spool is full: {used} of {max_bytes} bytes; deliveries free it, or raise max_bytes")]
    #[non_exhaustive]
    Full {
        /// The bytes that its segments take.
        used: u64,
        /// The limit.
        max_bytes: u64,
    },
    /// The disk has no room.
    #[error("the disk is full; accepting goes on by itself within a second of there being room")]
    DiskFull,
    /// Only from `try_append`: other events wait for the disk already.
    #[error("{waiting} bytes are waiting for the disk already")]
    #[non_exhaustive]
    Busy {
        /// The bytes that wait.
        waiting: usize,
    },
    /// It is larger than any event may be.
    #[error("it takes {bytes} bytes, and at most {max_bytes} can be kept")]
    #[non_exhaustive]
    TooLarge {
        /// What it takes.
        bytes: usize,
        /// What it may take.
        max_bytes: usize,
    },
    /// The id is empty or longer than 255 bytes.
    #[error("an id has 1 to 255 bytes; this one has {bytes}")]
    #[non_exhaustive]
    Id {
        /// Its length.
        bytes: usize,
    },
    /// The disk failed before any of it was written.
    #[error("the disk failed before the event was written")]
    Disk(#[source] Arc<io::Error>),
    /// The spool was closed.
    #[error("the spool is closed")]
    Closed,
}

/// Whether an error says that there is no room, which passes by itself.
pub(super) fn is_out_of_space(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
