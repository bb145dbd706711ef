//! How many bytes an entry takes in the body of a request.

use crate::names::WIRE_CHARS;

/// The bytes of a request's body around its entries: `{"auditEvents":[` and `]}`.
pub(crate) const BODY_FRAME_BYTES: usize = r#"{"auditEvents":[]}"#.len();

/// The bytes of an entry's body around its id and its data, its checksum included.
const ENTRY_FRAME_BYTES: usize = r#"{"id":"","eventData":"","eventDataChecksum":""}"#.len() + WIRE_CHARS;

/// The bytes of an entry in a request's body, without the comma between two.
pub(crate) fn entry_bytes(id: &str, event_data: &str) -> usize {
    ENTRY_FRAME_BYTES + id.len() + escaped_bytes(event_data)
}

/// The bytes of a text inside a JSON string, as the SDK escapes it: `"` and `\` and the five short escapes take two
/// bytes, other control characters six, everything else stays as it is.
#[must_use]
pub fn escaped_bytes(text: &str) -> usize {
    // One pass, in chunks whose sums fit a byte, so that the compiler can take many bytes at once.
    let (chunks, rest) = text.as_bytes().as_chunks::<32>();
    let extra = |chunk: &[u8]| usize::from(chunk.iter().map(|byte| extra(*byte)).sum::<u8>());
    text.len() + chunks.iter().map(|chunk| extra(chunk)).sum::<usize>() + extra(rest)
}

/// How many bytes a byte takes more than one when escaped.
const fn extra(byte: u8) -> u8 {
    let control = (byte < 0x20) as u8;
    let short = matches!(byte, 0x08..=0x0D) as u8 - (byte == 0x0B) as u8;
    5 * control - 4 * short + (byte == b'"') as u8 + (byte == b'\\') as u8
}

#[cfg(test)]
mod tests {
    use super::escaped_bytes;

    #[test]
    fn escaped_bytes_are_those_that_serde_json_writes() {
        let mut all = String::new();
        for character in (0..0x2100).chain(0x1_F600..0x1_F650).filter_map(char::from_u32) {
            all.push(character);
            let one = character.to_string();
            let written = serde_json::to_string(&one).expect("a string").len() - 2;
            assert_eq!(escaped_bytes(&one), written, "U+{:04X}", u32::from(character));
        }
        assert_eq!(escaped_bytes(&all), serde_json::to_string(&all).expect("a string").len() - 2);
        assert_eq!(escaped_bytes(&"\0".repeat(1_000)), 6_000);
    }
}
