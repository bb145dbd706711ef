//! One connection: speaking HTTP/1.1 or HTTP/2 on it, ending it when it is idle for too long, and answering input that is not
//! HTTP with an error.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse;
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsAcceptor;

use super::stream::ObservedStream;
use crate::config::LimitsConfig;
use crate::error::RequestError;
use crate::service::Service;
use audit_core::wire::RequestErrorCode;

/// The most bytes of a request's line and headers together.
const HEADER_BYTES: usize = 64 * 1_024;
/// The most headers of a request.
const HEADERS: usize = 128;
/// The most requests at a time on one HTTP/2 connection.
const STREAMS: u32 = 64;
/// How long a connection that is to be closed may take for it.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// How much more input is read and discarded after a final error, so that the sender receives it.
const DISCARDED: u64 = 1_024 * 1_024;

/// Waits until the service is to stop.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, which means the same.
    drop(stop.wait_for(|stop| *stop).await);
}

/// What happened on a connection, which decides whether it stays open.
struct Activity {
    in_flight: AtomicUsize,
    since: Mutex<Idle>,
    /// Says that a head began, which brings the deadline nearer.
    head_began: Notify,
    /// Whether the router has the last request, and nothing of its answer was written yet.
    routed: AtomicBool,
}

/// Since when no request is in flight, and whether there was one.
#[derive(Clone, Copy)]
struct Idle {
    since: Instant,
    fresh: bool,
    /// When the first bytes of an incomplete head came.
    head: Option<Instant>,
}

impl Activity {
    fn begin(self: &Arc<Self>) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::AcqRel);
        self.routed.store(true, Ordering::Release);
        self.idle().head = None;
        InFlight(Arc::clone(self))
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes came in. Between requests, they are the beginning of a head.
    fn bytes_read(&self) {
        if self.in_flight.load(Ordering::Acquire) == 0 {
            let mut idle = self.idle();
            if idle.head.is_none() {
                idle.head = Some(Instant::now());
                self.head_began.notify_one();
            }
        }
    }

    /// Bytes were written. While a request is in flight, they only ask for its body.
    fn bytes_written(&self) {
        if self.in_flight.load(Ordering::Acquire) == 0 {
            self.routed.store(false, Ordering::Release);
        }
    }

    /// Whether an incomplete head takes too long.
    fn head_is_late(&self, limits: &LimitsConfig) -> bool {
        self.idle().head.is_some_and(|began| Instant::now() >= began + limits.header_timeout)
    }

    /// When the connection has been idle for too long, if it stays idle.
    fn deadline(&self, limits: &LimitsConfig) -> Instant {
        let idle = *self.idle();
        if let Some(began) = idle.head {
            return began + limits.header_timeout;
        }
        idle.since + if idle.fresh { limits.header_timeout } else { limits.idle_timeout }
    }
}

/// A request being answered.
struct InFlight(Arc<Activity>);

