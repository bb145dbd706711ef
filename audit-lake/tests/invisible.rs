//! Nothing that a stranger sends reaches a terminal, a log or an error's text with characters that hide, or change the text
//! around them.

use std::fs;

use audit_core::is_invisible;
use serde_json::{Value, json};

mod serving;
mod signed_http;

use serving::{CONFIG, Place, Serving, channel, text};
use signed_http::{Call, encoded, entry, event_data, exchange, get};

/// One of each kind.
const INVISIBLE: [char; 16] = [
    '\u{7f}',
    '\u{9b}',
    '\u{85}',
    '\u{61C}',
    '\u{200B}',
    '\u{200F}',
    '\u{2028}',
    '\u{2029}',
    '\u{202A}',
    '\u{202E}',
    '\u{2066}',
    '\u{2069}',
    '\u{FEFF}',
    '\u{E0001}',
    '\u{E0041}',
    '\u{E007F}',
];

fn assert_visible(what: &str, shown: &str) {
    let hidden = shown.chars().find(|character| is_invisible(*character) && !matches!(character, '\n' | '\r'));
    assert_eq!(hidden, None, "{what}: {shown:?}");
}

/// Every message in an answer.
fn messages(answer: &Value) -> Vec<String> {
    let failed = answer["failed"].as_array().into_iter().flatten().map(|failed| &failed["errorMessage"]);
    std::iter::once(&answer["message"]).chain(failed).filter_map(Value::as_str).map(str::to_owned).collect()
}

fn with_query(serving: &Serving, query: String) -> Call {
    let mut call = serving.call("AKIDEXAMPLE", "a");
    call.query = query;
    call
}

/// Sends a text in every place where a stranger can put one. Returns how many messages came back.
async fn send_everywhere(serving: &Serving, hostile: &str) -> usize {
    let data = event_data("u", &channel());
    let quoted = json!(hostile).to_string();
    let changed = |field: &str| {
        let mut event: Value = serde_json::from_str(&data).expect("JSON");
        event[field] = json!(hostile);
        entry("e", &event.to_string())
    };
    let mut calls: Vec<Call> =
        ["eventSource", "eventTime", "sourceIPAddress", "recipientAccountId", "version", "userIdentity", hostile]
            .iter()
            .map(|field| serving.call("AKIDEXAMPLE", "a").entries(&[changed(field)]))
            .collect();
    let twice = data.replacen('{', &format!("{{{quoted}:1,{quoted}:2,"), 1);
    let identity = data.replacen("{\"type\"", &format!("{{{quoted}:1,\"type\""), 1);
    let repeated = entry(hostile, &data);
    calls.extend([
        serving.call("AKIDEXAMPLE", "a").entries(&[entry("e", &twice)]),
        serving.call("AKIDEXAMPLE", "a").entries(&[entry("e", &identity)]),
        serving.call("AKIDEXAMPLE", "a").entries(&[entry(hostile, &data)]),
        serving.call("AKIDEXAMPLE", "a").entries(&[repeated.clone(), repeated]),
        serving.call("AKIDEXAMPLE", "a").body(format!("{{{quoted}:{quoted}}}")),
        serving.call("AKIDEXAMPLE", "a").body(format!("{{\"auditEvents\":{quoted}}}")),
        with_query(serving, format!("channelArn={}", encoded(hostile))),
        with_query(serving, format!("channelArn={}", encoded(&format!("arn:aws:cloudtrail:{hostile}")))),
        with_query(serving, format!("channelArn=orders&externalId={}", encoded(hostile))),
        with_query(serving, format!("channelArn=orders&X-Amz-Algorithm={}", encoded(hostile))),
        serving.call("AKIDEXAMPLE", "a").header("content-encoding", hostile),
    ]);
    let mut count = 0;
    let mut answers = Vec::new();
    for call in calls {
        // DEL is in no header.
        if hostile.contains('\u{7f}') && !call.headers.is_empty() {
            continue;
        }
        answers.push(call.send().await.body);
    }
    for request in [
        format!("POST /{hostile} HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n"),
        format!(
            "POST /PutAuditEvents HTTP/1.1\r\nhost: {hostile}\r\ntransfer-encoding: {hostile}, chunked\r\n\r\n0\r\n\r\n"
        ),
    ] {
        answers.push(exchange(serving.address(), request.as_bytes()).await.body);
    }
    for answer in answers {
        for message in messages(&answer) {
            assert_visible("an answer", &message);
            count += 1;
        }
    }
    count
}

