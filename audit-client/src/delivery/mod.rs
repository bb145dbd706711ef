//! The delivery loop: takes what was accepted, sends it in batches, and settles every entry by what the answer says.
//!
//! [`intake`] takes in what was accepted. [`on_answer`] settles each entry or sends it again: [`reconcile`] holds an answer
//! against its request, [`reaction`] says what follows from a refused one, [`pace`] how fast to go. [`dead_letters`] has what no
//! retry can save, [`ending`] the shutdown. All of it runs as one task, so that no two decisions race.

mod adopting;
mod dead_letters;
mod ending;
pub(crate) mod handover;
mod intake;
mod on_answer;
pub(crate) mod pace;
mod reaction;
mod reconcile;
#[cfg(test)]
mod script;
pub(crate) mod state;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};
use tracing::Instrument;

use self::intake::something_new;
use self::state::{Answer, DeliveryLoop, Ends, Request};
use crate::ledger::Urgency;
use crate::observe::metric;
use crate::queue::Queue;
use crate::queue::batcher::{Next, Parcel};
use crate::transport::submit::{Failure, Submission};

impl DeliveryLoop {
    /// Runs until a shutdown is through, or the last handle is gone.
    pub(crate) async fn run(mut self) {
        let mut adopting = JoinSet::new();
        adopting.spawn(adopting::adopt_slots(self.shared.clone()));
        loop {
            // First what is asked, then what is there: whatever was accepted before a flush or a shutdown was asked for
            // goes out together.
            let signals = self.shared.ledger.signals();
            if signals.closed {
                break;
            }
            let now = Instant::now();
            self.take_in(now);
            self.shared.ledger.look_at_flushes();
            self.give_up(now);
            self.note_end(now, signals.shutdown, signals.orphaned);
            if matches!(self.ends, Ends::By(_)) {
                // What is left stays in the other slots.
                adopting.abort_all();
            }
            if self.is_over(now) {
                break;
            }
            while let Some(parcel) = self.next_parcel(now, signals.urgency) {
                self.send(parcel);
            }
            self.show();
            let wake_at = self.wake_at(now, signals.urgency);
            if let Queue::Memory(memory) = &self.shared.queue
                && memory.wake_at(self.wanted(now, signals.urgency))
            {
                self.shared.wake.notify_one();
            }
            tokio::select! {
                () = self.shared.wake.notified() => {}
                Some(joined) = self.in_flight.join_next_with_id() => self.on_joined(joined),
                Some(written) = self.dead_letter_writes.join_next() => self.on_dead_letter_written(written),
                () = something_new(&mut self.news) => {}
                () = self.shared.ledger.next_promise() => {}
                () = sleep_until(wake_at.unwrap_or(now)), if wake_at.is_some() => {}
            }
            while let Some(joined) = self.in_flight.try_join_next_with_id() {
                self.on_joined(joined);
            }
            while let Some(written) = self.dead_letter_writes.try_join_next() {
                self.on_dead_letter_written(written);
            }
            // The requests' own tasks need their turn however busy `emit` keeps this one.
            tokio::task::yield_now().await;
        }
        self.end().await;
    }

    fn next_parcel(&mut self, now: Instant, urgency: Urgency) -> Option<Parcel> {
        while self.in_flight.len() < self.pace.concurrency() && self.pace.gate() <= now {
            match self.batcher.next(now, urgency)? {
                Next::Parcel(parcel) => return Some(parcel),
                Next::Unfit(item, reason) => self.dead_letter_unfit(item, &reason),
            }
        }
        None
    }

    fn wake_at(&self, now: Instant, urgency: Urgency) -> Option<Instant> {
        let can_send = self.in_flight.len() < self.pace.concurrency();
        let send = self.batcher.next_due(now, urgency).filter(|_| can_send).map(|due| due.max(self.pace.gate()));
        let end = match self.ends {
            Ends::By(limit) => limit,
            Ends::Open => None,
        };
        let fails = self.last_try.and_then(|last_try| self.pace.fails_by(last_try)).filter(|by| *by > now);
        let gathered = self.gathers_until().filter(|until| *until > now);
        [send, self.give_up_check, self.read_again, gathered, fails, end].into_iter().flatten().min()
    }

    fn send(&mut self, parcel: Parcel) {
        let Parcel { batch, mut tickets, suspects, is_group } = parcel;
        let again: usize = tickets.iter().filter(|ticket| ticket.attempts > 0).count();
        for ticket in &mut tickets {
            ticket.attempts = ticket.attempts.saturating_add(1);
        }
        self.shared.ledger.sent(tickets.iter().map(|ticket| ticket.seq));
        metrics::histogram!(metric::BATCH_ENTRIES).record(u32::try_from(batch.len()).unwrap_or(u32::MAX));
        metrics::histogram!(metric::BATCH_BYTES).record(u32::try_from(batch.wire_len()).unwrap_or(u32::MAX));
        metrics::counter!(metric::RETRIED).increment(again as u64);
        self.shared.observed.update(|seen| {
            seen.requests += 1;
            seen.retried += again as u64;
        });
        tracing::debug!(entries = batch.len(), bytes = batch.wire_len(), again, "sending");
        let batch = Arc::new(batch);
        let task = {
            let (batch, transport, shared) = (batch.clone(), self.transport.clone(), self.shared.clone());
            let limit = self.policy.attempt_timeout;
            let span = tracing::info_span!("put_audit_events", entries = batch.len(), bytes = batch.wire_len());
            let request = async move {
                let submission =
                    Submission { channel: &shared.channel, external_id: shared.external_id.as_ref(), batch: &batch };
                timeout(limit, transport.submit(submission))
                    .await
                    .unwrap_or_else(|_| Err(Failure::new(format!("no answer within {limit:?}"))))
            };
            self.in_flight.spawn(request.instrument(span))
        };
        self.requests.insert(
            task.id(),
            Request { batch, tickets, suspects, is_group, round: self.pace.round(), sent: Instant::now() },
        );
    }

    fn on_joined(&mut self, joined: Result<(Id, Answer), JoinError>) {
        let (id, answer) = joined.unwrap_or_else(|error| (error.id(), Err(Failure::new("the transport panicked"))));
        let Some(request) = self.requests.remove(&id) else { return };
        let now = Instant::now();
        metrics::histogram!(metric::REQUEST_SECONDS).record((now - request.sent).as_secs_f64());
        match answer {
            Ok(answer) => self.on_answer(now, request, answer),
            Err(failure) => self.on_failure(now, request, &failure),
        }
    }

    pub(super) fn show(&self) {
        let (in_flight, concurrency) = (self.in_flight.len() as u64, self.pace.limit());
        let pause = self.pace.pause();
        self.shared.observed.update(|seen| {
            seen.in_flight = in_flight;
            seen.concurrency = concurrency;
            if seen.paused.as_ref() != pause {
                seen.paused = pause.cloned();
            }
        });
        metrics::gauge!(metric::IN_FLIGHT).set(u32::try_from(in_flight).unwrap_or(u32::MAX));
        metrics::gauge!(metric::CONCURRENCY).set(concurrency);
        metrics::gauge!(metric::PAUSED).set(if pause.is_some() { 1.0 } else { 0.0 });
        let pending = self.shared.ledger.figures().pending;
        metrics::gauge!(metric::PENDING).set(u32::try_from(pending).unwrap_or(u32::MAX));
    }
}
