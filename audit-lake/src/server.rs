//! Connections: accepting them, speaking HTTP/1.1 or HTTP/2 on them, ending those that only hold their place, and letting
//! the rest finish when the service stops.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;

use crate::config::LimitsConfig;
use crate::metrics::Metrics;
use crate::tls::Tls;

/// The most bytes of a request's line and headers together.
const HEADER_BYTES: usize = 64 * 1_024;
/// The most headers of a request.
const HEADERS: usize = 128;
/// The most requests at a time on one HTTP/2 connection.
const STREAMS: u32 = 64;
/// How long a connection that is to end may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(2);
/// How long to wait when the system has no more sockets to give.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Accepts connections and serves them until told to stop.
pub(crate) struct Server {
    pub(crate) listener: TcpListener,
    pub(crate) tls: Option<Tls>,
    pub(crate) router: Router,
    pub(crate) limits: LimitsConfig,
    pub(crate) metrics: Arc<Metrics>,
    /// Becomes true when the service is to stop.
    pub(crate) stop: watch::Receiver<bool>,
}

impl Server {
    /// Serves until `stop` becomes true (or its sender is gone), then waits for the requests that were accepted.
    pub(crate) async fn run(mut self) {
        let mut connections = JoinSet::new();
        let places = Arc::new(Semaphore::new(self.limits.connections));
        loop {
            // A place first: who comes when there is none waits in the system's queue.
            let next = async {
                let place = Arc::clone(&places).acquire_owned().await;
                (place, self.listener.accept().await)
            };
            let accepted = tokio::select! {
                () = stopped(&mut self.stop) => break,
                accepted = next => accepted,
            };
            let (Ok(place), Ok((stream, peer))) = accepted else {
                tracing::warn!("a connection could not be accepted; the system may be out of sockets");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            };
            while connections.try_join_next().is_some() {}
            let connection = Connection {
                tls: self.tls.as_ref().map(Tls::acceptor),
                router: self.router.clone(),
                limits: self.limits,
                stop: self.stop.clone(),
                peer,
            };
            let open = self.metrics.connection();
            connections.spawn(async move {
                connection.serve(stream).await;
                drop((place, open));
            });
        }
        drop(self.listener);
        let finish = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(self.limits.shutdown_timeout, finish).await.is_err() {
            tracing::warn!(left = connections.len(), "requests did not finish in time; their connections are cut");
        }
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, which means the same.
    drop(stop.wait_for(|stop| *stop).await);
}

/// What a connection has been doing, which tells whether it may stay.
struct Activity {
    in_flight: AtomicUsize,
    since: Mutex<Quiet>,
}

/// Since when nothing has been asked, and whether anything ever was.
#[derive(Clone, Copy)]
struct Quiet {
    since: Instant,
    fresh: bool,
}

impl Activity {
    fn begin(self: &Arc<Self>) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::AcqRel);
        InFlight(Arc::clone(self))
    }

    /// When the connection will have been quiet for too long, if it stays quiet.
    fn deadline(&self, limits: &LimitsConfig) -> Instant {
        let quiet = *self.since.lock().unwrap_or_else(PoisonError::into_inner);
        quiet.since + if quiet.fresh { limits.header_timeout } else { limits.idle_timeout }
    }
}

/// A request being answered.
struct InFlight(Arc<Activity>);

impl Drop for InFlight {
    fn drop(&mut self) {
        *self.0.since.lock().unwrap_or_else(PoisonError::into_inner) = Quiet { since: Instant::now(), fresh: false };
        self.0.in_flight.fetch_sub(1, Ordering::AcqRel);
    }
}

struct Connection {
    tls: Option<TlsAcceptor>,
    router: Router,
    limits: LimitsConfig,
    stop: watch::Receiver<bool>,
    peer: SocketAddr,
}

impl Connection {
    async fn serve(self, stream: TcpStream) {
        // Answers are small and whole: waiting for more to send would only delay them.
        drop(stream.set_nodelay(true));
        let peer = self.peer;
        let served = match self.tls.clone() {
            None => self.speak(stream, None).await,
            Some(acceptor) => match tokio::time::timeout(self.limits.header_timeout, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => {
                    let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                    self.speak(stream, Some(http2)).await
                }
                Ok(Err(error)) => Err(error.into()),
                Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
            },
        };
        if let Err(error) = served {
            tracing::debug!(%peer, error, "a connection ended early");
        }
    }

    /// Speaks HTTP on a stream: the version that the handshake agreed on, or whichever the first bytes are of.
    async fn speak<S>(mut self, stream: S, http2: Option<bool>) -> Result<(), Box<dyn std::error::Error + Send + Sync>>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.header_timeout)
            .max_buf_size(HEADER_BYTES)
            .max_headers(HEADERS)
            .half_close(true)
            .pipeline_flush(true);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS)
            .max_header_list_size(u32::try_from(HEADER_BYTES).unwrap_or(u32::MAX));
        let builder = match http2 {
            None => builder,
            Some(true) => builder.http2_only(),
            Some(false) => builder.http1_only(),
        };
        let activity = Arc::new(Activity {
            in_flight: AtomicUsize::new(0),
            since: Mutex::new(Quiet { since: Instant::now(), fresh: true }),
        });
        let service =
            Watched { router: TowerToHyperService::new(self.router.clone()), activity: Arc::clone(&activity) };
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
        let why = loop {
            let deadline = activity.deadline(&self.limits);
            tokio::select! {
                ended = connection.as_mut() => return ended,
                () = stopped(&mut self.stop) => break Ended::Stopped,
                () = tokio::time::sleep_until(deadline) => {
                    let quiet = activity.in_flight.load(Ordering::Acquire) == 0;
                    if quiet && Instant::now() >= activity.deadline(&self.limits) {
                        break Ended::Idle;
                    }
                    if !quiet {
                        // It will be looked at again when the request may be over; it sets the deadline anew.
                        tokio::select! {
                            ended = connection.as_mut() => return ended,
                            () = stopped(&mut self.stop) => break Ended::Stopped,
                            () = tokio::time::sleep(GOODBYE) => {}
                        }
                    }
                }
            }
        };
        connection.as_mut().graceful_shutdown();
        match why {
            // The server bounds how long this may take.
            Ended::Stopped => connection.await,
            Ended::Idle => match tokio::time::timeout(GOODBYE, connection).await {
                Ok(ended) => ended,
                Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
            },
        }
    }
}

enum Ended {
    Stopped,
    Idle,
}

/// The router, with a count of the requests that it is answering.
#[derive(Clone)]
struct Watched {
    router: TowerToHyperService<Router>,
    activity: Arc<Activity>,
}

impl hyper::service::Service<Request<Incoming>> for Watched {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let in_flight = self.activity.begin();
        let answered = self.router.call(request);
        Box::pin(async move {
            let answered = answered.await;
            drop(in_flight);
            answered
        })
    }
}
