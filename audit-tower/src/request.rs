//! What the layer keeps of a request until its last event could have come.

use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Once, OnceLock};

use audit_client::{AuditClient, Context, EventId};
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

use crate::client_ip::{ClientIp, Lines};
use crate::not_audited::Exempt;
use crate::request_id::RequestId;

/// The peer of a connection, as an extension of the request: for servers that are neither axum's nor tonic's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerAddr(pub SocketAddr);

type OnUnaudited = Arc<dyn Fn(&str, &Method, StatusCode) + Send + Sync>;

/// How a layer treats its requests.
#[derive(Clone)]
pub(crate) struct Config {
    pub(crate) client: AuditClient,
    pub(crate) client_ip: ClientIp,
    pub(crate) request_id: RequestId,
    pub(crate) on_unaudited: Option<OnUnaudited>,
}

/// A request. It is over when nothing holds it any more: not the handler, not the body, not a task that took its scope along.
pub(crate) struct Request {
    config: Arc<Config>,
    peer: Option<SocketAddr>,
    forwarded: Lines,
    user_agent: Option<HeaderValue>,
    pub(crate) id: Option<(HeaderName, HeaderValue)>,
    /// Where no header is named: generated for the first event.
    generated_id: OnceLock<EventId>,
    /// What to tell if it succeeds without an event; none if it needs no event.
    unaudited: Option<(Method, Route)>,
    /// Of the answer, or one of those below.
    status: AtomicU16,
    /// Whether the answer is one of gRPC.
    is_grpc: AtomicBool,
    /// Whether an event was accepted, or its route is exempt.
    audited: AtomicBool,
}

impl Request {
    pub(crate) fn new<B>(config: Arc<Config>, request: &http::Request<B>) -> Self {
        let (headers, extensions) = (request.headers(), request.extensions());
        let method = request.method();
        let needs_event = !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE)
            && extensions.get::<Exempt>().is_none();
        Self {
            peer: peer(extensions),
            forwarded: config.client_ip.lines(headers),
            user_agent: headers.get(&header::USER_AGENT).cloned(),
            id: config.request_id.of(headers),
            generated_id: OnceLock::new(),
            unaudited: needs_event.then(|| (method.clone(), Route::of(request))),
            status: AtomicU16::new(DROPPED),
            is_grpc: AtomicBool::new(false),
            audited: AtomicBool::new(false),
            config,
        }
    }

    /// The handler has answered.
    pub(crate) fn answered(&self, status: StatusCode, headers: &HeaderMap) {
        if self.unaudited.is_none() {
            return;
        }
        let is_grpc =
            headers.get(&header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"));
        self.is_grpc.store(is_grpc, Ordering::Relaxed);
        let failed = is_grpc && grpc_failed(headers);
        self.status.store(if failed { FAILED } else { status.as_u16() }, Ordering::Relaxed);
    }

    /// The answer has ended.
    pub(crate) fn ended(&self, trailers: &HeaderMap) {
        if self.is_grpc.load(Ordering::Relaxed) && grpc_failed(trailers) {
            self.status.store(FAILED, Ordering::Relaxed);
        }
    }
}

/// In place of a status: dropped before there was one.
const DROPPED: u16 = 0;
/// In place of a status: a call of gRPC that failed.
const FAILED: u16 = 1;

/// Whether a call of gRPC ended with another status than OK, as the headers or the trailers of its answer say.
fn grpc_failed(headers: &HeaderMap) -> bool {
    static GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
    headers.get(&GRPC_STATUS).is_some_and(|status| status != "0")
}

