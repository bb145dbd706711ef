//! The few numbers of the contract that a macro has to know. It cannot depend on `audit-core`, which re-exports it; a
//! test in `tests/` holds them against `audit_core::limits`.

/// `version`, in characters.
pub(crate) const VERSION_CHARS: usize = 256;
/// `eventSource`, in characters.
pub(crate) const EVENT_SOURCE_CHARS: usize = 1_024;
/// `eventName`, in characters.
pub(crate) const EVENT_NAME_CHARS: usize = 1_024;
/// `userIdentity.type`, in characters.
pub(crate) const IDENTITY_TYPE_CHARS: usize = 128;
