//! The interface to the file system: everything that the spool needs of a disk, and nothing else.
//!
//! [`RealDisk`] is `std::fs`. The tests put a simulated one in its place, which forgets what was not synced, tears and
//! reorders writes, fails at any call and stops at any point. A wrapper that counts calls is a few lines.

mod real;
#[cfg(test)]
pub(super) mod simulated;

use std::fmt::Debug;
use std::io;
use std::path::Path;

pub use real::RealDisk;
use thiserror::Error;

/// A file system as the spool uses it: one flat directory, files that grow, explicit syncs.
pub trait Disk: Debug + Send + Sync + 'static {
    /// Makes the directory, for its owner only, unless it is there; refuses one that others may write to.
    fn prepare_dir(&self, dir: &Path) -> io::Result<()>;
    /// The names of the files in the directory, in no order. Names that are not UTF-8 are left out.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;
    /// Makes a new file, readable and writable by its owner only; fails if the name is taken.
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Opens an existing file, to read and, if asked, to write.
    fn open(&self, path: &Path, writable: bool) -> io::Result<Box<dyn DiskFile>>;
    /// Removes a name from the directory. An open file stays readable.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Gives a file another name in the same directory.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Makes names durable: what was created, renamed and removed in the directory.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
    /// Locks the lock file, making it if needed, and writes this process's id into it.
    fn lock(&self, path: &Path) -> Result<Box<dyn Lock>, LockError>;
    /// Fills a buffer with bytes that cannot be guessed: the salts of segments.
    fn random(&self, bytes: &mut [u8]) -> io::Result<()>;
}

/// An open file.
pub trait DiskFile: Debug + Send + Sync {
    /// One read at a place; may be short; 0 at the end of the file.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
    /// One write at a place; may be short.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize>;
    /// Makes content and length durable. After an error it is unknown what is on disk of the writes since the last success.
    fn sync_data(&self) -> io::Result<()>;
    /// Cuts the file, or makes it longer with zeros.
    fn set_len(&self, length: u64) -> io::Result<()>;
    /// The file's length in bytes.
    fn length(&self) -> io::Result<u64>;
    /// Whether this is still the file at a path. Where it was removed or replaced, what is written to it is gone when it is
    /// closed.
    fn is_at(&self, path: &Path) -> io::Result<bool>;
}

/// A lock that is held until it is dropped.
pub trait Lock: Debug + Send + Sync {
    /// Whether the lock file is still the one at its path. Where it is not, another process may hold a lock of its own.
    fn is_in_place(&self) -> io::Result<bool>;
}

/// Why a lock could not be taken.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LockError {
    /// Another process holds it.
    #[error("another process holds the lock")]
    Held {
        /// That process's id, if the lock file contains it.
        owner: Option<u32>,
    },
    /// The lock file cannot be opened, locked or written.
    #[error("the lock file cannot be opened, locked or written")]
    Io(#[from] io::Error),
}

/// Writes all of `bytes`: one call, unless the disk takes only a part.
pub(super) fn write_all_at(file: &dyn DiskFile, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.write_at(bytes, offset) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                bytes = bytes.get(written..).unwrap_or_default();
                offset += written as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Reads until the buffer is full or the file ends; returns the number of bytes read.
pub(super) fn read_full_at(file: &dyn DiskFile, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, offset + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
