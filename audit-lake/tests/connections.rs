//! Connections: requests over HTTP/1.1 and HTTP/2, limits, the admin address.

use std::time::Duration;

use audit_lake::{Lake, LakeConfig, LimitsConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

mod signed_http;

use signed_http::{Call, as_http2, entry, event_data, exchange, get, read_answer, read_to_end};

/// How long to wait for what must happen, before a test fails rather than hangs.
const A_LONG_TIME: Duration = Duration::from_mins(1);

/// A lake with the default key and channel, and with other limits.
async fn lake_with(limits: LimitsConfig) -> Lake {
    let channel = audit_core::ChannelArn::from_static("arn:aws:cloudtrail:eu-west-1:123456789012:channel/orders");
    let account = channel.account();
    let config = {
        let mut made = LakeConfig::default();
        made.limits = limits;
        made
    };
    Lake::builder().config(config).channel(channel).access_key(account, "AKID", "secret").start().await.expect("a lake")
}

fn good(lake: &Lake, id: &str) -> Call {
    Call::to(lake).entries(&[entry(id, &event_data(id, lake.channel_arn()))])
}

async fn connect(lake: &Lake) -> TcpStream {
    TcpStream::connect(lake.address()).await.expect("a connection")
}

#[tokio::test]
async fn a_connection_takes_one_request_after_another() {
    let lake = lake_with(LimitsConfig::default()).await;
    let mut stream = connect(&lake).await;
    for id in ["a", "b", "c"] {
        stream.write_all(&good(&lake, id).to_bytes()).await.expect("written");
        assert_eq!(read_answer(&mut stream).await.expect("an answer").status, 200);
    }
    assert_eq!(lake.events().await.expect("events").len(), 3);
}

#[tokio::test]
async fn a_reload_drops_no_connection_and_counts_from_the_next_request_on() {
    let lake = lake_with(LimitsConfig::default()).await;
    let mut stream = connect(&lake).await;
    let mut send = async |id: &str| {
        stream.write_all(&good(&lake, id).to_bytes()).await.expect("written");
        read_answer(&mut stream).await.expect("an answer").error_type().to_owned()
    };
    assert_eq!(send("a").await, "");
    let mut config = LakeConfig::default();
    config.channels.push(audit_lake::ChannelConfig::new(lake.channel_arn().clone()));
    lake.reload(&config).expect("reloaded");
    assert_eq!(send("b").await, "UnrecognizedClientException", "its key is gone");
    let account = lake.channel_arn().account();
    let mut owner = audit_lake::AccountConfig::new(account);
    let secret = audit_lake::Secret::from("secret");
    owner.keys.push(audit_lake::KeyConfig::new("AKID", secret));
    config.accounts.push(owner);
    lake.reload(&config).expect("reloaded");
    assert_eq!(send("c").await, "", "it is back");
    assert_eq!(lake.events().await.expect("events").len(), 2);
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_their_order() {
    let lake = lake_with(LimitsConfig::default()).await;
    let mut stream = connect(&lake).await;
    let ids: Vec<String> = (0..20).map(|at| format!("e{at}")).collect();
    let bytes: Vec<u8> = ids.iter().flat_map(|id| good(&lake, id).to_bytes()).collect();
    let (mut reading, mut writing) = stream.split();
    let (written, received) = tokio::join!(writing.write_all(&bytes), async {
        let mut received = String::new();
        while received.matches("eventID").count() < ids.len() {
            let mut piece = [0; 4_096];
            let read = reading.read(&mut piece).await.expect("read");
            assert_ne!(read, 0, "{received}");
            received.push_str(std::str::from_utf8(&piece[..read]).expect("text"));
        }
        received
    });
    written.expect("written");
    let mut rest = received.as_str();
    for id in &ids {
        let found = rest.find(&format!("\"id\":\"{id}\"")).expect("in order");
        rest = &rest[found..];
    }
}

#[tokio::test]
async fn input_that_is_not_http_behind_good_requests_leaves_their_answers() {
    let lake = lake_with(LimitsConfig::default()).await;
    let mut bytes = good(&lake, "a").to_bytes();
    bytes.extend_from_slice(b"GET /elsewhere HTTP/1.1\r\nhost: a\r\n\r\n");
    bytes.extend_from_slice(&good(&lake, "b").to_bytes());
    bytes.extend_from_slice(b"garbage\r\n\r\n");
    bytes.extend_from_slice(&good(&lake, "never").to_bytes());
    let mut stream = connect(&lake).await;
    stream.write_all(&bytes).await.expect("written");
    let received = String::from_utf8(read_to_end(&mut stream).await).expect("text");
    let statuses: Vec<&str> = received
        .match_indices("HTTP/1.1 ")
        .map(|(at, line)| &received[at + line.len()..][..3])
        .filter(|status| status.starts_with(|digit: char| digit.is_ascii_digit()))
        .collect();
    assert_eq!(statuses, ["200", "404", "200", "400"], "{received}");
    assert!(received.contains("MalformedHttpRequestException"), "{received}");
    assert_eq!(lake.events().await.expect("events").len(), 2);
}

#[tokio::test]
async fn a_connection_that_sends_nothing_or_an_incomplete_head_is_closed() {
    let limits = {
        let mut made = LimitsConfig::default();
        made.header_timeout = Duration::from_millis(300);
        made.idle_timeout = Duration::from_millis(300);
        made
    };
    let lake = lake_with(limits).await;
    // Nothing; the start of HTTP/2's preface; the start of a request; an HTTP/2 connection without a request.
    let beginnings: [&[u8]; 4] = [
        b"",
        b"PRI * HT",
        b"POST /PutAuditEvents HTTP/1.1\r\nx: ",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
    ];
    for beginning in beginnings {
        let mut stream = connect(&lake).await;
        stream.write_all(beginning).await.expect("written");
        read_to_end(&mut stream).await;
    }
    // An incomplete head gets an error.
    let mut stream = connect(&lake).await;
    stream.write_all(b"POST /PutAuditEvents HTTP/1.1\r\nx: ").await.expect("written");
    let answer = read_answer(&mut stream).await.expect("an answer");
    assert_eq!((answer.status, answer.error_type()), (408, "RequestTimeoutException"), "{answer:?}");
    // After an answer, idleness ends it too.
    let mut stream = connect(&lake).await;
    stream.write_all(&good(&lake, "a").to_bytes()).await.expect("written");
    assert_eq!(read_answer(&mut stream).await.expect("an answer").status, 200);
    assert!(read_to_end(&mut stream).await.is_empty());
}

#[tokio::test]
async fn between_requests_a_connection_may_be_quiet_for_longer_than_a_head_may_take() {
    let limits = {
        let mut made = LimitsConfig::default();
        made.header_timeout = Duration::from_millis(200);
        made
    };
    let lake = lake_with(limits).await;
    let mut stream = connect(&lake).await;
    for id in ["a", "b"] {
        stream.write_all(&good(&lake, id).to_bytes()).await.expect("written");
        assert_eq!(read_answer(&mut stream).await.expect("an answer").status, 200);
        // Long enough that the connection would be ended, if it were to be.
        tokio::time::sleep(limits.header_timeout * 4).await;
    }
    // A head that begins then and does not go on is late all the same.
    stream.write_all(b"POST /").await.expect("written");
    let answer = read_answer(&mut stream).await.expect("an answer");
    assert_eq!((answer.status, answer.error_type()), (408, "RequestTimeoutException"), "{answer:?}");
}

#[tokio::test]
async fn connections_beyond_the_cap_wait_for_a_place() {
    let limits = {
        let mut made = LimitsConfig::default();
        made.connections = 2;
        made.header_timeout = Duration::from_millis(500);
        made.idle_timeout = Duration::from_millis(500);
        made
    };
    let lake = lake_with(limits).await;
    let held = [connect(&lake).await, connect(&lake).await];
    // The two say nothing, so they are ended, and then it is this one's turn.
    assert_eq!(good(&lake, "a").send().await.status, 200);
    drop(held);
}

#[tokio::test]
async fn input_that_is_not_http_gets_an_error_and_the_service_goes_on() {
    let lake = lake_with(LimitsConfig::default()).await;
    let long = "x".repeat(100_000);
    let requests = [
        format!("POST /{long} HTTP/1.1\r\nhost: a\r\n\r\n"),
        format!("POST / HTTP/1.1\r\nhost: {long}\r\n\r\n"),
        format!("POST / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(1_000)),
        "\x16\x03\x01\x02\0\x01\0\x01\r\n\r\n".to_owned(),
        "POST /PutAuditEvents\r\n\r\n".to_owned(),
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx".to_owned(),
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n".to_owned(),
        "POST / HTTP/1.1\r\nhost: a\r\nx y: 1\r\n\r\n".to_owned(),
        "POST /PutAuditEvents HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n".to_owned(),
        "POST /PutAuditEvents HTTP/1.1\r\nhost: a\r\nhost: b\r\ncontent-length: 0\r\n\r\n".to_owned(),
        "POST /PutAuditEvents HTTP/1.1\r\ncontent-length: 0\r\n\r\n".to_owned(),
    ];
    for request in requests {
        let mut stream = connect(&lake).await;
        // The service may answer and end the connection before it has read all of it.
        drop(stream.write_all(request.as_bytes()).await);
        let answer = read_answer(&mut stream).await;
        let answer = answer.unwrap_or_else(|| panic!("no answer to {:?}", &request[..request.len().min(80)]));
        assert_eq!((answer.status, answer.error_type()), (400, "MalformedHttpRequestException"), "{answer:?}");
        assert_eq!(answer.header("x-amzn-requestid").map(str::len), Some(36));
    }
    assert_eq!(good(&lake, "a").send().await.status, 200);
}

#[tokio::test]
async fn bodies_beyond_the_memory_set_aside_get_service_unavailable() {
    let limits = {
        let mut made = LimitsConfig::default();
        made.body_memory = 4_096;
        made
    };
    let lake = lake_with(limits).await;
    let large = good(&lake, "a").body(" ".repeat(8_192)).send().await;
    assert_eq!((large.status, large.error_type()), (503, "ServiceUnavailable"));
    // The memory goes back: small requests are taken as before, many times over.
    for at in 0..50 {
        assert_eq!(good(&lake, &format!("e{at}")).send().await.status, 200);
    }
}

#[tokio::test]
async fn what_was_accepted_is_answered_when_the_service_stops() {
    let lake = lake_with(LimitsConfig::default()).await;
    let bytes = good(&lake, "late").to_bytes();
    let (head, rest) = bytes.split_at(bytes.len() - 10);
    let mut stream = connect(&lake).await;
    stream.write_all(head).await.expect("written");
    // A second connection was served, so the first was accepted before it.
    assert_eq!(good(&lake, "other").send().await.status, 200);
    let folder = tempfile::tempdir().expect("a folder");
    let address = lake.address();
    let backup = folder.path().join("copy.db");
    let reader = audit_lake::EventReader::open(lake.data_dir()).expect("a reader");
    let stopping = tokio::spawn(lake.shutdown());
    // Stopping, it listens no more.
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    stream.write_all(rest).await.expect("written");
    assert_eq!(read_answer(&mut stream).await.expect("an answer").status, 200);
    drop(stream);
    reader.backup(&backup).expect("a backup");
    stopping.await.expect("stopped");
    assert_eq!(reader.events(&audit_lake::EventFilter::default()).expect("events").len(), 2);
}

#[tokio::test]
async fn http2_is_spoken_without_being_asked_for() {
    let lake = lake_with(LimitsConfig::default()).await;
    let call = good(&lake, "two");
    let stream = connect(&lake).await;
    let io = hyper_util::rt::TokioIo::new(stream);
    let executor = hyper_util::rt::TokioExecutor::new();
    let (mut sender, connection) = hyper::client::conn::http2::handshake(executor, io).await.expect("HTTP/2");
    let driving = tokio::spawn(connection);
    let request = as_http2(&lake, &call);
    let answer = sender.send_request(request).await.expect("an answer");
    assert_eq!((answer.status(), answer.version()), (http::StatusCode::OK, http::Version::HTTP_2));
    drop(answer);
    drop(sender);
    driving.await.expect("no panic").expect("a clean end");
    assert_eq!(lake.events().await.expect("events")[0].id, "two");
}

#[tokio::test]
async fn http2_requests_have_at_most_as_many_headers_as_http1_requests() {
    let lake = lake_with(LimitsConfig::default()).await;
    let io = hyper_util::rt::TokioIo::new(connect(&lake).await);
    let executor = hyper_util::rt::TokioExecutor::new();
    let (mut sender, connection) = hyper::client::conn::http2::handshake(executor, io).await.expect("HTTP/2");
    let driving = tokio::spawn(connection);
    let request = as_http2(&lake, &good(&lake, "a"));
    for (headers, status) in [(128, 200), (129, 400)] {
        let mut request = as_http2(&lake, &good(&lake, "a"));
        while request.headers().len() < headers {
            request.headers_mut().append("a", http::HeaderValue::from_static("b"));
        }
        let answer = sender.send_request(request).await.expect("an answer");
        assert_eq!(answer.status(), status, "{headers}");
        assert!(answer.headers().contains_key("x-amzn-requestid"));
        let code = answer.headers().get("x-amzn-errortype").map(http::HeaderValue::as_bytes);
        assert_eq!(code, (status == 400).then_some(&b"MalformedHttpRequestException"[..]));
    }
    // The connection goes on.
    assert_eq!(sender.send_request(request).await.expect("an answer").status(), 200);
    drop(sender);
    driving.await.expect("no panic").expect("a clean end");
}

#[tokio::test]
async fn the_admin_address_reports_health_readiness_and_counts() {
    let channel = audit_core::ChannelArn::from_static("arn:aws:cloudtrail:eu-west-1:123456789012:channel/orders");
    let config = {
        let mut made = LakeConfig::default();
        made.admin = Some(([127, 0, 0, 1], 0).into());
        made
    };
    let account = channel.account();
    let lake = Lake::builder().config(config).channel(channel).access_key(account, "AKID", "secret").start().await;
    let lake = lake.expect("a lake");
    assert_eq!(good(&lake, "a").send().await.status, 200);
    assert_eq!(good(&lake, "a").send().await.status, 200);
    assert_eq!(good(&lake, "b").secret("wrong").send().await.status, 403);
    let admin = lake.admin_address().expect("an admin address").to_string();
    assert!(get(&admin, "/healthz").await.starts_with("HTTP/1.1 200"));
    assert!(get(&admin, "/readyz").await.contains("\r\n\r\nready"));
    let garbage = exchange(&admin, b"GET / HTTP/1.1\r\nno header\r\n\r\n").await;
    assert_eq!((garbage.status, garbage.error_type()), (400, "MalformedHttpRequestException"));
    let metrics = get(&admin, "/metrics").await;
    assert!(!metrics.contains("MalformedHttpRequestException"), "it is no sender's: {metrics}");
    for line in [
        "audit_lake_requests_total{code=\"ok\"} 2",
        "audit_lake_requests_total{code=\"InvalidSignatureException\"} 1",
        "audit_lake_entries_total{code=\"stored\"} 1",
        "audit_lake_entries_total{code=\"repeated\"} 1",
    ] {
        assert!(metrics.lines().any(|this| this == line), "{line} in {metrics}");
    }
    // The service's own address has none of it.
    let elsewhere = exchange(&lake.address().to_string(), b"GET /metrics HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert_eq!(elsewhere.status, 404);
}

#[tokio::test]
async fn the_admin_address_answers_only_for_hosts_that_it_knows() {
    let mut config = LakeConfig::default();
    config.admin = Some(([127, 0, 0, 1], 0).into());
    config.admin_hosts = vec!["Lake.internal".to_owned()];
    let channel = audit_core::ChannelArn::from_static("arn:aws:cloudtrail:eu-west-1:123456789012:channel/orders");
    config.accounts.push(audit_lake::AccountConfig::new(channel.account()));
    config.accounts[0].keys.push(audit_lake::KeyConfig::new("AKID", "secret"));
    config.channels.push(audit_lake::ChannelConfig::new(channel));
    let lake = Lake::builder().config(config).start().await.expect("a lake");
    let admin = lake.admin_address().expect("an admin address").to_string();
    let asked = async |head: &str| {
        let mut stream = TcpStream::connect(&admin).await.expect("a connection");
        stream.write_all(format!("{head}connection: close\r\n\r\n").as_bytes()).await.expect("written");
        String::from_utf8(read_to_end(&mut stream).await).expect("text")
    };
    for host in
        ["127.0.0.1", "10.1.2.3:8788", "[::1]:8788", "[fd00::1]", "localhost:1", "LOCALHOST.", "lake.INTERNAL:80"]
    {
        let answer = asked(&format!("GET /healthz HTTP/1.1\r\nhost: {host}\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{host}: {answer}");
    }
    for host in [
        "evil.example",
        "lake.internal.evil.example",
        "127.0.0.1.evil.example",
        "a@b:c@d",
        "127.0.0.1@evil.example",
        "",
    ] {
        for path in ["/healthz", "/readyz", "/metrics", "/elsewhere"] {
            let answer = asked(&format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n")).await;
            assert!(answer.starts_with("HTTP/1.1 421"), "{host}: {answer}");
            assert!(answer.contains("`admin_hosts`") && answer.contains(host), "{answer}");
        }
    }
    let absolute = asked("GET http://evil.example/metrics HTTP/1.1\r\nhost: localhost\r\n").await;
    assert!(absolute.starts_with("HTTP/1.1 421"), "{absolute}");
    for hosts in ["", "host: localhost\r\nhost: evil.example\r\n"] {
        let answer = asked(&format!("GET /metrics HTTP/1.1\r\n{hosts}")).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    }
    // A prober that speaks HTTP/1.0 names no host.
    assert!(asked("GET /healthz HTTP/1.0\r\n").await.starts_with("HTTP/1.0 200"));
}

#[tokio::test]
async fn a_store_that_cannot_store_gets_service_unavailable_and_goes_on_by_itself() {
    let channel = audit_core::ChannelArn::from_static("arn:aws:cloudtrail:eu-west-1:123456789012:channel/orders");
    let config = {
        let mut made = LakeConfig::default();
        made.admin = Some(([127, 0, 0, 1], 0).into());
        made
    };
    let account = channel.account();
    let lake = Lake::builder().config(config).channel(channel).access_key(account, "AKID", "secret").start().await;
    let lake = lake.expect("a lake");
    let admin = lake.admin_address().expect("an admin address").to_string();
    let ready = async || exchange(&admin, b"GET /readyz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.status;
    assert_eq!(ready().await, 200);

    let other = rusqlite::Connection::open(lake.data_dir().join("lake.db")).expect("another connection");
    other.execute_batch("BEGIN IMMEDIATE").expect("a lock");
    let refused = good(&lake, "a").send().await;
    assert_eq!((refused.status, refused.error_type()), (503, "ServiceUnavailable"), "{refused:?}");
    assert_eq!(ready().await, 503);
    other.execute_batch("ROLLBACK").expect("no lock");
    assert_eq!(good(&lake, "a").send().await.status, 200);
    // The answer before holds for a second.
    let ready_again = async { while ready().await != 200 {} };
    tokio::time::timeout(A_LONG_TIME, ready_again).await.expect("it is ready again");
    assert_eq!(lake.events().await.expect("events").len(), 1);
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_may_read_the_files_of_the_store() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).expect("an open folder");
    let lake = Lake::builder().data_dir(folder.path()).start().await.expect("a lake");
    assert_eq!(good(&lake, "a").send().await.status, 200);
    for file in ["lake.db", "lake.db-wal", "lake.db-shm"] {
        let mode = std::fs::metadata(folder.path().join(file)).expect(file).permissions().mode();
        assert_eq!(mode & 0o077, 0, "{file}: {mode:o}");
    }
}

#[test]
fn a_certificate_that_cannot_be_used_is_reported_with_its_line() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("cert.pem"), "no certificate").expect("written");
    std::fs::write(folder.path().join("key.pem"), "no key").expect("written");
    let path = folder.path().join("lake.toml");
    let text = "[[account]]\nid = \"123456789012\"\n[[channel]]\narn = \"arn:aws:cloudtrail:eu-west-1:123456789012:channel/a\"\n[tls]\ncertificate = \"cert.pem\"\nkey = \"key.pem\"\n";
    std::fs::write(&path, text).expect("written");
    let error = LakeConfig::load(&path).expect_err("no certificate").to_string();
    assert!(error.contains("line 5") && error.contains("cert.pem"), "{error}");
}

#[tokio::test]
async fn unread_answers_keep_their_share_of_the_memory() {
    let limits = {
        let mut made = LimitsConfig::default();
        made.body_memory = 2 * 1_048_576;
        made
    };
    let lake = lake_with(limits).await;
    // An id that is too long comes back whole: the answer is about as large as the body was.
    let data = event_data("u", lake.channel_arn());
    let large = Call::to(&lake).entries(&[entry(&"x".repeat(800_000), &data)]);
    let io = hyper_util::rt::TokioIo::new(connect(&lake).await);
    let executor = hyper_util::rt::TokioExecutor::new();
    let (mut sender, connection) = hyper::client::conn::http2::Builder::new(executor)
        .initial_stream_window_size(1_000)
        .handshake(io)
        .await
        .expect("HTTP/2");
    let driving = tokio::spawn(connection);
    let mut unread = Vec::new();
    for _ in 0..2 {
        let answer = sender.send_request(as_http2(&lake, &large)).await.expect("an answer");
        assert_eq!(answer.status(), http::StatusCode::OK);
        unread.push(answer);
    }
    let third = large.send().await;
    assert_eq!((third.status, third.error_type()), (503, "ServiceUnavailable"), "{third:?}");
    // A sender that disconnects releases it.
    drop(unread);
    drop(sender);
    driving.await.expect("no panic").expect("a clean end");
    until_there_is_memory(&large).await;
}

/// Sends a request until it is taken.
async fn until_there_is_memory(call: &Call) {
    let taken = async { while call.send().await.status == 503 {} };
    tokio::time::timeout(A_LONG_TIME, taken).await.expect("the memory goes back");
}

#[tokio::test]
async fn unread_answers_over_http1_keep_their_share_of_the_memory() {
    let channel = audit_core::ChannelArn::from_static("arn:aws:cloudtrail:eu-west-1:123456789012:channel/orders");
    let account = channel.account();
    // For one request of this size at a time.
    let limits = {
        let mut made = LimitsConfig::default();
        made.body_memory = 1_048_576;
        made
    };
    let config = {
        let mut made = LakeConfig::default();
        made.limits = limits;
        made.admin = Some(([127, 0, 0, 1], 0).into());
        made
    };
    let lake = Lake::builder().config(config).channel(channel).access_key(account, "AKID", "secret").start().await;
    let lake = lake.expect("a lake");
    let admin = lake.admin_address().expect("an admin address").to_string();
    let data = event_data("u", lake.channel_arn());
    let large = Call::to(&lake).entries(&[entry(&"x".repeat(800_000), &data)]);
    let judged = async || -> u64 {
        let metrics = get(&admin, "/metrics").await;
        let counts = metrics.lines().filter(|line| line.starts_with("audit_lake_requests_total{"));
        counts.map(|line| line.rsplit(' ').next().and_then(|count| count.parse().ok()).unwrap_or(0_u64)).sum()
    };

    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4_096).expect("a small buffer");
    let mut unread = socket.connect(lake.address()).await.expect("a connection");
    // The system takes the first answers off the lake's hands, until its own buffers are full. A request is sent only when
    // the one before has been judged: so it is never a body on its way that holds the memory.
    let held = async {
        loop {
            let before = judged().await;
            unread.write_all(&large.to_bytes()).await.expect("written");
            while judged().await == before {}
            let refused = large.send().await.status == 503 && large.send().await.status == 503;
            if refused {
                break;
            }
        }
    };
    tokio::time::timeout(A_LONG_TIME, held).await.expect("an unread answer holds its memory");
    // A sender that disconnects releases it.
    drop(unread);
    until_there_is_memory(&large).await;
}
