//! The service over hyper and rustls, without an SDK: signs, sends, reads the answer.

mod answer;
mod sign;
mod tls;

use std::env;
use std::fmt;
use std::time::Duration;

use audit_core::wire::PutAuditEventsResponse;
use audit_core::{ChannelArn, Checksum, EventTime};
use bytes::Bytes;
use http::uri::{Authority, Scheme};
use http::{HeaderValue, Request, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::capture_connection;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::pki_types::ServerName;
use serde::Serialize;

use self::sign::{Scope, ToSign, amz_date, authorization, encoded};
use self::tls::Connector;
use super::endpoint::check_url;
use super::failure::{CloseUnlessAnswered, code_without_answer, innermost_first};
use super::keys::{Keys, Secret};
use super::submit::{
    DEFAULT_CONNECT_TIMEOUT, Failure, NO_CREDENTIALS, NOT_SENDABLE, Submission, Submitting, Transport, TransportError,
};
use crate::text::cut;

const SERVICE: &str = "cloudtrail-data";
const CONTENT_TYPE: &str = "application/json";
const USER_AGENT: HeaderValue = HeaderValue::from_static(concat!("audit-client/", env!("CARGO_PKG_VERSION")));
/// An answer to 100 entries has some 40 kB.
const MOST_ANSWER_BYTES: usize = 8 << 20;
const SECURITY_TOKEN: &str = "x-amz-security-token";

/// What an [`HttpTransport`] is made of. What is left out comes from the environment, or is AWS's.
#[derive(Clone, Debug, Default)]
#[must_use = "this does nothing until a transport is made of it"]
pub struct HttpConfig {
    pub(crate) endpoint_url: Option<String>,
    pub(crate) keys: Option<Keys>,
    pub(crate) connect_timeout: Option<Duration>,
}

impl HttpConfig {
    /// AWS's address for the channel's region, and the environment's keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// Where the service is: see [`ClientBuilder::endpoint_url`](crate::ClientBuilder::endpoint_url).
    pub fn endpoint_url(mut self, url: impl Into<String>) -> Self {
        self.endpoint_url = Some(url.into());
        self
    }

    /// Whom to sign as: see [`ClientBuilder::access_key`](crate::ClientBuilder::access_key).
    pub fn access_key(mut self, id: impl Into<String>, secret: impl Into<String>) -> Self {
        self.keys = Some(Keys { id: id.into(), secret: Secret(secret.into()), session_token: None });
        self
    }

    /// How long connecting may take: by default 3 s.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = Some(limit);
        self
    }
}

/// `PutAuditEvents` over HTTP/1.1 or, by TLS, HTTP/2, without the AWS SDK: what a client uses that is built with the feature `http`
/// and without `aws`, or is told to by [`ClientBuilder::over_http`](crate::ClientBuilder::over_http).
///
/// Keys are the given ones, or those of the environment: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, which are
/// read at each request. Profiles, roles and proxies need the feature `aws`. Root certificates are the system's, or those of
/// `SSL_CERT_FILE` and `SSL_CERT_DIR`.
///
/// Make one to wrap it in a [`Transport`] of your own, which sees every request and every answer.
pub struct HttpTransport {
    client: Client<Connector, Full<Bytes>>,
    endpoint: Endpoint,
    region: String,
    keys: Option<Keys>,
}

#[derive(Debug)]
struct Endpoint {
    scheme: Scheme,
    /// Without the port, if it is the scheme's own.
    authority: Authority,
    /// Of the operation.
    path: String,
}

impl HttpTransport {
    /// For a channel, in whose region it signs.
    ///
    /// ```
    /// # fn f(channel: audit_client::ChannelArn) -> Result<(), Box<dyn std::error::Error>> {
    /// use audit_client::{HttpConfig, HttpTransport};
    ///
    /// let config = HttpConfig::new().endpoint_url("http://127.0.0.1:8787").access_key("AKIDEXAMPLE", "secret");
    /// let transport = HttpTransport::for_channel(&channel, config)?;
    /// # Ok(()) }
    /// ```
    pub fn for_channel(channel: &ChannelArn, config: HttpConfig) -> Result<Self, TransportError> {
        let HttpConfig { endpoint_url, keys, connect_timeout } = config;
        let url = endpoint_url.or_else(configured_url).unwrap_or_else(|| aws_url(channel));
        let endpoint = Endpoint::parse(&url)?;
        let connector =
            Connector::new(endpoint.scheme == Scheme::HTTPS, connect_timeout.unwrap_or(DEFAULT_CONNECT_TIMEOUT))?;
        let client = Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(connector);
        Ok(Self { client, endpoint, region: channel.region().to_owned(), keys })
    }

