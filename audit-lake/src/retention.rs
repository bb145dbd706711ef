//! Deleting what is older than it is to be kept: in small steps, so that no request waits long behind one.

use std::time::{Duration, SystemTime};

use audit_core::EventTime;
use tokio::sync::watch;

use crate::service::Service;

/// The most events that one step deletes.
const STEP: usize = 500;
/// The pause between two steps, in which requests have the writer to themselves.
const PAUSE: Duration = Duration::from_millis(50);
/// The pause when there is nothing more to delete, or when deleting failed.
const REST: Duration = Duration::from_mins(1);

/// Deletes events that happened longer ago than `age`, for as long as this is polled.
/// `age` may change meanwhile; `None` keeps everything.
pub(crate) async fn keep(service: &Service, mut age: watch::Receiver<Option<Duration>>) {
    loop {
        let current = *age.borrow_and_update();
        let more = match current {
            Some(age) => step(service, age).await,
            None => false,
        };
        // A change is acted on at once; without a sender there will be none.
        drop(tokio::time::timeout(if more { PAUSE } else { REST }, age.changed()).await);
    }
}

/// Deletes a few events and tells whether there may be more.
async fn step(service: &Service, age: Duration) -> bool {
    let Some(before) = SystemTime::now().checked_sub(age).and_then(|time| EventTime::try_from(time).ok()) else {
        return false;
    };
    match service.store().prune(before, STEP).await {
        Ok(0) => false,
        Ok(deleted) => {
            service.metrics().pruned(deleted);
            tracing::info!(deleted, %before, "deleted events that are past their retention");
            deleted == STEP
        }
        Err(error) => {
            tracing::warn!(%error, "could not delete events that are past their retention");
            false
        }
    }
}
