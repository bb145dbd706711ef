//! TLS with ring, and connections that do not take for ever.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use tower_service::Service;

use crate::transport::submit::TransportError;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Connects, by TLS where the address says so: HTTP/2 where the service offers it there, HTTP/1.1 otherwise.
#[derive(Clone)]
pub(super) struct Connector {
    inner: HttpsConnector<HttpConnector>,
    timeout: Duration,
}

impl Connector {
    /// Reads the root certificates, if the address needs them.
    pub(super) fn new(is_tls: bool, timeout: Duration) -> Result<Self, TransportError> {
        let mut roots = RootCertStore::empty();
        if is_tls {
            let found = rustls_native_certs::load_native_certs();
            for error in &found.errors {
                tracing::warn!(%error, "a root certificate cannot be read");
            }
            let (added, unusable) = roots.add_parsable_certificates(found.certs);
            tracing::debug!(added, unusable, "root certificates");
            if added == 0 {
                return Err(TransportError::NoRootCertificates);
            }
        }
        // Not the process's default provider: there may be none, or another.
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| TransportError::Tls(error.into()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let inner =
            HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_all_versions().wrap_connector(tcp);
        Ok(Self { inner, timeout })
    }
}

impl Service<Uri> for Connector {
    type Response = <HttpsConnector<HttpConnector> as Service<Uri>>::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, address: Uri) -> Self::Future {
        let (connecting, limit) = (self.inner.call(address), self.timeout);
        Box::pin(async move {
            // Looking up the name, connecting and the handshake together, as the SDK counts it.
            tokio::time::timeout(limit, connecting).await.unwrap_or_else(|_| {
                let text = format!("HTTP connect timeout occurred after {limit:?}");
                Err(io::Error::new(io::ErrorKind::TimedOut, text).into())
            })
        })
    }
}
