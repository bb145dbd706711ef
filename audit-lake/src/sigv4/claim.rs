//! What a request says of its own signature: in the `Authorization` header, or in the query string.

use audit_core::EventTime;
use http::HeaderMap;

use super::percent::hex_digit;
use super::query::{Found, Query};
use crate::error::RequestError;
use audit_core::wire::RequestErrorCode;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// The longest time for which the specification lets a signed URL be valid.
const LONGEST_EXPIRES: i64 = 7 * 24 * 60 * 60;

/// Where the signature stood, which decides what the canonical query string leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Header,
    Query,
}

/// A request's claim to come from the owner of an access key. Nothing in it is proven yet.
pub(crate) struct Claim {
    pub(super) place: Place,
    pub(crate) access_key_id: String,
    /// `20261121`
    pub(super) scope_date: String,
    pub(crate) region: String,
    pub(super) service: String,
    /// `20261121T101530Z`
    pub(super) timestamp: String,
    pub(super) time: EventTime,
    /// Seconds for which a signed URL is said to be valid.
    pub(super) expires: Option<i64>,
    pub(super) signed_headers: Vec<String>,
    pub(super) signature: [u8; 32],
    pub(super) session_token: Option<Vec<u8>>,
}

fn incomplete(message: impl Into<String>) -> RequestError {
    RequestError::new(RequestErrorCode::IncompleteSignature, message)
}

impl Claim {
    /// Reads the claim from where it stands.
    pub(crate) fn read(headers: &HeaderMap, query: &Query) -> Result<Self, RequestError> {
        let mut authorizations = headers.get_all(http::header::AUTHORIZATION).iter();
        let in_query =
            ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature"].iter().any(|name| query.contains(name));
        match (authorizations.next(), authorizations.next(), in_query) {
            (Some(_), Some(_), _) => Err(incomplete("The request has more than one Authorization header; send one.")),
            (Some(_), None, true) => Err(incomplete(
                "The request is signed in its Authorization header and in its query string; sign it in one of them.",
            )),
            (Some(value), None, false) => {
                let value = value.to_str().map_err(|_| incomplete("The Authorization header is not ASCII text."))?;
                Self::from_header(value, headers)
            }
            (None, _, true) => Self::from_query(query),
            (None, _, false) => Err(incomplete(
                "The request is not signed: it has neither an Authorization header nor X-Amz-Signature in its query \
                 string. Sign it with Signature Version 4.",
            )),
        }
    }

    fn from_header(value: &str, headers: &HeaderMap) -> Result<Self, RequestError> {
        let parts =
            value.trim().strip_prefix(ALGORITHM).filter(|rest| rest.starts_with([' ', '\t'])).ok_or_else(|| {
                incomplete(format!("The Authorization header must begin with the algorithm {ALGORITHM}."))
            })?;
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for part in parts.split(',') {
            let (name, value) = part.trim().split_once('=').unwrap_or((part.trim(), ""));
            let slot = match name {
                "Credential" => &mut credential,
                "SignedHeaders" => &mut signed_headers,
                "Signature" => &mut signature,
                // What it is instead is not shown: it may be a secret in the wrong place.
                _ => {
                    return Err(incomplete(
                        "The Authorization header holds something other than Credential, SignedHeaders and Signature.",
                    ));
                }
            };
            if slot.replace(value).is_some() {
                return Err(incomplete(format!("The Authorization header holds {name} more than once.")));
            }
        }
        let missing = |name: &str| incomplete(format!("The Authorization header lacks {name}."));
        let credential = credential.ok_or_else(|| missing("Credential"))?;
        let signed_headers = signed_headers.ok_or_else(|| missing("SignedHeaders"))?;
        let signature = signature.ok_or_else(|| missing("Signature"))?;

        let (timestamp, time) = header_time(headers)?;
        let session_token = single_header(headers, "x-amz-security-token")?.map(|token| token.as_bytes().to_vec());
        let claim = Self::assemble(Parts {
            place: Place::Header,
            credential,
            signed_headers,
            signature,
            timestamp,
            time,
            expires: None,
            session_token,
        })?;
        let dated_by = if headers.contains_key("x-amz-date") { "x-amz-date" } else { "date" };
        if !claim.signed_headers.iter().any(|name| name == dated_by) {
            return Err(incomplete(format!("SignedHeaders must name {dated_by}, which dates the signature.")));
        }
        Ok(claim)
    }

    fn from_query(query: &Query) -> Result<Self, RequestError> {
        let text = |name: &str| -> Result<Option<&str>, RequestError> {
            match query.find(name) {
                Found::Nothing => Ok(None),
                Found::Repeated => Err(incomplete(format!("The query string holds {name} more than once."))),
                Found::Once(value) => std::str::from_utf8(value)
                    .map(Some)
                    .map_err(|_| incomplete(format!("{name} in the query string is not UTF-8."))),
            }
        };
        let required = |name: &str| text(name)?.ok_or_else(|| incomplete(format!("The query string lacks {name}.")));
        if required("X-Amz-Algorithm")? != ALGORITHM {
            return Err(incomplete(format!("X-Amz-Algorithm must be {ALGORITHM}.")));
        }
        let timestamp = required("X-Amz-Date")?;
        let time = basic_time(timestamp).ok_or_else(|| bad_date("X-Amz-Date"))?;
        let expires = match text("X-Amz-Expires")? {
            None => None,
            Some(seconds) => Some(
                Some(seconds)
                    .filter(|seconds| !seconds.is_empty() && seconds.bytes().all(|digit| digit.is_ascii_digit()))
                    .and_then(|seconds| seconds.parse::<i64>().ok())
                    .filter(|seconds| (1..=LONGEST_EXPIRES).contains(seconds))
                    .ok_or_else(|| incomplete(format!("X-Amz-Expires must be 1 to {LONGEST_EXPIRES} seconds.")))?,
            ),
        };
        Self::assemble(Parts {
            place: Place::Query,
            credential: required("X-Amz-Credential")?,
            signed_headers: required("X-Amz-SignedHeaders")?,
            signature: required("X-Amz-Signature")?,
            timestamp: timestamp.to_owned(),
            time,
            expires,
            session_token: text("X-Amz-Security-Token")?.map(|token| token.as_bytes().to_vec()),
        })
    }

