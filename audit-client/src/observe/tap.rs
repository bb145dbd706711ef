//! Where a client of the test recorder leaves what it accepts.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use audit_core::Entry;

/// Where a client leaves what it accepts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tap(Arc<Mutex<Vec<Entry>>>);

impl Tap {
    pub(crate) fn record(&self, entry: &Entry) {
        self.lock().push(entry.clone());
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.lock().clone()
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
