//! The data folder: its lock, its files, and how its database is opened.

use std::fs::{File, TryLockError};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::error::{FileChange, StoreError};
use super::identity::OpenFile;
use super::private_file::{Locked, private_file};
use super::{file_names, mark, schema};

/// How long to wait for another process's transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// A data folder, locked for writing until this is dropped.
#[derive(Debug)]
pub(crate) struct DataFolder {
    path: PathBuf,
    database: OpenFile,
    lock_file: OpenFile,
    _lock: Locked,
}

impl DataFolder {
    /// Locks a folder that has a database.
    pub(crate) fn claim_existing(path: &Path) -> Result<Self, StoreError> {
        let failed = |source| StoreError::Folder { path: path.to_owned(), source };
        // Make nothing in the mount point of a volume that is not mounted.
        if is_empty(&path.join(file_names::DATABASE)).map_err(failed)?
            && is_empty(&path.join(file_names::LOG)).map_err(failed)?
        {
            return Err(StoreError::NotCreated { path: path.to_owned() });
        }
        Self::claim(path)
    }

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
        let lock_path = path.join(file_names::LOCK);
        let lock = private_file(&lock_path).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::InUse { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let lock_file = OpenFile::of(lock_path, &lock).map_err(failed)?;
        let (database, log) = (path.join(file_names::DATABASE), path.join(file_names::LOG));
        // SQLite deletes a log that belongs to no database, and with it everything acknowledged in it.
        let has_log = !is_empty(&log).map_err(failed)?;
        if is_empty(&database).map_err(failed)? {
            if has_log {
                return Err(StoreError::LogWithoutDatabase { path: log });
            }
            mark::check_without_database(path)?;
        } else if has_log && never_had_a_log(&database).map_err(failed)? {
            return Err(StoreError::LogOfAnotherDatabase { path: log });
        }
        // An empty file is an empty database, and SQLite gives its log the same permissions.
        private_file(&database).map_err(failed)?;
        let folder = Self {
            path: path.to_owned(),
            database: OpenFile::growing_at(database).map_err(failed)?,
            lock_file,
            _lock: Locked(lock),
        };
        // Another lake may have locked a file that was replaced since.
        folder.check()?;
        Ok(folder)
    }

    /// Whether the lock and the database are the files at their paths.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        self.lock_file.check()?;
        self.database.check()
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn database(&self) -> &Path {
        self.database.path()
    }

    /// The database's log. `None`: there is none, or it holds nothing.
    pub(super) fn log(&self) -> Option<OpenFile> {
        let path = self.path.join(file_names::LOG);
        if is_empty(&path).unwrap_or(true) { None } else { OpenFile::at(path).ok() }
    }

    /// Opens the database for writing.
    pub(super) fn open(&self) -> Result<OpenDatabase, StoreError> {
        // SQLite would make a database where there is none.
        self.check()?;
        let connection = open_for_writing(self.database())?;
        let file = |name| {
            let path = self.path.join(name);
            OpenFile::at(path.clone()).map_err(|source| match source.kind() {
                ErrorKind::NotFound => StoreError::Moved { path, change: FileChange::Removed },
                _ => StoreError::Folder { path, source },
            })
        };
        let database = OpenDatabase { log: file(file_names::LOG)?, index: file(file_names::INDEX)?, connection };
        // It was not replaced meanwhile.
        self.check()?;
        Ok(database)
    }
}

/// A connection, and the files that SQLite has opened beside the database's own.
#[derive(Debug)]
pub(super) struct OpenDatabase {
    pub(super) connection: Connection,
    pub(super) log: OpenFile,
    pub(super) index: OpenFile,
}

impl OpenDatabase {
    /// Lets SQLite copy the log into the database and remove it when the connection closes. Before this call it leaves the log as
    /// it is, since the database may be refused.
    pub(super) fn accept(&self) -> Result<(), StoreError> {
        self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
        Ok(())
    }

    /// Copies everything in the log into the database's file, and syncs it. Returns whether that was possible; a reader with an
    /// old snapshot may prevent it.
    pub(super) fn empty_log(&self) -> Result<bool, StoreError> {
        let (busy, frames, copied) = self.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
        })?;
        Ok(busy == 0 && frames == copied)
    }
}

/// Whether a database was never opened with a write-ahead log, as its header says. SQLite would use any log beside it.
fn never_had_a_log(database: &Path) -> std::io::Result<bool> {
    let mut header = [0; 20];
    match File::open(database)?.read_exact(&mut header) {
        Ok(()) => Ok(header[18..] == [1, 1]),
        // It is too short to be a database.
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether a file is missing or has no bytes.
fn is_empty(path: &Path) -> std::io::Result<bool> {
    match std::fs::metadata(path) {
        Ok(metadata) => Ok(metadata.len() == 0),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

/// Opens the database for writing, as the one process that may.
pub(super) fn open_for_writing(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // Refuse another program's database before anything is written.
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
    // SQLite opens the log when it first reads in this mode.
    schema::checked_version(&connection)?;
    Ok(connection)
}

/// Opens the database of a data folder for a single change, beside the lake that works in it or without one.
pub(super) fn open_beside(folder: &Path) -> Result<Connection, StoreError> {
    open_existing(folder, OpenFlags::SQLITE_OPEN_READ_WRITE)
}

/// Opens the database of a data folder for reading, beside a lake that works in it or without one.
pub(super) fn open_for_reading(folder: &Path) -> Result<Connection, StoreError> {
    open_existing(folder, OpenFlags::SQLITE_OPEN_READ_ONLY)
}

fn open_existing(folder: &Path, access: OpenFlags) -> Result<Connection, StoreError> {
    let path = folder.join(file_names::DATABASE);
    if !path.exists() {
        return Err(StoreError::NoDatabase { path: folder.to_owned() });
    }
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    // The next start checks the log before it is copied into the database.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    if schema::checked_version(&connection)? == schema::VERSION { Ok(connection) } else { Err(StoreError::OlderSchema) }
}
