//! What only a process with an environment of its own can show: each test runs this program again, as [`child`].

use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use audit_client::{AuditClient, AuditEvent, ClientConfig, Identity};

use crate::scripted::{CHANNEL_ARN, Request, SECRET, Server, entry};
use crate::transport;

/// Does nothing without its environment.
#[test]
fn child() {
    let Ok(events) = std::env::var("AUDIT_TEST_EVENTS") else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let settings = ClientConfig::from_env().expect("the environment says everything").into_builder();
        let client = transport::over(settings).build().await.expect("a client");
        for number in 0..events.parse().expect("a number") {
            let receipt = client.emit(entry(&format!("e{number}"))).await.expect("accepted");
            receipt.delivered().await.expect("delivered");
        }
    });
}

pub(crate) fn run_child(server: &Server, variables: &[(&str, &str)]) {
    let status = Command::new(std::env::current_exe().expect("this program"))
        .args(["environment::child", "--exact"])
        .env_remove("AWS_PROFILE")
        .env_remove("AWS_SESSION_TOKEN")
        .env("AUDIT_TEST_EVENTS", "2")
        .env("AUDIT_CHANNEL_ARN", CHANNEL_ARN)
        .env("AUDIT_LINGER", "0ms")
        .env("AWS_ENDPOINT_URL_CLOUDTRAIL_DATA", server.url())
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .envs(variables.iter().copied())
        .stdout(Stdio::null())
        .status()
        .expect("a child");
    assert!(status.success());
}

pub(crate) fn keys_of(server: &Server) -> Vec<String> {
    server.requests().iter().map(Request::access_key).collect()
}

#[test]
fn awss_own_variables_say_whom_to_sign_as_and_where_to_send_and_the_channel_says_the_region() {
    let server = Server::replies([]);
    run_child(
        &server,
        &[("AWS_ACCESS_KEY_ID", "AKIDENV"), ("AWS_SECRET_ACCESS_KEY", "secret"), ("AWS_REGION", "us-east-1")],
    );
    assert_eq!(keys_of(&server), ["AKIDENV", "AKIDENV"]);
    let authorization = server.requests()[0].headers["authorization"].clone();
    assert!(authorization.contains("/eu-west-1/cloudtrail-data/"), "{authorization}");
}

#[test]
fn a_session_token_of_the_environment_is_sent_and_signed() {
    let server = Server::replies([]);
    let key = [("AWS_ACCESS_KEY_ID", "ASIAENV"), ("AWS_SECRET_ACCESS_KEY", "secret")];
    run_child(&server, &[&key[..], &[("AWS_SESSION_TOKEN", "the+token/==")]].concat());
    let headers = &server.requests()[0].headers;
    assert_eq!(headers["x-amz-security-token"], "the+token/==");
    assert!(headers["authorization"].contains("x-amz-security-token"), "{}", headers["authorization"]);
}

#[tokio::test]
async fn a_section_of_a_file_makes_the_same_client() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = seen.clone();
    let server = Server::start(move |request| {
        sink.lock().expect("seen").push(request.target.clone());
        request.taken()
    });
    let section = serde_json::json!({
        "channel_arn": CHANNEL_ARN, "external_id": "partner-7", "endpoint_url": server.url(), "linger": "0ms",
    });
    let config: ClientConfig = serde_json::from_value(section).expect("a section");
    let builder = transport::over(config.into_builder()).access_key("AKIDEXAMPLE", SECRET);
    let client = builder.build().await.expect("a client");
    client.emit(entry("a")).await.expect("accepted").delivered().await.expect("delivered");
    assert!(seen.lock().expect("seen")[0].contains("externalId=partner-7"));
}

#[derive(AuditEvent)]
#[audit(source = "orders.example.com", generate_id)]
struct PaidOut {
    #[audit(hmac)]
    iban: &'static str,
}

#[tokio::test]
async fn an_event_type_that_needs_a_key_is_refused_at_the_start_in_the_words_of_emit() {
    let arn = transport::builder;
    let refused = arn().requires::<PaidOut>().build().await.expect_err("no key").to_string();
    assert!(refused.contains(".hmac_key(") && refused.contains("AUDIT_HMAC_KEY=<id>:<key>"), "{refused}");
    let client = arn().build().await.expect("a client");
    let till = client.acting_as(&Identity::new("Service", "till").expect("valid"));
    let error = till.emit(&PaidOut { iban: "DE89" }).await.expect_err("no key");
    assert_eq!(error.to_string(), refused);
    let client = arn().requires::<PaidOut>().requires::<&PaidOut>().hmac_key("2026a", b"key").build().await;
    assert!(client.is_ok());
}

#[tokio::test]
async fn a_wrong_setting_names_its_key_and_the_rule() {
    let arn = transport::builder;
    for (builder, told) in vec![
        (AuditClient::builder(), ["channel_arn", "AUDIT_CHANNEL_ARN"]),
        (AuditClient::builder().channel_arn("arn:aws:s3:::bucket"), ["channel_arn", "arn:aws:s3:::bucket"]),
        (arn().external_id("x"), ["external_id", "2"]),
        (arn().region("us-east-1"), ["us-east-1", "eu-west-1"]),
        (arn().capacity_entries(0), ["capacity_entries", "at least 1"]),
        (arn().capacity_bytes(999_999), ["capacity_bytes", "1000000"]),
        (arn().max_concurrency(0), ["max_concurrency", "1000"]),
        (arn().spool("/tmp").emit_timeout(std::time::Duration::ZERO), ["emit_timeout", "WhenFull::Reject"]),
        (arn().attempt_timeout(std::time::Duration::ZERO), ["attempt_timeout", "0"]),
        (arn().endpoint_url("localhost:8787"), ["endpoint_url", "localhost:8787"]),
        (arn().access_key("", "secret"), ["access_key", "empty"]),
        (arn().spool("/proc/nowhere"), ["/proc/nowhere", "directory"]),
    ] {
        let error = builder.build().await.expect_err("a wrong setting");
        let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        let error = format!("{error}: {cause}");
        assert!(told.iter().all(|told| error.contains(told)), "{error}: not told {told:?}");
    }
}
