//! The admin address: is it alive, is it ready, and what has it done?
//!
//! It is for the machine's own network: there is no signature, and it says nothing about events.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{StatusCode, header};

use super::state::Service;
use crate::error::with_causes;

/// `/healthz`, `/readyz` and `/metrics`.
pub(crate) fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/healthz", get(async || "alive\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(service)
}

/// Asks the writer to write something, since only that shows whether it can.
async fn ready(State(service): State<Arc<Service>>) -> Response {
    match service.store().probe().await {
        Ok(()) => "ready\n".into_response(),
        Err(error) => {
            (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {}\n", with_causes(&*error))).into_response()
        }
    }
}

async fn metrics(State(service): State<Arc<Service>>) -> Response {
    let format = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, format)], service.metrics().text()).into_response()
}
