//! Files that only their owner may read, and their locks.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::Path;

/// A file, while it is locked.
#[derive(Debug)]
pub(super) struct Locked(pub(super) File);

impl Drop for Locked {
    /// Closing alone would leave the lock to a process that is being started at this moment, until its `exec`.
    fn drop(&mut self) {
        // Closing follows in any case.
        let _ = self.0.unlock();
    }
}

/// Opens a file, or creates one that only its owner may read.
pub(super) fn private_file(path: &Path) -> io::Result<File> {
    match new_private_file(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => File::options().read(true).write(true).open(path),
        created => created,
    }
}

/// Creates a file that only its owner may read, whatever the umask is.
pub(super) fn new_private_file(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.create_new(true).read(true).write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
        let file = options.mode(0o600).open(path)?;
        file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
        Ok(file)
    }
    #[cfg(not(unix))]
    options.open(path)
}
