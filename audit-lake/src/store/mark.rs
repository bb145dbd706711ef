//! How far events were acknowledged, in a file beside the database, `lake.mark`.
//!
//! SQLite says nothing when its log is missing, cut off or damaged: it goes on with what is left. The mark is written after each
//! commit, so that the next start can compare it with the database. It is synced at a start and at the end only: after a power
//! cut it may say less than was acknowledged, never more.

use std::fs::File;
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::error::StoreError;
use super::file_names;
use super::lake_row::LakeRow;
use super::private_file::private_file;

/// What a mark begins with, and the version of its form.
const PREFIX: &str = "audit-lake 1 ";

/// What a mark says.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Acknowledged {
    /// The database's identity, in hexadecimal.
    identity: String,
    last_seq: i64,
}

impl Acknowledged {
    fn of(lake: &LakeRow) -> Self {
        Self { identity: audit_core::hex(&lake.identity), last_seq: lake.last_seq }
    }

    /// Always of the same length, so that it is overwritten whole.
    fn line(&self) -> String {
        format!("{PREFIX}{} {:020}\n", self.identity, self.last_seq)
    }

    fn parse(text: &str) -> Option<Self> {
        let (identity, last_seq) = text.strip_prefix(PREFIX)?.strip_suffix('\n')?.split_once(' ')?;
        Some(Self { identity: identity.to_owned(), last_seq: last_seq.parse().ok()? })
    }
}

/// A mark that was found in a folder.
#[derive(Debug)]
pub(super) struct FoundMark {
    path: PathBuf,
    says: Acknowledged,
}

impl FoundMark {
    /// The mark of a folder, if there is one and an event was ever acknowledged.
    pub(super) fn in_folder(folder: &Path) -> Result<Option<Self>, StoreError> {
        let path = folder.join(file_names::MARK);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(StoreError::Folder { path, source }),
        };
        let Some(says) = std::str::from_utf8(&bytes).ok().and_then(Acknowledged::parse) else {
            // A power cut soon after the first start leaves it empty.
            tracing::warn!(path = %path.display(), "the mark cannot be read, so it is ignored");
            return Ok(None);
        };
        Ok((says.last_seq > 0).then_some(Self { path, says }))
    }

    /// Checks that a database is the one that was acknowledged from, and holds what was. `None`: it is of an older schema, which
    /// has no mark.
    pub(super) fn check(self, lake: Option<&LakeRow>) -> Result<(), StoreError> {
        match lake.map(Acknowledged::of) {
            Some(found) if found.identity == self.says.identity => self.check_last(found.last_seq),
            _ => Err(StoreError::AnotherDatabase { path: self.path }),
        }
    }

    fn check_last(self, found: i64) -> Result<(), StoreError> {
        let acknowledged = self.says.last_seq;
        if found >= acknowledged {
            return Ok(());
        }
        Err(StoreError::EventsMissing { path: self.path, acknowledged, found })
    }
}

/// Checks that nothing was acknowledged in a folder whose database is missing or empty.
pub(super) fn check_without_database(folder: &Path) -> Result<(), StoreError> {
    FoundMark::in_folder(folder)?.map_or(Ok(()), |mark| mark.check_last(0))
}

/// [`FoundMark::check`] for the mark of a folder, if there is one.
pub(super) fn check(folder: &Path, lake: Option<&LakeRow>) -> Result<(), StoreError> {
    FoundMark::in_folder(folder)?.map_or(Ok(()), |mark| mark.check(lake))
}

/// The mark of a database that is open for writing.
#[derive(Debug)]
pub(super) struct Mark {
    path: PathBuf,
    file: File,
    says: Acknowledged,
    failing: bool,
}

impl Mark {
    /// Writes and syncs the mark of a database.
    pub(super) fn create(folder: &Path, connection: &Connection) -> Result<Self, StoreError> {
        let path = folder.join(file_names::MARK);
        let says = Acknowledged::of(&LakeRow::read(connection)?);
        let file = private_file(&path).map_err(|source| StoreError::Folder { path: path.clone(), source })?;
        let mut mark = Self { path, file, says, failing: false };
        let length = mark.says.line().len() as u64;
        let written = mark.write().and_then(|()| mark.file.set_len(length)).and_then(|()| mark.file.sync_all());
        match written.and_then(|()| sync_folder(folder)) {
            Ok(()) => Ok(mark),
            Err(source) => Err(StoreError::Folder { path: mark.path, source }),
        }
    }

    /// Notes what is about to be acknowledged. A failure of the disk is logged: the events themselves are stored.
    pub(super) fn note(&mut self, last_seq: i64) {
        if self.says.last_seq == last_seq && !self.failing {
            return;
        }
        self.says.last_seq = last_seq;
        let written = self.write();
        if let Err(error) = &written
            && !self.failing
        {
            tracing::warn!(%error, path = %self.path.display(), "the mark cannot be written, so the next start may not notice a loss");
        }
        self.failing = written.is_err();
    }

    /// Syncs what was noted last.
    pub(super) fn close(self) {
        if let Err(error) = self.file.sync_all() {
            tracing::warn!(%error, path = %self.path.display(), "the mark cannot be synced");
        }
    }

    fn write(&mut self) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(self.says.line().as_bytes())
    }
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
