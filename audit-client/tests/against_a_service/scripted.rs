//! A service on a real socket that does what a test says, HTTP or not. Written by hand on TCP, so that it can break every
//! rule.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use audit_client::{ClientBuilder, Entry};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::transport;

pub(crate) const CHANNEL_ARN: &str = audit_client::testing::CHANNEL_ARN;
pub(crate) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// A request as the service read it.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// 1 for the first.
    pub(crate) number: usize,
    pub(crate) ids: Vec<String>,
    pub(crate) target: String,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: String,
}

impl Request {
    /// The access key that it was signed with.
    pub(crate) fn access_key(&self) -> String {
        let authorization = self.headers.get("authorization").cloned().unwrap_or_default();
        authorization.split("Credential=").nth(1).unwrap_or_default().split('/').next().unwrap_or_default().to_owned()
    }

    /// Takes all entries.
    pub(crate) fn taken(&self) -> Reply {
        Reply::ok(&answer(&self.ids, &[]))
    }

    /// Refuses all entries.
    pub(crate) fn refused(&self, code: &str) -> Reply {
        let refused: Vec<_> = self.ids.iter().map(|id| (id.clone(), code.to_owned())).collect();
        Reply::ok(&answer(&[], &refused))
    }
}

/// The body of an answer.
pub(crate) fn answer(taken: &[String], refused: &[(String, String)]) -> String {
    let taken: Vec<_> = taken.iter().map(|id| serde_json::json!({"id": id, "eventID": format!("E-{id}")})).collect();
    let refused: Vec<_> = refused
        .iter()
        .map(|(id, code)| serde_json::json!({"id": id, "errorCode": code, "errorMessage": "scripted"}))
        .collect();
    serde_json::json!({"successful": taken, "failed": refused}).to_string()
}

/// What the service does with a request that it has read.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Http {
        status: u16,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
    },
    /// Bytes as they are, then the end of the connection.
    Raw(Vec<u8>),
    /// Bytes as they are, and then nothing, for ever.
    RawThenSilence(Vec<u8>),
    /// The end of the connection, without a byte.
    Close,
}

impl Reply {
    pub(crate) fn http(status: u16, body: &str) -> Self {
        Self::Http { status, headers: Vec::new(), body: body.as_bytes().to_vec() }
    }

    pub(crate) fn ok(body: &str) -> Self {
        Self::http(200, body)
    }

    /// A refusal as AWS words it.
    pub(crate) fn error(status: u16, code: &str) -> Self {
        Self::http(status, r#"{"message":"scripted"}"#).header("x-amzn-errortype", code)
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        if let Self::Http { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Http { status, headers, body } => {
                let mut bytes =
                    format!("HTTP/1.1 {status} Scripted\r\ncontent-type: application/json\r\n").into_bytes();
                for (name, value) in headers {
                    bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
                }
                bytes.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
                bytes.extend_from_slice(body);
                bytes
            }
            Self::Raw(bytes) | Self::RawThenSilence(bytes) => bytes.clone(),
            Self::Close => Vec::new(),
        }
    }
}

/// When the service hangs up on its own, before it has a request to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HangUp {
    /// As soon as the connection stands.
    OnConnect,
    /// After the headers.
    BeforeBody,
    /// Half way through the body.
    DuringBody,
}

type Handler = Box<dyn FnMut(&Request) -> Reply + Send>;

struct State {
    handler: Handler,
    hang_ups: Vec<HangUp>,
    requests: Vec<Request>,
    number: usize,
    connections: usize,
    keeps: bool,
}

/// The running service; it ends when this is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    _stop: oneshot::Sender<()>,
}

