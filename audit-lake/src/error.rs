//! What is said of a request as a whole: the operation's errors, and those common to all of AWS's actions.

use std::error::Error;

use http::StatusCode;

/// The errors that this service answers, each with its name on the wire and its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum ErrorCode {
    // The operation's own.
    ChannelInsufficientPermission,
    ChannelNotFound,
    ChannelUnsupportedSchema,
    DuplicatedAuditEventId,
    InvalidChannelArn,
    UnsupportedOperation,
    // Common to all actions.
    AccessDenied,
    ExpiredToken,
    IncompleteSignature,
    InternalFailure,
    InvalidSignature,
    MalformedHttpRequest,
    OptInRequired,
    RequestAborted,
    RequestEntityTooLarge,
    RequestExpired,
    RequestTimeout,
    ServiceUnavailable,
    Throttling,
    UnrecognizedClient,
    UnknownOperation,
    Validation,
}

impl ErrorCode {
    /// The name in `x-amzn-errortype`, by which AWS's clients pick their typed exception.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::ChannelInsufficientPermission => "ChannelInsufficientPermission",
            Self::ChannelNotFound => "ChannelNotFound",
            Self::ChannelUnsupportedSchema => "ChannelUnsupportedSchema",
            Self::DuplicatedAuditEventId => "DuplicatedAuditEventId",
            Self::InvalidChannelArn => "InvalidChannelARN",
            Self::UnsupportedOperation => "UnsupportedOperationException",
            Self::AccessDenied => "AccessDeniedException",
            Self::ExpiredToken => "ExpiredTokenException",
            Self::IncompleteSignature => "IncompleteSignature",
            Self::InternalFailure => "InternalFailure",
            Self::InvalidSignature => "InvalidSignatureException",
            Self::MalformedHttpRequest => "MalformedHttpRequestException",
            Self::OptInRequired => "OptInRequired",
            Self::RequestAborted => "RequestAbortedException",
            Self::RequestEntityTooLarge => "RequestEntityTooLargeException",
            Self::RequestExpired => "RequestExpired",
            Self::RequestTimeout => "RequestTimeoutException",
            Self::ServiceUnavailable => "ServiceUnavailable",
            Self::Throttling => "ThrottlingException",
            Self::UnrecognizedClient => "UnrecognizedClientException",
            Self::UnknownOperation => "UnknownOperationException",
            Self::Validation => "ValidationError",
        }
    }

    pub(crate) const fn status(self) -> StatusCode {
        match self {
            Self::ChannelInsufficientPermission
            | Self::ChannelNotFound
            | Self::ChannelUnsupportedSchema
            | Self::DuplicatedAuditEventId
            | Self::InvalidChannelArn
            | Self::UnsupportedOperation
            | Self::MalformedHttpRequest
            | Self::RequestAborted
            | Self::RequestExpired
            | Self::Throttling
            | Self::Validation => StatusCode::BAD_REQUEST,
            Self::AccessDenied
            | Self::ExpiredToken
            | Self::IncompleteSignature
            | Self::InvalidSignature
            | Self::OptInRequired
            | Self::UnrecognizedClient => StatusCode::FORBIDDEN,
            Self::UnknownOperation => StatusCode::NOT_FOUND,
            Self::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::RequestEntityTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::InternalFailure => StatusCode::INTERNAL_SERVER_ERROR,
            Self::ServiceUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// Why a request was refused as a whole. The message goes to the sender as it is: it never holds a secret, nor a value
/// from the request that could be one.
#[derive(Debug)]
pub(crate) struct RequestError {
    pub(crate) code: ErrorCode,
    pub(crate) message: String,
}

impl RequestError {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// At most 80 characters of what came from outside, control characters made visible.
pub(crate) fn cut(value: &str) -> String {
    const SHOWN: usize = 80;
    let mut shown: String = value.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if value.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

/// An error and its causes on one line, for the log and for the admin address.
pub(crate) fn with_causes(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |error| (*error).source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
