//! The admin address: is it alive, is it ready, and what has it done?
//!
//! It is for the machine's own network: there is no signature, it answers nothing about events, and only for its own hosts.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::uri::Authority;
use http::{HeaderValue, StatusCode, Version, header};

use super::state::Service;
use crate::error::with_causes;

/// `/healthz`, `/readyz` and `/metrics`, for requests to an IP address, to `localhost`, or to one of `hosts`.
pub(crate) fn router(service: Arc<Service>, hosts: &[String]) -> Router {
    let hosts: Arc<[String]> = hosts.iter().map(|host| host_name(host).to_owned()).collect();
    Router::new()
        .route("/healthz", get(async || "alive\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(service)
        .layer(middleware::from_fn_with_state(hosts, check_host))
}

/// Refuses a request for a host that is not this address's: a web page whose own name resolves to this address could read the
/// answers otherwise (DNS rebinding). It cannot choose an IP address as its name.
async fn check_host(State(hosts): State<Arc<[String]>>, request: Request, next: Next) -> Response {
    let header = request.headers().get_all(header::HOST).iter();
    let mut named: Vec<&[u8]> = header.map(HeaderValue::as_bytes).collect();
    if named.len() > 1 || (named.is_empty() && request.version() == Version::HTTP_11) {
        return (StatusCode::BAD_REQUEST, "the request must have one Host header\n").into_response();
    }
    named.extend(request.uri().authority().map(|authority| authority.as_str().as_bytes()));
    match named.into_iter().find(|host| !is_known(host, &hosts)) {
        None => next.run(request).await,
        Some(host) => {
            let host = String::from_utf8_lossy(host);
            let message = format!(
                "this address does not answer for the host \"{}\": use its IP address, or name the host in `admin_hosts` of \
                 lake.toml\n",
                audit_core::shown(&host)
            );
            (StatusCode::MISDIRECTED_REQUEST, message).into_response()
        }
    }
}

fn is_known(host: &[u8], hosts: &[String]) -> bool {
    let Ok(authority) = Authority::try_from(host) else { return false };
    let name = host_name(authority.host());
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    address.parse::<IpAddr>().is_ok()
        || name.eq_ignore_ascii_case("localhost")
        || hosts.iter().any(|host| name.eq_ignore_ascii_case(host))
}

/// A name without the dot that may end it.
fn host_name(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

async fn ready(State(service): State<Arc<Service>>) -> Response {
    match service.ready().await {
        Ok(()) => match service.clock_doubt() {
            None => "ready\n".into_response(),
            Some(doubt) => format!("ready\nretention waits: {doubt}\n").into_response(),
        },
        Err(error) => (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("not ready: {}\n", audit_core::shown(&with_causes(&*error)).up_to(usize::MAX)),
        )
            .into_response(),
    }
}

async fn metrics(State(service): State<Arc<Service>>) -> Response {
    let format = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, format)], service.metrics().text()).into_response()
}