impl Server {
    pub(crate) fn start(handler: impl FnMut(&Request) -> Reply + Send + 'static) -> Self {
        let state = Arc::new(Mutex::new(State {
            handler: Box::new(handler),
            hang_ups: Vec::new(),
            requests: Vec::new(),
            number: 0,
            connections: 0,
            keeps: true,
        }));
        let (stop, stopped) = oneshot::channel::<()>();
        let (tell, address) = std::sync::mpsc::channel();
        let shared = state.clone();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async move {
                let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
                tell.send(listener.local_addr().expect("an address")).expect("told");
                let serve = async {
                    loop {
                        let (stream, _) = listener.accept().await.expect("a connection");
                        tokio::spawn(converse(stream, shared.clone()));
                    }
                };
                tokio::select! {
                    () = serve => {}
                    _ = stopped => {}
                }
            });
        });
        Self { address: address.recv().expect("an address"), state, _stop: stop }
    }

    /// Takes everything, once these replies are used up.
    pub(crate) fn replies(replies: impl IntoIterator<Item = Reply>) -> Self {
        let mut replies = replies.into_iter().collect::<Vec<_>>().into_iter();
        Self::start(move |request| replies.next().unwrap_or_else(|| request.taken()))
    }

    /// Hangs up on the first connections or requests, in these ways.
    pub(crate) fn hang_up(self, ways: &[HangUp]) -> Self {
        self.state.lock().expect("state").hang_ups = ways.to_vec();
        self
    }

    /// Keeps no requests: for soaks.
    pub(crate) fn forgetful(self) -> Self {
        self.state.lock().expect("state").keeps = false;
        self
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.state.lock().expect("state").requests.clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.state.lock().expect("state").connections
    }

    /// A client's settings for this service: it sends when it is asked to (flush, shutdown, a full batch), and has no
    /// waits that a test would have to sit through.
    pub(crate) fn builder(&self) -> ClientBuilder {
        transport::builder()
            .endpoint_url(self.url())
            .linger(Duration::from_hours(1))
            .backoff(Duration::from_millis(1), Duration::from_millis(20))
            .probe(Duration::from_millis(5), Duration::from_millis(20))
    }

    /// As [`Self::builder`], but sends at once.
    pub(crate) fn prompt(&self) -> ClientBuilder {
        self.builder().linger(Duration::ZERO)
    }
}

async fn converse(mut stream: TcpStream, state: Arc<Mutex<State>>) {
    let take = |way: HangUp| {
        let mut state = state.lock().expect("state");
        let is_next = state.hang_ups.first() == Some(&way);
        if is_next {
            state.hang_ups.remove(0);
        }
        is_next
    };
    state.lock().expect("state").connections += 1;
    if take(HangUp::OnConnect) {
        return;
    }
    let mut read = Vec::new();
    loop {
        let Some(head_end) = read_until(&mut stream, &mut read, |read| find(read, b"\r\n\r\n")).await else { return };
        let head = String::from_utf8_lossy(&read[..head_end]).into_owned();
        let mut lines = head.split("\r\n");
        let target = lines.next().unwrap_or_default().split(' ').nth(1).unwrap_or_default().to_owned();
        let headers: HashMap<String, String> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let length: usize = headers.get("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
        if take(HangUp::BeforeBody) {
            return;
        }
        let body_start = head_end + 4;
        if take(HangUp::DuringBody) {
            let half = body_start + length / 2;
            let _ = read_until(&mut stream, &mut read, |read| (read.len() >= half).then_some(half)).await;
            return;
        }
        let end = body_start + length;
        if read_until(&mut stream, &mut read, |read| (read.len() >= end).then_some(end)).await.is_none() {
            return;
        }
        let body = String::from_utf8_lossy(&read[body_start..end]).into_owned();
        read.drain(..end);
        let json: serde_json::Value = serde_json::from_str(&body).expect("the client sends JSON");
        let ids = json["auditEvents"]
            .as_array()
            .expect("entries")
            .iter()
            .map(|entry| entry["id"].as_str().expect("an id").to_owned())
            .collect();
        let reply = {
            let mut state = state.lock().expect("state");
            state.number += 1;
            let request = Request { number: state.number, ids, target, headers, body };
            let reply = (state.handler)(&request);
            if state.keeps {
                state.requests.push(request);
            }
            reply
        };
        if stream.write_all(&reply.bytes()).await.is_err() {
            return;
        }
        match reply {
            Reply::Http { .. } => {}
            Reply::Raw(_) | Reply::Close => return,
            Reply::RawThenSilence(_) => std::future::pending().await,
        }
    }
}

/// Reads until `done` finds an end.
async fn read_until(
    stream: &mut TcpStream,
    read: &mut Vec<u8>,
    done: impl Fn(&[u8]) -> Option<usize>,
) -> Option<usize> {
    loop {
        if let Some(end) = done(read) {
            return Some(end);
        }
        if stream.read_buf(read).await.ok()? == 0 {
            return None;
        }
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// An entry for the channel.
pub(crate) fn entry(id: &str) -> Entry {
    let data = format!(
        r#"{{"version":"1.0","userIdentity":{{"type":"Staff","principalId":"alice"}},"eventSource":"orders.example.com","eventName":"RefundIssued","eventTime":"2026-11-21T10:15:30Z","UID":"{id}","requestParameters":{{"note":"ü \"quoted\" \\ back"}},"recipientAccountId":"123456789012"}}"#
    );
    Entry::parse(id, data).expect("a valid entry")
}
