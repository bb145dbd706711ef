//! How fast to send: how many requests at once, and when the next one may go.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::observe::Pause;
use crate::spool::Outcome;

/// The longest wait that a service can ask for: beyond it, it is probed all the same.
const LONGEST_RETRY_AFTER: Duration = Duration::from_mins(15);

/// After how many failures in a row the channel counts as failing, and after how long if they come slowly.
const FAILS_AFTER: u32 = 3;
const FAILS_FOR: Duration = Duration::from_secs(1);

/// Waits between attempts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waits {
    /// The bound of the first backoff; each further one doubles it.
    pub(crate) backoff_first: Duration,
    /// The bound of every backoff.
    pub(crate) backoff_longest: Duration,
    /// The first wait while paused; each further one doubles it.
    pub(crate) probe_first: Duration,
    /// The longest wait while paused.
    pub(crate) probe_longest: Duration,
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            backoff_first: Duration::from_millis(100),
            backoff_longest: Duration::from_secs(20),
            probe_first: Duration::from_secs(5),
            probe_longest: Duration::from_mins(1),
        }
    }
}

impl Waits {
    /// Exponential backoff with full jitter: anything from nothing to the bound, which doubles with each failure.
    pub(crate) fn backoff(&self, failures: u32, random: &mut fastrand::Rng) -> Duration {
        self.backoff_at(failures, random.f64())
    }

    /// The part of the backoff's bound that `jitter`, from 0 to 1, says.
    pub(crate) fn backoff_at(&self, failures: u32, jitter: f64) -> Duration {
        let bound = doubled(self.backoff_first, failures.saturating_sub(1), self.backoff_longest);
        bound.mul_f64(jitter)
    }

    /// The wait before the next probe: without jitter, since one client sends one.
    pub(crate) fn probe(&self, failures: u32) -> Duration {
        doubled(self.probe_first, failures.saturating_sub(1), self.probe_longest)
    }
}

fn doubled(first: Duration, times: u32, longest: Duration) -> Duration {
    2_u32.checked_pow(times).and_then(|factor| first.checked_mul(factor)).map_or(longest, |wait| wait.min(longest))
}

/// What has become of the requests so far, as far as it decides about the next.
#[derive(Debug)]
pub(crate) struct Pace {
    waits: Waits,
    most: f64,
    limit: f64,
    gate: Instant,
    /// Until when the service has asked to wait.
    asked: Instant,
    failures: u32,
    /// How often the client has slowed down. An answer to a request of an earlier round says nothing new: the client has
    /// reacted to what that request met.
    round: u64,
    pause: Option<Pause>,
    /// The failures since something last succeeded.
    failing: Option<Failing>,
}

/// Requests that fail one after the other, so that nothing is taken.
#[derive(Clone, Copy, Debug)]
struct Failing {
    since: Instant,
    in_a_row: u32,
}

/// The moment of a shutdown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LastTry {
    at: Instant,
    round: u64,
}

impl Pace {
    pub(crate) fn new(waits: Waits, most: u16, now: Instant) -> Self {
        let most = f64::from(most.max(1));
        Self { waits, most, limit: most, gate: now, asked: now, failures: 0, round: 0, pause: None, failing: None }
    }

    /// How many requests may be on their way at once. After a failure it is one, until something succeeds.
    pub(crate) fn concurrency(&self) -> usize {
        if self.failures > 0 || self.pause.is_some() {
            return 1;
        }
        // Between 1 and `most`, which is a u16.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 1 to 65535")]
        let whole = self.limit as usize;
        whole.max(1)
    }

    /// The number that [`concurrency`](Self::concurrency) goes back to when requests succeed.
    pub(crate) fn limit(&self) -> f64 {
        self.limit
    }

    /// The round of a request that goes out now: what it meets counts once, however many requests of its round meet it.
    pub(crate) fn round(&self) -> u64 {
        self.round
    }

    /// When the next request may go out.
    pub(crate) fn gate(&self) -> Instant {
        self.gate
    }

    pub(crate) fn pause(&self) -> Option<&Pause> {
        self.pause.as_ref()
    }

    /// Something was settled: the way is open. Returns the pause that this ends.
    pub(crate) fn succeeded(&mut self, now: Instant) -> Option<Pause> {
        self.failures = 0;
        self.failing = None;
        self.limit = (self.limit + self.limit.recip()).min(self.most);
        let ended = self.pause.take();
        if ended.is_some() {
            self.gate = self.asked.max(now);
        }
        ended
    }

