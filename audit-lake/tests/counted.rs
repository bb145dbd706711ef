//! Every request that reached the service is counted once, however its connection ends.

use std::collections::BTreeMap;
use std::time::Duration;

use audit_lake::{Lake, LakeConfig};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

mod signed_http;

use signed_http::{Call, as_http2, entry, event_data, get, read_to_end};

/// How long to wait for what must happen, before a test fails rather than hangs.
const A_LONG_TIME: Duration = Duration::from_secs(30);

async fn lake() -> Lake {
    let mut config = LakeConfig::default();
    config.admin = Some(([127, 0, 0, 1], 0).into());
    let channel = audit_core::ChannelArn::from_static("arn:aws:cloudtrail:eu-west-1:123456789012:channel/orders");
    let account = channel.account();
    Lake::builder().config(config).channel(channel).access_key(account, "AKID", "secret").start().await.expect("a lake")
}

fn good(lake: &Lake, id: &str) -> Call {
    Call::to(lake).entries(&[entry(id, &event_data(id, lake.channel_arn()))])
}

/// The counts of requests by code, once no connection is open but the one that asks, and `total` requests are counted.
async fn counts(lake: &Lake, total: u64) -> BTreeMap<String, u64> {
    let admin = lake.admin_address().expect("an admin address").to_string();
    let mut last = BTreeMap::new();
    let counted = async {
        loop {
            let metrics = get(&admin, "/metrics").await;
            let alone = metrics.lines().any(|line| line == "audit_lake_connections 1");
            last = metrics
                .lines()
                .filter_map(|line| line.strip_prefix("audit_lake_requests_total{code=\""))
                .filter_map(|line| line.split_once("\"} "))
                .map(|(code, count)| (code.to_owned(), count.parse().expect("a count")))
                .collect();
            if alone && last.values().sum::<u64>() >= total {
                break;
            }
        }
    };
    assert!(tokio::time::timeout(A_LONG_TIME, counted).await.is_ok(), "{total} requests were sent, counted: {last:?}");
    last
}

/// Ends a connection with a reset instead of an orderly close.
fn reset(stream: TcpStream) {
    stream.set_zero_linger().expect("no lingering");
    drop(stream);
}

/// Waits until only one connection, the asking one, is open.
async fn until_alone(lake: &Lake) {
    counts(lake, 0).await;
}

async fn connect(lake: &Lake) -> TcpStream {
    TcpStream::connect(lake.address()).await.expect("a connection")
}

/// Another process's lock on the database: as long as it lives, requests wait for their commit.
fn lock(lake: &Lake) -> rusqlite::Connection {
    let other = rusqlite::Connection::open(lake.data_dir().join("lake.db")).expect("another connection");
    other.execute_batch("BEGIN IMMEDIATE").expect("a lock");
    other
}

#[tokio::test]
async fn over_http1_each_ending_of_a_connection_counts_its_request_once() {
    let half_a_head: &[u8] = b"POST /PutAuditEvents HTTP/1.1\r\nhost: a\r\nx-amz";
    let bad_chunk: &[u8] = b"POST /PutAuditEvents HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n";
    for (name, bytes, by_reset, expected) in [
        ("nothing", &b""[..], false, None),
        ("nothing, then a reset", b"", true, None),
        ("a few bytes", b"POS", false, Some("RequestAbortedException")),
        ("a few bytes, then a reset", b"POS", true, Some("RequestAbortedException")),
        ("half a head", half_a_head, false, Some("RequestAbortedException")),
        ("half a head, then a reset", half_a_head, true, Some("RequestAbortedException")),
        ("no HTTP", b"garbage\r\n\r\n", false, Some("MalformedHttpRequestException")),
        ("a chunk that is none", bad_chunk, false, Some("MalformedHttpRequestException")),
    ] {
        let lake = lake().await;
        let mut stream = connect(&lake).await;
        stream.write_all(bytes).await.expect("written");
        if by_reset {
            // The bytes have to be read before the reset arrives, which discards what was not.
            tokio::time::sleep(Duration::from_millis(50)).await;
            reset(stream);
        } else {
            stream.shutdown().await.expect("an end");
            drop(read_to_end(&mut stream).await);
        }
        let expected: BTreeMap<String, u64> = expected.map(|code| (code.to_owned(), 1)).into_iter().collect();
        assert_eq!(counts(&lake, expected.len() as u64).await, expected, "{name}");
    }
}

#[tokio::test]
async fn over_http1_a_connection_that_ends_within_a_body_counts_as_aborted_once() {
    for by_reset in [false, true] {
        let lake = lake().await;
        let bytes = good(&lake, "a").to_bytes();
        let mut stream = connect(&lake).await;
        stream.write_all(&bytes[..bytes.len() - 10]).await.expect("written");
        if by_reset {
            tokio::time::sleep(Duration::from_millis(50)).await;
            reset(stream);
        } else {
            drop(stream);
        }
        let counts = counts(&lake, 1).await;
        assert_eq!(counts, BTreeMap::from([("RequestAbortedException".to_owned(), 1)]), "{by_reset}");
    }
}

