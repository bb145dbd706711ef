//! Where accepted entries wait until the pipeline takes them: the seam between memory and disk.
//!
//! Both kinds give each entry a sequence number that rises, hand entries out in that order, and are told when one is
//! settled, in any order. In memory, what waits is bounded by [`Capacity`]; on disk, the spool bounds what is kept, and
//! [`Capacity`] only what of it is in memory at a time.

pub(crate) mod batcher;
pub(crate) mod capacity;
pub(crate) mod same_id;

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use audit_core::Entry;

use self::capacity::{Capacity, Permit};
use crate::spool::{Reader, Record, Spool, SpoolError};

/// An entry on its way to the batcher.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) seq: u64,
    pub(crate) entry: Entry,
    pub(crate) permit: Option<Permit>,
}

/// The handles' side.
#[derive(Debug)]
pub(crate) enum Queue {
    /// Gone with the process.
    Memory(MemoryQueue),
    /// On disk when it is accepted.
    Spool(Spool),
}

/// A queue in memory. What it holds is bounded by the [`Permit`]s that its entries occupy.
#[derive(Debug, Default)]
pub(crate) struct MemoryQueue(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    entries: VecDeque<Accepted>,
    /// What they take on the wire at most.
    bytes: usize,
    wanted: Wanted,
}

/// What an entry takes on the wire beside its data: its keys, its checksum, its id.
const WIRE_OVERHEAD_BYTES: usize = 256;

/// How much must wait before the pipeline wants to be woken: a number of entries, or what may be a number of bytes on the wire.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) entries: usize,
    pub(crate) bytes: usize,
}

impl MemoryQueue {
    /// Says whether the pipeline is to be woken: not for every entry, since waking it takes longer than all the rest.
    pub(crate) fn push(&self, accepted: Accepted) -> bool {
        let mut waiting = self.waiting();
        // Counting them exactly takes a look at each: that is the pipeline's work. In a string, a byte takes two at most.
        waiting.bytes += 2 * accepted.entry.event_data().len() + WIRE_OVERHEAD_BYTES;
        waiting.entries.push_back(accepted);
        waiting.is_wanted()
    }

    /// From now on the pipeline wants to be woken when so much waits. Says whether it does already.
    pub(crate) fn wake_at(&self, wanted: Wanted) -> bool {
        let mut waiting = self.waiting();
        waiting.wanted = wanted;
        waiting.is_wanted()
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting().entries.len()
    }

    /// Everything, for an empty queue that may have room already.
    fn take(&self, empty: VecDeque<Accepted>) -> VecDeque<Accepted> {
        let mut waiting = self.waiting();
        waiting.bytes = 0;
        std::mem::replace(&mut waiting.entries, empty)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn is_wanted(&self) -> bool {
        self.entries.len() >= self.wanted.entries || self.bytes >= self.wanted.bytes
    }
}

/// The most that is read from the disk at once.
const READ_RECORDS: usize = 100;
const READ_BYTES: usize = 1_000_000;

/// The pipeline's side.
#[derive(Debug)]
pub(crate) enum Intake {
    Memory {
        /// What was taken before and is empty again: so that the queue need not grow anew each time.
        emptied: VecDeque<Accepted>,
    },
    Spool(Box<Reader>),
}

/// What the pipeline takes in at once.
#[derive(Debug)]
pub(crate) enum Taken {
    /// From memory: everything.
    Accepted(VecDeque<Accepted>),
    /// From disk: as much as there is room for.
    Records(Vec<Record>),
}

impl Intake {
    pub(crate) fn memory() -> Self {
        Self::Memory { emptied: VecDeque::new() }
    }

    /// The next entries, if there are any and there is room. Never waits for new ones.
    pub(crate) fn take(&mut self, queue: &Queue, capacity: &Capacity) -> Result<Taken, SpoolError> {
        match (self, queue) {
            (Self::Spool(reader), _) => {
                let entries = capacity.entries_left().min(READ_RECORDS);
                let bytes = capacity.bytes_left().min(READ_BYTES);
                if entries == 0 || bytes < Capacity::LARGEST_ENTRY_BYTES {
                    return Ok(Taken::Records(Vec::new()));
                }
                reader.next_batch(entries, bytes).map(Taken::Records)
            }
            (Self::Memory { emptied }, Queue::Memory(memory)) => {
                Ok(Taken::Accepted(memory.take(std::mem::take(emptied))))
            }
            (Self::Memory { .. }, Queue::Spool(_)) => Ok(Taken::Records(Vec::new())),
        }
    }

    /// Gives back what [`Taken::Accepted`] came in, empty.
    pub(crate) fn give_back(&mut self, queue: VecDeque<Accepted>) {
        if let Self::Memory { emptied } = self {
            *emptied = queue;
        }
    }
}
