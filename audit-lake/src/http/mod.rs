//! Accepting connections, never more at a time than there are places, and letting them finish when the service stops.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

mod connection;
mod stream;

use connection::{Connection, stopped};

pub(crate) use connection::Port;

use crate::config::{LimitsConfig, Tls};
use crate::service::Service;

/// How long to wait when the system has no more sockets to give.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Accepts connections and serves them until told to stop.
pub(crate) struct Server {
    pub(crate) listener: TcpListener,
    pub(crate) tls: Option<Tls>,
    pub(crate) router: Router,
    pub(crate) limits: LimitsConfig,
    pub(crate) service: Arc<Service>,
    /// Whose connections these are.
    pub(crate) port: Port,
    /// Becomes true when the service is to stop.
    pub(crate) stop: watch::Receiver<bool>,
}

impl Server {
    /// Serves until `stop` becomes true (or its sender is gone), then waits for the requests that were accepted.
    pub(crate) async fn run(mut self) {
        let mut connections = JoinSet::new();
        let mut refused_by_system = false;
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
                if !std::mem::replace(&mut refused_by_system, true) {
                    tracing::warn!("a connection could not be accepted; the system may be out of sockets");
                }
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            };
            refused_by_system = false;
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
