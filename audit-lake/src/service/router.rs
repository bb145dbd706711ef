//! The routes of the service, and the answers to requests that are not for an operation.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::post;
use tokio::task::JoinError;

use super::state::{OpenRequest, Service};
use super::{operation, respond};
use crate::error::RequestError;
use audit_core::wire::RequestErrorCode;

/// The routes of the service: there is one.
pub(crate) fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/PutAuditEvents", post(put_audit_events))
        .fallback(unknown_operation)
        .method_not_allowed_fallback(unknown_operation)
        .with_state(service)
}

async fn put_audit_events(State(service): State<Arc<Service>>, request: Request) -> Response {
    let mut open = OpenRequest::new(&service);
    // A task of its own: a panic in it ends as an error here, not as a dropped connection, and a connection that ends does not
    // end the request, which may be stored already.
    let answered = tokio::spawn(async move {
        let result = operation::put_audit_events(open.service(), request).await;
        open.code = result.as_ref().map_or_else(|error| error.code.as_str(), |_| "ok");
        respond::answer(result, Some(&open.service().refusals))
    });
    answered.await.unwrap_or_else(|error| respond::answer(Err(failed(&error)), Some(&service.refusals)))
}

/// What a request gets whose task did not come to its end.
fn failed(error: &JoinError) -> RequestError {
    // What a panic says may hold anything, so the log does not have it.
    tracing::error!(panicked = error.is_panic(), "answering a request failed");
    RequestError::new(RequestErrorCode::InternalFailure, "The service failed to answer the request. Send it again.")
}

async fn unknown_operation(State(service): State<Arc<Service>>, request: Request) -> Response {
    service.metrics.request(RequestErrorCode::UnknownOperation.as_str(), 0.0);
    let error = RequestError::new(
        RequestErrorCode::UnknownOperation,
        format!(
            "There is no operation at {} {}; this service has POST /PutAuditEvents.",
            audit_core::shown(request.method().as_str()),
            audit_core::shown(request.uri().path())
        ),
    );
    respond::answer(Err(error), Some(&service.refusals))
}

#[cfg(test)]
mod tests {
    use super::super::refusals::Refusals;
    use super::{failed, respond};

    #[tokio::test]
    async fn a_panic_becomes_an_answer_without_its_message() {
        let panicked = tokio::spawn(async { panic!("about a secret") }).await.expect_err("a panic");
        let answer = respond::answer(Err(failed(&panicked)), Some(&Refusals::default()));
        assert_eq!(answer.status(), 500);
        assert_eq!(answer.headers()["x-amzn-errortype"], "InternalFailure");
        assert_eq!(answer.headers()["x-amzn-requestid"].len(), 36);
        let body = axum::body::to_bytes(answer.into_body(), 1_000).await.expect("a body");
        assert!(!String::from_utf8_lossy(&body).contains("secret"), "{body:?}");
    }
}
