//! Whether the owner of a key signed a request, lately.

use audit_core::EventTime;
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::canonical::{self, Folding, HeaderFault};
use super::claim::{Claim, Place};
use super::query::Query;
use crate::config::Secret;
use crate::error::RequestError;
use audit_core::wire::RequestErrorCode;

/// The name under which requests to this service are signed.
pub(crate) const SIGNING_NAME: &str = "cloudtrail-data";
/// The header by which a request declares the hash of its body.
const CONTENT_SHA256: &str = "x-amz-content-sha256";
/// How far a request's time stamp may be from this machine's clock, in seconds, either way.
const CLOCK_SKEW: i64 = 15 * 60;

/// What of a request goes into its signature.
pub(crate) struct SignedParts<'a> {
    pub(crate) method: &'a str,
    /// As it came, undecoded.
    pub(crate) path: &'a str,
    pub(crate) query: &'a Query,
    pub(crate) headers: &'a HeaderMap,
    /// HTTP/2's `:authority`, or that of an absolute request target.
    pub(crate) authority: Option<&'a str>,
    pub(crate) body_sha256: [u8; 32],
}

/// The secret side of an access key, against which a claim is checked.
pub(crate) struct KeyMaterial<'a> {
    pub(crate) secret: &'a Secret,
    pub(crate) session_token: Option<&'a Secret>,
    pub(crate) expires: Option<EventTime>,
}

impl Claim {
    /// Whether the scope names this service; asked before the key is looked up, since no key could make it right.
    pub(crate) fn check_service(&self) -> Result<(), RequestError> {
        if self.service == SIGNING_NAME {
            return Ok(());
        }
        Err(RequestError::new(
            RequestErrorCode::InvalidSignature,
            format!("Credential should be scoped to the service {SIGNING_NAME}."),
        ))
    }

    /// Whether the key's owner signed this very request, lately.
    pub(crate) fn verify(
        &self,
        parts: &SignedParts<'_>,
        key: &KeyMaterial<'_>,
        now: EventTime,
    ) -> Result<(), RequestError> {
        self.check_time(now)?;
        self.check_session_token(key.session_token)?;
        self.check_unsigned_headers(parts.headers)?;
        check_declared_hash(parts)?;
        let signed = |folding| -> Result<bool, RequestError> {
            Ok(self.expected_signature(parts, key.secret, folding)?.ct_eq(&self.signature).into())
        };
        let right = signed(Folding::Spaces)? || (self.signs_a_tab(parts.headers) && signed(Folding::SpacesAndTabs)?);
        if !right {
            return Err(RequestError::new(
                RequestErrorCode::InvalidSignature,
                "The request signature we calculated does not match the signature you provided. Check your secret access \
                 key and signing method, and that nothing on the way changes the request.",
            ));
        }
        // Only a sender that has the key learns that it has expired.
        if key.expires.is_some_and(|expires| now >= expires) {
            return Err(RequestError::new(
                RequestErrorCode::ExpiredToken,
                "The security token included in the request is expired. Get fresh credentials.",
            ));
        }
        Ok(())
    }

    fn check_time(&self, now: EventTime) -> Result<(), RequestError> {
        let age = now.unix_seconds() - self.time.unix_seconds();
        let longest = self.expires.map_or(CLOCK_SKEW, |expires| expires.min(CLOCK_SKEW));
        if age > longest || age < -CLOCK_SKEW {
            return Err(RequestError::new(
                RequestErrorCode::RequestExpired,
                format!(
                    "The request is dated {}, which is too far from the service's time {now}: at most 15 minutes either \
                     way, and no longer than X-Amz-Expires. Check the clock, and sign anew.",
                    self.time
                ),
            ));
        }
        Ok(())
    }

    fn check_session_token(&self, expected: Option<&Secret>) -> Result<(), RequestError> {
        let right = match (expected, &self.session_token) {
            (None, None) => true,
            (Some(expected), Some(sent)) => expected.matches(sent),
            _ => false,
        };
        if right {
            return Ok(());
        }
        Err(RequestError::new(
            RequestErrorCode::UnrecognizedClient,
            "The security token included in the request is invalid for this access key. Send the session token that came \
             with the key, or none for a key without one.",
        ))
    }

