//! The canonical request and the string to sign, as the Signature Version 4 specification makes them.

use std::borrow::Cow;

use http::HeaderMap;
use sha2::{Digest, Sha256};

use super::percent::encode_path_into;

/// The canonical path: normalized by RFC 3986 (no dot segments, no doubled slashes), then encoded once more as it stands,
/// which is what every service but S3 asks.
pub(super) fn path(raw: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in raw.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            other => segments.push(other),
        }
    }
    let mut canonical = String::with_capacity(raw.len() + 8);
    for segment in &segments {
        canonical.push('/');
        encode_path_into(segment, &mut canonical);
    }
    // What ended in a slash, or in a segment that stands for a folder, still does.
    if segments.is_empty() || raw.ends_with('/') || raw.ends_with("/.") || raw.ends_with("/..") {
        canonical.push('/');
    }
    canonical
}

/// One header's canonical line, without its end: all values of the name joined by commas, each trimmed, runs of spaces
/// folded to one. `None` if the request has no such header, or one that is not text.
pub(super) fn header_value<'a>(headers: &'a HeaderMap, authority: Option<&'a str>, name: &str) -> Option<String> {
    let mut canonical = String::new();
    let mut first = true;
    for value in headers.get_all(name) {
        if !first {
            canonical.push(',');
        }
        first = false;
        fold_blanks(&header_text(value.as_bytes())?, &mut canonical);
    }
    if first {
        // HTTP/2 says `:authority` for what HTTP/1 calls `host`.
        if name != "host" {
            return None;
        }
        canonical.push_str(authority?);
    }
    Some(canonical)
}

fn header_text(bytes: &[u8]) -> Option<Cow<'_, str>> {
    std::str::from_utf8(bytes).ok().map(Cow::Borrowed)
}

fn fold_blanks(value: &str, canonical: &mut String) {
    // Tabs at the ends are HTTP's own padding; within a value, the specification folds spaces only.
    let mut words = value.trim_matches([' ', '\t']).split(' ').filter(|word| !word.is_empty());
    if let Some(first) = words.next() {
        canonical.push_str(first);
    }
    for word in words {
        canonical.push(' ');
        canonical.push_str(word);
    }
}

/// The six parts of a canonical request in their order.
pub(super) struct CanonicalRequest<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    /// Lines of `name:value\n`.
    pub(super) headers: &'a str,
    pub(super) signed_headers: &'a str,
    pub(super) body_sha256: &'a [u8; 32],
}

impl CanonicalRequest<'_> {
    /// The SHA-256 of the canonical request, in hex.
    pub(super) fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for part in [self.method, self.path, self.query, self.headers, self.signed_headers] {
            hash.update(part.as_bytes());
            hash.update(b"\n");
        }
        hash.update(audit_core::hex(self.body_sha256).as_bytes());
        audit_core::hex(&hash.finalize())
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::{header_value, path};

    #[test]
    fn a_path_is_normalized_and_encoded_once_more() {
        for (raw, canonical) in [
            ("", "/"),
            ("/", "/"),
            ("/PutAuditEvents", "/PutAuditEvents"),
            ("//a//b", "/a/b"),
            ("/a/./b/../c", "/a/c"),
            ("/../..", "/"),
            ("/a/", "/a/"),
            ("/a%20b", "/a%2520b"),
            ("/ü", "/%C3%BC"),
        ] {
            assert_eq!(path(raw), canonical, "{raw}");
        }
    }

    #[test]
    fn values_of_one_header_are_folded_and_joined() {
        let mut headers = HeaderMap::new();
        for value in [" \t a   b\tc  ", "", "d"] {
            headers.append("x-amz-meta", value.parse().expect("a header value"));
        }
        assert_eq!(header_value(&headers, None, "x-amz-meta").as_deref(), Some("a b\tc,,d"));
        assert_eq!(header_value(&headers, None, "x-amz-other"), None);
        assert_eq!(header_value(&headers, Some("lake:8787"), "host").as_deref(), Some("lake:8787"));
    }
}
