//! The program `audit-lake` with a low limit of open files.
#![cfg(unix)]

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

mod serving;
mod signed_http;

use serving::{CONFIG, Place, Serving};
use signed_http::{get, read_answer};

/// How long to wait for what must happen, before a test fails rather than hangs.
const A_LONG_TIME: Duration = Duration::from_secs(20);

fn serve(limits: &str, config: &str) -> (Place, Serving, String, String) {
    let place = Place::new(&format!("admin = '127.0.0.1:0'\n{CONFIG}\n{config}"));
    let mut serving = place.serve_after(limits);
    let mut before = String::new();
    let line = loop {
        let line = serving.await_log("INFO");
        if line.contains("the lake takes events") {
            break line;
        }
        before.push_str(&line);
    };
    let admin = line.split(' ').find_map(|field| field.strip_prefix("admin=")).expect("an admin address");
    let admin = admin.trim().to_owned();
    (place, serving, admin, before)
}

async fn connections(serving: &Serving, count: usize) -> Vec<TcpStream> {
    let mut open = Vec::new();
    for _ in 0..count {
        open.push(TcpStream::connect(serving.address()).await.expect("a connection"));
    }
    open
}

#[tokio::test]
async fn health_and_readiness_answer_when_senders_use_all_their_connections() {
    let (_place, mut serving, admin, _) = serve("ulimit -n 150", "");
    let open = connections(&serving, 200).await;
    for path in ["/healthz", "/readyz", "/metrics"] {
        let answer = timeout(A_LONG_TIME, get(&admin, path)).await.expect("in time");
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
    }
    drop(open);
    serving.signal("-TERM");
    let mut log = String::new();
    std::io::Read::read_to_string(&mut serving.log, &mut log).expect("the log");
    assert!(!log.contains("out of sockets"), "{log}");
}

#[tokio::test]
async fn fewer_connections_than_configured_are_a_warning_that_says_what_to_do() {
    let place = Place::new(CONFIG);
    let mut serving = place.serve_after("ulimit -n 150");
    let warning = serving.await_log("fewer connections are taken than configured");
    assert!(
        warning.contains("WARN") && warning.contains("ulimit -n") && warning.contains("open_files=150"),
        "{warning}"
    );
}

#[tokio::test]
async fn the_program_raises_its_soft_limit() {
    let (_place, serving, admin, _) = serve("ulimit -S -n 64", "[limits]\nconnections = 100");
    // All of them are served at the same time.
    let mut open = connections(&serving, 100).await;
    for stream in &mut open {
        stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.expect("written");
        let answer = timeout(A_LONG_TIME, read_answer(stream)).await.expect("in time").expect("an answer");
        assert_eq!(answer.status, 404);
    }
    assert!(get(&admin, "/readyz").await.starts_with("HTTP/1.1 200"));
}

#[test]
fn a_limit_that_leaves_no_connection_is_refused() {
    let place = Place::new(CONFIG);
    let mut serving = place.serve_after("ulimit -n 40");
    let mut log = String::new();
    std::io::Read::read_to_string(&mut serving.log, &mut log).expect("the log");
    assert!(log.contains("may open 40 files") && log.contains("ulimit -n"), "{log}");
}