    async fn put(&self, submission: Submission<'_>) -> Result<PutAuditEventsResponse, Failure> {
        let mut request = self.request(submission)?;
        let connection = capture_connection(&mut request);
        let used = connection.clone();
        let close_if_silent = CloseUnlessAnswered::new(move || {
            if let Some(connection) = &*used.connection_metadata() {
                connection.poison();
            }
        });
        let response = self.client.request(request).await.map_err(|error| {
            let mut failure = Failure::new(innermost_first(&error));
            failure.code = code_without_answer(&error, true).map(ToOwned::to_owned);
            failure.never_sent = connection.connection_metadata().is_none();
            failure
        })?;
        let (head, body) = response.into_parts();
        match Limited::new(body, MOST_ANSWER_BYTES).collect().await {
            Ok(body) => {
                close_if_silent.answered();
                answer::read(&head, &body.to_bytes())
            }
            Err(error) => Err(answer::with_head(Failure::new(innermost_first(&*error)), &head)),
        }
    }

    fn request(&self, submission: Submission<'_>) -> Result<Request<Full<Bytes>>, Failure> {
        let keys = self.keys.clone().or_else(keys_of_the_environment).ok_or_else(no_credentials)?;
        let query = query(submission);
        let body = body(submission).map_err(not_sendable)?;
        let Endpoint { scheme, authority, path } = &self.endpoint;
        let uri = Uri::builder().scheme(scheme.clone()).authority(authority.clone());
        let uri = uri.path_and_query(format!("{path}?{query}")).build().map_err(not_sendable)?;

        let now = EventTime::now();
        let date = amz_date(now);
        let mut headers = vec![("content-type", CONTENT_TYPE), ("host", authority.as_str())];
        headers.push(("x-amz-date", &date));
        headers.extend(keys.session_token.iter().map(|token| (SECURITY_TOKEN, token.0.as_str())));
        let scope = Scope { region: &self.region, service: SERVICE, now };
        let to_sign = ToSign { method: "POST", path, query: &query, headers: &headers, body: &body };
        let authorization = authorization(&keys, scope, &to_sign).map_err(not_sendable)?;

        let mut request = Request::post(uri).header(header::USER_AGENT, USER_AGENT);
        // hyper writes `host`, from the same authority.
        for (name, value) in headers.into_iter().filter(|(name, _)| *name != "host") {
            request = request.header(name, HeaderValue::from_str(value).map_err(not_sendable)?);
        }
        let mut authorization = HeaderValue::from_str(&authorization).map_err(not_sendable)?;
        authorization.set_sensitive(true);
        request.header(header::AUTHORIZATION, authorization).body(Full::from(body)).map_err(not_sendable)
    }
}

impl Transport for HttpTransport {
    fn submit<'a>(&'a self, submission: Submission<'a>) -> Submitting<'a> {
        Box::pin(self.put(submission))
    }
}

/// Shows no key.
impl fmt::Debug for HttpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpTransport").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

impl Endpoint {
    fn parse(url: &str) -> Result<Self, TransportError> {
        check_url(url)?;
        let wrong = || TransportError::EndpointUrl(cut(url));
        let parts = url.parse::<Uri>().map_err(|_| wrong())?.into_parts();
        let (Some(scheme), Some(authority), Some(path)) = (parts.scheme, parts.authority, parts.path_and_query) else {
            return Err(wrong());
        };
        let is_tls = scheme == Scheme::HTTPS;
        let host = authority.host().trim_matches(['[', ']']);
        let is_name = ServerName::try_from(host).is_ok();
        if path.query().is_some() || authority.as_str().contains('@') || (is_tls && !is_name) {
            return Err(wrong());
        }
        let own_port = if is_tls { 443 } else { 80 };
        let authority = match authority.port_u16() {
            Some(port) if port == own_port => authority.host().parse().map_err(|_| wrong())?,
            _ => authority,
        };
        let folders = path.path().split('/').filter(|folder| !matches!(*folder, "" | "." | ".."));
        let path = folders.chain(["PutAuditEvents"]).fold(String::new(), |path, folder| path + "/" + folder);
        Ok(Self { scheme, authority, path })
    }
}

