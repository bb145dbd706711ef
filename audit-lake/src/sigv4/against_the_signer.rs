//! Random requests, signed by `aws-sigv4`, which this crate's side must accept; and then with one thing changed, which it
//! must not.

use std::time::{Duration, SystemTime};

use audit_core::EventTime;
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign};
use aws_sigv4::sign::v4;
use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::percent::encode_into;
use super::{Claim, KeyMaterial, Query, SignedParts};
use crate::config::Secret;
use crate::error::RequestError;
use audit_core::wire::RequestErrorCode;

const NOW: &str = "2026-11-21T10:15:30Z";

/// A request as it arrives, and what the service knows of its key.
#[derive(Clone, Debug)]
struct Arrived {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    secret: String,
    session_token: Option<String>,
    now: EventTime,
}

impl Arrived {
    fn verify(&self) -> Result<(), RequestError> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            headers.append(
                HeaderName::try_from(name.as_str()).expect("a name"),
                HeaderValue::from_bytes(value.as_bytes()).expect("a value"),
            );
        }
        let query = Query::parse(&self.query).expect("well formed");
        let claim = Claim::read(&headers, &query)?;
        claim.check_service()?;
        let parts = SignedParts {
            method: &self.method,
            path: &self.path,
            query: &query,
            headers: &headers,
            authority: None,
            body_sha256: Sha256::digest(&self.body).into(),
        };
        let (secret, token) = (Secret::from(self.secret.as_str()), self.session_token.as_deref().map(Secret::from));
        claim.verify(&parts, &KeyMaterial { secret: &secret, session_token: token.as_ref(), expires: None }, self.now)
    }

    fn header(&mut self, name: &str) -> &mut String {
        &mut self.headers.iter_mut().find(|(this, _)| this == name).expect("the header").1
    }
}

/// What a client makes a request of.
#[derive(Clone, Debug)]
struct Plan {
    method: String,
    path: Vec<String>,
    trailing_slash: bool,
    query: Vec<(String, Option<String>)>,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    session_token: Option<String>,
    in_query: bool,
}

fn plan() -> impl Strategy<Value = Plan> {
    let text = "[ -~äß€😀]{0,12}";
    (
        prop_oneof![Just("POST".to_owned()), Just("GET".to_owned())],
        prop::collection::vec("[a-zA-Z0-9._~ %+&=:@ü-]{1,8}", 0..4),
        any::<bool>(),
        prop::collection::vec(("[a-zA-Z0-9 +/~=&%é.-]{1,6}", prop::option::of(text)), 0..6),
        prop::collection::vec(("x-amz-[a-f]{1,3}|[g-m]{3,6}", "[!-~]{0,4}( {0,3}[!-~]\t?[!-~]{1,3}){0,3} {0,2}"), 0..4),
        prop::collection::vec(any::<u8>(), 0..64),
        prop::option::of("[A-Za-z0-9/+=]{1,40}"),
        any::<bool>(),
    )
        .prop_map(|(method, path, trailing_slash, query, headers, body, session_token, in_query)| Plan {
            method,
            path,
            trailing_slash,
            query,
            headers,
            body,
            session_token,
            in_query,
        })
}

fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    encode_into(text.as_bytes(), &mut encoded);
    encoded
}

