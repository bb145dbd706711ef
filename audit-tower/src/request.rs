//! What the layer keeps of a request until its last event could have come.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};

use audit_client::{AuditClient, Context, EventId};
use http::{HeaderName, HeaderValue, Method, StatusCode, header, request};

use crate::client_ip::{ClientIp, Lines};
use crate::not_audited::Exempt;
use crate::request_id::RequestId;

/// The peer of a connection, as an extension of the request: for servers that are neither axum's nor tonic's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerAddr(pub SocketAddr);

type OnUnaudited = Box<dyn Fn(&str, &Method, StatusCode) + Send + Sync>;

/// How a layer treats its requests.
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
    method: Method,
    route: Route,
    /// 0 until the handler has answered.
    status: AtomicU16,
    emitted: AtomicBool,
    exempt: AtomicBool,
}

impl Request {
    pub(crate) fn new(config: Arc<Config>, parts: &request::Parts) -> Self {
        Self {
            peer: peer(parts),
            forwarded: config.client_ip.lines(&parts.headers),
            user_agent: parts.headers.get(header::USER_AGENT).cloned(),
            id: config.request_id.of(&parts.headers),
            method: parts.method.clone(),
            route: Route::of(parts),
            status: AtomicU16::new(0),
            emitted: AtomicBool::new(false),
            exempt: AtomicBool::new(parts.extensions.get::<Exempt>().is_some()),
            config,
        }
    }

    /// The handler has answered.
    pub(crate) fn answered(&self, status: StatusCode) {
        self.status.store(status.as_u16(), Ordering::Relaxed);
    }

    /// It has failed after its handler had answered.
    pub(crate) fn failed(&self) {
        self.status.store(0, Ordering::Relaxed);
    }
}

impl audit_client::__Request for Request {
    fn describe(&self, context: Context) -> Context {
        let mut context = match &self.id {
            Some((_, id)) => context.additional("requestId", &String::from_utf8_lossy(id.as_bytes())),
            None => context.additional("requestId", EventId::generate().as_str()),
        };
        if let Some(user_agent) = &self.user_agent {
            context = context.user_agent(&String::from_utf8_lossy(user_agent.as_bytes()));
        }
        let (address, from_header) = self.config.client_ip.of(self.peer, &self.forwarded);
        if let Some(address) = address {
            context = context.source_ip(address);
        }
        if let (Some(peer), true) = (self.peer, from_header) {
            context = context.additional("peerIPAddress", &peer.ip().to_canonical());
        }
        context
    }

    fn emitted(&self) {
        self.emitted.store(true, Ordering::Relaxed);
    }

    fn exempt(&self, _: &'static str) {
        self.exempt.store(true, Ordering::Relaxed);
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        let is_safe = matches!(self.method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE);
        let left_an_event = *self.emitted.get_mut() || *self.exempt.get_mut();
        let Ok(status) = StatusCode::from_u16(*self.status.get_mut()) else { return };
        if is_safe || left_an_event || !(status.is_success() || status.is_redirection()) {
            return;
        }
        let route = self.route.name();
        metrics::counter!("audit_unaudited_requests_total", "route" => route.to_owned()).increment(1);
        if let Some(tell) = &self.config.on_unaudited {
            tell(route, &self.method, status);
        }
    }
}

/// The route, not the path, which has ids in it, and which strangers choose.
enum Route {
    #[cfg(feature = "axum")]
    Matched(axum::extract::MatchedPath),
    /// A method of gRPC is one. Kept only if the server knows it.
    Grpc(http::Uri),
    Unknown,
}

impl Route {
    fn of(parts: &request::Parts) -> Self {
        #[cfg(feature = "axum")]
        if let Some(matched) = parts.extensions.get::<axum::extract::MatchedPath>() {
            return Self::Matched(matched.clone());
        }
        let is_grpc = parts
            .headers
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"));
        if is_grpc { Self::Grpc(parts.uri.clone()) } else { Self::Unknown }
    }

    fn name(&self) -> &str {
        match self {
            #[cfg(feature = "axum")]
            Self::Matched(path) => path.as_str(),
            Self::Grpc(uri) => uri.path(),
            Self::Unknown => "unknown",
        }
    }
}

fn peer(parts: &request::Parts) -> Option<SocketAddr> {
    let extensions = &parts.extensions;
    #[cfg(feature = "axum")]
    if let Some(info) = extensions.get::<axum::extract::ConnectInfo<SocketAddr>>() {
        return Some(info.0);
    }
    #[cfg(feature = "tonic")]
    if let Some(peer) = extensions
        .get::<tonic::transport::server::TcpConnectInfo>()
        .and_then(tonic::transport::server::TcpConnectInfo::remote_addr)
    {
        return Some(peer);
    }
    extensions.get::<PeerAddr>().map(|peer| peer.0)
}
