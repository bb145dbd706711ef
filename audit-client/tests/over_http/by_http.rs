//! The transport under test is this crate's own; and what only it does.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use audit_client::{
    AuditClient, ClientBuilder, ClientConfig, HttpConfig, HttpTransport, Submission, Submitting, Transport,
};
use audit_lake::{Lake, LakeConfig};

use crate::environment::{keys_of, run_child};
use crate::scripted::{CHANNEL_ARN, SECRET, Server, entry};
use crate::unreachable::stats_of_one_failure;

const SOON: Duration = Duration::from_secs(20);

/// A client's settings, with a key.
pub(crate) fn builder() -> ClientBuilder {
    over(AuditClient::builder()).channel_arn(CHANNEL_ARN).access_key("AKIDEXAMPLE", SECRET)
}

/// The same settings, for this transport.
pub(crate) fn over(settings: ClientBuilder) -> ClientBuilder {
    // Without the SDK, it is what a client uses anyway.
    if cfg!(feature = "aws") { settings.over_http() } else { settings }
}

/// Says on its output what becomes of one event.
#[test]
fn child() {
    let Ok(url) = std::env::var("AUDIT_TEST_URL") else { return };
    let settings = ClientConfig::from_env().expect("the environment says everything").into_builder();
    let client = over(settings).channel_arn(CHANNEL_ARN).endpoint_url(url).linger(Duration::ZERO);
    let client = match client.build_blocking() {
        Ok(client) => client,
        Err(error) => return println!("built {error}"),
    };
    drop(client.emit_blocking(entry("a")).expect("accepted"));
    let stats = loop {
        let stats = client.stats();
        if stats.delivered > 0 || stats.paused.is_some() {
            break stats;
        }
        std::thread::yield_now();
    };
    let pause = stats.paused.map(|pause| format!("{} {}", pause.code, pause.message));
    println!("built {}, in doubt {}", pause.unwrap_or_default(), client.shutdown_blocking(Duration::ZERO).in_doubt);
}

/// What the child says.
fn said(url: &str, variables: &[(&str, &str)]) -> String {
    let output = Command::new(std::env::current_exe().expect("this program"))
        .args(["by_http::child", "--exact", "--nocapture"])
        .env_remove("AWS_ACCESS_KEY_ID")
        .env_remove("AWS_SECRET_ACCESS_KEY")
        .env_remove("AWS_SESSION_TOKEN")
        .env("AUDIT_TEST_URL", url)
        .envs(variables.iter().copied())
        .stderr(Stdio::inherit())
        .output()
        .expect("a child");
    let output = String::from_utf8(output.stdout).expect("text");
    output.split("built ").nth(1).expect("what became of it").lines().next().unwrap_or_default().to_owned()
}

#[test]
fn without_credentials_delivery_pauses_and_says_so() {
    let server = Server::replies([]);
    for variables in
        [&[][..], &[("AWS_ACCESS_KEY_ID", "AKIDENV")], &[("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", "x")]]
    {
        let said = said(&server.url(), variables);
        assert!(said.starts_with("CredentialsNotLoaded there are no credentials: set AWS_ACCESS_KEY_ID and"), "{said}");
        assert!(said.ends_with("in doubt 0"), "no request was ever sent: {said}");
    }
    assert_eq!(server.connections(), 0);
}