/// Signs as AWS's own SDK does.
fn signed(plan: &Plan) -> Arrived {
    let mut path: String = plan.path.iter().flat_map(|segment| ["/".to_owned(), encoded(segment)]).collect();
    if path.is_empty() || plan.trailing_slash {
        path.push('/');
    }
    let mut query: Vec<String> = plan
        .query
        .iter()
        .map(|(name, value)| match value {
            Some(value) => format!("{}={}", encoded(name), encoded(value)),
            None => encoded(name),
        })
        .collect();
    let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    let identity = Credentials::new("AKIDEXAMPLE", secret, plan.session_token.clone(), None, "test").into();
    let mut settings = SigningSettings::default();
    if plan.in_query {
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(Duration::from_mins(5));
    }
    let now: EventTime = NOW.parse().expect("a time");
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region("eu-west-1")
        .name("cloudtrail-data")
        .time(SystemTime::from(now))
        .settings(settings)
        .build()
        .expect("parameters")
        .into();
    let separator = if query.is_empty() { "" } else { "?" };
    let uri = format!("http://lake.example.com:8787{path}{separator}{}", query.join("&"));
    let headers = plan.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let request = SignableRequest::new(&plan.method, uri, headers, SignableBody::Bytes(&plan.body)).expect("a request");
    let (instructions, _) = sign(request, &parameters).expect("a signature").into_parts();
    query.extend(instructions.params().iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))));
    let mut headers = plan.headers.clone();
    headers.push(("host".to_owned(), "lake.example.com:8787".to_owned()));
    headers.extend(instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())));
    Arrived {
        method: plan.method.clone(),
        path,
        query: query.join("&"),
        headers,
        body: plan.body.clone(),
        secret: secret.to_owned(),
        session_token: plan.session_token.clone(),
        now,
    }
}

