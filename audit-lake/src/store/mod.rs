//! Where acknowledged events are kept: one SQLite database, `lake.db`, in the data folder.
//!
//! One thread writes (`writer`) and commits for all waiting requests at once. Readers open connections of their own
//! beside it, from this process or another. `schema` describes the database and migrates it. `start_check`, `mark` and `verify`
//! find what was damaged or lost.

mod backup;
mod digest;
mod error;
mod event;
mod file_names;
mod folder;
mod identity;
mod lake_row;
mod mark;
mod private_file;
mod reader;
mod retention;
mod schema;
mod start_check;
#[cfg(test)]
pub(crate) mod tests;
mod verify;
mod writer;

pub use error::{DatabaseError, FileChange, StoreError};
pub use event::{Outcome, StoredEvent};
pub use reader::{EventFilter, EventReader};
pub use retention::{ClockDoubt, confirm_clock};
pub use verify::Verification;

pub(crate) use event::{NewEvent, Stored};
pub(crate) use folder::DataFolder;
pub(crate) use retention::Pruned;
pub(crate) use writer::{Store, WriteError};