impl Drop for InFlight {
    fn drop(&mut self) {
        *self.0.idle() = Idle { since: Instant::now(), fresh: false, head: None };
        self.0.in_flight.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Which address the connection came to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Port {
    /// The senders': every request is counted, whether it is HTTP or not.
    Senders,
    /// The operators': no request is counted.
    Admin,
}

/// A connection that was accepted.
pub(crate) struct Connection {
    pub(crate) tls: Option<TlsAcceptor>,
    pub(crate) router: Router,
    /// Answers where the router never had a request.
    pub(crate) service: Arc<Service>,
    pub(crate) port: Port,
    pub(crate) limits: LimitsConfig,
    pub(crate) stop: watch::Receiver<bool>,
    pub(crate) peer: SocketAddr,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

impl Connection {
    /// Serves it to its end.
    pub(crate) async fn serve(mut self, stream: TcpStream) {
        // Answers are small and whole: waiting for more to send would only delay them.
        drop(stream.set_nodelay(true));
        let peer = self.peer;
        let served = match self.tls.clone() {
            None => self.speak(stream, None).await,
            Some(acceptor) => match timeout(self.limits.header_timeout, acceptor.accept(stream)).await {
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

    /// Serves HTTP on a stream: the version that the handshake agreed on, or else the version of the first bytes.
    async fn speak<S>(&mut self, stream: S, agreed: Option<bool>) -> Result<(), Failure>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let mut stream = ObservedStream::new(stream);
        let http2 = match agreed {
            Some(http2) => http2,
            None => {
                tokio::select! {
                    () = stopped(&mut self.stop) => return Ok(()),
                    found = timeout(self.limits.header_timeout, stream.begins_as_http2()) => match found {
                        Ok(Ok(found)) => found,
                        _ if !stream.is_unanswered() => return Ok(()),
                        Ok(Err(_)) => return self.final_error(&mut stream, aborted()).await,
                        Err(_) => return self.final_error(&mut stream, head_timeout()).await,
                    },
                }
            }
        };
        let activity = Arc::new(Activity {
            in_flight: AtomicUsize::new(0),
            since: Mutex::new(Idle { since: Instant::now(), fresh: true, head: None }),
            head_began: Notify::new(),
            routed: AtomicBool::new(false),
        });
        let service = CountingRouter {
            router: TowerToHyperService::new(self.router.clone()),
            activity: Arc::clone(&activity),
            service: Arc::clone(&self.service),
            port: self.port,
        };
        if http2 {
            let connection = http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .max_concurrent_streams(STREAMS)
                .max_header_list_size(u32::try_from(HEADER_BYTES).unwrap_or(u32::MAX))
                .serve_connection(TokioIo::new(&mut stream), service);
            let mut connection = pin!(connection);
            return self.drive(&activity, connection.as_mut(), http2::Connection::graceful_shutdown).await;
        }
        // hyper's own timeout of a head ends a connection between two requests as well, which may be quiet for longer.
        let (read, written) = (Arc::clone(&activity), Arc::clone(&activity));
        stream.observe(Box::new(move || read.bytes_read()), Box::new(move || written.bytes_written()));
        let served = {
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(None)
                .max_buf_size(HEADER_BYTES)
                .max_headers(HEADERS)
                .half_close(true)
                // Otherwise hyper copies answers into a buffer of its own, and their memory counts as free before they are read.
                .writev(true)
                .serve_connection(TokioIo::new(&mut stream), service);
            let mut connection = pin!(connection);
            self.drive(&activity, connection.as_mut(), http1::Connection::graceful_shutdown).await
        };
        // The router counts what it has. Everything else that was sent is counted here.
        let unrouted = stream.is_unanswered() && !activity.routed.load(Ordering::Acquire);
        match served {
            Err(error) if error.is::<LateHead>() => self.final_error(&mut stream, head_timeout()).await,
            Err(error) => match error.downcast_ref::<hyper::Error>().and_then(|error| unreadable(error, unrouted)) {
                Some(refusal) => self.final_error(&mut stream, refusal).await,
                None => Err(error),
            },
            // hyper ends a connection that is to stop without an answer to half a head.
            Ok(()) if unrouted && *self.stop.borrow() => self.final_error(&mut stream, stopping()).await,
            Ok(()) if unrouted => self.final_error(&mut stream, not_http()).await,
            Ok(()) => Ok(()),
        }
    }

    /// Drives a connection until it ends, is idle for too long, or the service stops.
    async fn drive<C>(
        &mut self,
        activity: &Activity,
        mut connection: Pin<&mut C>,
        close: fn(Pin<&mut C>),
    ) -> Result<(), Failure>
    where
        C: Future<Output = hyper::Result<()>>,
    {
        let why = loop {
            let deadline = activity.deadline(&self.limits);
            tokio::select! {
                ended = connection.as_mut() => return Ok(ended?),
                () = stopped(&mut self.stop) => break EndReason::Stopped,
                () = activity.head_began.notified() => {}
                () = tokio::time::sleep_until(deadline) => {
                    let idle = activity.in_flight.load(Ordering::Acquire) == 0;
                    if idle && activity.head_is_late(&self.limits) {
                        return Err(Box::new(LateHead));
                    }
                    if idle && Instant::now() >= activity.deadline(&self.limits) {
                        break EndReason::Idle;
                    }
                    if !idle {
                        // It will be looked at again when the request may be over; its end sets a new deadline.
                        tokio::select! {
                            ended = connection.as_mut() => return Ok(ended?),
                            () = stopped(&mut self.stop) => break EndReason::Stopped,
                            () = tokio::time::sleep(CLOSE_TIMEOUT) => {}
                        }
                    }
                }
            }
        };
        close(connection.as_mut());
        match why {
            // The server bounds how long this may take.
            EndReason::Stopped => Ok(connection.await?),
            EndReason::Idle => match timeout(CLOSE_TIMEOUT, connection).await {
                Ok(ended) => Ok(ended?),
                Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
            },
        }
    }

    /// Counts and answers what hyper could not read as a request, and closes the stream so that the answer arrives.
    async fn final_error<S>(&self, stream: &mut ObservedStream<S>, refusal: RequestError) -> Result<(), Failure>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let answer = match self.port {
            Port::Senders => self.service.refuse(refusal),
            Port::Admin => Service::refuse_uncounted(refusal),
        };
        let stream = stream.stream();
        let said = async {
            stream.write_all(&answer).await?;
            stream.shutdown().await?;
            // A stream that is closed with bytes unread is reset, and the answer may be lost on the way.
            tokio::io::copy(&mut stream.take(DISCARDED), &mut tokio::io::sink()).await?;
            Ok::<(), io::Error>(())
        };
        Ok(timeout(CLOSE_TIMEOUT, said).await.unwrap_or(Ok(()))?)
    }
}

/// A head that began and did not come to its end in time.
#[derive(Debug, thiserror::Error)]
#[error("the head of a request did not arrive in time")]
struct LateHead;

fn head_timeout() -> RequestError {
    RequestError::new(
        RequestErrorCode::RequestTimeout,
        "The head of the request did not arrive in time. Send it again.",
    )
}

fn aborted() -> RequestError {
    RequestError::new(RequestErrorCode::RequestAborted, "The request ended before it was whole. Send it again.")
}

/// The error for input that hyper could not read as a request, if there is any: with `unrouted` input, a connection that
/// failed was in the middle of a head.
fn unreadable(error: &hyper::Error, unrouted: bool) -> Option<RequestError> {
    if error.is_incomplete_message() {
        Some(aborted())
    } else if error.is_parse_too_large() {
        Some(large_head())
    } else if error.is_parse() {
        Some(not_http())
    } else {
        unrouted.then(aborted)
    }
}

fn large_head() -> RequestError {
    let message = "The head of the request is too large: it may have 64 KiB and 128 headers.";
    RequestError::new(RequestErrorCode::MalformedHttpRequest, message)
}

fn not_http() -> RequestError {
    let message = "The request is not HTTP/1.1 or HTTP/2 as the standards have it.";
    RequestError::new(RequestErrorCode::MalformedHttpRequest, message)
}

fn stopping() -> RequestError {
    RequestError::new(RequestErrorCode::ServiceUnavailable, "The service is shutting down. Send the request again.")
}

enum EndReason {
    Stopped,
    Idle,
}

/// The router, with a count of the requests that it is answering.
#[derive(Clone)]
struct CountingRouter {
    router: TowerToHyperService<Router>,
    activity: Arc<Activity>,
    service: Arc<Service>,
    port: Port,
}

impl hyper::service::Service<Request<Incoming>> for CountingRouter {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let in_flight = self.activity.begin();
        // Over HTTP/1.1, hyper sees to that.
        if request.headers().len() > HEADERS {
            let answer = match self.port {
                Port::Senders => self.service.refuse_request(large_head()),
                Port::Admin => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE.into_response(),
            };
            return Box::pin(std::future::ready(Ok(answer)));
        }
        let answered = self.router.call(request);
        Box::pin(async move {
            let answered = answered.await;
            drop(in_flight);
            answered
        })
    }
}
