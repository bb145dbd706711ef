//! The data folder: its lock, its files, and how its database is opened.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::error::StoreError;
use super::schema;

/// The database's file name in the data folder.
const FILE_NAME: &str = "lake.db";
/// The name that SQLite gives to the database's write-ahead log.
const LOG_NAME: &str = "lake.db-wal";
/// The file whose lock shows that a lake works in the folder.
const LOCK_NAME: &str = "lake.lock";
/// A file that is there only for a moment, to learn whether there is room.
pub(super) const PROBE_NAME: &str = "lake.probe";
/// How long to wait for another process's transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The right to write into a data folder, held as long as this lives.
#[derive(Debug)]
pub(crate) struct DataFolder {
    path: PathBuf,
    _lock: File,
}

impl DataFolder {
    /// Makes the folder if it is not there, and locks it.
    pub(crate) fn claim(path: &Path) -> Result<Self, StoreError> {
        let failed = |source| StoreError::Folder { path: path.to_owned(), source };
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        {
            // Other users must not read audit events.
            use std::os::unix::fs::DirBuilderExt;
            builder.mode(0o700);
        }
        builder.create(path).map_err(failed)?;
        let lock = private_file(&path.join(LOCK_NAME)).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {
                let log = path.join(LOG_NAME);
                // SQLite deletes a log that belongs to no database, and with it everything acknowledged in it.
                if is_empty(&path.join(FILE_NAME)).map_err(failed)? && !is_empty(&log).map_err(failed)? {
                    return Err(StoreError::LogWithoutDatabase { path: log });
                }
                // An empty file is an empty database, and SQLite gives its log the same permissions.
                private_file(&path.join(FILE_NAME)).map_err(failed)?;
                Ok(Self { path: path.to_owned(), _lock: lock })
            }
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn database(&self) -> PathBuf {
        self.path.join(FILE_NAME)
    }
}

/// Whether a file is missing or has no bytes.
fn is_empty(path: &Path) -> std::io::Result<bool> {
    match std::fs::metadata(path) {
        Ok(metadata) => Ok(metadata.len() == 0),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

/// Opens a file, or creates one that only its owner may read.
pub(super) fn private_file(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.create(true).truncate(false).read(true).write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

/// Opens the database for writing, as the one process that may.
pub(super) fn open_for_writing(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // Before anything is written: whose is it?
    schema::checked_version(&connection)?;
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if mode != "wal" {
        return Err(StoreError::NoWal { mode });
    }
    // FULL: the log is synced at every commit, so what was answered survives a power cut.
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // 64 MB of cache; a checkpoint every 64 MB of log, so that a page which changes often is copied back once.
    connection.pragma_update(None, "cache_size", -65_536)?;
    connection.pragma_update(None, "wal_autocheckpoint", 16_384)?;
    connection.pragma_update(None, "journal_size_limit", 128 * 1_024 * 1_024)?;
    Ok(connection)
}

/// Opens the database of a data folder for reading, beside a lake that works in it or without one.
pub(super) fn open_for_reading(folder: &Path) -> Result<Connection, StoreError> {
    let path = folder.join(FILE_NAME);
    if !path.exists() {
        return Err(StoreError::NoDatabase { path: folder.to_owned() });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    if schema::checked_version(&connection)? == schema::VERSION { Ok(connection) } else { Err(StoreError::OlderSchema) }
}
