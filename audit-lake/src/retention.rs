//! Deleting what is older than it is to be kept: in small steps, so that no request waits long behind one.

use std::time::{Duration, SystemTime};

use audit_core::EventTime;

use crate::store::Store;

/// The most events that one step deletes.
const STEP: usize = 500;
/// The pause between two steps, in which requests have the writer to themselves.
const PAUSE: Duration = Duration::from_millis(50);
/// The pause when there is nothing more to delete, or when deleting failed.
const REST: Duration = Duration::from_mins(1);

/// Deletes events that happened longer ago than `age`, for as long as this is polled.
pub(crate) async fn keep(store: &Store, age: Duration) {
    loop {
        tokio::time::sleep(if step(store, age).await { PAUSE } else { REST }).await;
    }
}

/// Deletes a few events and tells whether there may be more.
async fn step(store: &Store, age: Duration) -> bool {
    let Some(before) = SystemTime::now().checked_sub(age).and_then(|time| EventTime::try_from(time).ok()) else {
        return false;
    };
    match store.prune(before, STEP).await {
        Ok(0) => false,
        Ok(deleted) => {
            tracing::info!(deleted, %before, "deleted events that are past their retention");
            deleted == STEP
        }
        Err(error) => {
            tracing::warn!(%error, "could not delete events that are past their retention");
            false
        }
    }
}
