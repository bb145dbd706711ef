//! The transport under test is the SDK; and what only the SDK does.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use audit_client::{AuditClient, ClientBuilder, Credentials};
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::provider::{ProvideCredentials, future};

use crate::environment::{keys_of, run_child};
use crate::scripted::{CHANNEL_ARN, Reply, Request, SECRET, Server, entry};
use crate::unreachable::stats_of_one_failure;

const SOON: Duration = Duration::from_secs(20);

/// A client's settings, with a key.
pub(crate) fn builder() -> ClientBuilder {
    over(AuditClient::builder()).channel_arn(CHANNEL_ARN).access_key("AKIDEXAMPLE", SECRET)
}

/// The same settings, for this transport.
pub(crate) fn over(settings: ClientBuilder) -> ClientBuilder {
    settings
}

/// Keys that never expire.
fn keys(access_key: &str) -> Credentials {
    Credentials::new(access_key, SECRET, None, None, "test")
}

/// Hands out another key each time it is asked.
#[derive(Debug, Default)]
struct Rotating(Arc<AtomicUsize>);

impl ProvideCredentials for Rotating {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let number = self.0.fetch_add(1, Ordering::SeqCst);
        future::ProvideCredentials::ready(Ok(keys(&format!("AKID{number}"))))
    }
}

#[tokio::test]
async fn spent_credentials_are_fetched_anew_and_good_ones_are_kept() {
    for code in ["ExpiredTokenException", "UnrecognizedClientException"] {
        let server =
            Server::start(
                move |request| if request.access_key() == "AKID0" { Reply::error(403, code) } else { request.taken() },
            );
        let client = server.prompt().credentials(Rotating::default()).build().await.expect("a client");
        for id in ["a", "b", "c"] {
            client.emit(entry(id)).await.expect("accepted").delivered().await.expect("delivered");
        }
        let keys: Vec<_> = server.requests().iter().map(Request::access_key).collect();
        assert_eq!(keys, ["AKID0", "AKID1", "AKID1", "AKID1"]);
        assert_eq!(client.shutdown(SOON).await.delivered, 3);
    }
}

#[tokio::test]
async fn without_credentials_delivery_pauses_and_says_so() {
    #[derive(Debug)]
    struct NoCredentials;
    impl ProvideCredentials for NoCredentials {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            future::ProvideCredentials::ready(Err(aws_credential_types::provider::error::CredentialsError::not_loaded(
                "none here",
            )))
        }
    }
    let server = Server::replies([]);
    let client = server.prompt().credentials(NoCredentials).build().await.expect("a client");
    drop(client.emit(entry("a")).await.expect("accepted"));
    while client.stats().paused.is_none() {
        tokio::task::yield_now().await;
    }
    assert_eq!(client.stats().paused.expect("paused").code, "CredentialsNotLoaded".into());
    let report = client.shutdown(Duration::from_millis(50)).await;
    assert_eq!((report.lost, report.in_doubt), (1, 0), "no request was ever sent");
    assert!(server.requests().is_empty());
}

#[test]
fn a_credentials_file_that_was_rotated_is_read_anew_when_the_service_says_that_the_keys_are_spent() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("credentials");
    let profile = |key: &str| format!("[default]\naws_access_key_id = {key}\naws_secret_access_key = secret\n");
    std::fs::write(&file, profile("AKIDOLD")).expect("written");
    let (rotated, new) = (file.clone(), profile("AKIDNEW"));
    let server = Server::start(move |request| {
        if request.access_key() == "AKIDOLD" {
            std::fs::write(&rotated, &new).expect("written");
            Reply::error(403, "ExpiredTokenException")
        } else {
            request.taken()
        }
    });
    let file = file.to_str().expect("text");
    let missing = directory.path().join("no-config");
    run_child(
        &server,
        &[
            ("AWS_ACCESS_KEY_ID", ""),
            ("AWS_SHARED_CREDENTIALS_FILE", file),
            ("AWS_CONFIG_FILE", missing.to_str().expect("text")),
        ],
    );
    assert_eq!(keys_of(&server), ["AKIDOLD", "AKIDNEW", "AKIDNEW"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_cannot_be_made_pauses_and_says_so() {
    let sdk =
        aws_config::defaults(BehaviorVersion::latest()).region(Region::new("eu-west-1")).use_fips(true).load().await;
    let stats =
        stats_of_one_failure(|builder| builder.sdk_config(&sdk).endpoint_url("http://127.0.0.1:1".to_owned())).await;
    let pause = stats.paused.expect("paused");
    assert_eq!(pause.code, "RequestNotSendable".into());
    assert!(pause.message.contains("FIPS"), "{}", pause.message);
}
