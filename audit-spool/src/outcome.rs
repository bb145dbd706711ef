//! What became of a request or of an entry, in one word that dead letters, logs and metrics share.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use audit_core::EntryError;
use audit_core::wire::{EntryErrorCode, RequestErrorCode};

/// What came of an attempt, or why an entry is dead.
///
/// Its text ([`Display`](fmt::Display)) is what dead letters hold, and reading that text ([`From<&str>`]) gives the same
/// value again. A code that this version does not know keeps its text.
///
/// ```
/// use audit_spool::Outcome;
///
/// assert_eq!(Outcome::from("HTTP 503"), Outcome::Status(503));
/// assert_eq!(Outcome::from("SomethingNew"), Outcome::Code("SomethingNew".to_owned()));
/// assert_eq!(Outcome::from("InvalidData").to_string(), "InvalidData");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// The service refused the entry with this code. `InternalFailure` of a whole request is this too: both have one text.
    Entry(EntryErrorCode),
    /// The service refused the whole request with this code.
    Request(RequestErrorCode),
    /// The service answered with a code that this version does not know.
    Code(String),
    /// The service answered with this HTTP status and no code.
    Status(u16),
    /// The request got no answer: not connected, cut off or timed out.
    NoAnswer,
    /// The service answered, and did not name the entry.
    NotNamed,
    /// The entry was not delivered for as long as `give_up_after` allows.
    GaveUp,
    /// The entry fits no request.
    TooLarge,
    /// What was read from the spool is no entry: another version wrote it, or a person did.
    NotAnEntry,
    /// What was read from the spool does not have the checksum that its entry was made with: the bytes have changed.
    ChecksumMismatch,
}

/// The outcomes whose text is fixed.
const FIXED: [(Outcome, &str); 6] = [
    (Outcome::NoAnswer, "no answer"),
    (Outcome::NotNamed, "not named in the answer"),
    (Outcome::GaveUp, "GaveUp"),
    (Outcome::TooLarge, "TooLarge"),
    (Outcome::NotAnEntry, "NotAnEntry"),
    (Outcome::ChecksumMismatch, "ChecksumMismatch"),
];

impl From<&str> for Outcome {
    fn from(text: &str) -> Self {
        if let Some((outcome, _)) = FIXED.iter().find(|(_, fixed)| *fixed == text) {
            return outcome.clone();
        }
        if let Ok(code) = text.parse() {
            return Self::Entry(code);
        }
        if let Ok(code) = text.parse() {
            return Self::Request(code);
        }
        let status = text.strip_prefix("HTTP ").and_then(|status| status.parse().ok()).map(Self::Status);
        // Only what is written the same way again: `HTTP +503` is no status.
        status.filter(|status| status.to_string() == text).unwrap_or_else(|| Self::Code(text.to_owned()))
    }
}

impl FromStr for Outcome {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.into())
    }
}

impl From<EntryErrorCode> for Outcome {
    fn from(code: EntryErrorCode) -> Self {
        Self::Entry(code)
    }
}

impl From<&EntryError> for Outcome {
    fn from(error: &EntryError) -> Self {
        match error {
            EntryError::Checksum { .. } => Self::ChecksumMismatch,
            _ => Self::NotAnEntry,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entry(code) => code.fmt(f),
            Self::Request(code) => code.fmt(f),
            Self::Code(code) => f.pad(code),
            Self::Status(status) => f.pad(&format!("HTTP {status}")),
            fixed => f.pad(FIXED.iter().find(|(outcome, _)| outcome == fixed).map_or("", |(_, text)| text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_reads_back_as_itself_from_its_text() {
        let codes = EntryErrorCode::ALL.iter().copied().map(Outcome::Entry);
        let others = [Outcome::Status(503), Outcome::Status(7), Outcome::Code("NewException".to_owned())];
        for outcome in FIXED.map(|(outcome, _)| outcome).into_iter().chain(codes).chain(others) {
            assert_eq!(Outcome::from(outcome.to_string().as_str()), outcome);
        }
        for code in RequestErrorCode::ALL {
            assert_eq!(Outcome::from(code.as_str()).to_string(), code.as_str());
        }
        assert_eq!(Outcome::from("ThrottlingException"), Outcome::Request(RequestErrorCode::Throttling));
        for text in ["", "HTTP", "HTTP ", "HTTP +503", "HTTP 0503", "HTTP 70000", "gaveup", "é\n"] {
            assert_eq!(Outcome::from(text), Outcome::Code(text.to_owned()));
            assert_eq!(Outcome::from(text).to_string(), text);
        }
    }
}
