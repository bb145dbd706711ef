//! A service that cannot be reached: a connection that goes silent without being closed, an untrusted certificate, a refused
//! connection, an address that is none.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use audit_client::{ClientBuilder, Delivery, Outcome, Stats};
use audit_lake::{Lake, LakeConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::scripted::entry;
use crate::transport;

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

fn tls_file(name: &str) -> String {
    format!("{}/../audit-lake/tests/tls/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn tls_config() -> LakeConfig {
    let config = format!(
        "[tls]\ncertificate = {:?}\nkey = {:?}\n[[account]]\nid = \"123456789012\"\n[[account.key]]\nid = \"AKIDEXAMPLE\"\nsecret = \"secret\"\n[[channel]]\narn = {:?}\n",
        tls_file("certificate.pem"),
        tls_file("key.pem"),
        audit_client::testing::CHANNEL_ARN,
    );
    LakeConfig::parse(&config).expect("a configuration")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_after_silence_takes_another_connection() {
    // Which certificates are trusted, only the environment says: in a process of its own.
    if std::env::var_os("AUDIT_TEST_TRUSTS").is_none() {
        let status = Command::new(std::env::current_exe().expect("this program"))
            .args(["unreachable::a_retry_after_silence_takes_another_connection", "--exact"])
            .env("AUDIT_TEST_TRUSTS", "")
            .env("SSL_CERT_FILE", tls_file("certificate.pem"))
            .status()
            .expect("a child");
        assert!(status.success());
        return;
    }
    let lake = Lake::builder().config(tls_config()).start().await.expect("a lake");
    let way = Way::to(lake.address()).await;

    let client = transport::builder()
        .endpoint_url(format!("https://localhost:{}", way.address.port()))
        .access_key("AKIDEXAMPLE", "secret")
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

/// The figures of a client after its first failure; no request of it may have been sent.
pub(crate) async fn stats_of_one_failure(prepare: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Stats {
    let client = prepare(transport::builder()).build().await.expect("a client");
    drop(client.emit(entry("a")).await.expect("accepted"));
    // The figures of requests are shown together, a moment after the failure.
    while client.stats().last_failure.is_none() || client.stats().in_flight > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let stats = client.stats();
    let report = client.shutdown(Duration::from_millis(50)).await;
    assert_eq!((report.lost, report.in_doubt), (1, 0), "no request was ever sent");
    let after = client.stats();
    assert_eq!((after.in_flight, after.pending), (0, 0));
    stats
}

#[tokio::test(flavor = "multi_thread")]
async fn an_untrusted_certificate_pauses_and_says_so() {
    let lake = Lake::builder().config(tls_config()).start().await.expect("a lake");
    let stats = stats_of_one_failure(|builder| builder.endpoint_url(lake.endpoint_url())).await;
    let pause = stats.paused.expect("paused");
    assert_eq!(pause.code, "CertificateNotTrusted".into());
    assert!(pause.message.starts_with("invalid peer certificate"), "{}", pause.message);
    lake.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_connection_is_no_pause_and_says_first_what_it_is() {
    let unused = TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("an address");
    let stats = stats_of_one_failure(|builder| builder.endpoint_url(format!("http://{unused}"))).await;
    assert_eq!(stats.paused, None);
    let failure = stats.last_failure.expect("a failure");
    assert_eq!(failure.outcome, Outcome::NoAnswer);
    assert!(failure.message.starts_with("Connection refused"), "{}", failure.message);
}

#[tokio::test]
async fn an_impossible_port_is_an_error_of_the_builder() {
    for url in ["http://127.0.0.1:99999", "https://example.com:0/", "http://[::1]:x", "http://host:"] {
        let built = transport::builder().endpoint_url(url).build().await;
        assert!(built.is_err_and(|error| error.to_string().contains("endpoint_url")), "{url}");
    }
}
