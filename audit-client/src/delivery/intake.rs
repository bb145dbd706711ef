//! Takes in what was accepted: from memory all of it, from the disk as much as there is room for.

use audit_core::{Entry, EventId};
use tokio::time::Instant;

use super::state::{DeliveryLoop, READ_AGAIN};
use crate::ledger::Urgency;
use crate::ledger::verdict::NotDelivered;
use crate::observe::metric;
use crate::queue::batcher::{History, Item, Ticket};
use crate::queue::capacity::Permit;
use crate::queue::{Accepted, Taken, Wanted};
use crate::spool::{DeadLetter, DurableEnd, Outcome, Record};
use crate::text::{cut_message, with_causes};

impl DeliveryLoop {
    pub(super) fn take_in(&mut self, now: Instant) {
        if self.read_again.is_some_and(|again| again > now) {
            return;
        }
        self.read_again = None;
        // An entry pushed without a wake-up may have arrived right after the last pass: use that pass's time.
        let came = self.gathers_since.unwrap_or(now);
        if self.gathers_until().is_some_and(|until| until <= now) {
            self.gathers_since = None;
        }
        loop {
            match self.intake.take(&self.shared.queue, &self.shared.capacity) {
                Ok(Taken::Accepted(mut accepted)) => {
                    metrics::counter!(metric::ACCEPTED).increment(accepted.len() as u64);
                    for Accepted { seq, entry, permit } in accepted.drain(..) {
                        self.push(now, came, seq, entry, permit);
                    }
                    self.intake.give_back(accepted);
                    return;
                }
                Ok(Taken::Records(records)) if records.is_empty() => return,
                Ok(Taken::Records(records)) => {
                    for record in records {
                        self.take_in_record(now, &record);
                    }
                }
                Err(error) => {
                    tracing::error!(error = with_causes(&error), "the spool cannot be read; it is tried again");
                    self.read_again = Some(now + READ_AGAIN);
                    return;
                }
            }
        }
    }

    /// How much that is new in memory is worth waking up for: the first after a pause is; then as much as fills a batch, and
    /// what has come when the time to linger is over.
    pub(super) fn wanted(&self, now: Instant, urgency: Urgency) -> Wanted {
        if urgency.closing || self.gathers_until().is_none_or(|until| until <= now) {
            return Wanted { entries: 1, bytes: 1 };
        }
        self.batcher.room_left()
    }

    /// Until when single entries do not wake the loop.
    pub(super) fn gathers_until(&self) -> Option<Instant> {
        self.gathers_since.map(|since| since + self.policy.linger)
    }

    pub(super) fn take_in_record(&mut self, now: Instant, record: &Record) {
        let seq = record.seq;
        match record.entry() {
            Ok(entry) => {
                self.shared.ledger.in_hand(seq, entry.id());
                let permit = self.shared.capacity.try_take(&entry).ok();
                self.push(now, now, seq, entry, permit);
            }
            Err(error) => {
                // Written by another version or by hand, or changed on the disk: no request may carry it.
                let name = EventId::derive(&record.id);
                self.shared.ledger.in_hand(seq, &name);
                let (code, message) = (Outcome::from(&error), cut_message(&with_causes(&error)));
                let reason =
                    NotDelivered::Rejected { id: name, code: code.clone(), message: message.clone(), attempts: 0 };
                let letter = DeadLetter::new(seq, record, code, message);
                self.write_dead_letter(seq, reason, (letter, None));
            }
        }
    }

    /// Takes in an entry that came at `came` or after.
    pub(super) fn push(&mut self, now: Instant, came: Instant, seq: u64, entry: Entry, permit: Option<Permit>) {
        let ticket = Ticket {
            seq,
            wire_bytes: entry.wire_len(),
            arrived: came,
            attempts: 0,
            history: History::default(),
            checksum_doubted: false,
            permit,
        };
        self.will_give_up(came);
        self.gathers_since = (!self.policy.linger.is_zero()).then_some(now);
        if let Some(item) = self.same_id.admit(Item { entry, ticket }) {
            self.batcher.push(item);
        }
    }
}

/// Waits for something new in the spool; without one, for ever.
pub(super) async fn something_new(news: &mut Option<DurableEnd>) {
    if let Some(end) = news
        && end.changed().await.is_some()
    {
        return;
    }
    std::future::pending::<()>().await;
}
