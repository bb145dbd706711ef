//! Rates for each account: requests and events a second.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use audit_core::AccountId;

/// How much of each account's rates is left. A rate is what comes in over a second, and what may come at once.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    accounts: Mutex<HashMap<AccountId, Buckets>>,
}

#[derive(Debug, Default)]
struct Buckets {
    requests: Bucket,
    events: Bucket,
}

/// What is left of a rate, as of a time. `None`: all of it.
#[derive(Debug, Default)]
struct Bucket(Option<(f64, Instant)>);

impl Bucket {
    /// Takes up to `wanted` and returns how much it took.
    fn take(&mut self, rate: u32, wanted: usize, now: Instant) -> usize {
        let full = f64::from(rate);
        let left = match self.0 {
            None => full,
            Some((left, then)) => (left + now.duration_since(then).as_secs_f64() * full).min(full),
        };
        // Both are small whole numbers: at most a hundred entries, and not below zero.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 100 million")]
        let granted = wanted.min(left as usize);
        #[expect(clippy::cast_precision_loss, reason = "at most a hundred")]
        let rest = left - granted as f64;
        self.0 = Some((rest, now));
        granted
    }
}

impl Throttle {
    /// Whether one more request of an account is within its rate.
    pub(super) fn request(&self, account: AccountId, rate: Option<u32>, now: Instant) -> bool {
        rate.is_none_or(|rate| {
            let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
            accounts.entry(account).or_default().requests.take(rate, 1, now) == 1
        })
    }

    /// How many of these events are within an account's rate.
    pub(super) fn events(&self, account: AccountId, rate: Option<u32>, wanted: usize, now: Instant) -> usize {
        rate.map_or(wanted, |rate| {
            let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
            accounts.entry(account).or_default().events.take(rate, wanted, now)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use audit_core::AccountId;

    use super::Throttle;

    const ACCOUNT: AccountId = AccountId::from_static("123456789012");

    #[test]
    fn a_rate_is_used_up_and_comes_back_with_time() {
        let throttle = Throttle::default();
        let start = Instant::now();
        assert_eq!(throttle.events(ACCOUNT, Some(150), 100, start), 100);
        assert_eq!(throttle.events(ACCOUNT, Some(150), 100, start), 50);
        assert_eq!(throttle.events(ACCOUNT, Some(150), 100, start), 0);
        assert_eq!(throttle.events(ACCOUNT, Some(150), 100, start + Duration::from_millis(200)), 30);
        assert_eq!(throttle.events(ACCOUNT, Some(150), 1_000, start + Duration::from_mins(1)), 150);
    }

    #[test]
    fn accounts_and_kinds_have_rates_of_their_own() {
        let throttle = Throttle::default();
        let now = Instant::now();
        let other = AccountId::from_static("999999999999");
        assert!(throttle.request(ACCOUNT, Some(1), now));
        assert!(!throttle.request(ACCOUNT, Some(1), now));
        assert!(throttle.request(other, Some(1), now));
        assert!(throttle.request(ACCOUNT, None, now));
        assert_eq!(throttle.events(ACCOUNT, Some(5), 3, now), 3);
    }
}
