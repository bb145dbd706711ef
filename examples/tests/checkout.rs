//! The shop as a process: requests over HTTP, SIGTERM, and a report of every event.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

fn post(address: &str, path: &str, header: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("the shop listens");
    let length = body.len();
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nhost: shop\r\n{header}\r\nuser-agent: test/1\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

#[test]
fn at_sigterm_the_shop_accounts_for_every_event() {
    let mut shop = Command::new(env!("CARGO_BIN_EXE_checkout"))
        .arg("127.0.0.1:0")
        .env_remove("AUDIT_CHANNEL_ARN")
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .expect("the shop starts");
    let mut lines = BufReader::new(shop.stdout.take().expect("its output")).lines();
    let first = lines.next().expect("a line").expect("text");
    let address = first.rsplit('/').next().expect("an address").to_owned();

    let sign_in = |email: &str, password: &str| {
        let login = format!(r#"{{"email":"{email}","password":"{password}"}}"#);
        let answer = post(&address, "/sign-in", "x-none: 1", &login);
        let body: serde_json::Value = serde_json::from_str(answer.lines().last().expect("a body")).expect("JSON");
        format!("authorization: Bearer {}", body["token"].as_str().expect("a token"))
    };
    let (alice, bob) = (sign_in("alice@example.com", "teapot"), sign_in("bob@example.com", "kettle"));
    let order = r#"{"item":"teapot","quantity":1,"amountCents":1999,"iban":"DE02120300000000202051"}"#;
    let payment = r#"{"orderId":1,"amountCents":1999}"#;
    assert!(post(&address, "/orders", &alice, order).starts_with("HTTP/1.1 201"));
    let paid = post(&address, "/webhooks/payments", "x-webhook-key: an example's key", payment);
    assert!(paid.starts_with("HTTP/1.1 204"), "{paid}");
    assert!(post(&address, "/orders/1/refund", &bob, "").starts_with("HTTP/1.1 200"));
    assert!(post(&address, "/orders/1/refund", &bob, "").starts_with("HTTP/1.1 409"));
    assert!(post(&address, "/orders", "x-nobody: 1", order).starts_with("HTTP/1.1 401"));
    assert!(post(&address, "/exports", &alice, "").starts_with("HTTP/1.1 202"));

    let killed = Command::new("kill").args(["-TERM", &shop.id().to_string()]).status().expect("kill runs");
    assert!(killed.success());
    let lines: Vec<String> = lines.map(|line| line.expect("text")).collect();
    assert!(shop.wait().expect("it ends").success());
    let stored: Vec<serde_json::Value> = lines
        .iter()
        .filter_map(|line| line.strip_prefix("stored "))
        .map(|json| serde_json::from_str(json).expect("JSON"))
        .collect();
    let named = |name: &str| stored.iter().filter(|event| event["eventName"] == name).collect::<Vec<_>>();
    let placed = named("OrderPlaced");
    assert_eq!(placed.len(), 1);
    assert_eq!(placed[0]["userIdentity"]["principalId"], "alice@example.com");
    assert_eq!(placed[0]["sourceIPAddress"], "127.0.0.1");
    assert_eq!(placed[0]["userAgent"], "test/1");
    assert!(placed[0]["requestParameters"]["iban"].as_str().expect("text").starts_with("hmac-sha256:"));
    let refunds = named("RefundIssued");
    assert_eq!(refunds.len(), 2);
    assert!(refunds.iter().all(|refund| refund["userIdentity"]["principalId"] == "bob@example.com"));
    assert!(refunds.iter().any(|refund| refund["responseElements"]["amountCents"] == 1999));
    assert!(refunds.iter().any(|refund| refund["errorCode"] == "AlreadyRefunded"));
    let exports = named("ExportFinished");
    assert_eq!(exports.len(), 1, "the job was done before the end");
    assert_eq!(exports[0]["userIdentity"]["principalId"], "alice@example.com");
    assert_eq!(lines.last().expect("a report"), "accepted 9 = delivered 9 + dead 0 + kept 0 + lost 0");
}
