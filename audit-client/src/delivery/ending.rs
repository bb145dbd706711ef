//! How the loop ends: asked to by a shutdown, or because the last handle is gone.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::state::{DISK_GRACE, DeliveryLoop, Ends};
use crate::queue::Queue;

/// How long the loop goes on after the last handle was dropped without a shutdown.
const ORPHAN_GRACE: Duration = Duration::from_secs(5);
/// The most of a shutdown's time that is set aside for it.
const MOST_FOR_THE_DISK: Duration = Duration::from_millis(250);

impl DeliveryLoop {
    pub(super) fn note_end(&mut self, now: Instant, shutdown: Option<Duration>, orphaned: bool) {
        let Some(left) = shutdown.or(orphaned.then_some(ORPHAN_GRACE)) else { return };
        // The spool's closing has its part of the time.
        let for_the_disk = match &self.shared.queue {
            Queue::Memory(_) => Duration::ZERO,
            Queue::Spool(_) => (left / 10).min(MOST_FOR_THE_DISK),
        };
        let by = now.checked_add(left.saturating_sub(for_the_disk));
        match self.ends {
            Ends::Open => {
                self.ends = Ends::By(by);
                if matches!(self.shared.queue, Queue::Spool(_)) && !self.policy.shutdown_keeps_trying {
                    self.last_try = Some(self.pace.last_try(now));
                }
                // What waits for its next turn may try at once: there may be no other.
                self.batcher.hurry(now);
                self.pace.hurry(now);
            }
            // A second shutdown may have less patience.
            Ends::By(limit) if limit.is_none_or(|limit| by.is_some_and(|by| by < limit)) => self.ends = Ends::By(by),
            Ends::By(_) => return,
        }
        self.disk_grace = for_the_disk + DISK_GRACE;
    }

    /// Whether there is nothing to wait for: every event has its verdict, the time is over, or what is open is on disk and waits
    /// for a channel that fails or that has asked for a longer wait.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        let Ends::By(limit) = self.ends else { return false };
        let signals = self.shared.ledger.signals();
        if signals.open == 0 || limit.is_some_and(|limit| limit <= now) {
            return true;
        }
        let Some(last_try) = self.last_try else { return false };
        let is_on_disk = signals.promises == 0 && self.dead_letter_writes.is_empty();
        let is_asked_to_wait = self.in_flight.is_empty() && limit.is_some_and(|limit| limit <= self.pace.gate());
        is_on_disk && (is_asked_to_wait || self.pace.fails_since(last_try, now))
    }

    pub(super) async fn end(mut self) {
        let limit = match self.ends {
            Ends::By(limit) => limit,
            Ends::Open => Some(Instant::now()),
        };
        // Dropping the set aborts its requests.
        self.in_flight = JoinSet::new();
        within(limit, self.finish_dead_letters()).await;
        within(limit, self.shared.handover.done()).await;
        // The deadline is for the service; the disk has a moment of its own.
        let limit = limit.and_then(|limit| limit.max(Instant::now()).checked_add(self.disk_grace));
        let mut spool_was_closed = false;
        within(limit, async { spool_was_closed = self.close_spool().await }).await;
        let report = self.shared.ledger.close(spool_was_closed);
        if report.lost > 0 {
            tracing::error!(
                lost = report.lost,
                in_doubt = report.in_doubt,
                "audit events are lost: the client ended before they were delivered"
            );
        }
        if report.kept > 0 {
            tracing::info!(kept = report.kept, "audit events are kept in the spool");
        }
        self.show();
        self.shared.capacity.close();
        self.shared.handover.close();
    }

    pub(super) async fn finish_dead_letters(&mut self) {
        while let Some(written) = self.dead_letter_writes.join_next().await {
            self.on_dead_letter_written(written);
        }
    }

    /// What is in line is written or refused, and the next process may come. Says whether that is done.
    pub(super) async fn close_spool(&self) -> bool {
        let Queue::Spool(spool) = &self.shared.queue else { return true };
        let spool = spool.clone();
        match tokio::task::spawn_blocking(move || spool.close()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(error = crate::text::with_causes(&error), "the spool does not close"),
            Err(error) => tracing::error!(%error, "the closing of the spool failed"),
        }
        true
    }
}

/// Waits, but only until then.
pub(super) async fn within(limit: Option<Instant>, work: impl Future<Output = ()>) {
    match limit {
        Some(limit) => drop(timeout_at(limit, work).await),
        None => work.await,
    }
}
