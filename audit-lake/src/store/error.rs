//! What can go wrong between the lake and its disk.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use super::file_names;

/// Why the store could not do what was asked of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The folder or its lock file cannot be used.
    #[error("the data folder {} cannot be used; check that it exists and that this user may write to it", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Another lake works in the same folder.
    #[error("the data folder {} is in use by another lake; stop that one, or choose another folder", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// There is no database where one is to be read.
    #[error("there is no lake in {}: it has no file lake.db; name the folder that `audit-lake serve --data` names", path.display())]
    NoDatabase {
        /// The folder.
        path: PathBuf,
    },
    /// The log of a database is there, and the database is not.
    #[error(
        "{} holds acknowledged events, but lake.db beside it is missing or empty; the lake does not start, since it would \
         delete that log: put back the lake.db that it belongs to, or put the latest backup as lake.db into an empty folder, \
         without the old lake.db-wal",
        path.display()
    )]
    LogWithoutDatabase {
        /// The log.
        path: PathBuf,
    },
    /// The log is there, and the database is a copy that never had one.
    #[error(
        "{} does not belong to the lake.db beside it, which is a backup; the lake does not start, since SQLite would mix both: put the \
         backup as lake.db into an empty folder, without the old lake.db-wal",
        path.display()
    )]
    LogOfAnotherDatabase {
        /// The log.
        path: PathBuf,
    },
    /// Events were acknowledged that the database does not hold.
    #[error(
        "events were acknowledged up to number {acknowledged} (lake.mark), and the database has them up to {found}: lake.db or \
         lake.db-wal was removed, damaged or replaced by an older one; the lake does not start: keep a copy of the folder and put \
         back what was there, or put the latest backup as lake.db into an empty folder, without the old lake.db-wal; to go on \
         without those events, delete {}",
        path.display()
    )]
    EventsMissing {
        /// The file that says what was acknowledged.
        path: PathBuf,
        /// The number (`seq`) of the last event that was acknowledged.
        acknowledged: i64,
        /// The number of the last event that the database holds or held.
        found: i64,
    },
    /// The database is another one than that from which events were acknowledged in this folder.
    #[error(
        "lake.db is another database than the one that was here before (lake.mark), such as a backup; the lake does not start, since \
         events of the other one would be missing: put the backup as lake.db into an empty folder, without the old lake.db-wal; to go \
         on with it here, delete {}",
        path.display()
    )]
    AnotherDatabase {
        /// The file that says which one was here.
        path: PathBuf,
    },
    /// There is no database, and the configuration says that none is to be made.
    #[error(
        "there is no lake in {}, and `create = false` in [store] says that there must be one: check that its volume is mounted; to make \
         a new lake, set `create = true`",
        path.display()
    )]
    NotCreated {
        /// The folder.
        path: PathBuf,
    },
    /// A file of the data folder is no longer the one that the lake has open: it was removed, replaced or overwritten. What
    /// would be stored would not be there after a restart, so nothing is.
    #[error("{} {change} while the lake had it open, so nothing is stored: {}", path.display(), change.remedy(path))]
    Moved {
        /// The file.
        path: PathBuf,
        /// What became of it.
        change: FileChange,
    },
    /// The file holds a database of another program.
    #[error("the database is not a lake's: another program made it; choose another data folder")]
    NotALake,
    /// A newer version of this program made the database.
    #[error(
        "the database has schema version {found}, this program knows versions up to {known}; use the newer audit-lake"
    )]
    NewerSchema {
        /// The version found.
        found: i64,
        /// The newest version that this program knows.
        known: usize,
    },
    /// An older version of this program made the database, and it has not been migrated.
    #[error("the database is of an older schema version; start `audit-lake serve` on it once, which migrates it")]
    OlderSchema,
    /// The file system cannot hold a write-ahead log.
    #[error("the database cannot keep a write-ahead log here (journal mode {mode}); use a local file system")]
    NoWal {
        /// The mode that SQLite fell back to.
        mode: String,
    },
    /// The file is damaged.
    #[error(
        "the database is damaged: {what}; do not write to it: keep a copy of the folder, then put the latest backup \
         (audit-lake backup) as lake.db into an empty folder, without the old lake.db-wal, or save what can be read with \
         `sqlite3 lake.db .recover`"
    )]
    Damaged {
        /// What the check found first.
        what: String,
    },
    /// There is no room left.
    #[error("the disk, or the size that the database may have, is full; make room: the lake goes on by itself")]
    Full,
    /// The database, its folder or its file system is read-only.
    #[error("the database is read-only; check the permissions of its folder: the lake goes on by itself")]
    ReadOnly,
    /// Another process holds the database's lock.
    #[error("another process has locked the database; end its transaction: the lake goes on by itself")]
    Locked,
    /// The file could not be written to where a copy was wanted.
    #[error("{} cannot be written", path.display())]
    Target {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The writer has ended: the lake is shutting down.
    #[error("the lake is shutting down")]
    Closed,
    /// Anything else that SQLite reports.
    #[error("the database failed")]
    Database(#[source] DatabaseError),
}

/// What became of a file that the lake has open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileChange {
    /// Nothing is at its path: the file or its folder was removed or renamed.
    Removed,
    /// Another file is at its path.
    Replaced,
    /// It is shorter than it was: another program wrote to it, such as `cp` with a backup.
    Overwritten,
}

impl fmt::Display for FileChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Removed => "was removed",
            Self::Replaced => "was replaced by another file",
            Self::Overwritten => "was overwritten by another program",
        })
    }
}

impl FileChange {
    /// What to do about it.
    fn remedy(self, path: &Path) -> &'static str {
        match (path.file_name().and_then(OsStr::to_str), self) {
            (Some(file_names::LOCK), _) => "end any other lake that works in this folder, then restart this one",
            (Some(file_names::LOG), Self::Removed) => {
                "the lake copies what the log held into lake.db, then goes on by itself"
            }
            (Some(file_names::LOG), _) => {
                "move away the file that is there now; the lake then copies what its own log holds into lake.db and goes on \
                 by itself"
            }
            (Some(file_names::INDEX), Self::Removed) => "the lake opens the database again, then goes on by itself",
            (Some(file_names::INDEX), _) => "end the other programs that read the database, then restart the lake",
            (_, Self::Overwritten) => {
                "stop the lake, and put the latest backup (audit-lake backup) as lake.db into an empty folder, without the \
                 old lake.db-wal"
            }
            (_, Self::Removed | Self::Replaced) => {
                "if the file or its folder was moved, move it back, and the lake goes on by itself; otherwise save the open \
                 files before you stop the lake (docs/lake.md, \"If a file is removed while the lake serves\"), since they \
                 hold everything that was acknowledged"
            }
        }
    }
}

/// An error of SQLite itself, as text.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct DatabaseError(rusqlite::Error);

impl DatabaseError {
    /// Whether a statement did not fit the schema, or some other general error.
    pub(super) fn is_general(&self) -> bool {
        self.0.sqlite_error_code() == Some(ErrorCode::Unknown)
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::Error::{FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType, Utf8Error};
        // A column holds what the lake never writes.
        if let InvalidColumnType(..) | FromSqlConversionFailure(..) | IntegralValueOutOfRange(..) | Utf8Error(..) =
            error
        {
            return Self::Damaged { what: error.to_string() };
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::ReadOnly) => Self::ReadOnly,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged { what: error.to_string() },
            _ => Self::Database(DatabaseError(error)),
        }
    }
}
