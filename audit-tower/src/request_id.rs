//! The id of a request, for `additionalEventData.requestId`.

use audit_client::EventId;
use http::{HeaderMap, HeaderName, HeaderValue};

/// The most characters of an id from a header.
const MAX: usize = 128;

/// Where `additionalEventData.requestId` comes from: it joins the events of a request with each other and with its logs.
#[derive(Clone, Debug, Default)]
pub struct RequestId {
    header: Option<HeaderName>,
}

impl RequestId {
    /// Generates a `UUIDv7` for each request with events: the default.
    #[must_use]
    pub fn generated() -> Self {
        Self::default()
    }

    /// Takes the id from this header if it has 1 to 128 visible ASCII characters, and generates one otherwise. Handler and answer have
    /// the id in the same header. A caller may choose it freely, so it proves nothing.
    ///
    /// # Panics
    /// If the name is not a header's in lower case.
    #[must_use]
    pub fn header(name: &'static str) -> Self {
        Self { header: Some(HeaderName::from_static(name)) }
    }

    /// The header and the id to answer with.
    pub(crate) fn of(&self, headers: &HeaderMap) -> Option<(HeaderName, HeaderValue)> {
        let header = self.header.as_ref()?;
        let is_id = |value: &&HeaderValue| {
            (1..=MAX).contains(&value.len()) && value.as_bytes().iter().all(u8::is_ascii_graphic)
        };
        let taken = headers.get(header).filter(is_id).cloned();
        // A UUID is a header's value.
        let id = taken.or_else(|| HeaderValue::from_str(EventId::generate().as_str()).ok())?;
        Some((header.clone(), id))
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};

    use super::RequestId;

    #[test]
    fn an_id_is_taken_if_it_is_short_and_visible_and_generated_otherwise() {
        let from = RequestId::header("x-request-id");
        let id = |value: Option<&[u8]>| {
            let mut headers = HeaderMap::new();
            if let Some(value) = value {
                headers.insert("x-request-id", HeaderValue::from_bytes(value).expect("a header's value"));
            }
            let (_, id) = from.of(&headers).expect("an id");
            id.to_str().expect("ASCII").to_owned()
        };
        for good in ["a", "~!\"#", &"z".repeat(128)] {
            assert_eq!(id(Some(good.as_bytes())), good);
        }
        for bad in [&b""[..], b"a b", b"\xC3\xA9", b"\t", &[b'z'; 129]] {
            let made = id(Some(bad));
            assert_eq!((made.len(), &made[14..15]), (36, "7"), "{bad:?}");
        }
        assert_ne!(id(None), id(None));
        assert!(RequestId::generated().of(&HeaderMap::new()).is_none(), "made when an event asks for it");
    }
}
