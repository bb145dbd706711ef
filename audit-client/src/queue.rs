//! Where accepted entries wait until the pipeline takes them: the seam between memory and disk.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use audit_core::Entry;

use crate::room::Place;

/// An entry on its way from `emit` to the pipeline.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) seq: u64,
    pub(crate) entry: Entry,
    pub(crate) place: Option<Place>,
}

/// A queue in memory. What it holds is bounded by the [`Place`]s that its entries occupy.
#[derive(Debug, Default)]
pub(crate) struct MemoryQueue(Mutex<VecDeque<Accepted>>);

impl MemoryQueue {
    pub(crate) fn push(&self, accepted: Accepted) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(accepted);
    }

    pub(crate) fn take(&self) -> VecDeque<Accepted> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
