//! A copy of everything that is committed, while the lake goes on.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::error::StoreError;
use super::reader::EventReader;

impl EventReader {
    /// Writes a whole, compact database to a file that must not exist yet: a snapshot of what was committed when it
    /// began. A lake takes requests meanwhile. The file has its name only once it is complete and synced.
    pub fn backup(&self, to: impl AsRef<Path>) -> Result<(), StoreError> {
        let to = to.as_ref();
        let failed = |source| StoreError::Target { path: to.to_owned(), source };
        if to.exists() {
            return Err(failed(std::io::ErrorKind::AlreadyExists.into()));
        }
        let name = to.file_name().ok_or_else(|| failed(std::io::ErrorKind::InvalidInput.into()))?;
        let mut partial_name = name.to_owned();
        partial_name.push(".partial");
        let partial = to.with_file_name(partial_name);
        match std::fs::remove_file(&partial) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
            // There was none, or a backup before this one did not finish.
            _ => {}
        }
        let target = partial.to_str().ok_or_else(|| failed(std::io::ErrorKind::InvalidInput.into()))?;
        self.connection().execute("VACUUM INTO ?1", [target])?;
        File::open(&partial).and_then(|file| file.sync_all()).map_err(failed)?;
        std::fs::rename(&partial, to).map_err(failed)?;
        File::open(folder_of(to)).and_then(|folder| folder.sync_all()).map_err(failed)
    }
}

fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}
