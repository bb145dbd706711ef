//! Whether the files that are open are still the files at their paths.
//!
//! A process goes on writing to an open file after the file was removed or another one was put at its path. What is stored
//! there is gone when the process ends. So the files at the paths are compared with those that were opened, by device and
//! inode, before a commit, after it, and once a second.

use std::fs::{File, Metadata};
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::error::{FileChange, StoreError};

/// Identifies a file while it exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileIdentity {
    device: u64,
    inode: u64,
}

impl FileIdentity {
    #[cfg(unix)]
    fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self { device: metadata.dev(), inode: metadata.ino() }
    }

    /// Without inodes, only a missing file is noticed. (Windows lets no one remove an open file.)
    #[cfg(not(unix))]
    fn of(_: &Metadata) -> Self {
        Self { device: 0, inode: 0 }
    }
}

/// A file that this process has open, or relies on, at its path.
#[derive(Debug)]
pub(super) struct OpenFile {
    path: PathBuf,
    identity: FileIdentity,
    /// For a file that must not become shorter: its length when it was last compared.
    length: Option<AtomicU64>,
    /// Keeps the inode from being given to another file.
    _held: Option<File>,
}

impl OpenFile {
    /// The file at a path, which is or is about to be opened.
    pub(super) fn at(path: PathBuf) -> std::io::Result<Self> {
        let held = hold(&path)?;
        let metadata = match &held {
            Some(file) => file.metadata()?,
            None => std::fs::metadata(&path)?,
        };
        Ok(Self { path, identity: FileIdentity::of(&metadata), length: None, _held: held })
    }

    /// [`OpenFile::at`] for a file that never becomes shorter.
    pub(super) fn growing_at(path: PathBuf) -> std::io::Result<Self> {
        Ok(Self { length: Some(AtomicU64::new(0)), ..Self::at(path)? })
    }

    /// A file that is open.
    pub(super) fn of(path: PathBuf, file: &File) -> std::io::Result<Self> {
        let identity = FileIdentity::of(&file.metadata()?);
        Ok(Self { path, identity, length: None, _held: None })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Compares the file at the path with the one that was opened.
    ///
    /// # Errors
    /// [`StoreError::Moved`] if it is another one or shorter than it was; [`StoreError::Folder`] if the path cannot be read.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        let moved = |change| Err(StoreError::Moved { path: self.path.clone(), change });
        let metadata = match std::fs::metadata(&self.path) {
            Ok(metadata) => metadata,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return moved(FileChange::Removed);
            }
            Err(source) => return Err(StoreError::Folder { path: self.path.clone(), source }),
        };
        if FileIdentity::of(&metadata) != self.identity {
            return moved(FileChange::Replaced);
        }
        if let Some(length) = &self.length
            && length.fetch_max(metadata.len(), Ordering::Relaxed) > metadata.len()
        {
            return moved(FileChange::Overwritten);
        }
        Ok(())
    }
}

/// Opens a file without the right to read it. Closing an ordinary descriptor of a database's file would end the locks that
/// SQLite has on it in this process; closing this one does not.
#[cfg(target_os = "linux")]
fn hold(path: &Path) -> std::io::Result<Option<File>> {
    use rustix::fs::{Mode, OFlags, open};
    let held = open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).map_err(Error::from)?;
    Ok(Some(held.into()))
}

#[cfg(not(target_os = "linux"))]
fn hold(_: &Path) -> Result<Option<File>, Error> {
    Ok(None)
}
