//! Entries for this crate's own tests.

use audit_core::Entry;

/// An entry without padding.
pub(crate) fn entry(id: &str) -> Entry {
    sized_entry(id, 0)
}

/// An entry with this many bytes of padding.
pub(crate) fn sized_entry(id: &str, padding: usize) -> Entry {
    padded_entry(id, &"x".repeat(padding.min(90_000)))
}

/// An entry with this padding, which is the inside of a JSON string.
pub(crate) fn padded_entry(id: &str, padding: &str) -> Entry {
    let data = format!(
        r#"{{"version":"1.0","userIdentity":{{"type":"Staff","principalId":"alice"}},"eventSource":"orders.example.com","eventName":"RefundIssued","eventTime":"2026-11-21T10:15:30Z","UID":"{id}","requestParameters":{{"padding":"{padding}"}},"recipientAccountId":"123456789012"}}"#
    );
    Entry::parse(id, data).expect("a valid entry")
}