    /// A request of `round` was over the rate.
    pub(crate) fn throttled(
        &mut self,
        round: u64,
        now: Instant,
        retry_after: Option<Duration>,
        made_progress: bool,
        random: &mut fastrand::Rng,
    ) {
        // It answers, and takes what is slow enough.
        self.failing = None;
        if made_progress {
            // Some of it was taken: send less at once, but do not wait ever longer.
            self.failures = 0;
        }
        if self.is_news(round) {
            self.limit = (self.limit / 2.0).max(1.0);
            self.failures = self.failures.saturating_add(1);
            let wait = self.waits.backoff(self.failures, random);
            self.close_until(now + wait);
        }
        self.honour(retry_after, now);
    }

    /// A request of `round` failed in a way that passes.
    pub(crate) fn failed(
        &mut self,
        round: u64,
        now: Instant,
        retry_after: Option<Duration>,
        random: &mut fastrand::Rng,
    ) {
        if self.is_news(round) {
            self.failures = self.failures.saturating_add(1);
            self.note_failing(now);
            let wait = self.waits.backoff(self.failures, random);
            self.close_until(now + wait);
        }
        self.honour(retry_after, now);
    }

    /// A request of `round` failed in a way that an operator must repair. Returns the pause if its code
    /// is new.
    pub(crate) fn paused(&mut self, round: u64, now: Instant, code: Outcome, message: String) -> Option<&Pause> {
        if self.is_news(round) {
            self.failures = if self.pause.is_some() { self.failures.saturating_add(1) } else { 1 };
            self.note_failing(now);
            self.close_until(now + self.waits.probe(self.failures));
        }
        let since = self.pause.as_ref().map_or_else(SystemTime::now, |pause| pause.since);
        let is_new = self.pause.as_ref().is_none_or(|pause| pause.code != code);
        let pause = self.pause.insert(Pause { code, message, since });
        is_new.then_some(pause)
    }

    /// The client shuts down: what waits for its next turn may try at once, for there may be no other. Unless the service
    /// has asked to wait.
    pub(crate) fn hurry(&mut self, now: Instant) {
        self.gate = self.gate.min(self.asked.max(now));
    }

    /// For a shutdown, from which on [`fails_since`](Self::fails_since) counts.
    pub(crate) fn last_try(&self, now: Instant) -> LastTry {
        LastTry { at: now, round: self.round }
    }

    /// Whether the channel is failing, and has failed once more since the shutdown began or has not answered in a moment.
    pub(crate) fn fails_since(&self, last_try: LastTry, now: Instant) -> bool {
        let Some(failing) = self.failing else { return false };
        let has_failed_again = self.round > last_try.round && (self.pause.is_some() || failing.in_a_row >= FAILS_AFTER);
        has_failed_again || self.fails_by(last_try).is_some_and(|by| by <= now)
    }

    /// When waiting for the channel is over, unless something succeeds before.
    pub(crate) fn fails_by(&self, last_try: LastTry) -> Option<Instant> {
        self.failing.map(|failing| failing.since.max(last_try.at) + FAILS_FOR)
    }

    fn note_failing(&mut self, now: Instant) {
        let failing = self.failing.get_or_insert(Failing { since: now, in_a_row: 0 });
        failing.in_a_row = failing.in_a_row.saturating_add(1);
    }

    fn is_news(&mut self, round: u64) -> bool {
        let is_news = round == self.round;
        if is_news {
            self.round += 1;
        }
        is_news
    }

    fn honour(&mut self, retry_after: Option<Duration>, now: Instant) {
        if let Some(wait) = retry_after {
            self.asked = self.asked.max(now + wait.min(LONGEST_RETRY_AFTER));
            self.close_until(self.asked);
        }
    }

    fn close_until(&mut self, when: Instant) {
        self.gate = self.gate.max(when);
    }
}

#[cfg(test)]
mod tests {
    use super::{Pace, Waits};
    use std::time::Duration;
    use tokio::time::Instant;

