//! Every error that the service answers, and the request that causes it.

use std::time::{Duration, SystemTime};

use audit_core::{AccountId, ChannelArn, ExternalId};
use audit_lake::{AccountConfig, ChannelConfig, KeyConfig, Lake, LakeConfig, LimitsConfig, Secret};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

mod signed_http;

use signed_http::{Answer, Call, encoded, entry, event_data, exchange, read_answer};

const OWNER: AccountId = AccountId::from_static("123456789012");
const OTHER: AccountId = AccountId::from_static("999999999999");
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const TOKEN: &str = "FwoGZXIvYXdzEXAMPLESESSIONTOKEN";

fn channel(id: &str) -> ChannelArn {
    ChannelArn::try_from(format!("arn:aws:cloudtrail:eu-west-1:{OWNER}:channel/{id}")).expect("an ARN")
}

fn key(id: &str) -> KeyConfig {
    KeyConfig::new(id, SECRET)
}

fn config() -> LakeConfig {
    let mut owner = AccountConfig::new(OWNER);
    owner.keys.push(key("AKIDOWNER"));
    let token = Some(Secret::from(TOKEN));
    owner.keys.push({
        let mut made = key("ASIATEMPORARY");
        made.session_token.clone_from(&token);
        made
    });
    let expires = Some(audit_core::EventTime::from_static("2020-01-01T00:00:00Z"));
    owner.keys.push({
        let mut made = key("ASIAEXPIRED");
        made.session_token = token;
        made.expires = expires;
        made
    });
    let mut other = AccountConfig::new(OTHER);
    other.keys.push(key("AKIDOTHER"));
    let mut unsubscribed = AccountConfig::new(AccountId::from_static("111111111111"));
    unsubscribed.keys.push(key("AKIDUNSUBSCRIBED"));
    unsubscribed.opted_in = false;
    let mut slow = AccountConfig::new(AccountId::from_static("222222222222"));
    slow.keys.push(key("AKIDSLOW"));
    slow.requests_per_second = Some(1);

    let mut external = ChannelConfig::new(channel("external"));
    external.external_id = Some(ExternalId::from_static("partner:7"));
    let mut sources = ChannelConfig::new(channel("sources"));
    sources.sources = Some(vec!["payments.example.com".to_owned()]);
    let mut nowhere = ChannelConfig::new(channel("nowhere"));
    nowhere.destination = false;
    let mut other_schema = ChannelConfig::new(channel("other-schema"));
    other_schema.activity_events = false;
    let elsewhere = ChannelArn::from_static("arn:aws:cloudtrail:us-east-1:123456789012:channel/elsewhere");
    {
        let mut made = LakeConfig::default();
        made.accounts = vec![owner, other, unsubscribed, slow];
        made.channels = vec![
            ChannelConfig::new(channel("orders")),
            external,
            sources,
            nowhere,
            other_schema,
            ChannelConfig::new(elsewhere),
        ];
        made.limits = {
            let mut made = LimitsConfig::default();
            made.body_timeout = Duration::from_secs(1);
            made
        };
        made
    }
}

async fn lake() -> Lake {
    Lake::builder().config(config()).start().await.expect("a lake")
}

/// A good call with one event.
fn good(lake: &Lake) -> Call {
    Call::to(lake).entries(&[entry("e1", &event_data("e1", lake.channel_arn()))])
}

fn to_channel(call: Call, arn: &str) -> Call {
    let query = format!("channelArn={}", encoded(arn));
    call.query(&query)
}

fn with_key(mut call: Call, id: &str) -> Call {
    id.clone_into(&mut call.key_id);
    call
}

/// What every error answer has: its type, an id, a message in words, and no secret.
fn assert_refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status, answer.error_type()), (status, code), "{answer:?}");
    assert_eq!(answer.header("x-amzn-requestid").map(str::len), Some(36), "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let message = answer.body["message"].as_str().expect("a message");
    assert!(message.len() > 20, "{message}");
    for secret in [SECRET, TOKEN, "partner:7"] {
        assert!(!message.contains(secret), "{message}");
    }
}

