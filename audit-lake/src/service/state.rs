//! What requests share: accounts and channels, the store, rates, memory and counts.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Instant;

use audit_core::wire::RequestErrorCode;
use axum::response::Response;
use tokio::sync::watch;

use super::body::BodyMemory;
use super::readiness::Readiness;
use super::refusals::{self, Refusals};
use super::respond;
use super::throttle::Throttle;
use crate::config::{Directory, LimitsConfig};
use crate::error::RequestError;
use crate::metrics::Metrics;
use crate::store::{ClockDoubt, Store, WriteError};

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
    readiness: Readiness,
    clock_doubt: Mutex<Option<ClockDoubt>>,
    /// How many requests and probes are being handled, whether their connections are open or not.
    open_requests: watch::Sender<usize>,
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
            readiness: Readiness::default(),
            clock_doubt: Mutex::new(None),
            open_requests: watch::Sender::new(0),
        }
    }

    /// The accounts and channels as they are now. A request keeps those with which it began.
    pub(super) fn directory(&self) -> Arc<Directory> {
        Arc::clone(&self.directory.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The store, for work beside the requests.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// Whether the store can write, by a probe that is at most a second old and after which nothing failed.
    pub(super) async fn ready(self: &Arc<Self>) -> Result<(), WriteError> {
        let probe = || {
            let open = OpenService { service: Arc::clone(self), _open: OpenCount::new(self) };
            async move { open.service.store.probe().await }
        };
        self.readiness.ask(self.store.fails(), probe).await
    }

    /// Why retention waits, if it does.
    pub(super) fn clock_doubt(&self) -> Option<ClockDoubt> {
        *self.clock_doubt.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes whether retention waits, and logs where that changes.
    pub(super) fn note_clock_doubt(&self, doubt: Option<ClockDoubt>) {
        let before = std::mem::replace(&mut *self.clock_doubt.lock().unwrap_or_else(PoisonError::into_inner), doubt);
        self.metrics.retention_waits(doubt.is_some());
        match (before, doubt) {
            (None, Some(doubt)) => {
                tracing::error!(error = %doubt, "events that are past their retention are not deleted");
            }
            (Some(_), None) => tracing::info!("retention no longer waits"),
            _ => {}
        }
    }

    /// Waits until no request is being handled, and no probe.
    pub(crate) async fn requests_finished(&self) {
        // Its sender is `self`, so there is no error.
        drop(self.open_requests.subscribe().wait_for(|open| *open == 0).await);
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

    /// The answer to a request that the router does not get.
    pub(crate) fn refuse_request(&self, error: RequestError) -> Response {
        self.metrics.request(error.code.as_str(), 0.0);
        respond::answer(Err(error), Some(&self.refusals))
    }

    /// [`Service::refuse`] for an operator: neither the metrics nor the log has it.
    pub(crate) fn refuse_uncounted(error: RequestError) -> Vec<u8> {
        respond::answer_bytes(error, None)
    }

    /// Logs the sums of refusals that were not logged one by one, once a period, for as long as this is polled.
    pub(crate) async fn sum_up_refusals(&self) {
        loop {
            tokio::time::sleep(refusals::PERIOD).await;
            self.refusals.sum_up();
        }
    }

    /// Logs the last sums, at the end.
    pub(crate) fn sum_up(&self) {
        self.refusals.sum_up();
    }

    /// Replaces the directory, for requests that begin from now on.
    pub(crate) fn replace_directory(&self, directory: Directory) {
        *self.directory.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(directory);
    }
}

/// A request being handled. When it is dropped, the request is counted by its `code`.
#[derive(Debug)]
pub(super) struct OpenRequest {
    service: Arc<Service>,
    began: Instant,
    /// `ok` or an error's code; that of a panic until another is set.
    pub(super) code: &'static str,
    // Last: a shutdown that waited for this closes the store next, which `service` must not hold any more.
    _open: OpenCount,
}

/// The service as a probe uses it. A shutdown waits for its end.
struct OpenService {
    service: Arc<Service>,
    // Last, as in `OpenRequest`.
    _open: OpenCount,
}

#[derive(Debug)]
struct OpenCount(watch::Sender<usize>);

impl OpenCount {
    fn new(service: &Service) -> Self {
        service.open_requests.send_modify(|open| *open += 1);
        Self(service.open_requests.clone())
    }
}

impl Drop for OpenCount {
    fn drop(&mut self) {
        self.0.send_modify(|open| *open -= 1);
    }
}

impl OpenRequest {
    pub(super) fn new(service: &Arc<Service>) -> Self {
        Self {
            service: Arc::clone(service),
            began: Instant::now(),
            code: RequestErrorCode::InternalFailure.as_str(),
            _open: OpenCount::new(service),
        }
    }

    pub(super) fn service(&self) -> &Service {
        &self.service
    }
}

impl Drop for OpenRequest {
    fn drop(&mut self) {
        self.service.metrics.request(self.code, self.began.elapsed().as_secs_f64());
    }
}
