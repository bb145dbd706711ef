//! The client and the receiving side together: derived events, real signatures, a real database; an environment that says
//! everything; and a process that is killed.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use audit_client::{AuditClient, AuditEvent, ClientBuilder, Credentials, EmitError, EventId, UserIdentity, entry};
use audit_client::{AwsTransport, SdkConfig, Submission, Submitting, Transport};
use audit_client::{StaticEntry, testing};
use audit_lake::Lake;
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::provider::SharedCredentialsProvider;

const SOON: Duration = Duration::from_secs(20);

#[derive(UserIdentity)]
#[audit(type = "Staff")]
struct Staff {
    #[audit(principal_id)]
    email: String,
}

#[derive(AuditEvent)]
#[audit(source = "orders.example.com")]
struct RefundIssued<'a> {
    #[audit(id)]
    refund: &'a str,
    #[audit(user_identity)]
    by: &'a Staff,
    amount_cents: u64,
    #[audit(hmac)]
    iban: &'a str,
}

/// Does not say who acted.
#[derive(AuditEvent)]
#[audit(source = "orders.example.com")]
struct DrawerOpened {
    #[audit(id)]
    event: EventId,
}

static STARTED: StaticEntry = entry!("till-started", {
    "version": "1.0",
    "userIdentity": { "type": "Service", "principalId": "till-7" },
    "eventSource": "orders.example.com",
    "eventName": "TillStarted",
    "eventTime": "2026-11-21T10:15:30Z",
    "UID": "till-started",
    "recipientAccountId": "123456789012"
});

fn builder(lake: &Lake) -> ClientBuilder {
    let key = lake.access_key();
    AuditClient::builder()
        .channel_arn(lake.channel_arn().as_str())
        .endpoint_url(lake.endpoint_url())
        .access_key(key.id(), key.secret())
}

/// The usual transport, with something of one's own around it.
struct Counted {
    inner: AwsTransport,
    requests: Arc<AtomicUsize>,
}

impl Transport for Counted {
    fn submit<'a>(&'a self, submission: Submission<'a>) -> Submitting<'a> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.inner.submit(submission)
    }

    fn renew_credentials(&self) {
        self.inner.renew_credentials();
    }
}

#[tokio::test]
async fn the_usual_transport_can_be_wrapped_in_ones_own() {
    let lake = Lake::builder().start().await.expect("a lake");
    let (key, channel) = (lake.access_key(), lake.channel_arn());
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        // The channel says its own region.
        .region(Region::new("us-east-1"))
        .endpoint_url(lake.endpoint_url())
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
            key.id(),
            key.secret(),
            None,
            None,
            "test",
        )))
        .build();
    let inner = AwsTransport::for_channel(channel, config).await.expect("a transport");
    let requests = Arc::new(AtomicUsize::new(0));
    let transport = Counted { inner, requests: requests.clone() };
    let client =
        AuditClient::builder().channel_arn(channel.as_str()).transport(transport).build().await.expect("a client");
    drop(client.emit(STARTED).await.expect("accepted"));
    // A transport for another region would be refused again and again.
    tokio::time::timeout(SOON, client.flush()).await.expect("in time").expect("settled");
    assert_eq!(requests.load(Ordering::Relaxed), 1);
    assert_eq!(lake.events().await.expect("events").len(), 1);
}