#[tokio::test]
async fn requests_that_are_not_signed_as_they_should_be() {
    let lake = lake().await;
    let unsigned = format!(
        "POST /PutAuditEvents?channelArn=x HTTP/1.1\r\nhost: {}\r\ncontent-length: 2\r\n\r\n{{}}",
        lake.address()
    );
    assert_refused(&exchange(&lake.address().to_string(), unsigned.as_bytes()).await, 403, "IncompleteSignature");
    assert_refused(&good(&lake).secret("wrong").send().await, 403, "InvalidSignatureException");
    assert_refused(&with_key(good(&lake), "AKIDNOBODY").send().await, 403, "UnrecognizedClientException");
    for minutes in [-16, 16] {
        let offset = Duration::from_mins(16);
        let time = if minutes < 0 { SystemTime::now() - offset } else { SystemTime::now() + offset };
        assert_refused(&good(&lake).at(time).send().await, 400, "RequestExpired");
    }
    let mut other_region = good(&lake);
    other_region.region = "ap-south-1".to_owned();
    assert_refused(&other_region.send().await, 403, "InvalidSignatureException");
    let mut other_service = good(&lake);
    other_service.service = "cloudtrail".to_owned();
    assert_refused(&other_service.send().await, 403, "InvalidSignatureException");
    // Signed twice over: in the header and in the query string.
    let both = good(&lake).header("authorization", "AWS4-HMAC-SHA256 x").presigned().send().await;
    assert_refused(&both, 403, "IncompleteSignature");
    assert!(lake.events().await.expect("events").is_empty());
}

#[tokio::test]
async fn temporary_keys_need_their_token_and_expire() {
    let lake = lake().await;
    let temporary = |token: Option<&str>| {
        let mut call = with_key(good(&lake), "ASIATEMPORARY");
        call.session_token = token.map(str::to_owned);
        call
    };
    assert_eq!(temporary(Some(TOKEN)).send().await.status, 200);
    assert_eq!(temporary(Some(TOKEN)).presigned().send().await.status, 200);
    assert_refused(&temporary(None).send().await, 403, "UnrecognizedClientException");
    assert_refused(&temporary(Some("another")).send().await, 403, "UnrecognizedClientException");
    let mut superfluous = good(&lake);
    superfluous.session_token = Some(TOKEN.to_owned());
    assert_refused(&superfluous.send().await, 403, "UnrecognizedClientException");
    let mut expired = with_key(good(&lake), "ASIAEXPIRED");
    expired.session_token = Some(TOKEN.to_owned());
    assert_refused(&expired.send().await, 403, "ExpiredTokenException");
    // Without the key, a sender does not learn that it has expired.
    assert_refused(&expired.secret("wrong").send().await, 403, "InvalidSignatureException");
}

