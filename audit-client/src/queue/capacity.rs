//! How much may be waiting in memory: a number of entries, a number of bytes. `emit` waits here for room.

use std::sync::Arc;

use audit_core::Entry;
use audit_core::limits::Side;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What an entry takes in memory beside its data: its id, its place in the ledger, the history of its attempts.
const ENTRY_OVERHEAD_BYTES: usize = 512;

/// The bound on what waits.
#[derive(Debug)]
pub(crate) struct Capacity {
    entries: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
}

/// The capacity that one entry takes, given back when this is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    _entry: OwnedSemaphorePermit,
    _bytes: OwnedSemaphorePermit,
}

/// Why there is no permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoCapacity {
    /// All of it is taken: only told to those who do not wait.
    Full,
    /// Nothing is taken in any more.
    Closed,
}

impl Capacity {
    pub(crate) fn new(entries: usize, bytes: usize) -> Self {
        Self {
            entries: Arc::new(Semaphore::new(entries.min(Semaphore::MAX_PERMITS))),
            bytes: Arc::new(Semaphore::new(bytes.min(u32::MAX as usize).min(Semaphore::MAX_PERMITS))),
        }
    }

    /// The most that one entry takes.
    pub(crate) const LARGEST_ENTRY_BYTES: usize = Side::Sender.event_data_bytes() + ENTRY_OVERHEAD_BYTES;

    pub(crate) fn entries_left(&self) -> usize {
        self.entries.available_permits()
    }

    pub(crate) fn bytes_left(&self) -> usize {
        self.bytes.available_permits()
    }

    /// Waits for a permit. A caller that stops waiting has taken none.
    pub(crate) async fn wait_for(&self, entry: &Entry) -> Result<Permit, NoCapacity> {
        let bytes = cost(entry);
        let entry = self.entries.clone().acquire_owned().await.map_err(|_| NoCapacity::Closed)?;
        let bytes = self.bytes.clone().acquire_many_owned(bytes).await.map_err(|_| NoCapacity::Closed)?;
        Ok(Permit { _entry: entry, _bytes: bytes })
    }

    /// Takes a permit if there is one now.
    pub(crate) fn try_take(&self, entry: &Entry) -> Result<Permit, NoCapacity> {
        use tokio::sync::TryAcquireError::{Closed, NoPermits};
        let why = |error| match error {
            Closed => NoCapacity::Closed,
            NoPermits => NoCapacity::Full,
        };
        let bytes = cost(entry);
        let entry = self.entries.clone().try_acquire_owned().map_err(why)?;
        let bytes = self.bytes.clone().try_acquire_many_owned(bytes).map_err(why)?;
        Ok(Permit { _entry: entry, _bytes: bytes })
    }

    /// Sends away all who wait, and all who come.
    pub(crate) fn close(&self) {
        self.entries.close();
        self.bytes.close();
    }
}

/// What an entry takes of the bytes. An entry is far smaller than `u32::MAX`: the contract bounds it.
fn cost(entry: &Entry) -> u32 {
    u32::try_from(entry.event_data().len() + ENTRY_OVERHEAD_BYTES).unwrap_or(u32::MAX)
}
