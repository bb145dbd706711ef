//! Reading the files that a configuration names.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::path::Path;

/// The most bytes of a file that holds a secret, a certificate or a key.
const MOST_BYTES: u64 = 1_024 * 1_024;

/// Reads a regular file of at most 1 MiB. A FIFO or a device, of which reading may never end, is refused.
pub(super) fn read_regular(path: &Path) -> io::Result<Vec<u8>> {
    let mut options = OpenOptions::new();
    options.read(true);
    // Otherwise opening a FIFO waits for its writer.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(
        &mut options,
        i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or_default(),
    );
    let file = options.open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    read_bounded(file, MOST_BYTES)
}

/// Reads to the end, but no more than a number of bytes.
pub(super) fn read_bounded(file: impl Read, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::other(format!("it has more than {most} bytes")));
    }
    Ok(bytes)
}