#[tokio::test]
async fn a_presigned_request_is_taken() {
    let lake = lake().await;
    let answer = good(&lake).presigned().send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[tokio::test]
async fn accounts_that_may_not_now_or_not_at_all() {
    let lake = lake().await;
    assert_refused(&with_key(good(&lake), "AKIDUNSUBSCRIBED").send().await, 403, "OptInRequired");
    assert_refused(&with_key(good(&lake), "AKIDSLOW").send().await, 400, "ChannelInsufficientPermission");
    assert_refused(&with_key(good(&lake), "AKIDSLOW").send().await, 400, "ThrottlingException");
}

#[tokio::test]
async fn channels_that_are_not_there_or_not_for_the_caller() {
    let lake = lake().await;
    let arn = |name: &str| to_channel(good(&lake), name);
    assert_refused(&good(&lake).query("").send().await, 400, "ValidationError");
    assert_refused(&good(&lake).query("channelArn=").send().await, 400, "ValidationError");
    assert_refused(&good(&lake).query("channelArn=orders&channelArn=orders").send().await, 400, "ValidationError");
    assert_refused(&arn("arn:aws:s3:::bucket").send().await, 400, "InvalidChannelARN");
    assert_refused(&arn("a channel").send().await, 400, "InvalidChannelARN");
    assert_refused(&arn("channel/orders").send().await, 400, "InvalidChannelARN");
    assert_refused(&arn("nothing").send().await, 400, "ChannelNotFound");
    assert_refused(&arn(channel("nothing").as_str()).send().await, 400, "ChannelNotFound");
    assert_refused(&with_key(good(&lake), "AKIDOTHER").send().await, 400, "ChannelInsufficientPermission");
    assert_refused(&arn("elsewhere").send().await, 400, "UnsupportedOperationException");
    assert_refused(&arn("other-schema").send().await, 400, "ChannelUnsupportedSchema");
    assert_eq!(arn("orders").send().await.status, 200, "a bare ID names the channel");
}

#[tokio::test]
async fn an_external_id_is_needed_where_the_channel_names_one() {
    let lake = lake().await;
    let with = |channel: &str, id: &str| good(&lake).query(&format!("channelArn={channel}&externalId={id}"));
    assert_eq!(with("external", "partner%3A7").send().await.status, 200);
    assert_eq!(with("orders", "superfluous").send().await.status, 200);
    assert_refused(&with("external", "partner%3A8").send().await, 403, "AccessDeniedException");
    assert_refused(&to_channel(good(&lake), "external").send().await, 403, "AccessDeniedException");
    assert_refused(&with("external", "x").send().await, 400, "ValidationError");
    assert_refused(&with("orders", "a%20b").send().await, 400, "ValidationError");
    assert_refused(&with("external", "partner%3A7&externalId=partner%3A7").send().await, 400, "ValidationError");
}

#[tokio::test]
async fn bodies_that_are_no_request() {
    let lake = lake().await;
    let bodies: [&[u8]; 12] = [
        b"",
        b"{}",
        b"[]",
        b"{\"auditEvents\":null}",
        b"{\"auditEvents\":[]}",
        b"{\"auditEvents\":{}}",
        b"{\"auditEvents\":[{\"eventData\":\"{}\"}]}",
        b"{\"auditEvents\":[{\"id\":\"a\",\"eventData\":{}}]}",
        b"{\"auditEvents\":[{\"id\":\"a\",\"id\":\"b\",\"eventData\":\"{}\"}]}",
        b"{\"auditEvents\":[],\"auditEvents\":[]}",
        b"{\"auditEvents\":[{\"id\":\"a\",\"eventData\":\"\xFF\"}]}",
        b"{\"auditEvents\":[{\"id\":\"a\",\"eventData\":\"{}\"}]} x",
    ];
    for body in bodies {
        let answer = good(&lake).body(body).send().await;
        assert_refused(&answer, 400, "ValidationError");
    }
    let nested = format!("{{\"x\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert_refused(&good(&lake).body(nested).send().await, 400, "ValidationError");
}

#[tokio::test]
async fn a_request_has_one_to_a_hundred_entries_with_distinct_ids() {
    let lake = lake().await;
    let entries = |count: usize| -> Vec<Value> {
        (0..count).map(|at| entry(&format!("e{at}"), &event_data(&format!("e{at}"), lake.channel_arn()))).collect()
    };
    let answer = good(&lake).entries(&entries(100)).send().await;
    assert_eq!(answer.body["successful"].as_array().map(Vec::len), Some(100), "{answer:?}");
    assert_refused(&good(&lake).entries(&entries(101)).send().await, 400, "ValidationError");
    let mut twice = entries(3);
    twice[2]["id"] = twice[0]["id"].clone();
    assert_refused(&good(&lake).entries(&twice).send().await, 400, "DuplicatedAuditEventId");
    let empty_entries = format!("{{\"auditEvents\":[{}]}}", vec!["{}"; 300_000].join(","));
    assert_refused(&good(&lake).body(empty_entries).send().await, 400, "ValidationError");
}

#[tokio::test]
async fn a_body_has_at_most_a_mebibyte() {
    let lake = lake().await;
    let sized = |bytes: usize| {
        let data = event_data("e1", lake.channel_arn());
        let body = json!({ "auditEvents": [entry("e1", &data)] }).to_string();
        format!("{body}{}", " ".repeat(bytes - body.len()))
    };
    assert_eq!(good(&lake).body(sized(1_048_576)).send().await.status, 200);
    assert_refused(&good(&lake).body(sized(1_048_577)).send().await, 413, "RequestEntityTooLargeException");

    // A sender that asks before sending gets the answer before sending.
    let asking = format!(
        "POST /PutAuditEvents HTTP/1.1\r\nhost: {}\r\nexpect: 100-continue\r\ncontent-length: 99999999999\r\n\r\n",
        lake.address()
    );
    let answer = exchange(&lake.address().to_string(), asking.as_bytes()).await;
    assert_refused(&answer, 413, "RequestEntityTooLargeException");
    // Without a length said beforehand, the bytes are counted.
    let mut chunked =
        format!("POST /PutAuditEvents HTTP/1.1\r\nhost: {}\r\ntransfer-encoding: chunked\r\n\r\n", lake.address())
            .into_bytes();
    for _ in 0..17 {
        chunked.extend_from_slice(b"10000\r\n");
        chunked.extend_from_slice(&vec![b' '; 0x10000]);
        chunked.extend_from_slice(b"\r\n");
    }
    chunked.extend_from_slice(b"0\r\n\r\n");
    let answer = exchange(&lake.address().to_string(), &chunked).await;
    assert_refused(&answer, 413, "RequestEntityTooLargeException");
}

#[tokio::test]
async fn what_is_wrong_at_the_level_of_http() {
    let lake = lake().await;
    let mut get = good(&lake);
    get.method = "GET".to_owned();
    assert_refused(&get.send().await, 404, "UnknownOperationException");
    for path in ["/", "/PutAuditEvent", "/putauditevents", "/PutAuditEvents/", "//PutAuditEvents", "/PutAudit%45vents"]
    {
        let mut elsewhere = good(&lake);
        path.clone_into(&mut elsewhere.path);
        assert_refused(&elsewhere.send().await, 404, "UnknownOperationException");
    }
    let undeclared = good(&lake).header("x-amz-content-sha256", "UNSIGNED-PAYLOAD").send().await;
    assert_refused(&undeclared, 403, "InvalidSignatureException");
    let encoding = good(&lake).header("content-encoding", "gzip").send().await;
    assert_refused(&encoding, 400, "MalformedHttpRequestException");
    let address = lake.address().to_string();
    // A whole URL as the target is HTTP too, if it is the host's that was signed.
    for (host, status) in [(address.as_str(), 200), ("elsewhere.example.com", 400)] {
        let bytes = String::from_utf8(good(&lake).to_bytes()).expect("text");
        let absolute = bytes.replacen("POST /", &format!("POST http://{host}/"), 1);
        let answer = exchange(&address, absolute.as_bytes()).await;
        assert_eq!(answer.status, status, "{answer:?}");
        assert!(status == 200 || answer.error_type() == "MalformedHttpRequestException", "{answer:?}");
    }
    let bad_query =
        format!("POST /PutAuditEvents?channelArn=%zz HTTP/1.1\r\nhost: {address}\r\ncontent-length: 0\r\n\r\n");
    assert_refused(&exchange(&address, bad_query.as_bytes()).await, 400, "MalformedHttpRequestException");
}

/// A call's bytes with a part of them replaced after it was signed.
fn changed(call: &Call, from: &str, to: &[u8]) -> Vec<u8> {
    let bytes = call.to_bytes();
    let at = bytes.windows(from.len()).position(|window| window == from.as_bytes()).expect(from);
    [&bytes[..at], to, &bytes[at + from.len()..]].concat()
}

#[tokio::test]
async fn a_declared_body_hash_need_not_be_signed_but_must_be_right() {
    use sha2::{Digest, Sha256};
    let lake = lake().await;
    let address = lake.address().to_string();
    let call = good(&lake);
    let hash = audit_core::hex(&Sha256::digest(&call.body));
    let with = |header: &str| changed(&call, "content-length", format!("{header}\r\ncontent-length").as_bytes());
    // As aws-requests-auth sends it.
    let answer = exchange(&address, &with(&format!("x-amz-content-sha256: {hash}"))).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    for wrong in ["UNSIGNED-PAYLOAD", &"0".repeat(64)] {
        let answer = exchange(&address, &with(&format!("x-amz-content-sha256: {wrong}"))).await;
        assert_refused(&answer, 403, "InvalidSignatureException");
    }
    assert_refused(&exchange(&address, &with("x-amz-cf-id: 1")).await, 403, "IncompleteSignature");
}

#[tokio::test]
async fn tabs_in_a_signed_header_may_be_folded_or_not() {
    let lake = lake().await;
    let address = lake.address().to_string();
    for (signed, sent) in [("a b", &b"a\tb"[..]), ("a b", b"a \t b"), ("a\tb", b"a\tb"), ("a b", b"\ta   b\t")] {
        let call = good(&lake).header("x-meta", signed);
        let answer =
            exchange(&address, &changed(&call, &format!("x-meta: {signed}"), &[b"x-meta: ", sent].concat())).await;
        assert_eq!(answer.status, 200, "{sent:?}: {answer:?}");
    }
    let call = good(&lake).header("x-meta", "a b");
    let answer = exchange(&address, &changed(&call, "x-meta: a b", b"x-meta: a\tc")).await;
    assert_refused(&answer, 403, "InvalidSignatureException");
}

#[tokio::test]
async fn latin_1_in_a_signed_header_is_refused_with_the_reason() {
    let lake = lake().await;
    let call = good(&lake).header("x-meta", "Gruß");
    let answer = exchange(&lake.address().to_string(), &changed(&call, "Gruß", b"Gru\xDF")).await;
    assert_refused(&answer, 403, "IncompleteSignature");
    let message = answer.body["message"].as_str().expect("a message");
    assert!(message.contains("x-meta") && message.contains("Latin-1") && message.contains("UTF-8"), "{message}");
    assert_eq!(call.send().await.status, 200);
}

#[tokio::test]
async fn codings_of_the_body_and_of_its_transfer() {
    let lake = lake().await;
    let address = lake.address().to_string();
    for identity in ["identity", "IDENTITY", "Identity, identity"] {
        assert_eq!(good(&lake).header("content-encoding", identity).send().await.status, 200, "{identity}");
    }
    for encoded in ["gzip", "identity, br"] {
        let answer = good(&lake).header("content-encoding", encoded).send().await;
        assert_refused(&answer, 400, "MalformedHttpRequestException");
    }
    let body = good(&lake).body;
    let chunked = |coding: &str| {
        let (call, length) = (good(&lake), format!("content-length: {}\r\n\r\n", body.len()));
        let head = format!("transfer-encoding: {coding}\r\n\r\n{:x}\r\n", body.len());
        [&changed(&call, &length, head.as_bytes())[..], b"\r\n0\r\n\r\n"].concat()
    };
    for good in ["chunked", "Chunked"] {
        assert_eq!(exchange(&address, &chunked(good)).await.status, 200, "{good}");
    }
    for (coding, status) in [
        ("gzip, chunked", 501),
        ("gzip\r\ntransfer-encoding: chunked", 501),
        ("chunked, chunked", 400),
        ("chunked\r\ntransfer-encoding: chunked", 400),
        ("gzip", 400),
    ] {
        let answer = exchange(&address, &chunked(coding)).await;
        assert_refused(&answer, status, "MalformedHttpRequestException");
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_and_one_that_breaks_off() {
    let lake = lake().await;
    let address = lake.address().to_string();
    let head = format!("POST /PutAuditEvents HTTP/1.1\r\nhost: {address}\r\ncontent-length: 100\r\n\r\n{{");
    assert_refused(&exchange(&address, head.as_bytes()).await, 408, "RequestTimeoutException");

    let mut stream = TcpStream::connect(&address).await.expect("a connection");
    stream.write_all(head.as_bytes()).await.expect("written");
    stream.shutdown().await.expect("half closed");
    let answer = read_answer(&mut stream).await.expect("an answer");
    assert_refused(&answer, 400, "RequestAbortedException");
}

#[tokio::test]
async fn entries_get_the_code_of_what_is_wrong_with_them() {
    let lake = lake().await;
    let data = event_data("u", lake.channel_arn());
    let with = |from: &str, to: &str| {
        assert!(data.contains(from), "{from}");
        data.replace(from, to)
    };
    let cases: Vec<(Value, &str)> = vec![
        (json!({ "id": "a1", "eventData": null }), "FieldNotFound"),
        (json!({ "id": "a2" }), "FieldNotFound"),
        (json!({ "id": "a3", "eventData": "" }), "FieldNotFound"),
        (entry("a4", &with("\"UID\":\"u\"", "\"UID\":\"\"")), "FieldNotFound"),
        (entry("a5", &with("\"UID\":\"u\",", "")), "FieldNotFound"),
        (entry("a6", "not JSON"), "InvalidData"),
        (entry("a7", "[]"), "InvalidData"),
        (entry("a8", &with("\"UID\":\"u\"", "\"UID\":1")), "InvalidData"),
        (entry("a9", &with("\"UID\":\"u\"", "\"UID\":\"u\",\"UID\":\"v\"")), "InvalidData"),
        (entry("a10", &with("\"UID\"", "\"unknown\":1,\"UID\"")), "InvalidData"),
        (entry("a11", &with("10:15:30Z", "25:15:30Z")), "InvalidData"),
        (entry("a b", &data), "InvalidData"),
        (entry(&"x".repeat(129), &data), "InvalidData"),
        (json!({ "id": "", "eventData": data }), "FieldNotFound"),
        (entry("a12", &with("\"UID\":\"u\"", &format!("\"UID\":\"{}\"", "u".repeat(1_025)))), "FieldTooLong"),
        (entry("a13", &" ".repeat(262_145)), "FieldTooLong"),
        (json!({ "id": "a14", "eventData": data, "eventDataChecksum": "" }), "InvalidChecksum"),
        (json!({ "id": "a15", "eventData": data, "eventDataChecksum": "AAAA" }), "InvalidChecksum"),
        (entry("a16", &with(OWNER.as_str(), OTHER.as_str())), "InvalidRecipient"),
    ];
    let entries: Vec<Value> = cases.iter().map(|(entry, _)| entry.clone()).chain([entry("good", &data)]).collect();
    let answer = good(&lake).entries(&entries).send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let failed = answer.body["failed"].as_array().expect("a list");
    assert_eq!(failed.len(), cases.len());
    for (verdict, (entry, code)) in failed.iter().zip(&cases) {
        assert_eq!((&verdict["id"], verdict["errorCode"].as_str()), (&entry["id"], Some(*code)), "{verdict}");
        let message = verdict["errorMessage"].as_str().expect("a message");
        assert!((1..=1_024).contains(&message.chars().count()), "{message}");
    }
    assert_eq!(answer.body["successful"].as_array().map(Vec::len), Some(1));

    let answer = to_channel(good(&lake), "sources").send().await;
    assert_eq!(answer.body["failed"][0]["errorCode"], "InvalidEventSource");
    let answer = to_channel(good(&lake), "nowhere").send().await;
    assert_eq!(answer.body["failed"][0]["errorCode"], "AccountNotSubscribed");
}

#[tokio::test]
async fn half_a_surrogate_pair_spoils_its_own_entry_only() {
    let lake = lake().await;
    let data = serde_json::to_string(&event_data("u", lake.channel_arn())).expect("a string");
    let body = format!(r#"{{"auditEvents":[{{"id":"bad","eventData":"\ud800"}},{{"id":"good","eventData":{data}}}]}}"#);
    let answer = good(&lake).body(body).send().await;
    assert_eq!(answer.body["failed"][0]["errorCode"], "InvalidData", "{answer:?}");
    assert_eq!(answer.body["successful"][0]["id"], "good");
}

#[tokio::test]
async fn events_over_the_rate_are_throttled_one_by_one() {
    let mut config = config();
    config.accounts[0].events_per_second = Some(2);
    let lake = Lake::builder().config(config).start().await.expect("a lake");
    let entries: Vec<Value> = ["a", "b", "c"].iter().map(|id| entry(id, &event_data(id, lake.channel_arn()))).collect();
    let answer = good(&lake).entries(&entries).send().await;
    assert_eq!(answer.body["successful"].as_array().map(Vec::len), Some(2), "{answer:?}");
    assert_eq!(answer.body["failed"][0]["errorCode"], "Throttling");
    assert_eq!(answer.body["failed"][0]["id"], "c");
}

#[tokio::test]
async fn every_unicode_text_comes_back_byte_for_byte() {
    let lake = lake().await;
    let text = "Grüße \u{1F600} \u{202E}x\u{0000} \\ \" \u{7f} \u{e000} \u{10FFFF} е́";
    let escaped = serde_json::to_string(text).expect("a string");
    let data = event_data("u", lake.channel_arn())
        .replace("\"alice@example.com\"", &escaped)
        .replace("\"version\"", " \n\t \"version\"");
    let answer = good(&lake).entries(&[entry("u", &data)]).send().await;
    assert_eq!(answer.body["failed"], json!([]), "{answer:?}");
    let events = lake.events().await.expect("events");
    assert_eq!(events[0].event_data, data);
    assert_eq!(events[0].principal, text);
    let record: Value = serde_json::from_str(&events[0].record_json()).expect("one JSON object");
    assert!(!events[0].record_json().contains('\n'));
    assert_eq!(record["eventData"]["userIdentity"]["principalId"], text);
}

#[tokio::test]
async fn an_id_that_is_too_long_comes_back_whole_once_and_nowhere_else() {
    let lake = lake().await;
    let data = event_data("u", lake.channel_arn());
    let long = ["x".repeat(400_000), "\u{1}\u{e9}\"".repeat(40_000)];
    let entries = [entry(&long[0], &data), entry(&long[1], &data), entry("good", &data)];
    let call = good(&lake).entries(&entries);
    let answer = call.send().await;
    // Its sender knows the entry by nothing else.
    let failed = answer.body["failed"].as_array().expect("a list");
    for (verdict, id) in failed.iter().zip(&long) {
        assert_eq!((verdict["id"].as_str(), verdict["errorCode"].as_str()), (Some(id.as_str()), Some("InvalidData")));
        assert!(verdict["errorMessage"].as_str().is_some_and(|message| message.chars().count() <= 1_024), "{verdict}");
    }
    assert_eq!((failed.len(), &answer.body["successful"][0]["id"]), (2, &json!("good")));
    // So an answer is hardly larger than its request, whatever is in it.
    let length: usize = answer.header("content-length").and_then(|length| length.parse().ok()).expect("a length");
    assert!(length < call.body.len(), "{length} {}", call.body.len());

    // An error of the whole request names it, cut.
    let twice = good(&lake).entries(&[entry(&long[0], &data), entry(&long[0], &data)]).send().await;
    assert_refused(&twice, 400, "DuplicatedAuditEventId");
    assert!(twice.body["message"].as_str().is_some_and(|message| message.len() < 200), "{twice:?}");
}

#[tokio::test]
async fn of_several_mistakes_the_first_in_the_order_of_judgement_is_the_answer() {
    let lake = lake().await;
    let bad = || entry("bad", "[]");
    let good_one = || entry("good", &event_data("good", lake.channel_arn()));
    // Wrong in every way; each step corrects one thing, and gets the next error.
    let mut call = good(&lake).secret("wrong").query("channelArn=nothing").body("{").header("content-encoding", "gzip");
    "AKIDUNSUBSCRIBED".clone_into(&mut call.key_id);
    assert_refused(&call.send().await, 400, "MalformedHttpRequestException");
    call.headers.pop();
    assert_refused(&call.send().await, 403, "InvalidSignatureException");
    call = call.secret(SECRET);
    assert_refused(&call.send().await, 403, "OptInRequired");
    call = with_key(call, "AKIDOTHER");
    assert_refused(&call.send().await, 400, "ChannelNotFound");
    call = call.query("channelArn=external");
    assert_refused(&call.send().await, 400, "ChannelInsufficientPermission");
    call = with_key(call, "AKIDOWNER");
    assert_refused(&call.send().await, 403, "AccessDeniedException");
    call = call.query("channelArn=external&externalId=partner%3A7");
    assert_refused(&call.send().await, 400, "ValidationError");
    call = call.entries(&[bad(), bad(), good_one()]);
    assert_refused(&call.send().await, 400, "DuplicatedAuditEventId");
    let answer = call.entries(&[bad(), good_one()]).send().await;
    assert_eq!(answer.body["failed"][0]["errorCode"], "InvalidData", "{answer:?}");
    assert_eq!(answer.body["successful"][0]["id"], "good");
    assert_eq!(lake.events().await.expect("events").len(), 1, "what was refused before stored nothing");
}
