//! Accepts connections up to a limit, and lets them finish when the service stops.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

mod connection;
mod open_files;
mod stream;

use connection::{Connection, stopped};

pub(crate) use connection::Port;
pub(crate) use open_files::connections_that_fit;

use crate::config::{LimitsConfig, Tls};
use crate::service::Service;

/// Connections of the admin address at a time, beside those of senders.
pub(crate) const ADMIN_CONNECTIONS: usize = 32;
/// How long to wait when the system has no more sockets to give.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// The shortest time between two warnings that connections could not be accepted.
const WARNING_PERIOD: Duration = Duration::from_secs(10);

/// Limits how often failures to accept are logged.
#[derive(Default)]
struct AcceptFailures {
    warned: Option<Instant>,
    since_then: u64,
}

impl AcceptFailures {
    /// Counts a failure. If a warning is due, returns how many failures it stands for.
    fn count(&mut self, now: Instant) -> Option<u64> {
        self.since_then += 1;
        if self.warned.is_some_and(|warned| now < warned + WARNING_PERIOD) {
            return None;
        }
        self.warned = Some(now);
        Some(std::mem::take(&mut self.since_then))
    }
}

/// Accepts connections and serves them until the service stops.
pub(crate) struct Server {
    pub(crate) listener: TcpListener,
    pub(crate) tls: Option<Tls>,
    pub(crate) router: Router,
    pub(crate) limits: LimitsConfig,
    /// Connections at a time.
    pub(crate) connections: usize,
    pub(crate) service: Arc<Service>,
    /// Which address this is.
    pub(crate) port: Port,
    /// Becomes true when the service is to stop.
    pub(crate) stop: watch::Receiver<bool>,
}

impl Server {
    /// Serves until `stop` becomes true (or its sender is gone), then waits for the requests that were accepted.
    pub(crate) async fn run(mut self) {
        let mut connections = JoinSet::new();
        let mut failures = AcceptFailures::default();
        let places = Arc::new(Semaphore::new(self.connections));
        loop {
            // A place first: without one, a new connection waits in the system's queue.
            let next = async {
                let place = Arc::clone(&places).acquire_owned().await;
                (place, self.listener.accept().await)
            };
            let accepted = tokio::select! {
                () = stopped(&mut self.stop) => break,
                accepted = next => accepted,
            };
            let (place, (stream, peer)) = match accepted {
                (Ok(place), Ok(accepted)) => (place, accepted),
                // The semaphore is never closed.
                (Err(_), _) => break,
                (_, Err(error)) => {
                    if let Some(failures) = failures.count(Instant::now()) {
                        let error = error.to_string();
                        tracing::warn!(
                            error,
                            failures,
                            "connections could not be accepted; the system may be out of sockets"
                        );
                    }
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            while connections.try_join_next().is_some() {}
            let connection = Connection {
                tls: self.tls.as_ref().map(Tls::acceptor),
                router: self.router.clone(),
                service: Arc::clone(&self.service),
                port: self.port,
                limits: self.limits,
                stop: self.stop.clone(),
                peer,
            };
            let open = self.service.metrics().connection();
            connections.spawn(async move {
                connection.serve(stream).await;
                drop((place, open));
            });
        }
        drop(self.listener);
        let finish = async {
            while connections.join_next().await.is_some() {}
            // Those whose connections have ended go on.
            self.service.requests_finished().await;
        };
        if tokio::time::timeout(self.limits.shutdown_timeout, finish).await.is_err() {
            tracing::warn!(left = connections.len(), "requests did not finish in time; their connections are cut");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{AcceptFailures, Duration, Instant, WARNING_PERIOD};

    #[test]
    fn failures_to_accept_are_logged_once_a_period_whatever_succeeds_in_between() {
        let mut failures = AcceptFailures::default();
        let start = Instant::now();
        assert_eq!(failures.count(start), Some(1));
        for at in 1..100 {
            assert_eq!(failures.count(start + Duration::from_millis(50) * at), None);
        }
        assert_eq!(failures.count(start + WARNING_PERIOD), Some(100));
    }
}
