//! A key to sign with.

use std::fmt;

/// An access key: see [`ClientBuilder::access_key`](crate::ClientBuilder::access_key).
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    pub(crate) id: String,
    pub(crate) secret: Secret,
    pub(crate) session_token: Option<Secret>,
}

/// A text that `Debug` does not show.
#[derive(Clone)]
pub(crate) struct Secret(pub(crate) String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}
