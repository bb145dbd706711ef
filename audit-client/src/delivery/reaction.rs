//! What follows from a refused request: by the service's code, and where there is none that we know, by the status.

use crate::transport::submit::{Failure, NO_CREDENTIALS, NOT_SENDABLE, NOT_TRUSTED};

/// What the delivery loop does about a request that was refused as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reaction {
    /// It passes: send again after a backoff.
    Retry,
    /// Over the rate: send less at once, then again.
    SlowDown,
    /// The credentials are spent: fetch them anew, then send again.
    RenewCredentials,
    /// An operator must repair something (a policy, a channel, a clock): keep everything and probe slowly.
    Pause,
    /// Too large: find the entry that is.
    Bisect,
    /// The service sees an id twice: send in halves.
    Split,
}

/// Codes, without the suffix `Exception` that some services put on and some leave off.
const BY_CODE: &[(&str, Reaction)] = &[
    ("Throttling", Reaction::SlowDown),
    ("ThrottledException", Reaction::SlowDown),
    ("RequestThrottled", Reaction::SlowDown),
    ("RequestLimitExceeded", Reaction::SlowDown),
    ("TooManyRequests", Reaction::SlowDown),
    ("SlowDown", Reaction::SlowDown),
    ("ExpiredToken", Reaction::RenewCredentials),
    ("UnrecognizedClient", Reaction::RenewCredentials),
    ("InvalidClientTokenId", Reaction::RenewCredentials),
    ("RequestEntityTooLarge", Reaction::Bisect),
    ("DuplicatedAuditEventId", Reaction::Split),
    ("InternalFailure", Reaction::Retry),
    ("InternalServerError", Reaction::Retry),
    ("InternalError", Reaction::Retry),
    ("ServiceUnavailable", Reaction::Retry),
    ("RequestTimeout", Reaction::Retry),
    ("RequestAborted", Reaction::Retry),
    ("AccessDenied", Reaction::Pause),
    ("NotAuthorized", Reaction::Pause),
    ("ChannelNotFound", Reaction::Pause),
    ("InvalidChannelARN", Reaction::Pause),
    ("ChannelInsufficientPermission", Reaction::Pause),
    ("ChannelUnsupportedSchema", Reaction::Pause),
    ("UnsupportedOperation", Reaction::Pause),
    ("UnknownOperation", Reaction::Pause),
    ("OptInRequired", Reaction::Pause),
    ("IncompleteSignature", Reaction::Pause),
    ("InvalidSignature", Reaction::Pause),
    ("SignatureDoesNotMatch", Reaction::Pause),
    ("MissingAuthenticationToken", Reaction::Pause),
    ("RequestExpired", Reaction::Pause),
    ("MalformedHttpRequest", Reaction::Pause),
    ("ValidationError", Reaction::Pause),
    ("Validation", Reaction::Pause),
    (NO_CREDENTIALS, Reaction::Pause),
    (NOT_SENDABLE, Reaction::Pause),
    (NOT_TRUSTED, Reaction::Pause),
];

/// What follows from a failure.
pub(crate) fn reaction(failure: &Failure) -> Reaction {
    if let Some(reaction) = failure.code.as_deref().and_then(by_code) {
        return reaction;
    }
    match failure.status {
        Some(429) => Reaction::SlowDown,
        Some(413) => Reaction::Bisect,
        // Not understood, timed out, or the service's own fault. A 2xx that comes here could not be read.
        None | Some(408 | 425 | 200..=299 | 500..=599) => Reaction::Retry,
        // Redirected, refused, or something that no rule knows: repeating it soon does not help, and dropping it is
        // not ours to decide.
        Some(_) => Reaction::Pause,
    }
}

/// A failure's name among the labels of a metric: known codes, or the status, so that their number is bounded.
pub(crate) fn label(failure: &Failure) -> String {
    match &failure.code {
        Some(code) if by_code(code).is_some() => failure.outcome().to_string(),
        _ => Failure { code: None, ..failure.clone() }.outcome().to_string(),
    }
}

fn by_code(code: &str) -> Option<Reaction> {
    // Some services write `namespace#Code` or `Code:http://…`.
    let code = code.rsplit('#').next().unwrap_or(code);
    let code = code.split(':').next().unwrap_or(code);
    let bare = code.strip_suffix("Exception").unwrap_or(code);
    BY_CODE.iter().find(|(known, _)| *known == code || *known == bare).map(|(_, reaction)| *reaction)
}

#[cfg(test)]
mod tests {
    use super::{Reaction, reaction};
    use crate::transport::submit::Failure;

    #[test]
    fn every_documented_error_has_its_course() {
        use Reaction::{Bisect, Pause, RenewCredentials, Retry, SlowDown, Split};
        // The operation's errors and the common ones, with their documented status.
        let documented = [
            ("ChannelInsufficientPermission", 400, Pause),
            ("ChannelNotFound", 400, Pause),
            ("ChannelUnsupportedSchema", 400, Pause),
            ("DuplicatedAuditEventId", 400, Split),
            ("InvalidChannelARN", 400, Pause),
            ("UnsupportedOperationException", 400, Pause),
            ("AccessDeniedException", 403, Pause),
            ("ExpiredTokenException", 403, RenewCredentials),
            ("IncompleteSignature", 403, Pause),
            ("InternalFailure", 500, Retry),
            ("MalformedHttpRequestException", 400, Pause),
            ("NotAuthorized", 401, Pause),
            ("OptInRequired", 403, Pause),
            ("RequestAbortedException", 400, Retry),
            ("RequestEntityTooLargeException", 413, Bisect),
            ("RequestExpired", 400, Pause),
            ("RequestTimeoutException", 408, Retry),
            ("ServiceUnavailable", 503, Retry),
            ("ThrottlingException", 400, SlowDown),
            ("UnrecognizedClientException", 403, RenewCredentials),
            ("UnknownOperationException", 404, Pause),
            ("ValidationError", 400, Pause),
        ];
        for (code, status, expected) in documented {
            assert_eq!(reaction(&Failure::new("").status(status).code(code)), expected, "{code}");
            let namespaced = format!("com.amazonaws.cloudtraildata#{code}:http://internal.amazon.com/");
            assert_eq!(reaction(&Failure::new("").status(status).code(namespaced)), expected, "{code}");
        }
    }

    #[test]
    fn without_a_known_code_the_status_decides() {
        for (status, expected) in [
            (200, Reaction::Retry),
            (204, Reaction::Retry),
            (301, Reaction::Pause),
            (400, Reaction::Pause),
            (403, Reaction::Pause),
            (404, Reaction::Pause),
            (408, Reaction::Retry),
            (413, Reaction::Bisect),
            (429, Reaction::SlowDown),
            (500, Reaction::Retry),
            (502, Reaction::Retry),
            (503, Reaction::Retry),
            (504, Reaction::Retry),
        ] {
            assert_eq!(reaction(&Failure::new("").status(status)), expected, "{status}");
            assert_eq!(reaction(&Failure::new("").status(status).code("NeverSeenBefore")), expected, "{status}");
        }
        assert_eq!(reaction(&Failure::new("connection refused")), Reaction::Retry);
    }
}
