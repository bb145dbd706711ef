//! The numbers of the contract that the macros have to know. They cannot depend on `audit-core`, which re-exports them; the
//! tests below compare each of them with `audit_core::limits`.

/// `version`, in characters.
pub(crate) const VERSION_CHARS: usize = 256;
/// `userIdentity.type`, in characters.
pub(crate) const IDENTITY_TYPE_CHARS: usize = 128;
/// `userIdentity.principalId`, in characters.
pub(crate) const PRINCIPAL_ID_CHARS: usize = 1_024;
/// `userAgent`, in characters.
pub(crate) const USER_AGENT_CHARS: usize = 1_024;
/// `eventSource`, in characters.
pub(crate) const EVENT_SOURCE_CHARS: usize = 1_024;
/// `eventName`, in characters.
pub(crate) const EVENT_NAME_CHARS: usize = 1_024;
/// `UID`, in characters.
pub(crate) const UID_CHARS: usize = 1_024;
/// `errorCode`, in characters.
pub(crate) const ERROR_CODE_CHARS: usize = 256;
/// `errorMessage`, in characters.
pub(crate) const ERROR_MESSAGE_CHARS: usize = 256;
/// `requestParameters`, in bytes of JSON as the sender counts.
pub(crate) const REQUEST_PARAMETERS_BYTES: usize = 100_000;
/// `responseElements`, in bytes of JSON as the sender counts.
pub(crate) const RESPONSE_ELEMENTS_BYTES: usize = 100_000;
/// `additionalEventData`, in bytes of JSON as the sender counts.
pub(crate) const ADDITIONAL_EVENT_DATA_BYTES: usize = 28_000;
/// One event's data, in bytes as the sender counts.
pub(crate) const EVENT_DATA_BYTES: usize = 256_000;
/// An entry's id, in characters.
pub(crate) const EVENT_ID_CHARS: usize = 128;
/// The digits of `recipientAccountId`.
pub(crate) const ACCOUNT_ID_DIGITS: usize = 12;
/// Arrays and objects in each other, the event's own object included.
pub(crate) const MAX_NESTING: usize = 100;

#[cfg(test)]
mod tests {
    use audit_core::limits::{self, Field, Side};

    use super::*;

    #[test]
    fn every_number_is_that_of_audit_core() {
        for (chars, field) in [
            (VERSION_CHARS, Field::Version),
            (IDENTITY_TYPE_CHARS, Field::IdentityType),
            (PRINCIPAL_ID_CHARS, Field::PrincipalId),
            (USER_AGENT_CHARS, Field::UserAgent),
            (EVENT_SOURCE_CHARS, Field::EventSource),
            (EVENT_NAME_CHARS, Field::EventName),
            (UID_CHARS, Field::Uid),
            (ERROR_CODE_CHARS, Field::ErrorCode),
            (ERROR_MESSAGE_CHARS, Field::ErrorMessage),
        ] {
            assert_eq!(Some(chars), field.max_chars(), "{}", field.path());
        }
        for (bytes, field) in [
            (REQUEST_PARAMETERS_BYTES, Field::RequestParameters),
            (RESPONSE_ELEMENTS_BYTES, Field::ResponseElements),
            (ADDITIONAL_EVENT_DATA_BYTES, Field::AdditionalEventData),
            (EVENT_DATA_BYTES, Field::EventData),
        ] {
            assert_eq!(Some(bytes), field.max_bytes(Side::Sender), "{}", field.path());
        }
        assert_eq!(EVENT_ID_CHARS, limits::EVENT_ID_CHARS);
        assert_eq!(ACCOUNT_ID_DIGITS, limits::ACCOUNT_ID_DIGITS);
        assert_eq!(MAX_NESTING, limits::MAX_NESTING);
    }
}
