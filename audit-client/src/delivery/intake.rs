//! Takes in what was accepted: from memory all of it, from the disk as much as there is room for.

use audit_core::{Entry, EventId};
use tokio::sync::watch;
use tokio::time::Instant;

use super::DeliveryLoop;
use super::burial::READ_AGAIN;
use crate::batcher::{History, Item, Ticket, Urgency};
use crate::observe::metric;
use crate::queue::{Accepted, Taken, Wanted};
use crate::receipt::NotDelivered;
use crate::room::Place;
use crate::spool::{DeadLetter as SpoolLetter, Record};
use crate::text::cut_message;

impl DeliveryLoop {
    pub(super) fn take_in(&mut self, now: Instant) {
        self.gathers_until = None;
        if let Some(news) = &mut self.news {
            self.read_up_to = *news.borrow_and_update();
        }
        if self.read_again.is_some_and(|again| again > now) {
            return;
        }
        self.read_again = None;
        loop {
            match self.intake.take(&self.shared.queue, &self.shared.room) {
                Ok(Taken::Accepted(mut accepted)) => {
                    metrics::counter!(metric::ACCEPTED).increment(accepted.len() as u64);
                    for Accepted { seq, entry, place } in accepted.drain(..) {
                        self.push(now, seq, entry, place);
                    }
                    self.intake.give_back(accepted);
                    return;
                }
                Ok(Taken::Records(records)) if records.is_empty() => return,
                Ok(Taken::Records(records)) => {
                    for record in records {
                        self.take_in_record(now, record);
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "the spool cannot be read; it is tried again");
                    self.read_again = Some(now + READ_AGAIN);
                    return;
                }
            }
        }
    }

    /// How much that is new is worth waking up for: the first after a pause is; then as much as fills the batch, and what
    /// has come when the time to linger is over.
    pub(super) fn wanted(&self, now: Instant, urgency: Urgency) -> Wanted {
        if urgency.closing || self.gathers_until.is_none_or(|until| until <= now) {
            return Wanted { entries: 1, bytes: 1 };
        }
        self.batcher.room_left()
    }

    pub(super) fn take_in_record(&mut self, now: Instant, record: Record) {
        let Record { seq, id, event_data } = record;
        match Entry::parse(id.as_str(), event_data.as_str()) {
            Ok(entry) => {
                self.shared.ledger.in_hand(seq, entry.id());
                let place = self.shared.room.try_take(&entry).ok();
                self.push(now, seq, entry, place);
            }
            Err(error) => {
                // Written by another version, or by hand: no request may carry it.
                let name = EventId::derive(&id);
                self.shared.ledger.in_hand(seq, &name);
                let (code, message) = ("NotAnEntry".to_owned(), error.to_string());
                let reason = NotDelivered::Rejected {
                    id: name,
                    code: code.clone(),
                    message: cut_message(&message),
                    attempts: 0,
                };
                let letter = SpoolLetter::new(seq, id, event_data).because(code, message);
                self.bury_on_disk(letter, seq, reason, None);
            }
        }
    }

    pub(super) fn push(&mut self, now: Instant, seq: u64, entry: Entry, place: Option<Place>) {
        let ticket = Ticket {
            seq,
            wire_bytes: entry.wire_len(),
            arrived: now,
            attempts: 0,
            history: History::default(),
            encoded_anew: false,
            place,
        };
        self.will_give_up(now);
        self.gathers_until = (!self.policy.linger.is_zero()).then(|| now + self.policy.linger);
        if let Some(item) = self.twins.admit(Item { entry, ticket }) {
            self.batcher.push(item);
        }
    }
}

/// Waits until there is something new in the spool, from this number on; without a spool, for ever.
pub(super) async fn something_new(news: &mut Option<watch::Receiver<u64>>, from: u64) {
    if let Some(end) = news
        && end.wait_for(|end| *end >= from).await.is_ok()
    {
        return;
    }
    std::future::pending::<()>().await;
}
