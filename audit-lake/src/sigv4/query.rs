//! A query string, taken apart once: for its parameters, and for the canonical form that is signed.

use super::percent::{BadEscape, decode_query_part, encode_into};

/// The decoded parameters of a query string, in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Query {
    parameters: Vec<(Vec<u8>, Vec<u8>)>,
}

/// What looking for a parameter that must not be repeated found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found<'a> {
    /// It is not there.
    Nothing,
    /// It is there once.
    Once(&'a [u8]),
    /// It is there more than once, which is ambiguous.
    Repeated,
}

impl Query {
    /// Takes `a=1&b=&c` apart. Empty parts (`&&`) say nothing and are left out; a name without `=` has an empty value.
    pub(crate) fn parse(raw: &str) -> Result<Self, BadEscape> {
        let parameters = raw
            .split('&')
            .filter(|part| !part.is_empty())
            .map(|part| {
                let (name, value) = part.split_once('=').unwrap_or((part, ""));
                Ok((decode_query_part(name)?, decode_query_part(value)?))
            })
            .collect::<Result<_, BadEscape>>()?;
        Ok(Self { parameters })
    }

    /// Looks for a parameter by its exact name.
    pub(crate) fn find(&self, name: &str) -> Found<'_> {
        let mut values = self.parameters.iter().filter(|(this, _)| this == name.as_bytes()).map(|(_, value)| value);
        match (values.next(), values.next()) {
            (None, _) => Found::Nothing,
            (Some(value), None) => Found::Once(value),
            (Some(_), Some(_)) => Found::Repeated,
        }
    }

    /// Whether a parameter of this name is there at all.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.find(name) != Found::Nothing
    }

    /// The canonical query string: every parameter but `without`, encoded again, sorted by encoded name, then by encoded
    /// value.
    pub(crate) fn canonical(&self, without: Option<&str>) -> String {
        let mut encoded: Vec<(String, String)> = self
            .parameters
            .iter()
            .filter(|(name, _)| without.is_none_or(|without| name != without.as_bytes()))
            .map(|(name, value)| {
                let (mut encoded_name, mut encoded_value) = (String::new(), String::new());
                encode_into(name, &mut encoded_name);
                encode_into(value, &mut encoded_value);
                (encoded_name, encoded_value)
            })
            .collect();
        encoded.sort_unstable();
        let mut canonical = String::new();
        for (name, value) in &encoded {
            if !canonical.is_empty() {
                canonical.push('&');
            }
            canonical.push_str(name);
            canonical.push('=');
            canonical.push_str(value);
        }
        canonical
    }
}

#[cfg(test)]
mod tests {
    use super::{Found, Query};

    #[test]
    fn a_canonical_query_is_sorted_by_encoded_name_and_value() {
        let query = Query::parse("b=2&a=z&&a=%61&A=1&c&=x&%7e=~&a%20b=+&X-Amz-Signature=s").expect("well formed");
        assert_eq!(query.canonical(Some("X-Amz-Signature")), "=x&A=1&a=a&a=z&a%20b=%20&b=2&c=&~=~");
    }

    #[test]
    fn a_repeated_parameter_is_distinct_from_a_single_one() {
        let query = Query::parse("a=1&b=2&%61=3&c").expect("well formed");
        assert_eq!(query.find("a"), Found::Repeated);
        assert_eq!(query.find("b"), Found::Once(b"2"));
        assert_eq!(query.find("c"), Found::Once(b""));
        assert_eq!(query.find("B"), Found::Nothing);
    }
}
