//! Connections that go silent without being closed, as when a machine on the way loses its state or its power.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use audit_client::{AuditClient, Credentials, Delivery};
use audit_lake::{Lake, LakeConfig};
use aws_config::{BehaviorVersion, Region};
use aws_smithy_http_client::tls::{self, TlsContext, TrustStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::scripted::entry;

const SOON: Duration = Duration::from_secs(30);

/// Passes bytes on between clients and a server, until a connection is silenced: from then on it takes bytes and passes none.
struct Way {
    address: SocketAddr,
    opened: Arc<AtomicUsize>,
    /// Connections with a number up to this one are silent.
    silent_to: watch::Sender<usize>,
}

impl Way {
    async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let opened = Arc::new(AtomicUsize::new(0));
        let (silent_to, silenced) = watch::channel(0);
        let count = Arc::clone(&opened);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let number = count.fetch_add(1, Ordering::SeqCst) + 1;
                let server = TcpStream::connect(server).await.expect("the server");
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                tokio::spawn(pass(from_client, to_server, number, silenced.clone()));
                tokio::spawn(pass(from_server, to_client, number, silenced.clone()));
            }
        });
        Self { address, opened, silent_to }
    }

    fn silence_all_so_far(&self) {
        self.silent_to.send_replace(self.opened.load(Ordering::SeqCst));
    }
}

async fn pass(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    number: usize,
    mut silent_to: watch::Receiver<usize>,
) {
    let mut bytes = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        if *silent_to.borrow() >= number {
            continue;
        }
        if to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
    // A silent connection is not closed on the other side either.
    while *silent_to.borrow() >= number && silent_to.changed().await.is_ok() {}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_after_silence_takes_another_connection() {
    let tls = Path::new(env!("CARGO_MANIFEST_DIR")).join("../audit-lake/tests/tls");
    let certificate = tls.join("certificate.pem");
    let config = format!(
        "[tls]\ncertificate = {certificate:?}\nkey = {:?}\n[[account]]\nid = \"123456789012\"\n[[account.key]]\nid = \"AKIDEXAMPLE\"\nsecret = \"secret\"\n[[channel]]\narn = {:?}\n",
        tls.join("key.pem"),
        audit_client::testing::CHANNEL_ARN,
    );
    let lake =
        Lake::builder().config(LakeConfig::parse(&config).expect("a configuration")).start().await.expect("a lake");
    let way = Way::to(lake.address()).await;

    let trusted = TrustStore::empty().with_pem_certificate(std::fs::read(&certificate).expect("a certificate"));
    let tls = TlsContext::builder().with_trust_store(trusted).build().expect("TLS");
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc))
        .tls_context(tls)
        .build_https();
    let sdk =
        aws_config::defaults(BehaviorVersion::latest()).region(Region::new("eu-west-1")).http_client(http).load().await;
    let client = AuditClient::builder()
        .channel_arn(lake.channel_arn().as_str())
        .sdk_config(&sdk)
        .endpoint_url(format!("https://localhost:{}", way.address.port()))
        .credentials(Credentials::new("AKIDEXAMPLE", "secret", None, None, "test"))
        .attempt_timeout(Duration::from_millis(700))
        .build()
        .await
        .expect("a client");
    for id in ["before", "during", "after"] {
        if id == "during" {
            way.silence_all_so_far();
        }
        let receipt = client.emit(entry(id)).await.expect("accepted");
        let delivery = tokio::time::timeout(SOON, receipt.delivered()).await.expect("delivered on another connection");
        assert!(matches!(delivery, Ok(Delivery { .. })), "{id}: {delivery:?}");
    }
    assert!(way.opened.load(Ordering::SeqCst) >= 2);
    drop(way);
    assert!(client.shutdown(SOON).await.is_complete());
    lake.shutdown().await;
}