    #[test]
    fn backoff_is_spread_over_a_bound_that_doubles_up_to_the_longest() {
        let waits = Waits::default();
        let mut random = fastrand::Rng::with_seed(7);
        for (failures, bound) in [(1, 100), (2, 200), (5, 1_600), (9, 20_000), (1_000_000, 20_000)] {
            let waits_drawn: Vec<_> = (0..500).map(|_| waits.backoff(failures, &mut random)).collect();
            let bound = Duration::from_millis(bound);
            assert!(waits_drawn.iter().all(|wait| *wait <= bound));
            assert!(
                waits_drawn.iter().any(|wait| *wait < bound / 10)
                    && waits_drawn.iter().any(|wait| *wait > bound * 9 / 10)
            );
        }
    }

    #[test]
    fn concurrency_halves_at_each_throttling_and_grows_back_by_one_a_round() {
        let mut random = fastrand::Rng::with_seed(7);
        let start = Instant::now();
        let mut pace = Pace::new(Waits::default(), 8, start);
        assert_eq!(pace.concurrency(), 8);
        let later = start + Duration::from_secs(1);
        pace.throttled(0, later, None, false, &mut random);
        assert!((pace.limit() - 4.0).abs() < 1e-9);
        // Seven more that were on their way at the same time tell the same news.
        for _ in 0..7 {
            pace.throttled(0, later, None, false, &mut random);
        }
        assert!((pace.limit() - 4.0).abs() < 1e-9);
        assert_eq!(pace.concurrency(), 1, "after a failure one request probes");
        pace.succeeded(later);
        assert_eq!(pace.concurrency(), 4);
        for _ in 0..4 {
            pace.succeeded(later);
        }
        assert_eq!(pace.concurrency(), 5, "a round of four more is one more");
        for _ in 0..1_000 {
            pace.succeeded(later);
        }
        assert_eq!(pace.concurrency(), 8, "never more than allowed");
    }

    #[test]
    fn the_services_own_wait_is_honoured_up_to_a_bound() {
        let mut random = fastrand::Rng::with_seed(7);
        let start = Instant::now();
        let mut pace = Pace::new(Waits::default(), 8, start);
        pace.throttled(0, start, Some(Duration::from_secs(7)), false, &mut random);
        assert_eq!(pace.gate(), start + Duration::from_secs(7));
        pace.failed(pace.round(), start, Some(Duration::MAX), &mut random);
        assert_eq!(pace.gate(), start + Duration::from_mins(15));
    }

    #[test]
    fn the_channel_is_failing_after_three_failures_in_a_row_or_a_second_or_a_pause() {
        let mut random = fastrand::Rng::with_seed(7);
        let start = Instant::now();
        let second = Duration::from_secs(1);
        let mut pace = Pace::new(Waits::default(), 8, start);
        let last_try = pace.last_try(start);
        for _ in 0..2 {
            assert!(!pace.fails_since(last_try, start));
            pace.failed(pace.round(), start, None, &mut random);
        }
        assert!(!pace.fails_since(last_try, start));
        assert!(pace.fails_since(last_try, start + second), "two that were slow");
        pace.succeeded(start);
        assert!(!pace.fails_since(last_try, start + second), "it takes events again");
        for _ in 0..3 {
            pace.failed(pace.round(), start + second, None, &mut random);
        }
        assert!(pace.fails_since(last_try, start + second), "three in a row");

        // A shutdown tries once more, for a second.
        let last_try = pace.last_try(start + 10 * second);
        assert!(!pace.fails_since(last_try, start + 10 * second));
        assert_eq!(pace.fails_by(last_try), Some(start + 11 * second));
        pace.failed(pace.round(), start + 10 * second, None, &mut random);
        assert!(pace.fails_since(last_try, start + 10 * second));
        pace.throttled(pace.round(), start + 10 * second, None, false, &mut random);
        assert!(!pace.fails_since(last_try, start + 20 * second), "it answers");

        let last_try = pace.last_try(start);
        pace.paused(pace.round(), start, "ChannelNotFound".into(), String::new());
        assert!(pace.fails_since(last_try, start), "an operator has to repair it");
    }

    #[test]
    fn probes_come_at_five_seconds_and_then_ever_slower_until_a_minute() {
        let mut now = Instant::now();
        let mut pace = Pace::new(Waits::default(), 8, now);
        for seconds in [5, 10, 20, 40, 60, 60] {
            pace.paused(pace.round(), now, "ChannelNotFound".into(), String::new());
            assert_eq!(pace.gate(), now + Duration::from_secs(seconds));
            now = pace.gate();
        }
        assert!(pace.succeeded(now).is_some());
        assert_eq!(pace.concurrency(), 8);
    }
}
