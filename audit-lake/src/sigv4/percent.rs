//! Percent-encoding as Signature Version 4 wants it: on bytes, with capital hex digits, everything but the unreserved
//! characters of RFC 3986 encoded.

/// A `%` that two hex digits do not follow.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadEscape;

/// Undoes percent-encoding in a part of a query string, where `+` stands for a space.
pub(crate) fn decode_query_part(raw: &str) -> Result<Vec<u8>, BadEscape> {
    let mut decoded = Vec::with_capacity(raw.len());
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let (Some(high), Some(low)) = (bytes.next().and_then(hex_digit), bytes.next().and_then(hex_digit))
                else {
                    return Err(BadEscape);
                };
                high << 4 | low
            }
            other => other,
        });
    }
    Ok(decoded)
}

/// Appends `bytes` percent-encoded.
pub(crate) fn encode_into(bytes: &[u8], encoded: &mut String) {
    encode(bytes, false, encoded);
}

/// Appends `path` percent-encoded, but for its slashes.
pub(crate) fn encode_path_into(path: &str, encoded: &mut String) {
    encode(path.as_bytes(), true, encoded);
}

fn encode(bytes: &[u8], keep_slash: bool, encoded: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') || (keep_slash && byte == b'/') {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push(char::from(HEX[usize::from(byte >> 4)]));
            encoded.push(char::from(HEX[usize::from(byte & 0xF)]));
        }
    }
}

/// The value of a hex digit, of either case.
pub(crate) fn hex_digit(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::{BadEscape, decode_query_part, encode_into};

    #[test]
    fn what_was_encoded_decodes_to_the_same_bytes() {
        let every_byte: Vec<u8> = (0..=255).collect();
        let mut encoded = String::new();
        encode_into(&every_byte, &mut encoded);
        assert_eq!(decode_query_part(&encoded), Ok(every_byte));
        assert!(encoded.contains("%20") && encoded.contains("%FF") && encoded.contains("-._~".get(0..1).expect("one")));
    }

    #[test]
    fn an_escape_that_is_not_two_hex_digits_is_refused() {
        for bad in ["%", "%4", "%zz", "%4g", "a%", "%%41", "%+1", "% 1"] {
            assert_eq!(decode_query_part(bad), Err(BadEscape), "{bad}");
        }
        assert_eq!(decode_query_part("a+b%2Bc%2f"), Ok(b"a b+c/".to_vec()));
    }
}
