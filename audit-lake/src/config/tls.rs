//! The certificate that the service shows.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

use super::file::read_regular;
use super::settings::TlsConfig;

/// Why a certificate cannot be used. No variant shows any of a key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    #[error("the file {file} cannot be read")]
    Unreadable { file: String, source: std::io::Error },
    #[error("{file} holds no certificate (PEM)")]
    NoCertificate { file: String },
    #[error("{file} holds a certificate that cannot be read (PEM)")]
    Certificate { file: String, source: pem::Error },
    // Without its source, which could show some of the key.
    #[error("{file} holds no private key that can be read (PEM)")]
    Key { file: String },
    #[error("the certificate and the key do not serve together")]
    Together(#[source] rustls::Error),
}

/// A certificate that can be replaced while connections go on.
#[derive(Clone)]
pub(crate) struct Tls(Arc<RwLock<TlsAcceptor>>);

impl Tls {
    /// Reads certificate and key.
    pub(crate) fn load(config: &TlsConfig) -> Result<Self, TlsError> {
        Ok(Self(Arc::new(RwLock::new(acceptor(config)?))))
    }

    /// Reads them again, for connections that begin from now on. If that fails, nothing changes.
    pub(crate) fn reload(&self, config: &TlsConfig) -> Result<(), TlsError> {
        let acceptor = acceptor(config)?;
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = acceptor;
        Ok(())
    }

    /// What a new connection is accepted with.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

/// Offers HTTP/2 and HTTP/1.1 with a certificate.
fn acceptor(config: &TlsConfig) -> Result<TlsAcceptor, TlsError> {
    let read = |path: &Path| {
        read_regular(path).map_err(|source| TlsError::Unreadable { file: path.display().to_string(), source })
    };
    let file = config.certificate.display().to_string();
    let certificates = match CertificateDer::pem_slice_iter(&read(&config.certificate)?).collect::<Result<Vec<_>, _>>()
    {
        Ok(none) if none.is_empty() => return Err(TlsError::NoCertificate { file }),
        Ok(certificates) => certificates,
        Err(source) => return Err(TlsError::Certificate { file, source }),
    };
    let key = PrivateKeyDer::from_pem_slice(&read(&config.key)?)
        .map_err(|_| TlsError::Key { file: config.key.display().to_string() })?;
    let mut server = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Together)?
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .map_err(TlsError::Together)?;
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(server)))
}
