//! `PutAuditEvents`, from the HTTP request to the answer.
//!
//! A request is judged in this order, and the first thing that is wrong is what its sender is told: HTTP ([`body`]), the
//! signature, the account and its rate, the channel, permission and external ID, the request's limits ([`operation`]),
//! then every entry by itself ([`judge`]). What is left goes into the store, and the answer goes out after the commit.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::post;
use tokio::task::JoinError;

mod body;
pub(crate) mod error;
mod judge;
mod operation;
mod refusals;
mod request;
mod respond;
mod throttle;

use body::BodyMemory;
use error::{ErrorCode, RequestError};
use refusals::Refusals;
use throttle::Throttle;

use crate::config::LimitsConfig;
use crate::directory::Directory;
use crate::metrics::Metrics;
use crate::store::Store;

/// Everything that a request needs.
#[derive(Debug)]
pub(crate) struct Service {
    directory: RwLock<Arc<Directory>>,
    store: Store,
    throttle: Throttle,
    limits: LimitsConfig,
    body_memory: Arc<BodyMemory>,
    metrics: Arc<Metrics>,
    refusals: Refusals,
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
    fn directory(&self) -> Arc<Directory> {
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

/// The routes of the service: there is one.
pub(crate) fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/PutAuditEvents", post(put_audit_events))
        .fallback(unknown_operation)
        .method_not_allowed_fallback(unknown_operation)
        .with_state(service)
}

async fn put_audit_events(State(service): State<Arc<Service>>, request: Request) -> Response {
    let began = Instant::now();
    let this = Arc::clone(&service);
    // A task of its own: a panic in it ends as an error here, not as a dropped connection.
    let answered = tokio::spawn(async move { operation::put_audit_events(&this, request).await }).await;
    let result = answered.unwrap_or_else(|error| Err(failed(&error)));
    let code = result.as_ref().map_or_else(|error| error.code.as_str(), |_| "ok");
    service.metrics.request(code, began.elapsed().as_secs_f64());
    respond::answer(result, &service.refusals)
}

/// What a request gets whose task did not come to its end.
fn failed(error: &JoinError) -> RequestError {
    // What a panic says may hold anything, so the log does not have it.
    tracing::error!(panicked = error.is_panic(), "answering a request failed");
    RequestError::new(ErrorCode::InternalFailure, "The service failed to answer the request. Send it again.")
}

async fn unknown_operation(State(service): State<Arc<Service>>, request: Request) -> Response {
    service.metrics.request(ErrorCode::UnknownOperation.as_str(), 0.0);
    let error = RequestError::new(
        ErrorCode::UnknownOperation,
        format!(
            "There is no operation at {} {}; this service has POST /PutAuditEvents.",
            crate::sigv4::cut(request.method().as_str()),
            crate::sigv4::cut(request.uri().path())
        ),
    );
    respond::answer(Err(error), &service.refusals)
}

#[cfg(test)]
mod tests {
    use super::{Refusals, failed, respond};

    #[tokio::test]
    async fn a_panic_becomes_an_answer_that_says_nothing_of_it() {
        let panicked = tokio::spawn(async { panic!("about a secret") }).await.expect_err("a panic");
        let answer = respond::answer(Err(failed(&panicked)), &Refusals::default());
        assert_eq!(answer.status(), 500);
        assert_eq!(answer.headers()["x-amzn-errortype"], "InternalFailure");
        assert_eq!(answer.headers()["x-amzn-requestid"].len(), 36);
        let body = axum::body::to_bytes(answer.into_body(), 1_000).await.expect("a body");
        assert!(!String::from_utf8_lossy(&body).contains("secret"), "{body:?}");
    }
}