/// One change that the signature must not survive.
fn change(arrived: &mut Arrived, plan: &Plan, which: usize, at: prop::sample::Index) {
    match which {
        0 => arrived.method.push('X'),
        1 => arrived.path.push_str("/x"),
        2 => arrived.query.push_str("&x=1"),
        3 => arrived.body.push(b' '),
        4 => arrived.secret.push('x'),
        5 => arrived.header("host").push('x'),
        6 => {
            // One digit of the signature, wherever it stands.
            let (text, marker) = if plan.in_query {
                (&mut arrived.query, "X-Amz-Signature=")
            } else {
                (arrived.header("authorization"), "Signature=")
            };
            let start = text.find(marker).expect("a signature") + marker.len();
            let digit = start + at.index(64);
            let other = if &text[digit..=digit] == "0" { "1" } else { "0" };
            text.replace_range(digit..=digit, other);
        }
        7 => {
            // The time of signing, by a second.
            let text = if plan.in_query { &mut arrived.query } else { arrived.header("x-amz-date") };
            *text = text.replace("T101530Z", "T101531Z");
        }
        8 => {
            let text = if plan.in_query { &mut arrived.query } else { arrived.header("authorization") };
            *text = text.replace("eu-west-1", "eu-west-2");
        }
        9 => arrived.session_token = Some("another".to_owned()),
        10 => arrived.headers.push(("x-amz-unsigned".to_owned(), "1".to_owned())),
        _ => {
            if let Some((name, _)) = plan.headers.first() {
                arrived.header(&name.clone()).push('x');
            } else {
                arrived.body.insert(0, b' ');
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_the_sdk_signs_is_accepted(plan in plan()) {
        let arrived = signed(&plan);
        let verified = arrived.verify();
        prop_assert!(verified.is_ok(), "{verified:?} for {arrived:?}");
    }

    #[test]
    fn with_one_thing_changed_it_is_refused(plan in plan(), which in 0_usize..12, at: prop::sample::Index) {
        let mut arrived = signed(&plan);
        change(&mut arrived, &plan, which, at);
        let verified = arrived.verify();
        prop_assert!(verified.is_err(), "change {which} went unnoticed in {arrived:?}");
    }
}

fn simple() -> Plan {
    Plan {
        method: "POST".to_owned(),
        path: vec!["PutAuditEvents".to_owned()],
        trailing_slash: false,
        query: vec![("channelArn".to_owned(), Some("orders".to_owned()))],
        headers: Vec::new(),
        body: b"{}".to_vec(),
        session_token: None,
        in_query: false,
    }
}

#[test]
fn a_request_is_good_for_fifteen_minutes_either_way() {
    let signed = signed(&simple());
    for (seconds, good) in [(0, true), (900, true), (901, false), (-900, true), (-901, false), (86_400, false)] {
        let mut arrived = signed.clone();
        arrived.now = EventTime::from_unix_seconds(arrived.now.unix_seconds() + seconds).expect("a time");
        match arrived.verify() {
            Ok(()) => assert!(good, "{seconds} s later"),
            Err(error) => {
                assert!(!good && error.code == RequestErrorCode::RequestExpired, "{seconds} s later: {error:?}");
            }
        }
    }
}

#[test]
fn a_signed_url_is_good_until_it_expires() {
    let signed = signed(&Plan { in_query: true, ..simple() });
    for (seconds, good) in [(299, true), (300, true), (301, false), (-900, true), (-901, false)] {
        let mut arrived = signed.clone();
        arrived.now = EventTime::from_unix_seconds(arrived.now.unix_seconds() + seconds).expect("a time");
        assert_eq!(arrived.verify().is_ok(), good, "{seconds} s later");
    }
}

#[test]
fn the_vector_of_the_specification_is_accepted() {
    // "get-vanilla" of AWS's published test suite, as far as another service name in the scope allows: the suite signs for
    // "service", so its signature is checked through the canonical request alone.
    let canonical = super::canonical::CanonicalRequest {
        method: "GET",
        path: "/",
        query: "",
        headers: "host:example.amazonaws.com\nx-amz-date:20150830T123600Z\n",
        signed_headers: "host;x-amz-date",
        body_sha256: &Sha256::digest(b"").into(),
    };
    assert_eq!(canonical.digest(), "bb579772317eb040ac9ed261061d46c1f17a8133879d6129b6e1c25292927e63");
}

#[test]
fn malformed_claims_get_another_error_than_wrong_ones() {
    let signed = signed(&simple());
    let good = signed.clone().header("authorization").clone();
    let cases: [(&str, String, RequestErrorCode); 14] = [
        ("no algorithm", good.replace("AWS4-HMAC-SHA256 ", ""), RequestErrorCode::IncompleteSignature),
        ("another algorithm", good.replace("SHA256 ", "SHA1 "), RequestErrorCode::IncompleteSignature),
        ("basic", "Basic QUtJRDpzZWNyZXQ=".to_owned(), RequestErrorCode::IncompleteSignature),
        ("empty", String::new(), RequestErrorCode::IncompleteSignature),
        ("no credential", good.replace("Credential=", "Credentials="), RequestErrorCode::IncompleteSignature),
        (
            "no signature",
            good.split(", Signature").next().expect("a part").to_owned(),
            RequestErrorCode::IncompleteSignature,
        ),
        ("twice", format!("{good}, Signature=00"), RequestErrorCode::IncompleteSignature),
        ("short signature", good[..good.len() - 1].to_owned(), RequestErrorCode::IncompleteSignature),
        ("capitals", good.to_uppercase(), RequestErrorCode::IncompleteSignature),
        ("host unsigned", good.replace("SignedHeaders=host;", "SignedHeaders="), RequestErrorCode::IncompleteSignature),
        ("unsorted", good.replace("host;x-amz-date", "x-amz-date;host"), RequestErrorCode::IncompleteSignature),
        (
            "a missing header",
            good.replace("host;x-amz-date", "host;x-amz-date;x-gone"),
            RequestErrorCode::IncompleteSignature,
        ),
        ("another service", good.replace("cloudtrail-data", "cloudtrail"), RequestErrorCode::InvalidSignature),
        ("another day", good.replace("/20261121/", "/20261120/"), RequestErrorCode::InvalidSignature),
    ];
    for (what, authorization, code) in cases {
        assert_ne!(authorization, good, "{what}");
        let mut arrived = signed.clone();
        *arrived.header("authorization") = authorization;
        let error = arrived.verify().expect_err(what);
        assert_eq!(error.code, code, "{what}: {}", error.message);
        assert!(!error.message.contains(&arrived.secret), "{what}");
    }
}
