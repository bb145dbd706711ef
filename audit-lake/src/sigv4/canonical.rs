//! The canonical request and the string to sign, as the Signature Version 4 specification makes them.

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

/// Which blanks within a header's value a signer folds, where several stand together, to one space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Folding {
    /// Spaces only, as the specification says.
    Spaces,
    /// Tabs too, as most signers do.
    SpacesAndTabs,
}

/// Why a signed header has no canonical value.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum HeaderFault {
    Missing,
    NotUtf8,
}

/// One header's canonical line, without its end: all values of the name joined by commas, each trimmed and folded.
pub(super) fn header_value(
    headers: &HeaderMap,
    authority: Option<&str>,
    name: &str,
    folding: Folding,
) -> Result<String, HeaderFault> {
    let mut canonical = String::new();
    let mut first = true;
    for value in headers.get_all(name) {
        if !first {
            canonical.push(',');
        }
        first = false;
        let value = std::str::from_utf8(value.as_bytes()).map_err(|_| HeaderFault::NotUtf8)?;
        fold_blanks(value, folding, &mut canonical);
    }
    if first {
        // HTTP/2 says `:authority` for what HTTP/1 calls `host`.
        if name != "host" {
            return Err(HeaderFault::Missing);
        }
        canonical.push_str(authority.ok_or(HeaderFault::Missing)?);
    }
    Ok(canonical)
}

fn fold_blanks(value: &str, folding: Folding, canonical: &mut String) {
    let blank = |character: char| character == ' ' || (folding == Folding::SpacesAndTabs && character == '\t');
    // Tabs at the ends are HTTP's own padding.
    let mut words = value.trim_matches([' ', '\t']).split(blank).filter(|word| !word.is_empty());
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

    use super::{Folding, HeaderFault, header_value, path};

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
        let value = |name, authority, folding| header_value(&headers, authority, name, folding);
        assert_eq!(value("x-amz-meta", None, Folding::Spaces).as_deref(), Ok("a b\tc,,d"));
        assert_eq!(value("x-amz-meta", None, Folding::SpacesAndTabs).as_deref(), Ok("a b c,,d"));
        assert_eq!(value("x-amz-other", None, Folding::Spaces), Err(HeaderFault::Missing));
        assert_eq!(value("host", Some("lake:8787"), Folding::Spaces).as_deref(), Ok("lake:8787"));
    }
}
