//! Errors of a request as a whole: the operation's own, and those common to all of AWS's actions.

use std::error::Error;

use audit_core::wire::RequestErrorCode;
use http::StatusCode;

/// Why a request was refused as a whole. The message goes to the sender as it is: it never holds a secret, nor a value
/// from the request that could be one.
#[derive(Debug)]
pub(crate) struct RequestError {
    pub(crate) code: RequestErrorCode,
    pub(crate) status: StatusCode,
    pub(crate) message: String,
}

impl RequestError {
    pub(crate) fn new(code: RequestErrorCode, message: impl Into<String>) -> Self {
        let status = StatusCode::from_u16(code.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { code, status, message: message.into() }
    }

    /// HTTP that this service does not implement. AWS has no code of its own for that.
    pub(crate) fn not_implemented(message: impl Into<String>) -> Self {
        Self { status: StatusCode::NOT_IMPLEMENTED, ..Self::new(RequestErrorCode::MalformedHttpRequest, message) }
    }
}

/// An error and its causes on one line, for the log and for the admin address.
pub(crate) fn with_causes(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |error| (*error).source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
