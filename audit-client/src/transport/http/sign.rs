//! AWS's Signature Version 4, as far as one request needs it: a POST with its body in memory.

use std::fmt::Write as _;

use audit_core::{EventTime, hex};
use hmac::digest::InvalidLength;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::transport::keys::Keys;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// What a signature is for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope<'a> {
    pub(super) region: &'a str,
    pub(super) service: &'a str,
    pub(super) now: EventTime,
}

/// A request as it is signed.
#[derive(Clone, Copy, Debug)]
pub(super) struct ToSign<'a> {
    pub(super) method: &'a str,
    /// Percent-encoded, without dots and doubled slashes.
    pub(super) path: &'a str,
    /// Percent-encoded, sorted by name.
    pub(super) query: &'a str,
    /// In lower case, sorted by name, each once, without blanks around or doubled within its value.
    pub(super) headers: &'a [(&'a str, &'a str)],
    pub(super) body: &'a [u8],
}

/// The value of `x-amz-date`.
pub(super) fn amz_date(now: EventTime) -> String {
    now.to_string().replace(['-', ':'], "")
}

/// The value of `authorization`. The error does not occur: HMAC takes keys of every length (RFC 2104).
pub(super) fn authorization(keys: &Keys, scope: Scope<'_>, request: &ToSign<'_>) -> Result<String, InvalidLength> {
    let Scope { region, service, now } = scope;
    let time = amz_date(now);
    let (date, _) = time.split_at(8);
    let names: Vec<&str> = request.headers.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let scope = format!("{date}/{region}/{service}/aws4_request");
    let to_sign = format!("{ALGORITHM}\n{time}\n{scope}\n{}", sha256(canonical(request, &names).as_bytes()));
    let mut key = format!("AWS4{}", keys.secret.0).into_bytes();
    for part in [date, region, service, "aws4_request", &to_sign] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&key)?;
        mac.update(part.as_bytes());
        key = mac.finalize().into_bytes().to_vec();
    }
    Ok(format!("{ALGORITHM} Credential={}/{scope}, SignedHeaders={names}, Signature={}", keys.id, hex(&key)))
}

fn canonical(request: &ToSign<'_>, names: &str) -> String {
    let ToSign { method, path, query, headers, body } = request;
    // Every service but S3 wants a path encoded once more than it is sent.
    let path: Vec<String> = path.split('/').map(encoded).collect();
    let headers = headers.iter().fold(String::new(), |lines, (name, value)| lines + name + ":" + value + "\n");
    format!("{method}\n{}\n{query}\n{headers}\n{names}\n{}", path.join("/"), sha256(body))
}

fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Percent-encoded, but for the unreserved characters of RFC 3986.
pub(super) fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
            // Writing to a string does not fail.
            _ => drop(write!(encoded, "%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::{Scope, ToSign, authorization, encoded};
    use crate::transport::keys::{Keys, Secret};

    /// Of AWS's published test suite (`aws-sig-v4-test-suite`): region, service, key and time are the suite's.
    fn signature(method: &str, path: &str, query: &str, more: &[(&str, &str)], body: &str) -> String {
        let keys = Keys {
            id: "AKIDEXAMPLE".to_owned(),
            secret: Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned()),
            session_token: None,
        };
        let now = "2015-08-30T12:36:00Z".parse().expect("a time");
        let scope = Scope { region: "us-east-1", service: "service", now };
        let mut headers = vec![("host", "example.amazonaws.com"), ("x-amz-date", "20150830T123600Z")];
        headers.extend(more);
        headers.sort_unstable();
        let request = ToSign { method, path, query, headers: &headers, body: body.as_bytes() };
        let authorization = authorization(&keys, scope, &request).expect("a signature");
        let (scope, signature) = authorization.split_once(", SignedHeaders=").expect("headers");
        assert_eq!(scope, "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request");
        signature.replace(", Signature=", " ")
    }

    #[test]
    fn the_published_requests_have_the_published_signatures() {
        assert_eq!(
            signature("GET", "/", "", &[], ""),
            "host;x-amz-date 5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
        );
        assert_eq!(
            signature("POST", "/", "", &[], ""),
            "host;x-amz-date 5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"
        );
        assert_eq!(
            signature("POST", "/", "", &[("content-type", "application/x-www-form-urlencoded")], "Param1=value1"),
            "content-type;host;x-amz-date ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"
        );
        assert_eq!(
            signature("GET", "/", "Param1=value1&Param2=value2", &[], ""),
            "host;x-amz-date b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"
        );
    }

    #[test]
    fn what_is_not_unreserved_is_encoded() {
        assert_eq!(encoded("arn:aws/Z-._~ +=é%"), "arn%3Aaws%2FZ-._~%20%2B%3D%C3%A9%25");
    }
}