#[tokio::test]
async fn events_of_every_kind_arrive_as_they_were_emitted() {
    let lake = Lake::builder().start().await.expect("a lake");
    let client = builder(&lake).hmac_key("2026a", b"0123456789abcdef0123456789abcdef").build().await.expect("a client");
    let alice = Staff { email: "alice@example.com".to_owned() };
    let refund = RefundIssued { refund: "re/17", by: &alice, amount_cents: 1999, iban: "DE02120300000000202051" };
    let receipt = client.emit(&refund).await.expect("accepted");
    drop(client.emit(STARTED).await.expect("accepted"));
    let drawer = DrawerOpened { event: EventId::from_static("drawer-1") };
    let acting = client.acting_as(&alice).source_ip("203.0.113.7".parse().expect("an address")).user_agent("till/7");
    drop(acting.emit(&drawer).await.expect("accepted"));
    let boxed: Box<dyn AuditEvent> = Box::new(DrawerOpened { event: EventId::from_static("drawer-2") });
    drop(acting.try_emit(&*boxed).expect("room"));
    client.flush().await.expect("settled");
    let delivery = receipt.delivered().await.expect("delivered");

    let stored: BTreeMap<String, _> =
        lake.events().await.expect("events").into_iter().map(|event| (event.id.clone(), event)).collect();
    assert_eq!(stored.len(), 4);
    let event = &stored[delivery.id.as_str()];
    assert_eq!(event.event_id, delivery.event_id);
    let json: serde_json::Value = serde_json::from_str(&event.event_data).expect("JSON");
    assert_eq!((json["UID"].as_str(), json["requestParameters"]["amountCents"].as_u64()), (Some("re/17"), Some(1999)));
    assert!(!event.event_data.contains("DE0212"));
    assert_eq!(stored["till-started"].event_data, STARTED.event_data());
    let json: serde_json::Value = serde_json::from_str(&stored["drawer-1"].event_data).expect("JSON");
    assert_eq!(json["sourceIPAddress"], "203.0.113.7");
    assert_eq!(json["userAgent"], "till/7");
    assert_eq!(stored["drawer-2"].principal, "alice@example.com");

    let report = client.shutdown(SOON).await;
    assert_eq!((report.accepted, report.delivered), (4, 4));
    lake.shutdown().await;
}

#[tokio::test]
async fn an_event_that_breaks_a_rule_is_refused_by_emit_and_says_which() {
    let recorder = testing::Recorder::new();
    let alice = Staff { email: "alice@example.com".to_owned() };
    let refund = RefundIssued { refund: &"r".repeat(1_025), by: &alice, amount_cents: 1, iban: "" };
    let error = recorder.client().emit(&refund).await.expect_err("a UID of 1,025 characters");
    assert!(matches!(error, EmitError::Encode(_)));
    assert_eq!(error.to_string(), "event RefundIssued of orders.example.com: a rule of the contract is broken");
    let rule = std::error::Error::source(&error).expect("which rule");
    assert_eq!(rule.to_string(), "`UID` has 1025 characters; at most 1024 are allowed");
    assert!(recorder.events().is_empty());
}

/// What the other tests run as a process of its own, with an environment of its own: does nothing without it.
#[test]
fn child() {
    let Ok(role) = std::env::var("AUDIT_TEST_CHILD") else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let built = AuditClient::from_env().await;
        if role == "build" {
            println!("built {}", built.map_or_else(|error| error.to_string(), |_| "a client".to_owned()));
            return;
        }
        let client = built.expect("the environment says everything");
        let alice = Staff { email: "alice@example.com".to_owned() };
        match role.as_str() {
            "once" => {
                drop(client.acting_as(&alice).emit(&DrawerOpened { event: EventId::generate() }).await.expect("room"));
                println!("report {}", client.shutdown(SOON).await);
            }
            _ => loop {
                let event = EventId::generate();
                let id = event.to_string();
                drop(client.acting_as(&alice).emit(&DrawerOpened { event }).await.expect("on disk"));
                println!("accepted {id}");
            },
        }
    });
}

fn start_child(role: &str, lake: &Lake, spool: Option<&Path>) -> Child {
    child_command(role, lake, spool).spawn().expect("a child")
}