#[tokio::test]
async fn answers_and_both_logs_escape_what_strangers_send() {
    for format in ["text", "json"] {
        let place = Place::new(&format!(
            "{CONFIG}sources = ['orders.example.com']\n[log]\nlevel = 'debug'\nformat = '{format}'"
        ));
        let serving = place.serve();
        for character in INVISIBLE {
            let messages = send_everywhere(&serving, &format!("a{character}b")).await;
            assert!(messages >= 14, "{character:?}: {messages}");
        }
        let (_, log) = serving.stop();
        assert!(log.lines().count() > 20, "{log}");
        assert_visible(format, &log);
    }
}

#[tokio::test]
async fn events_and_verify_escape_what_is_stored() {
    let place = Place::new(CONFIG);
    let serving = place.serve();
    let hostile: String = INVISIBLE.iter().collect();
    let mut event: Value = serde_json::from_str(&event_data("u", &channel())).expect("JSON");
    event["eventSource"] = json!(hostile);
    event["eventName"] = json!(hostile);
    event["userIdentity"]["principalId"] = json!(hostile);
    let answer = serving.call("AKIDEXAMPLE", "a").entries(&[entry("e", &event.to_string())]).send().await;
    assert_eq!(answer.status, 200);
    assert!(serving.stop().0.success());
    let table = place.command(&["events"]);
    assert_visible("events", &text(&table.stdout));
    assert!(text(&table.stdout).contains("\\u{202e}"));
    assert_visible("verify", &text(&place.command(&["verify"]).stdout));
    // A program gets the data byte for byte.
    assert!(text(&place.command(&["events", "--json"]).stdout).contains(&hostile));
}

#[tokio::test]
async fn the_admin_address_escapes_the_host_that_it_refuses() {
    let place = Place::new(&format!("admin = '127.0.0.1:0'\n{CONFIG}"));
    let mut serving = place.serve();
    let line = serving.await_log("the lake takes events");
    let admin = line.split(' ').find_map(|field| field.strip_prefix("admin=")).expect("an address").trim();
    assert!(get(admin, "/healthz").await.starts_with("HTTP/1.1 200"));
    for character in INVISIBLE.iter().filter(|character| **character != '\u{7f}') {
        let request = format!("GET /healthz HTTP/1.1\r\nhost: a{character}b\r\nconnection: close\r\n\r\n");
        let mut stream = tokio::net::TcpStream::connect(admin).await.expect("a connection");
        tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes()).await.expect("written");
        let answer = text(&signed_http::read_to_end(&mut stream).await);
        assert!(answer.starts_with("HTTP/1.1 421"), "{answer:?}");
        assert_visible("the admin address", &answer);
    }
}

#[tokio::test]
async fn errors_of_a_configuration_escape_what_is_in_it() {
    for character in INVISIBLE {
        let hostile = format!("\"a\\U{:08x}b\"", u32::from(character));
        let config = format!(
            "{hostile} = 1\nregion = {hostile}\nlisten = {hostile}\nadmin = {hostile}\nadmin_hosts = [{hostile}]\n\
             [tls]\ncertificate = {hostile}\nkey = {hostile}\n[[account]]\nid = {hostile}\n[[account.key]]\nid = {hostile}\n\
             secret_file = {hostile}\nsession_token_env = {hostile}\nexpires = {hostile}\n[[channel]]\narn = {hostile}\n\
             account = {hostile}\nexternal_id = {hostile}\n[log]\nformat = {hostile}\nlevel = {hostile}\n"
        );
        let place = Place::new(&config);
        let told = text(&place.command(&["check-config"]).stderr);
        assert!(told.lines().count() >= 17, "{told}");
        assert_visible("check-config", &told);
        fs::write(place.config(), format!("a{character}b = 1")).expect("written");
        assert_visible("check-config", &text(&place.command(&["check-config"]).stderr));
    }
}
