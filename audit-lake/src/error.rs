//! What is said of a request as a whole: the operation's errors, and those common to all of AWS's actions.

use std::error::Error;

use audit_core::wire::RequestErrorCode;
use http::StatusCode;

/// The HTTP status that an answer with this code has.
pub(crate) fn status_of(code: RequestErrorCode) -> StatusCode {
    StatusCode::from_u16(code.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Why a request was refused as a whole. The message goes to the sender as it is: it never holds a secret, nor a value
/// from the request that could be one.
#[derive(Debug)]
pub(crate) struct RequestError {
    pub(crate) code: RequestErrorCode,
    pub(crate) message: String,
}

impl RequestError {
    pub(crate) fn new(code: RequestErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// An error and its causes on one line, for the log and for the admin address.
pub(crate) fn with_causes(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |error| (*error).source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
