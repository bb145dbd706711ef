//! What requests share: accounts and channels, the store, rates, memory and counts.

use std::sync::{Arc, PoisonError, RwLock};

use super::body::BodyMemory;
use super::refusals::{self, Refusals};
use super::respond;
use super::throttle::Throttle;
use crate::config::{Directory, LimitsConfig};
use crate::error::RequestError;
use crate::metrics::Metrics;
use crate::store::Store;

/// Everything that a request needs.
#[derive(Debug)]
pub(crate) struct Service {
    directory: RwLock<Arc<Directory>>,
    pub(super) store: Store,
    pub(super) throttle: Throttle,
    pub(super) limits: LimitsConfig,
    pub(super) body_memory: Arc<BodyMemory>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) refusals: Refusals,
}

impl Service {
    pub(crate) fn new(directory: Directory, store: Store, limits: LimitsConfig, metrics: Arc<Metrics>) -> Self {
        Self {
            directory: RwLock::new(Arc::new(directory)),
            store,
            throttle: Throttle::default(),
            limits,
            body_memory: Arc::new(BodyMemory::new(limits.body_memory)),
            metrics,
            refusals: Refusals::default(),
        }
    }

    /// The accounts and channels as they are now. A request keeps the ones with which it began.
    pub(super) fn directory(&self) -> Arc<Directory> {
        Arc::clone(&self.directory.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The store, for what works beside the requests.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// What is counted.
    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The bytes of an HTTP/1.1 answer to what could not be read as a request. The connection ends with it.
    pub(crate) fn refuse(&self, error: RequestError) -> Vec<u8> {
        self.metrics.request(error.code.as_str(), 0.0);
        respond::answer_bytes(error, Some(&self.refusals))
    }

    /// [`Service::refuse`] for who is no sender: neither the metrics nor the log has it.
    pub(crate) fn refuse_uncounted(error: RequestError) -> Vec<u8> {
        respond::answer_bytes(error, None)
    }

    /// Tells the log from time to time of the refusals that it was not told one by one, for as long as this is polled.
    pub(crate) async fn sum_up_refusals(&self) {
        loop {
            tokio::time::sleep(refusals::PERIOD).await;
            self.refusals.sum_up();
        }
    }

    /// Tells the log of those that are left, at the end.
    pub(crate) fn sum_up(&self) {
        self.refusals.sum_up();
    }

    /// Puts another directory in the place of the one before, for requests that begin from now on.
    pub(crate) fn replace_directory(&self, directory: Directory) {
        *self.directory.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(directory);
    }
}