    fn signs_a_tab(&self, headers: &HeaderMap) -> bool {
        let mut values = self.signed_headers.iter().flat_map(|name| headers.get_all(name));
        values.any(|value| value.as_bytes().contains(&b'\t'))
    }

    /// What names itself part of the protocol must be signed, or an intermediary could have added it. The hash of the body
    /// need not: the signature covers the body's own hash, which the declared one must equal.
    fn check_unsigned_headers(&self, headers: &HeaderMap) -> Result<(), RequestError> {
        let unsigned = headers
            .keys()
            .map(http::HeaderName::as_str)
            .filter(|name| name.starts_with("x-amz-") && *name != CONTENT_SHA256)
            .find(|name| !self.signed_headers.iter().any(|signed| signed == name));
        match unsigned {
            None => Ok(()),
            Some(name) => Err(RequestError::new(
                RequestErrorCode::IncompleteSignature,
                format!(
                    "SignedHeaders must name every x-amz- header of the request; {} is not signed.",
                    audit_core::shown(name)
                ),
            )),
        }
    }

    fn expected_signature(
        &self,
        parts: &SignedParts<'_>,
        secret: &Secret,
        folding: Folding,
    ) -> Result<[u8; 32], RequestError> {
        let mut headers = String::new();
        for name in &self.signed_headers {
            let value = canonical::header_value(parts.headers, parts.authority, name, folding).map_err(|fault| {
                let name = audit_core::shown(name);
                let message = match fault {
                    HeaderFault::Missing => format!("SignedHeaders names {name}, which the request does not have."),
                    HeaderFault::NotUtf8 => format!(
                        "The header {name}, which SignedHeaders names, is not UTF-8 (it may be Latin-1). Send it as UTF-8 or \
                         ASCII, or leave it unsigned."
                    ),
                };
                RequestError::new(RequestErrorCode::IncompleteSignature, message)
            })?;
            headers.push_str(name);
            headers.push(':');
            headers.push_str(&value);
            headers.push('\n');
        }
        let without = (self.place == Place::Query).then_some("X-Amz-Signature");
        let digest = canonical::CanonicalRequest {
            method: parts.method,
            path: &canonical::path(parts.path),
            query: &parts.query.canonical(without),
            headers: &headers,
            signed_headers: &self.signed_headers.join(";"),
            body_sha256: &parts.body_sha256,
        }
        .digest();
        let to_sign = format!(
            "AWS4-HMAC-SHA256\n{}\n{}/{}/{}/aws4_request\n{digest}",
            self.timestamp, self.scope_date, self.region, self.service
        );
        let mut key = hmac(format!("AWS4{}", secret.expose()).as_bytes(), self.scope_date.as_bytes())?;
        for part in [&*self.region, &*self.service, "aws4_request"] {
            key = hmac(&key, part.as_bytes())?;
        }
        hmac(&key, to_sign.as_bytes())
    }
}

/// A hash that the request declares must be its body's: this service signs off on no body that it has not read.
fn check_declared_hash(parts: &SignedParts<'_>) -> Result<(), RequestError> {
    let right = audit_core::hex(&parts.body_sha256);
    if parts.headers.get_all(CONTENT_SHA256).iter().all(|declared| *declared == *right) {
        return Ok(());
    }
    Err(RequestError::new(
        RequestErrorCode::InvalidSignature,
        "X-Amz-Content-Sha256 is not the SHA-256 of the request's body, in lower-case hexadecimal digits.",
    ))
}

fn hmac(key: &[u8], message: &[u8]) -> Result<[u8; 32], RequestError> {
    // HMAC takes keys of every length (RFC 2104), so this error does not occur.
    let mut mac = Hmac::<Sha256>::new_from_slice(key)
        .map_err(|_| RequestError::new(RequestErrorCode::InternalFailure, "The signature could not be computed."))?;
    mac.update(message);
    Ok(mac.finalize().into_bytes().into())
}
