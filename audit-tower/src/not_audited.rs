//! Routes that need no audit event.

use std::task::{Context, Poll};

use http::Request;
use tower_layer::Layer;
use tower_service::Service;

/// A layer for routes that change something and need no audit event, with the reason for who reads the code: they are not
/// told to [`AuditLayer::on_unaudited`](crate::AuditLayer::on_unaudited), and not counted.
///
/// ```
/// # #[cfg(feature = "axum")] {
/// use audit_tower::NotAudited;
/// use axum::{Router, routing::{MethodRouter, post}};
///
/// # async fn search() {}
/// let router: Router = Router::new().route("/search", post(search).layer(NotAudited("reads only")));
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct NotAudited(pub &'static str);

/// Where this layer stands outside of the audit layer.
#[derive(Clone, Copy)]
pub(crate) struct Exempt;

impl<S> Layer<S> for NotAudited {
    type Service = NotAuditedService<S>;

    fn layer(&self, inner: S) -> NotAuditedService<S> {
        NotAuditedService { inner, reason: self.0 }
    }
}

/// The service of [`NotAudited`].
#[derive(Clone, Debug)]
pub struct NotAuditedService<S> {
    inner: S,
    reason: &'static str,
}

impl<S: Service<Request<B>>, B> Service<Request<B>> for NotAuditedService<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        if !audit_client::__exempt(self.reason) {
            request.extensions_mut().insert(Exempt);
        }
        self.inner.call(request)
    }
}
