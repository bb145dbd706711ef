use std::borrow::Cow;

use super::error::{NameError, textual};
use crate::limits::is_external_id;

/// What a channel's policy may ask every caller to send, so that no caller can be made to write into a channel unknowingly:
/// 2 to 1,224 characters of `[\w+=,.@:/-]`, ASCII.
///
/// ```
/// use audit_core::ExternalId;
///
/// const PARTNER: ExternalId = ExternalId::from_static("partner=7,stage:prod");
/// assert!(ExternalId::try_from("x").is_err());
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExternalId(Cow<'static, str>);

impl ExternalId {
    /// Takes a literal. In a constant, a wrong one does not compile.
    ///
    /// # Panics
    /// Outside of a constant, if the text breaks the rule.
    #[must_use]
    pub const fn from_static(text: &'static str) -> Self {
        assert!(is_external_id(text), "an external ID must be 2 to 1,224 characters of [A-Za-z0-9_+=,.@:/-]");
        Self(Cow::Borrowed(text))
    }

    /// The external ID as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for ExternalId {
    type Error = NameError;

    fn try_from(text: &str) -> Result<Self, NameError> {
        if is_external_id(text) {
            Ok(Self(Cow::Owned(text.to_owned())))
        } else {
            Err(NameError::new("an external ID", "2 to 1,224 characters of [A-Za-z0-9_+=,.@:/-]", text))
        }
    }
}

textual!(ExternalId);
