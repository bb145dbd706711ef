use super::error::{NameError, textual};
use crate::limits::{ACCOUNT_ID_DIGITS, is_account_id};

/// The 12 digits of an AWS account: whom an event is for.
///
/// ```
/// use audit_core::AccountId;
///
/// const ACCOUNT: AccountId = AccountId::from_static("123456789012");
/// assert!("12345".parse::<AccountId>().is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId([u8; ACCOUNT_ID_DIGITS]);

impl AccountId {
    /// Takes a literal. In a constant, a wrong one does not compile.
    ///
    /// # Panics
    /// Outside of a constant, if the text is not 12 digits.
    #[must_use]
    pub const fn from_static(text: &'static str) -> Self {
        match Self::from_text(text) {
            Some(account) => account,
            None => panic!("an account ID must be 12 digits"),
        }
    }

    pub(crate) const fn from_text(text: &str) -> Option<Self> {
        if !is_account_id(text) {
            return None;
        }
        let bytes = text.as_bytes();
        let (mut digits, mut at) = ([0; ACCOUNT_ID_DIGITS], 0);
        while at < ACCOUNT_ID_DIGITS {
            digits[at] = bytes[at];
            at += 1;
        }
        Some(Self(digits))
    }

    /// The 12 digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Always digits, so always text; the empty string is never seen.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl TryFrom<&str> for AccountId {
    type Error = NameError;

    fn try_from(text: &str) -> Result<Self, NameError> {
        Self::from_text(text).ok_or_else(|| NameError::new("an account ID", "12 digits", text))
    }
}

textual!(AccountId);
