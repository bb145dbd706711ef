//! The names of the files in the data folder.

pub(super) const DATABASE: &str = "lake.db";
/// The name that SQLite gives to the database's write-ahead log.
pub(super) const LOG: &str = "lake.db-wal";
/// The name that SQLite gives to the shared index of the log.
pub(super) const INDEX: &str = "lake.db-shm";
/// The file whose lock shows that a lake works in the folder.
pub(super) const LOCK: &str = "lake.lock";
/// How far events were acknowledged.
pub(super) const MARK: &str = "lake.mark";
/// A file that is there only for a moment, to learn whether there is room.
pub(super) const PROBE: &str = "lake.probe";