    fn assemble(parts: Parts<'_>) -> Result<Self, RequestError> {
        // The scope's four parts cannot hold a slash; the rest, slashes and all, is the access key's id.
        let mut scope = parts.credential.rsplitn(5, '/');
        let (Some(end), Some(service), Some(region), Some(date), Some(access_key_id)) =
            (scope.next(), scope.next(), scope.next(), scope.next(), scope.next())
        else {
            return Err(incomplete(
                "Credential must be <access key id>/<yyyymmdd>/<region>/cloudtrail-data/aws4_request.",
            ));
        };
        if end != "aws4_request" || access_key_id.is_empty() || region.is_empty() {
            return Err(incomplete(
                "Credential must be <access key id>/<yyyymmdd>/<region>/cloudtrail-data/aws4_request.",
            ));
        }
        if Some(date) != parts.timestamp.get(..8) {
            return Err(RequestError::new(
                RequestErrorCode::InvalidSignature,
                "The date in Credential is not the day of the request's time stamp (UTC).",
            ));
        }
        let signed_headers: Vec<String> = parts.signed_headers.split(';').map(str::to_owned).collect();
        let proper = |name: &String| !name.is_empty() && !name.bytes().any(|byte| byte.is_ascii_uppercase());
        if !signed_headers.iter().all(proper) || !signed_headers.is_sorted_by(|a, b| a < b) {
            return Err(incomplete(
                "SignedHeaders must hold names in lower case, sorted, separated by semicolons, none of them twice.",
            ));
        }
        if !signed_headers.iter().any(|name| name == "host") {
            return Err(incomplete("SignedHeaders must name host."));
        }
        Ok(Self {
            place: parts.place,
            access_key_id: access_key_id.to_owned(),
            scope_date: date.to_owned(),
            region: region.to_owned(),
            service: service.to_owned(),
            timestamp: parts.timestamp,
            time: parts.time,
            expires: parts.expires,
            signed_headers,
            signature: signature_bytes(parts.signature)
                .ok_or_else(|| incomplete("Signature must be 64 hexadecimal digits in lower case."))?,
            session_token: parts.session_token,
        })
    }
}

/// What both places give, before it is checked.
struct Parts<'a> {
    place: Place,
    credential: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
    timestamp: String,
    time: EventTime,
    expires: Option<i64>,
    session_token: Option<Vec<u8>>,
}

fn signature_bytes(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    if digits.len() != 64 || digits.iter().any(u8::is_ascii_uppercase) {
        return None;
    }
    let mut signature = [0; 32];
    for (byte, pair) in signature.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = hex_digit(pair[0])? << 4 | hex_digit(pair[1])?;
    }
    Some(signature)
}

fn single_header<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a http::HeaderValue>, RequestError> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(incomplete(format!("The request has more than one {name} header; send one.")));
    }
    Ok(first)
}

/// The time of signing: `X-Amz-Date`, or `Date` where that is missing, in the basic ISO 8601 form or (`Date` only) in
/// HTTP's.
fn header_time(headers: &HeaderMap) -> Result<(String, EventTime), RequestError> {
    if let Some(value) = single_header(headers, "x-amz-date")? {
        let text = value.to_str().map_err(|_| bad_date("X-Amz-Date"))?;
        let time = basic_time(text).ok_or_else(|| bad_date("X-Amz-Date"))?;
        return Ok((text.to_owned(), time));
    }
    let Some(value) = single_header(headers, "date")? else {
        return Err(incomplete("The request has neither an X-Amz-Date nor a Date header."));
    };
    let text = value.to_str().map_err(|_| bad_date("Date"))?;
    if let Some(time) = basic_time(text) {
        return Ok((text.to_owned(), time));
    }
    let time = httpdate::parse_http_date(text).ok().and_then(|time| EventTime::try_from(time).ok());
    let time = time.ok_or_else(|| bad_date("Date"))?;
    let basic: String = time.to_string().chars().filter(|c| !matches!(c, '-' | ':')).collect();
    Ok((basic, time))
}

fn bad_date(name: &str) -> RequestError {
    incomplete(format!("{name} must be a UTC time like 20261121T101530Z."))
}

/// Reads `20261121T101530Z`.
fn basic_time(text: &str) -> Option<EventTime> {
    if text.len() != 16 || !text.is_ascii() || !text.ends_with('Z') {
        return None;
    }
    let extended =
        format!("{}-{}-{}{}:{}:{}", &text[0..4], &text[4..6], &text[6..8], &text[8..11], &text[11..13], &text[13..16]);
    extended.parse().ok()
}
