//! Logs refusals within a limit, so that strangers cannot fill the disk with them.
//!
//! Of each code, a few refusals are logged one by one in each [`PERIOD`], and the others as a sum at its end. The metrics count
//! all of them.

use std::collections::BTreeMap;
use std::mem;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use audit_core::wire::RequestErrorCode;

/// How many refusals of one code are logged one by one in a period.
const LOGGED: u64 = 10;
/// How long a period is.
pub(super) const PERIOD: Duration = Duration::from_secs(10);

/// How many refusals of each code there have been in this period.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    counts: Mutex<BTreeMap<RequestErrorCode, u64>>,
}

impl Refusals {
    /// Counts a refusal, and returns whether the log should have a line for it.
    pub(super) fn count(&self, code: RequestErrorCode) -> bool {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(code).or_default();
        *count += 1;
        *count <= LOGGED
    }

    /// Ends the period: the codes of which refusals were left out, and of how many.
    pub(super) fn end_period(&self) -> Vec<(RequestErrorCode, u64)> {
        let counts = mem::take(&mut *self.counts.lock().unwrap_or_else(PoisonError::into_inner));
        counts.into_iter().filter(|(_, count)| *count > LOGGED).map(|(code, count)| (code, count - LOGGED)).collect()
    }

    /// Ends the period, and logs how many lines were left out.
    pub(super) fn sum_up(&self) {
        for (code, left_out) in self.end_period() {
            tracing::info!(code = code.as_str(), left_out, "refused more requests than are logged one by one");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LOGGED, Refusals, RequestErrorCode};

    #[test]
    fn of_each_code_a_few_are_logged_and_the_others_counted_until_the_period_ends() {
        let refusals = Refusals::default();
        for period in 0..3 {
            for at in 0..LOGGED + 7 {
                assert_eq!(refusals.count(RequestErrorCode::IncompleteSignature), at < LOGGED, "{period} {at}");
            }
            for at in 0..LOGGED {
                assert!(refusals.count(RequestErrorCode::Validation), "{period} {at}: another code's are not used up");
            }
            assert_eq!(refusals.end_period(), [(RequestErrorCode::IncompleteSignature, 7)]);
        }
        assert_eq!(refusals.end_period(), []);
    }
}
