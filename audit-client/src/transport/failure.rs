//! A request without an answer: what to say of it, and what becomes of its connection.

use std::error::Error;
use std::time::Duration;

use super::submit::{NOT_SENDABLE, NOT_TRUSTED};

/// Closes the request's connection when dropped, unless an answer came: also where a timeout drops the request.
///
/// A timeout ends a request, not its connection. Over HTTP/2 it resets the request's stream, and the next request takes
/// the same connection: if the other side vanished without closing it, no request would be answered until the kernel gives the
/// connection up, which takes about 15 minutes.
#[must_use]
pub(super) struct CloseUnlessAnswered<F: FnOnce()>(Option<F>);

impl<F: FnOnce()> CloseUnlessAnswered<F> {
    pub(super) fn new(close: F) -> Self {
        Self(Some(close))
    }

    pub(super) fn answered(mut self) {
        self.0 = None;
    }
}

impl<F: FnOnce()> Drop for CloseUnlessAnswered<F> {
    fn drop(&mut self) {
        if let Some(close) = self.0.take() {
            close();
        }
    }
}

/// `x-amz-retry-after` counts milliseconds, `retry-after` seconds.
pub(super) fn retry_after<'a>(header: impl Fn(&'static str) -> Option<&'a str>) -> Option<Duration> {
    let number = |name| header(name).and_then(|text| text.trim().parse::<u64>().ok());
    number("x-amz-retry-after").map(Duration::from_millis).or_else(|| number("retry-after").map(Duration::from_secs))
}

/// Our own code for a request without an answer, if sending it again cannot help until something is repaired.
pub(super) fn code_without_answer(error: &(dyn Error + 'static), may_pass: bool) -> Option<&'static str> {
    if chain(error).any(is_distrust) {
        return Some(NOT_TRUSTED);
    }
    (!may_pass).then_some(NOT_SENDABLE)
}

/// An error and its causes, outermost first.
pub(super) fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error: &&'a (dyn Error + 'static)| error.source())
}

/// rustls says so by an error of its own, which arrives inside of one or more `io::Error`s.
fn is_distrust(error: &(dyn Error + 'static)) -> bool {
    let mut error = error;
    while let Some(inner) = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
        error = inner;
    }
    matches!(error.downcast_ref(), Some(rustls::Error::InvalidCertificate(_)))
}

/// The texts of an error and its causes in one line, the innermost first: it is the reason, and the text may be cut.
pub(super) fn innermost_first(error: &(dyn Error + 'static)) -> String {
    let mut texts: Vec<String> = chain(error).map(ToString::to_string).collect();
    // Some print their cause themselves.
    texts.dedup_by(|inner, outer| outer.contains(inner.as_str()));
    let innermost = texts.pop().unwrap_or_default();
    texts.reverse();
    if texts.is_empty() { innermost } else { format!("{innermost} (during: {})", texts.join("; ")) }
}
