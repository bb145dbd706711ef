//! The codes with which the service refuses an entry, or a request as a whole.

use std::fmt;
use std::str::FromStr;

/// Why the service refuses an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum EntryErrorCode {
    /// A field, an object or the event is over its limit.
    FieldTooLong,
    /// A required field is missing or empty.
    FieldNotFound,
    /// The checksum is not that of the event's data.
    InvalidChecksum,
    /// Not a JSON object, a wrong type, a bad time, address or id, an unknown field.
    InvalidData,
    /// `recipientAccountId` is not the channel owner's account.
    InvalidRecipient,
    /// `eventSource` is not one that the channel takes.
    InvalidEventSource,
    /// The channel has no destination.
    AccountNotSubscribed,
    /// Over the rate.
    Throttling,
    /// Anything else on the service's side.
    InternalFailure,
}

impl EntryErrorCode {
    /// All nine.
    pub const ALL: &[Self] = &[
        Self::FieldTooLong,
        Self::FieldNotFound,
        Self::InvalidChecksum,
        Self::InvalidData,
        Self::InvalidRecipient,
        Self::InvalidEventSource,
        Self::AccountNotSubscribed,
        Self::Throttling,
        Self::InternalFailure,
    ];

    /// The code as it stands on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FieldTooLong => "FieldTooLong",
            Self::FieldNotFound => "FieldNotFound",
            Self::InvalidChecksum => "InvalidChecksum",
            Self::InvalidData => "InvalidData",
            Self::InvalidRecipient => "InvalidRecipient",
            Self::InvalidEventSource => "InvalidEventSource",
            Self::AccountNotSubscribed => "AccountNotSubscribed",
            Self::Throttling => "Throttling",
            Self::InternalFailure => "InternalFailure",
        }
    }
}

impl fmt::Display for EntryErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A code that is none of the nine: the service may know more than its documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownEntryErrorCode;

impl fmt::Display for UnknownEntryErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not one of the nine documented entry error codes")
    }
}

impl std::error::Error for UnknownEntryErrorCode {}

impl FromStr for EntryErrorCode {
    type Err = UnknownEntryErrorCode;

    fn from_str(code: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|known| known.as_str() == code).ok_or(UnknownEntryErrorCode)
    }
}

macro_rules! request_error_codes {
    ($($(#[$doc:meta])* $name:ident $text:literal $status:literal,)*) => {
        /// Why the service refuses a request as a whole: the operation's own errors, then those common to all of AWS's actions.
        ///
        /// Source: the `PutAuditEvents` page and the page "Common Errors" of the CloudTrail Data Service API reference.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum RequestErrorCode {
            $($(#[$doc])* $name,)*
        }

        impl RequestErrorCode {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The code as it stands in `x-amzn-errortype`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// The HTTP status that comes with it.
            #[must_use]
            pub const fn http_status(self) -> u16 {
                match self {
                    $(Self::$name => $status,)*
                }
            }
        }
    };
}

request_error_codes! {
    /// The caller's account is not the channel owner's.
    ChannelInsufficientPermission "ChannelInsufficientPermission" 400,
    /// There is no such channel.
    ChannelNotFound "ChannelNotFound" 400,
    /// The channel takes another schema.
    ChannelUnsupportedSchema "ChannelUnsupportedSchema" 400,
    /// Two entries of the request share an id.
    DuplicatedAuditEventId "DuplicatedAuditEventId" 400,
    /// The channel's ARN is none.
    InvalidChannelArn "InvalidChannelARN" 400,
    /// The operation is not supported.
    UnsupportedOperation "UnsupportedOperationException" 400,
    /// The caller may not do this.
    AccessDenied "AccessDeniedException" 403,
    /// The session token has expired.
    ExpiredToken "ExpiredTokenException" 403,
    /// The signature lacks a part.
    IncompleteSignature "IncompleteSignature" 403,
    /// Anything else on the service's side.
    InternalFailure "InternalFailure" 500,
    /// The signature is not that of the request.
    InvalidSignature "InvalidSignatureException" 403,
    /// Not HTTP, or not HTTP that the service takes.
    MalformedHttpRequest "MalformedHttpRequestException" 400,
    /// The caller is not authorized.
    NotAuthorized "NotAuthorized" 401,
    /// The account has not opted in to the region.
    OptInRequired "OptInRequired" 403,
    /// The request was cut off.
    RequestAborted "RequestAbortedException" 400,
    /// The request is over its limit.
    RequestEntityTooLarge "RequestEntityTooLargeException" 413,
    /// The date stamp is more than 15 minutes away, either way.
    RequestExpired "RequestExpired" 400,
    /// The request took too long to arrive.
    RequestTimeout "RequestTimeoutException" 408,
    /// The service cannot serve now.
    ServiceUnavailable "ServiceUnavailable" 503,
    /// Over the rate.
    Throttling "ThrottlingException" 400,
    /// The access key is unknown.
    UnrecognizedClient "UnrecognizedClientException" 403,
    /// There is no such operation.
    UnknownOperation "UnknownOperationException" 404,
    /// A parameter breaks its rule.
    Validation "ValidationError" 400,
}

impl fmt::Display for RequestErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A code that is not documented for requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownRequestErrorCode;

impl fmt::Display for UnknownRequestErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not one of the documented request error codes")
    }
}

impl std::error::Error for UnknownRequestErrorCode {}

impl FromStr for RequestErrorCode {
    type Err = UnknownRequestErrorCode;

    fn from_str(code: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|known| known.as_str() == code).ok_or(UnknownRequestErrorCode)
    }
}

#[cfg(test)]
mod tests {
    use super::{EntryErrorCode, RequestErrorCode};

    #[test]
    fn codes_read_back_from_their_text() {
        for code in EntryErrorCode::ALL {
            assert_eq!(code.to_string().parse(), Ok(*code));
        }
        for code in RequestErrorCode::ALL {
            assert_eq!(code.to_string().parse(), Ok(*code));
        }
        assert!("Fine".parse::<EntryErrorCode>().is_err());
        assert!("Fine".parse::<RequestErrorCode>().is_err());
    }
}