/// What AWS's own variables say.
fn configured_url() -> Option<String> {
    let ignored =
        var("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS").is_some_and(|ignored| ignored.eq_ignore_ascii_case("true"));
    let names = ["AWS_ENDPOINT_URL_CLOUDTRAIL_DATA", "AWS_ENDPOINT_URL"];
    names.into_iter().find_map(var).filter(|_| !ignored)
}

/// AWS's address of the service.
fn aws_url(channel: &ChannelArn) -> String {
    let domain = match channel.partition() {
        "aws-cn" => "amazonaws.com.cn",
        "aws-eusc" => "amazonaws.eu",
        "aws-iso" => "c2s.ic.gov",
        "aws-iso-b" => "sc2s.sgov.gov",
        _ => "amazonaws.com",
    };
    format!("https://{SERVICE}.{}.{domain}", channel.region())
}

fn keys_of_the_environment() -> Option<Keys> {
    let (id, secret) = (var("AWS_ACCESS_KEY_ID")?, var("AWS_SECRET_ACCESS_KEY")?);
    Some(Keys { id, secret: Secret(secret), session_token: var("AWS_SESSION_TOKEN").map(Secret) })
}

/// An environment variable that is set and not empty.
fn var(name: &str) -> Option<String> {
    env::var(name).ok().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

fn no_credentials() -> Failure {
    let text = "there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the builder an `access_key`; \
                profiles and roles need the feature `aws`";
    Failure::new(text).code(NO_CREDENTIALS).never_sent()
}

fn not_sendable(error: impl std::error::Error + 'static) -> Failure {
    Failure::new(innermost_first(&error)).code(NOT_SENDABLE).never_sent()
}

fn query(submission: Submission<'_>) -> String {
    let mut query = format!("channelArn={}", encoded(submission.channel.as_str()));
    if let Some(external_id) = submission.external_id {
        query.push_str("&externalId=");
        query.push_str(&encoded(external_id.as_ref()));
    }
    query
}

fn body(submission: Submission<'_>) -> Result<Vec<u8>, serde_json::Error> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Body<'a> {
        audit_events: Vec<WireEntry<'a>>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct WireEntry<'a> {
        id: &'a str,
        event_data: &'a str,
        event_data_checksum: Checksum,
    }
    let entries = submission.batch.entries().iter();
    let audit_events = entries
        .map(|entry| WireEntry {
            id: entry.id().as_str(),
            event_data: entry.event_data(),
            event_data_checksum: entry.checksum(),
        })
        .collect();
    let mut body = Vec::with_capacity(submission.batch.wire_len());
    serde_json::to_writer(&mut body, &Body { audit_events })?;
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::{Endpoint, aws_url};

    #[test]
    fn the_address_is_awss_own_unless_it_is_given() {
        for (partition, url) in [
            ("aws", "https://cloudtrail-data.eu-west-1.amazonaws.com"),
            ("aws-cn", "https://cloudtrail-data.eu-west-1.amazonaws.com.cn"),
            ("aws-us-gov", "https://cloudtrail-data.eu-west-1.amazonaws.com"),
        ] {
            let arn = crate::testing::CHANNEL_ARN.replace("arn:aws:", &format!("arn:{partition}:"));
            assert_eq!(aws_url(&arn.parse().expect("an ARN")), url);
        }
    }

    #[test]
    fn an_address_has_the_operations_path_and_no_port_that_it_need_not_name() {
        for (url, authority, path) in [
            ("http://127.0.0.1:8787", "127.0.0.1:8787", "/PutAuditEvents"),
            ("https://lake.example.com:443/", "lake.example.com", "/PutAuditEvents"),
            ("https://[::1]:80", "[::1]:80", "/PutAuditEvents"),
            ("http://lake.example.com:80/a//./b/", "lake.example.com", "/a/b/PutAuditEvents"),
        ] {
            let endpoint = Endpoint::parse(url).expect("a URL");
            assert_eq!((endpoint.authority.as_str(), endpoint.path.as_str()), (authority, path), "{url}");
        }
        for url in ["localhost:8787", "http://user:password@host", "https://a b", "http://host?x=1", "https://-"] {
            assert!(Endpoint::parse(url).is_err(), "{url}");
        }
    }
}