#[test]
fn a_machine_without_root_certificates_is_told_so_where_they_are_needed() {
    let directory = tempfile::tempdir().expect("a directory");
    let none = directory.path().join("none.pem");
    let none = [
        ("SSL_CERT_FILE", none.to_str().expect("text")),
        ("SSL_CERT_DIR", directory.path().to_str().expect("text")),
        ("AWS_ACCESS_KEY_ID", "AKIDENV"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
    ];
    let told = said("https://localhost:1", &none);
    assert!(told.contains("no root certificates") && told.contains("SSL_CERT_FILE"), "{told}");
    assert_eq!(said(&Server::replies([]).url(), &none), ", in doubt 0");
}

#[test]
fn awss_variables_for_the_address_are_read_in_their_order() {
    let (server, other) = (Server::replies([]), Server::replies([]));
    let keys = [("AWS_ACCESS_KEY_ID", "AKIDENV"), ("AWS_SECRET_ACCESS_KEY", "secret")];
    run_child(&server, &[&keys[..], &[("AWS_ENDPOINT_URL", &other.url())]].concat());
    run_child(
        &other,
        &[&keys[..], &[("AWS_ENDPOINT_URL_CLOUDTRAIL_DATA", ""), ("AWS_ENDPOINT_URL", &other.url())]].concat(),
    );
    assert_eq!((keys_of(&server).len(), keys_of(&other).len()), (2, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lake_accepts_what_is_signed_with_a_session_token_and_no_other() {
    let config = format!(
        "[[account]]\nid = \"123456789012\"\n[[account.key]]\nid = \"ASIAEXAMPLE\"\nsecret = \"secret\"\nsession_token = \"the+token/==\"\n[[channel]]\narn = {CHANNEL_ARN:?}\n"
    );
    let lake =
        Lake::builder().config(LakeConfig::parse(&config).expect("a configuration")).start().await.expect("a lake");
    let url = lake.endpoint_url();
    let (right, wrong) = tokio::task::spawn_blocking(move || {
        let keys = [("AWS_ACCESS_KEY_ID", "ASIAEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "secret")];
        let right = said(&url, &[&keys[..], &[("AWS_SESSION_TOKEN", "the+token/==")]].concat());
        (right, said(&url, &[&keys[..], &[("AWS_SESSION_TOKEN", "another")]].concat()))
    })
    .await
    .expect("no panic");
    assert_eq!(right, ", in doubt 0");
    assert!(!wrong.starts_with(','), "refused: {wrong}");
    assert_eq!(lake.events().await.expect("events").len(), 1);
    lake.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_no_header_can_carry_pauses_and_says_so() {
    let stats =
        stats_of_one_failure(|builder| builder.access_key("AKID\n", SECRET).endpoint_url("http://127.0.0.1:1")).await;
    assert_eq!(stats.paused.expect("paused").code, "RequestNotSendable".into());
}

/// The transport, with something of one's own around it.
struct Counted(HttpTransport, Arc<AtomicUsize>);

impl Transport for Counted {
    fn submit<'a>(&'a self, submission: Submission<'a>) -> Submitting<'a> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.submit(submission)
    }
}

#[tokio::test]
async fn the_transport_can_be_wrapped_in_ones_own_and_shows_no_key() {
    let server = Server::replies([]);
    let config = HttpConfig::new().endpoint_url(server.url()).access_key("AKIDEXAMPLE", SECRET);
    assert!(!format!("{config:?}").contains(SECRET));
    let transport = HttpTransport::for_channel(&CHANNEL_ARN.parse().expect("an ARN"), config).expect("a transport");
    assert!(!format!("{transport:?}").contains(SECRET));
    let requests = Arc::new(AtomicUsize::new(0));
    let client = AuditClient::builder().channel_arn(CHANNEL_ARN).transport(Counted(transport, requests.clone()));
    let client = client.build().await.expect("a client");
    drop(client.emit(entry("a")).await.expect("accepted"));
    assert!(client.shutdown(SOON).await.is_complete());
    assert_eq!(requests.load(Ordering::Relaxed), 1);
}

#[cfg(feature = "aws")]
#[tokio::test]
async fn credentials_for_the_sdk_are_refused_and_the_last_kind_of_key_counts() {
    let credentials = || audit_client::Credentials::new("AKIDSDK", SECRET, None, None, "test");
    let error = builder().credentials(credentials()).build().await.expect_err("they would not be used").to_string();
    assert!(error.contains("over_http") && error.contains("access_key"), "{error}");
    let server = Server::replies([]);
    let settings = server.builder().credentials(credentials()).access_key("AKIDLAST", SECRET);
    let client = settings.build().await.expect("a client");
    drop(client.emit(entry("a")).await.expect("accepted"));
    assert!(client.shutdown(SOON).await.is_complete());
    assert_eq!(keys_of(&server), ["AKIDLAST"]);
}
