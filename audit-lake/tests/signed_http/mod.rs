//! HTTP/1.1 by hand, signed by `aws-sigv4`: what goes over the wire is under the tests' control to the last byte.

// Each test program uses its own part of this.
#![allow(dead_code, reason = "shared by several test programs")]

use std::time::SystemTime;

use audit_core::{ChannelArn, Checksum};
use audit_lake::Lake;
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign};
use aws_sigv4::sign::v4;
use axum::body::Bytes;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Event data that keeps the contract.
pub(crate) fn event_data(uid: &str, channel: &ChannelArn) -> String {
    format!(
        r#"{{"version":"1.0","userIdentity":{{"type":"Staff","principalId":"alice@example.com"}},"eventSource":"orders.example.com","eventName":"RefundIssued","eventTime":"2026-11-21T10:15:30Z","UID":"{uid}","recipientAccountId":"{}"}}"#,
        channel.account()
    )
}

/// An entry with its checksum.
pub(crate) fn entry(id: &str, data: &str) -> Value {
    json!({ "id": id, "eventData": data, "eventDataChecksum": Checksum::of(data.as_bytes()) })
}

/// A request to be made, good until something of it is changed.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) address: String,
    pub(crate) key_id: String,
    pub(crate) secret: String,
    pub(crate) session_token: Option<String>,
    pub(crate) region: String,
    pub(crate) service: String,
    pub(crate) time: SystemTime,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) presigned: bool,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(this, _)| this.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(crate) fn error_type(&self) -> &str {
        self.header("x-amzn-errortype").unwrap_or_default()
    }
}

/// Percent-encodes a part of a query string.
pub(crate) fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

impl Call {
    /// A call to a lake's first channel with its own key.
    pub(crate) fn to(lake: &Lake) -> Self {
        Self {
            address: lake.address().to_string(),
            key_id: lake.access_key().id().to_owned(),
            secret: lake.access_key().secret().to_owned(),
            session_token: lake.access_key().session_token().map(str::to_owned),
            region: lake.channel_arn().region().to_owned(),
            service: "cloudtrail-data".to_owned(),
            time: SystemTime::now(),
            method: "POST".to_owned(),
            path: "/PutAuditEvents".to_owned(),
            query: format!("channelArn={}", encoded(lake.channel_arn().as_str())),
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: b"{\"auditEvents\":[]}".to_vec(),
            presigned: false,
        }
    }

    pub(crate) fn secret(mut self, secret: &str) -> Self {
        secret.clone_into(&mut self.secret);
        self
    }

    pub(crate) fn query(mut self, query: &str) -> Self {
        query.clone_into(&mut self.query);
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn entries(self, entries: &[Value]) -> Self {
        self.body(json!({ "auditEvents": entries }).to_string())
    }

    pub(crate) fn at(mut self, time: SystemTime) -> Self {
        self.time = time;
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn presigned(mut self) -> Self {
        self.presigned = true;
        self
    }

    /// The request as it goes over the wire.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let identity = Credentials::new(&self.key_id, &self.secret, self.session_token.clone(), None, "test").into();
        let mut settings = SigningSettings::default();
        if self.presigned {
            settings.signature_location = SignatureLocation::QueryParams;
            settings.expires_in = Some(std::time::Duration::from_mins(5));
        }
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(&self.service)
            .time(self.time)
            .settings(settings)
            .build()
            .expect("parameters")
            .into();
        let mut target = self.path.clone();
        if !self.query.is_empty() {
            target = format!("{target}?{}", self.query);
        }
        let headers = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let request = SignableRequest::new(
            &self.method,
            format!("http://{}{target}", self.address),
            headers,
            SignableBody::Bytes(&self.body),
        )
        .expect("a request to sign");
        let (instructions, _) = sign(request, &parameters).expect("a signature").into_parts();
        for (name, value) in instructions.params() {
            target.push(if target.contains('?') { '&' } else { '?' });
            target.push_str(&encoded(name));
            target.push('=');
            target.push_str(&encoded(value));
        }
        let mut head = format!("{} {target} HTTP/1.1\r\nhost: {}\r\n", self.method, self.address);
        for (name, value) in &self.headers {
            head.extend([name.as_str(), ": ", value, "\r\n"]);
        }
        for (name, value) in instructions.headers() {
            head.extend([name, ": ", value, "\r\n"]);
        }
        head.extend(["content-length: ", &self.body.len().to_string(), "\r\n\r\n"]);
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// Sends it and reads the answer.
    pub(crate) async fn send(&self) -> Answer {
        exchange(&self.address, &self.to_bytes()).await
    }
}

/// Writes bytes to a fresh connection and reads one answer.
pub(crate) async fn exchange(address: &str, bytes: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.write_all(bytes).await.expect("written");
    read_answer(&mut stream).await.expect("an answer")
}

/// Reads one answer. `None` if the connection ends before a whole one.
pub(crate) async fn read_answer(stream: &mut TcpStream) -> Option<Answer> {
    let mut received = Vec::new();
    loop {
        if let Some(answer) = parse(&received) {
            return Some(answer);
        }
        let mut piece = [0; 4 * 1_024];
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return None,
            Ok(read) => received.extend_from_slice(&piece[..read]),
        }
    }
}

fn parse(received: &[u8]) -> Option<Answer> {
    let end = received.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&received[..end]).expect("text");
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().expect("a status");
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length: usize = headers.iter().find(|(name, _)| name == "content-length")?.1.parse().expect("a length");
    let body = received.get(end + 4..end + 4 + length)?;
    Some(Answer { status, headers, body: serde_json::from_slice(body).unwrap_or(Value::Null) })
}

/// A call as a request of hyper's, for HTTP/2.
pub(crate) fn as_http2(lake: &Lake, call: &Call) -> http::Request<TestBody> {
    let text = String::from_utf8(call.to_bytes()).expect("text");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    let mut lines = head.split("\r\n");
    let target = lines.next().and_then(|line| line.split(' ').nth(1)).expect("a target");
    let mut request = http::Request::post(format!("http://{}{target}", lake.address()));
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        // HTTP/2 has :authority instead.
        if name != "host" {
            request = request.header(name, value);
        }
    }
    request.body(TestBody { rest: Some(body.to_owned().into()), stalls: false }).expect("a request")
}

/// What the admin address answers, head and body.
pub(crate) async fn get(admin: &str, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nhost: {admin}\r\nconnection: close\r\n\r\n");
    let mut stream = TcpStream::connect(admin).await.expect("a connection");
    stream.write_all(request.as_bytes()).await.expect("written");
    String::from_utf8(read_to_end(&mut stream).await).expect("text")
}

/// Reads to the end of the connection: what came, or nothing if it was reset.
pub(crate) async fn read_to_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut received = Vec::new();
    drop(stream.read_to_end(&mut received).await);
    received
}

/// A request's body of one piece, after which it ends, or says no more.
#[derive(Debug)]
pub(crate) struct TestBody {
    rest: Option<Bytes>,
    stalls: bool,
}

impl TestBody {
    pub(crate) fn stalled(bytes: &'static [u8]) -> Self {
        Self { rest: Some(Bytes::from_static(bytes)), stalls: true }
    }
}

impl hyper::body::Body for TestBody {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
        match self.rest.take() {
            Some(piece) => std::task::Poll::Ready(Some(Ok(hyper::body::Frame::data(piece)))),
            None if self.stalls => std::task::Poll::Pending,
            None => std::task::Poll::Ready(None),
        }
    }
}
