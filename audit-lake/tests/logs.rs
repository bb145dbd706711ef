//! What the program `audit-lake` writes to its log: enough to know what happened, nothing that is secret, and never more than
//! a careful operator's disk holds.

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

mod serving;
mod signed_http;

use serving::{Place, Serving, channel};
use signed_http::{Call, entry, event_data, exchange};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const TOKEN: &str = "FwoGZXIvYXdzEXAMPLESESSIONTOKEN";
const EXTERNAL_ID: &str = "partner-number-7";

/// A configuration with everything in it that is secret, logging as much as it can.
fn config(format: &str) -> String {
    format!(
        r#"
[log]
format = "{format}"
level = "debug"
[[account]]
id = "123456789012"
[[account.key]]
id = "AKIDEXAMPLE"
secret = "{SECRET}"
[[account.key]]
id = "ASIATEMPORARY"
secret = "{SECRET}"
session_token = "{TOKEN}"
[[channel]]
arn = "{}"
external_id = "{EXTERNAL_ID}"
"#,
        channel()
    )
}

/// Makes requests that are taken and requests that are refused, with everything in them that must not be logged.
/// Gives back their signatures.
async fn some_of_everything(serving: &Serving) -> Vec<String> {
    let good = |id: &str| {
        let mut call = serving.call("ASIATEMPORARY", id);
        call.session_token = Some(TOKEN.to_owned());
        call.query(&format!("channelArn=orders&externalId={EXTERNAL_ID}"))
    };
    let duplicate = entry("twice", &event_data("twice", &channel()));
    let calls: Vec<(Call, u16)> = vec![
        (good("header"), 200),
        (good("query").presigned(), 200),
        // Entries that are refused: with other data, without any, with data that breaks the contract.
        (good("header").entries(&[entry("header", &event_data("other", &channel()))]), 200),
        (
            good("bad").entries(&[entry("bad", "{\"eventName\":\"RefundIssued\",\"secret\":\"alice@example.com\"}")]),
            200,
        ),
        (good("wrong secret").secret("another"), 403),
        (good("token in the wrong place").header("authorization", TOKEN).presigned(), 403),
        (good("external").query("channelArn=orders&externalId=partner-number-8"), 403),
        (good("no channel").query(&format!("externalId={EXTERNAL_ID}")), 400),
        (good("twice").entries(&[duplicate.clone(), duplicate]), 400),
        (good("no request").body(format!("{{\"auditEvents\":\"{SECRET}\"}}")), 400),
    ];
    let mut signatures = Vec::new();
    for (call, status) in calls {
        let bytes = call.to_bytes();
        let sent = String::from_utf8_lossy(&bytes);
        let (_, signature) = sent.split_once("Signature=").expect("a signature");
        signatures.push(signature.chars().take(64).collect());
        assert_eq!(exchange(&call.address, &bytes).await.status, status, "{sent}");
    }
    let broken = exchange(serving.address(), format!("POST / HTTP/1.1\r\nno header {SECRET}\r\n\r\n").as_bytes()).await;
    assert_eq!(broken.status, 400);
    signatures
}

