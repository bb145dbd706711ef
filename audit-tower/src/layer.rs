//! The layer, its service, and the two futures in whose code the request is the current one: the handler and its body.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use audit_client::{__OfRequest, __Scoped, AuditClient};
use http::{Method, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::client_ip::ClientIp;
use crate::request::{Config, Request};
use crate::request_id::RequestId;

/// Gives the events of a request its address, agent and id: see the crate's front page.
#[derive(Clone)]
pub struct AuditLayer {
    config: Arc<Config>,
}

impl AuditLayer {
    /// A layer whose events go through this client.
    #[must_use]
    pub fn new(client: AuditClient) -> Self {
        let (client_ip, request_id) = (ClientIp::peer(), RequestId::generated());
        Self { config: Arc::new(Config { client, client_ip, request_id, on_unaudited: None }) }
    }

    fn with(self, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Arc::unwrap_or_clone(self.config);
        change(&mut config);
        Self { config: Arc::new(config) }
    }

    /// Where the caller's address comes from; without this, it is the socket's peer.
    #[must_use]
    pub fn client_ip(self, client_ip: ClientIp) -> Self {
        self.with(|config| config.client_ip = client_ip)
    }

    /// Where the request's id comes from; without this, it is generated.
    #[must_use]
    pub fn request_id(self, request_id: RequestId) -> Self {
        self.with(|config| config.request_id = request_id)
    }

    /// Called with the route, the method and the status when a request has succeeded (2xx or 3xx; with gRPC, `grpc-status` 0) by a method that may
    /// change something (not GET, HEAD, OPTIONS or TRACE), and no event was accepted in its scope: a route that forgets its
    /// event. In tests, collect what it is told, and assert that it is nothing. Called when the request is over: when its
    /// handler and body have ended or were dropped, and everything that took its scope or an [`ActingAs`](audit_client::ActingAs) of
    /// it along. A test has to read or drop the answer first. What panics in it is logged, and goes no further.
    /// [`NotAudited`](crate::NotAudited) exempts a route.
    ///
    /// Also without this, the counter `audit_unaudited_requests_total{route}` counts them, and
    /// `audit_unanswered_requests_total{route}` those by such a method that were dropped before they were answered, without an
    /// event: the caller disconnected, or a timeout ended the handler. Whether something was done then, nobody knows.
    #[must_use]
    pub fn on_unaudited(self, tell: impl Fn(&str, &Method, StatusCode) + Send + Sync + 'static) -> Self {
        self.with(|config| config.on_unaudited = Some(Arc::new(tell)))
    }
}

impl fmt::Debug for AuditLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditLayer")
            .field("client_ip", &self.config.client_ip)
            .field("request_id", &self.config.request_id)
            .finish_non_exhaustive()
    }
}

impl<S> Layer<S> for AuditLayer {
    type Service = AuditService<S>;

    fn layer(&self, inner: S) -> AuditService<S> {
        AuditService { inner, config: self.config.clone() }
    }
}

/// The service of an [`AuditLayer`].
#[derive(Clone)]
pub struct AuditService<S> {
    inner: S,
    config: Arc<Config>,
}

impl<S: fmt::Debug> fmt::Debug for AuditService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditService").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl<S, In, Out> Service<http::Request<In>> for AuditService<S>
where
    S: Service<http::Request<In>, Response = Response<Out>>,
{
    type Response = Response<AuditBody<Out>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: http::Request<In>) -> ResponseFuture<S::Future> {
        let known = Request::new(self.config.clone(), &request);
        if let Some((name, id)) = &known.id {
            // For the handler's logs, and for a layer inside of this one.
            request.headers_mut().insert(name, id.clone());
        }
        let scope = Arc::new(__OfRequest::new(self.config.client.clone(), known));
        let future = scope.sync_scope(|| self.inner.call(request));
        ResponseFuture { future: scope.scope(future), scope: Some(scope) }
    }
}

pin_project! {
    /// The future of an [`AuditService`].
    pub struct ResponseFuture<F> {
        #[pin]
        future: __Scoped<F>,
        // Handed on to the body.
        scope: Option<Arc<__OfRequest<Request>>>,
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<AuditBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut response = ready!(this.future.poll(context))?;
        let scope = this.scope.take();
        if let Some(request) = scope.as_ref().map(|scope| scope.request()) {
            if let Some((name, id)) = &request.id {
                response.headers_mut().insert(name, id.clone());
            }
            request.answered(response.status(), response.headers());
        }
        Poll::Ready(Ok(response.map(|body| AuditBody { body, scope })))
    }
}

impl<F> fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

pin_project! {
    /// The body of an answer. What makes it runs in the scope of the request.
    pub struct AuditBody<B> {
        #[pin]
        body: B,
        scope: Option<Arc<__OfRequest<Request>>>,
    }
}

impl<B: Body> Body for AuditBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        let Some(scope) = this.scope else { return this.body.poll_frame(context) };
        let frame = scope.sync_scope(|| this.body.poll_frame(context));
        if let Poll::Ready(Some(Ok(frame))) = &frame
            && let Some(trailers) = frame.trailers_ref()
        {
            scope.request().ended(trailers);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<B: Default> Default for AuditBody<B> {
    fn default() -> Self {
        Self { body: B::default(), scope: None }
    }
}

impl<B> fmt::Debug for AuditBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditBody").finish_non_exhaustive()
    }
}