#[tokio::test]
async fn over_http1_a_whole_request_whose_connection_is_reset_counts_once_by_its_own_result() {
    let lake = lake().await;
    let locked = lock(&lake);
    let mut stream = connect(&lake).await;
    stream.write_all(&good(&lake, "a").to_bytes()).await.expect("written");
    tokio::time::sleep(Duration::from_millis(100)).await;
    reset(stream);
    locked.execute_batch("ROLLBACK").expect("no lock");
    let counts = counts(&lake, 1).await;
    assert_eq!(counts, BTreeMap::from([("ok".to_owned(), 1)]));
}

#[tokio::test]
async fn over_http1_half_a_head_behind_a_whole_request_counts_too() {
    let lake = lake().await;
    let mut bytes = good(&lake, "a").to_bytes();
    bytes.extend_from_slice(b"POST /PutAud");
    let mut stream = connect(&lake).await;
    stream.write_all(&bytes).await.expect("written");
    stream.shutdown().await.expect("an end");
    drop(read_to_end(&mut stream).await);
    let counts = counts(&lake, 2).await;
    assert_eq!(counts, BTreeMap::from([("ok".to_owned(), 1), ("RequestAbortedException".to_owned(), 1)]));
}

type Sender = hyper::client::conn::http2::SendRequest<signed_http::TestBody>;

async fn http2(lake: &Lake) -> (Sender, tokio::task::JoinHandle<hyper::Result<()>>) {
    let io = hyper_util::rt::TokioIo::new(connect(lake).await);
    let executor = hyper_util::rt::TokioExecutor::new();
    let (sender, connection) = hyper::client::conn::http2::handshake(executor, io).await.expect("HTTP/2");
    (sender, tokio::spawn(connection))
}

#[tokio::test]
async fn over_http2_a_request_that_is_reset_counts_once_by_its_own_result() {
    let lake = lake().await;
    let locked = lock(&lake);
    let (mut sender, driving) = http2(&lake).await;
    let call = good(&lake, "a");
    let request = sender.send_request(as_http2(&lake, &call));
    // Dropping the future of the answer resets the stream.
    assert!(tokio::time::timeout(Duration::from_millis(200), request).await.is_err(), "the database is locked");
    drop(sender);
    drop(driving.await.expect("no panic"));
    until_alone(&lake).await;
    locked.execute_batch("ROLLBACK").expect("no lock");
    assert_eq!(counts(&lake, 1).await, BTreeMap::from([("ok".to_owned(), 1)]));
}

#[tokio::test]
async fn over_http2_a_request_that_is_reset_within_its_body_counts_as_aborted_once() {
    let lake = lake().await;
    let (mut sender, driving) = http2(&lake).await;
    let mut request = as_http2(&lake, &good(&lake, "a"));
    *request.body_mut() = signed_http::TestBody::stalled(b"{\"auditEvents\"");
    let request = sender.send_request(request);
    assert!(tokio::time::timeout(Duration::from_millis(200), request).await.is_err(), "the body is not whole");
    drop(sender);
    drop(driving.await.expect("no panic"));
    assert_eq!(counts(&lake, 1).await, BTreeMap::from([("RequestAbortedException".to_owned(), 1)]));
}

#[tokio::test]
async fn a_shutdown_waits_for_a_request_that_was_reset() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut config = LakeConfig::default();
    let channel = audit_core::ChannelArn::from_static("arn:aws:cloudtrail:eu-west-1:123456789012:channel/orders");
    let account = channel.account();
    config.channels.push(audit_lake::ChannelConfig::new(channel));
    let builder =
        || Lake::builder().config(config.clone()).access_key(account, "AKID", "secret").data_dir(folder.path());
    let lake = builder().start().await.expect("a lake");
    let locked = lock(&lake);
    let (mut sender, driving) = http2(&lake).await;
    let call = good(&lake, "a");
    let request = sender.send_request(as_http2(&lake, &call));
    assert!(tokio::time::timeout(Duration::from_millis(200), request).await.is_err(), "the database is locked");
    drop(sender);
    drop(driving.await.expect("no panic"));
    let stopping = tokio::spawn(lake.shutdown());
    // Without anything to wait for, it would be over by then.
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!stopping.is_finished(), "it did not wait for the request");
    locked.execute_batch("ROLLBACK").expect("no lock");
    stopping.await.expect("stopped");
    let again = builder().start().await.expect("the folder is free again");
    assert_eq!(again.events().await.expect("events").len(), 1);
}