impl audit_client::__Request for Request {
    fn describe(&self, context: Context) -> Context {
        let mut context = match &self.id {
            Some((_, id)) => context.additional("requestId", &String::from_utf8_lossy(id.as_bytes())),
            None => context.additional("requestId", self.generated_id.get_or_init(EventId::generate).as_str()),
        };
        if let Some(user_agent) = &self.user_agent {
            context = context.user_agent(&String::from_utf8_lossy(user_agent.as_bytes()));
        }
        let (address, from_header) = self.config.client_ip.of(self.peer, &self.forwarded);
        match address {
            Some(address) => context = context.source_ip(address),
            None => NO_PEER.call_once(|| {
                tracing::warn!(
                    "an audit event of a request has no address, since the server does not tell the peer: serve axum with \
                     into_make_service_with_connect_info::<SocketAddr>(), or insert audit_tower::PeerAddr into the request"
                );
            }),
        }
        if let (Some(peer), true) = (self.peer, from_header) {
            context = context.additional("peerIPAddress", &peer.ip().to_canonical());
        }
        context
    }

    fn emitted(&self) {
        self.audited.store(true, Ordering::Relaxed);
    }

    fn exempt(&self, _: &'static str) {
        self.audited.store(true, Ordering::Relaxed);
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        let Some((method, route)) = self.unaudited.as_ref().filter(|_| !*self.audited.get_mut()) else { return };
        let route = route.name(*self.is_grpc.get_mut());
        let status = *self.status.get_mut();
        if status == DROPPED {
            metrics::counter!("audit_unanswered_requests_total", "route" => route.to_owned()).increment(1);
        }
        let Ok(status) = StatusCode::from_u16(status) else { return };
        if !(status.is_success() || status.is_redirection()) {
            return;
        }
        metrics::counter!("audit_unaudited_requests_total", "route" => route.to_owned()).increment(1);
        // One that panics, as in a test, would end the process while another panic is under way.
        if let Some(tell) = self.config.on_unaudited.as_ref().filter(|_| !std::thread::panicking()) {
            // This may be within any of the server's code, or of a connection that other requests share.
            if catch_unwind(AssertUnwindSafe(|| tell(route, method, status))).is_err() {
                tracing::error!("on_unaudited panicked for {method} {route}, which left no audit event");
            }
        }
    }
}

/// The route, not the path, which has ids in it, and which strangers choose.
enum Route {
    #[cfg(feature = "axum")]
    Matched(axum::extract::MatchedPath),
    /// A method of gRPC is one, if the server knows it. Otherwise it is a text that a stranger chose.
    Path(http::Uri),
}

/// The most bytes of the path of a method of gRPC.
const MOST_BYTES: usize = 256;

impl Route {
    fn of<B>(request: &http::Request<B>) -> Self {
        #[cfg(feature = "axum")]
        if let Some(matched) = request.extensions().get::<axum::extract::MatchedPath>() {
            return Self::Matched(matched.clone());
        }
        Self::Path(request.uri().clone())
    }

    fn name(&self, is_grpc: bool) -> &str {
        match self {
            #[cfg(feature = "axum")]
            Self::Matched(path) => path.as_str(),
            Self::Path(uri) if is_grpc && uri.path().len() <= MOST_BYTES => uri.path(),
            Self::Path(_) => "unknown",
        }
    }
}

/// Said once, and not for each of a service's requests.
static NO_PEER: Once = Once::new();

fn peer(extensions: &Extensions) -> Option<SocketAddr> {
    // Of a server that knows better than axum's or tonic's, such as by the PROXY protocol.
    if let Some(peer) = extensions.get::<PeerAddr>() {
        return Some(peer.0);
    }
    #[cfg(feature = "axum")]
    {
        use axum::extract::connect_info::{ConnectInfo, MockConnectInfo};
        if let Some(info) = extensions.get::<ConnectInfo<SocketAddr>>() {
            return Some(info.0);
        }
        // Of tests.
        if let Some(info) = extensions.get::<MockConnectInfo<SocketAddr>>() {
            return Some(info.0);
        }
    }
    #[cfg(feature = "tonic")]
    if let Some(peer) = extensions
        .get::<tonic::transport::server::TcpConnectInfo>()
        .and_then(tonic::transport::server::TcpConnectInfo::remote_addr)
    {
        return Some(peer);
    }
    None
}