fn child_command(role: &str, lake: &Lake, spool: Option<&Path>) -> Command {
    let key = lake.access_key();
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command
        .args(["child", "--exact", "--nocapture"])
        .env("AUDIT_TEST_CHILD", role)
        .env("AUDIT_CHANNEL_ARN", lake.channel_arn().as_str())
        .env("AUDIT_LINGER", "1ms")
        .env("AWS_ENDPOINT_URL_CLOUDTRAIL_DATA", lake.endpoint_url())
        .env("AWS_ACCESS_KEY_ID", key.id())
        .env("AWS_SECRET_ACCESS_KEY", key.secret())
        // The channel says its own region; this one is the application's for everything else.
        .env("AWS_REGION", "us-east-1")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .stdout(Stdio::piped());
    if let Some(spool) = spool {
        command.env("AUDIT_SPOOL_DIR", spool);
    }
    command
}

fn lines(child: &mut Child) -> impl Iterator<Item = String> + use<> {
    let output = child.stdout.take().expect("its output");
    // A killed process may leave half a line.
    BufReader::new(output).lines().map_while(Result::ok)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_environment_alone_makes_a_client() {
    let lake = Lake::builder().start().await.expect("a lake");
    let mut child = start_child("once", &lake, None);
    let output: Vec<String> = lines(&mut child).collect();
    assert!(child.wait().expect("it ends").success());
    let report = output.iter().find_map(|line| line.split("report ").nth(1)).expect("a report");
    assert_eq!(report, "accepted 1 = delivered 1 + dead 0 + kept 0 + lost 0");
    assert_eq!(lake.events().await.expect("events").len(), 1);
    lake.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_without_root_certificates_is_told_so() {
    let lake = Lake::builder().start().await.expect("a lake");
    let directory = tempfile::tempdir().expect("a directory");
    let mut command = child_command("build", &lake, None);
    command.env("SSL_CERT_FILE", directory.path().join("none.pem")).env("SSL_CERT_DIR", directory.path());
    let mut child = command.spawn().expect("a child");
    let output: Vec<String> = lines(&mut child).collect();
    let built = output.iter().find_map(|line| line.split("built ").nth(1)).expect("it is built, or told why not");
    // The SDK minds only where it was built for debugging; elsewhere the first request over TLS fails.
    let expected = if cfg!(debug_assertions) { "SSL_CERT_FILE" } else { "a client" };
    assert!(built.contains(expected), "{built}");
    assert!(child.wait().expect("it ends").success());
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_again_and_again_it_loses_nothing_that_it_accepted_and_stores_nothing_twice() {
    let lake = Lake::builder().start().await.expect("a lake");
    let directory = tempfile::tempdir().expect("a directory");
    let mut accepted = BTreeSet::new();
    let mut random = fastrand::Rng::with_seed(5);
    for _ in 0..10 {
        let mut child = start_child("emit", &lake, Some(directory.path()));
        let last = random.usize(1..60);
        let mut lines = lines(&mut child);
        for line in lines.by_ref().filter_map(|line| line.split("accepted ").nth(1).map(str::to_owned)).take(last) {
            accepted.insert(line);
        }
        child.kill().expect("killed");
        // What it said before it was killed counts as well.
        accepted.extend(
            lines.filter_map(|line| line.split("accepted ").nth(1).map(str::to_owned)).filter(|id| id.len() == 36),
        );
        child.wait().expect("it is gone");
    }
    let client = builder(&lake).spool(directory.path()).build().await.expect("a client");
    client.flush().await.expect("settled");
    let report = client.shutdown(SOON).await;
    assert_eq!((report.dead, report.kept, report.lost), (0, 0, 0), "{report}");
    let stored: Vec<String> = lake.events().await.expect("events").into_iter().map(|event| event.id).collect();
    let unique: BTreeSet<String> = stored.iter().cloned().collect();
    assert_eq!(unique.len(), stored.len(), "stored twice");
    let missing: Vec<_> = accepted.difference(&unique).collect();
    assert!(missing.is_empty(), "{} of {} are missing", missing.len(), accepted.len());
    lake.shutdown().await;
}
