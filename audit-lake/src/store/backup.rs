//! A copy of everything that is committed, while the lake goes on.

use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::error::StoreError;
use super::identity::OpenFile;
use super::lake_row::LakeRow;
use super::private_file::{Locked, new_private_file};
use super::reader::EventReader;

impl EventReader {
    /// Writes a whole, compact database to a file that must not exist yet: a snapshot of what was committed when it
    /// began. A lake takes requests meanwhile. The file has its name only once it is complete and synced; until then the name has
    /// `.partial` behind it. Only its owner may read it.
    ///
    /// # Errors
    /// If the file is there, also if another program made it meanwhile, or if another backup is writing it.
    pub fn backup(&self, to: impl AsRef<Path>) -> Result<(), StoreError> {
        let to = to.as_ref();
        let failed = |source| StoreError::Target { path: to.to_owned(), source };
        if to.symlink_metadata().is_ok() {
            return Err(failed(ErrorKind::AlreadyExists.into()));
        }
        let mut name = to.file_name().ok_or_else(|| failed(ErrorKind::InvalidInput.into()))?.to_owned();
        name.push(".partial");
        let partial = to.with_file_name(name);
        let target = partial.to_str().ok_or_else(|| failed(ErrorKind::InvalidInput.into()))?;
        // SQLite writes into an empty file as into a new one, and leaves its permissions as they are.
        let file = claim_partial(&partial).map_err(|source| StoreError::Target { path: partial.clone(), source })?;
        self.connection().execute("VACUUM INTO ?1", [target])?;
        name_copy(&partial)?;
        file.0.sync_all().and_then(|()| rename_to_new(&partial, to)).map_err(failed)?;
        File::open(folder_of(to)).and_then(|folder| folder.sync_all()).map_err(failed)
    }
}

/// Gives a copy an identity of its own: it and the lake go on with the same `seq`.
fn name_copy(path: &Path) -> Result<(), StoreError> {
    let copy = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // No process reads it before it is synced.
    copy.pragma_update(None, "journal_mode", "memory")?;
    copy.pragma_update(None, "synchronous", "off")?;
    LakeRow::renew_identity(&copy)
}

/// Makes a file for a backup, and locks it. What a backup before this one left is removed.
fn claim_partial(path: &Path) -> io::Result<Locked> {
    let busy = || io::Error::new(ErrorKind::ResourceBusy, "another backup is writing it");
    let lock = |file: File| match file.try_lock() {
        Ok(()) => Ok(Locked(file)),
        Err(TryLockError::WouldBlock) => Err(busy()),
        Err(TryLockError::Error(error)) => Err(error),
    };
    match path.symlink_metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
        Ok(metadata) if metadata.is_file() => {
            // Holding the lock until the file is gone keeps other backups from writing to it.
            let _left = lock(File::open(path)?)?;
            std::fs::remove_file(path)?;
            // SQLite's journal of it.
            let mut journal = path.as_os_str().to_owned();
            journal.push("-journal");
            match std::fs::remove_file(journal) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(_) => return Err(io::Error::new(ErrorKind::AlreadyExists, "it is there and is no file; remove it")),
    }
    let file = lock(new_private_file(path)?)?;
    // Another backup may have removed it before it was locked.
    OpenFile::of(path.to_owned(), &file.0)?.check().map_err(|_| busy())?;
    Ok(file)
}

/// Renames a file, unless there is one of the new name.
fn rename_to_new(from: &Path, to: &Path) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        use rustix::io::Errno;
        match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            // The file system cannot do it.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {}
            renamed => return Ok(renamed?),
        }
    }
    // A link is not made where a file is.
    std::fs::hard_link(from, to)?;
    std::fs::remove_file(from)
}

fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::Arc;

    use super::super::tests::{CHANNEL, event, ids, open};
    use super::super::{EventReader, StoreError};
    use super::{claim_partial, rename_to_new};

    fn is_already_there(error: &StoreError) -> bool {
        matches!(error, StoreError::Target { source, .. } if source.kind() == std::io::ErrorKind::AlreadyExists)
    }

    #[tokio::test]
    async fn a_file_that_was_made_meanwhile_is_not_overwritten() {
        let folder = tempfile::tempdir().expect("a folder");
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::write(&from, "a backup").expect("written");
        fs::write(&to, "made meanwhile").expect("written");
        rename_to_new(&from, &to).expect_err("it is there");
        assert_eq!(fs::read_to_string(&to).expect("text"), "made meanwhile");
        fs::remove_file(&to).expect("removed");
        rename_to_new(&from, &to).expect("renamed");
        assert!(!from.exists() && to.exists());
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_link_at_either_name_is_not_followed() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = open(folder.path()).expect("a store");
        store.put(CHANNEL, vec![event("a")]).await.expect("stored");
        let reader = EventReader::open(folder.path()).expect("a reader");
        let (to, elsewhere) = (folder.path().join("copy.db"), folder.path().join("elsewhere"));
        std::os::unix::fs::symlink(&elsewhere, &to).expect("a link");
        assert!(is_already_there(&reader.backup(&to).expect_err("it is there")));
        fs::rename(&to, folder.path().join("copy.db.partial")).expect("renamed");
        assert!(is_already_there(&reader.backup(&to).expect_err("it is there")));
        assert!(!elsewhere.exists());
    }

    #[tokio::test]
    async fn two_backups_do_not_write_one_file_and_what_one_left_is_overwritten() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = open(folder.path()).expect("a store");
        store.put(CHANNEL, vec![event("a")]).await.expect("stored");
        let reader = EventReader::open(folder.path()).expect("a reader");
        let other = tempfile::tempdir().expect("a folder");
        let (to, partial) = (other.path().join("lake.db"), other.path().join("lake.db.partial"));
        let writing = claim_partial(&partial).expect("claimed");
        let error = reader.backup(&to).expect_err("another one writes");
        assert!(error.to_string().contains("lake.db.partial"), "{error}");
        assert!(partial.exists() && !to.exists());
        // It ends without having finished.
        drop(writing);
        fs::write(&partial, "half a backup").expect("written");
        reader.backup(&to).expect("a backup");
        assert!(!partial.exists());
        assert_eq!(ids(other.path()), ["a"]);
    }

    #[tokio::test]
    async fn of_many_backups_to_one_file_one_is_whole_and_the_others_fail() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = open(folder.path()).expect("a store");
        store.put(CHANNEL, (0..200).map(|at| event(&format!("e{at}"))).collect()).await.expect("stored");
        let other = tempfile::tempdir().expect("a folder");
        let to = Arc::new(other.path().join("lake.db"));
        let backups: Vec<_> = (0..8)
            .map(|_| {
                let (folder, to) = (folder.path().to_owned(), Arc::clone(&to));
                std::thread::spawn(move || EventReader::open(folder).expect("a reader").backup(&*to).is_ok())
            })
            .collect();
        let done = backups.into_iter().map(|backup| backup.join().expect("no panic"));
        assert_eq!(done.filter(|done| *done).count(), 1);
        assert_eq!(ids(other.path()).len(), 200);
        assert!(EventReader::open(other.path()).expect("a reader").verify().expect("verified").is_sound());
    }
}