fn assert_no_secret(log: &str, signatures: &[String]) {
    let fixed = [SECRET, TOKEN, EXTERNAL_ID, "RefundIssued", "alice@example.com"];
    for secret in fixed.into_iter().chain(signatures.iter().map(String::as_str)) {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
}

#[tokio::test]
async fn a_json_log_is_one_object_a_line_with_the_promised_fields_and_no_secret() {
    let place = Place::new(&config("json"));
    let serving = place.serve();
    let signatures = some_of_everything(&serving).await;
    // Over HTTP/2, whose library has much to say of its own.
    let mut stream = tokio::net::TcpStream::connect(serving.address()).await.expect("a connection");
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.expect("written");
    stream.read_exact(&mut [0; 9]).await.expect("settings");
    drop(stream);
    let (status, log) = serving.stop();
    assert!(status.success(), "{status}");
    assert!(!log.contains("frame"), "{log}");

    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    for line in &lines {
        for field in ["timestamp", "level", "message"] {
            assert!(line[field].is_string(), "{field} of {line}");
        }
    }
    let refused: Vec<&Value> = lines.iter().filter(|line| line["message"] == "refused a request").collect();
    for line in &refused {
        assert_eq!(line["level"], "INFO");
        assert_eq!(line["request_id"].as_str().map(str::len), Some(36), "{line}");
        assert!(line["reason"].as_str().is_some_and(|reason| reason.len() > 20), "{line}");
    }
    let codes: Vec<&str> = refused.iter().filter_map(|line| line["code"].as_str()).collect();
    let expected = [
        "InvalidSignatureException",
        "IncompleteSignature",
        "AccessDeniedException",
        "ValidationError",
        "DuplicatedAuditEventId",
        "ValidationError",
        "MalformedHttpRequestException",
    ];
    assert_eq!(codes, expected);
    let answered: Vec<&Value> = lines.iter().filter(|line| line["message"] == "answered a request").collect();
    assert_eq!(answered.len(), 4, "{log}");
    for line in answered {
        assert_eq!(line["successful"].as_u64().zip(line["failed"].as_u64()).map(|(one, other)| one + other), Some(1));
    }
    assert_no_secret(&log, &signatures);
}

#[tokio::test]
async fn a_text_log_has_the_same_and_no_secret() {
    let place = Place::new(&config("text"));
    let serving = place.serve();
    let signatures = some_of_everything(&serving).await;
    let (status, log) = serving.stop();
    assert!(status.success(), "{status}");
    assert!(log.contains("refused a request") && log.contains("code=\"AccessDeniedException\""), "{log}");
    assert!(log.contains("answered a request") && log.contains("the lake takes events"), "{log}");
    assert_no_secret(&log, &signatures);
}

#[tokio::test]
async fn of_many_refusals_each_is_logged_or_counted() {
    let place = Place::new(&config("json").replace("debug", "info").replace("[log]", "admin = '127.0.0.1:0'\n[log]"));
    let serving = place.serve();
    for _ in 0..100 {
        let answer =
            exchange(serving.address(), b"POST /PutAuditEvents HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n");
        assert_eq!(answer.await.error_type(), "IncompleteSignature");
        // This one never becomes a request, and is counted all the same.
        let answer = exchange(serving.address(), b"POST / HTTP/1.1\r\nno header\r\n\r\n");
        assert_eq!(answer.await.error_type(), "MalformedHttpRequestException");
    }
    let (_, log) = serving.stop();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    for code in ["IncompleteSignature", "MalformedHttpRequestException"] {
        let of_code = |message: &str| -> Vec<&Value> {
            lines.iter().filter(|line| line["message"] == message && line["code"] == code).collect()
        };
        let told = of_code("refused a request").len() as u64;
        let sums = of_code("refused more requests than are logged one by one");
        let left_out: u64 = sums.iter().filter_map(|line| line["left_out"].as_u64()).sum();
        // However long it took: each is logged or counted.
        assert_eq!(told + left_out, 100, "{code}\n{log}");
    }
}

#[tokio::test]
async fn a_store_that_fails_repeatedly_is_logged_once_and_so_is_its_recovery() {
    let place = Place::new(&config("json").replace("[log]", "admin = '127.0.0.1:0'\n[log]"));
    let mut serving = place.serve();
    let line: Value = serde_json::from_str(&serving.await_log("the lake takes events")).expect("an object");
    let admin = line["admin"].as_str().expect("the admin address").to_owned();
    let other = rusqlite::Connection::open(place.data().join("lake.db")).expect("another connection");
    other.pragma_update(None, "application_id", 1).expect("no lake's any more");
    assert_eq!(exchange(&admin, b"GET /readyz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.status, 503);
    let put = async |id| {
        let mut call = serving.call("ASIATEMPORARY", id);
        call.session_token = Some(TOKEN.to_owned());
        call.query(&format!("channelArn=orders&externalId={EXTERNAL_ID}")).send().await.status
    };
    for _ in 0..4 {
        assert_eq!(put("a").await, 503);
    }
    other.pragma_update(None, "application_id", 0x4C41_4B45).expect("a lake's again");
    assert_eq!(put("a").await, 200);
    let (_, log) = serving.stop();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let errors: Vec<&Value> = lines.iter().filter(|line| line["level"] == "ERROR").collect();
    assert_eq!(errors.len(), 1, "{log}");
    assert!(errors[0]["error"].as_str().is_some_and(|error| error.contains("not a lake's")), "{log}");
    let recovery = lines.iter().find(|line| line["message"] == "the store works again").expect("a line");
    assert_eq!(recovery["failures"], 5);
}
