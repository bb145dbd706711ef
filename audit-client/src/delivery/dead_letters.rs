//! Entries that no retry can save, and those whose time is over: with a spool they are dead letters on disk before they
//! count as such.

use std::time::Duration;

use audit_core::{Entry, EventId, Reason};
use tokio::task::JoinError;
use tokio::time::Instant;

use super::state::{DeliveryLoop, Letter, READ_AGAIN, WrittenDeadLetter};
use crate::ledger::verdict::NotDelivered;
use crate::observe::metric;
use crate::queue::Queue;
use crate::queue::batcher::{Item, Ticket};
use crate::spool::{AppendError, DeadLetter, Outcome, Refusal};
use crate::text::{cut_message, with_causes};

/// Entries that are given up within this time of each other are given up together.
const GIVE_UP_GRAIN: Duration = Duration::from_millis(10);

impl DeliveryLoop {
    pub(super) fn dead_letter_unfit(&mut self, item: Item, reason: &Reason) {
        let message = match reason {
            Reason::TooLarge { bytes, limit } => {
                format!("a request with it alone would have {bytes} bytes, and at most {limit} are allowed")
            }
            _ => "it fits no request".to_owned(),
        };
        self.dead_letter(item, Outcome::TooLarge, &message);
    }

    pub(super) fn dead_letter(&mut self, item: Item, code: Outcome, message: &str) {
        let Item { entry, ticket } = item;
        let message = cut_message(message);
        let reason = NotDelivered::Rejected {
            id: entry.id().clone(),
            code: code.clone(),
            message: message.clone(),
            attempts: ticket.attempts,
        };
        self.hand_over(entry, ticket, code, message, reason);
    }

    pub(super) fn hand_over(
        &mut self,
        entry: Entry,
        ticket: Ticket,
        code: Outcome,
        message: String,
        reason: NotDelivered,
    ) {
        let seq = ticket.seq;
        self.release_next_with_id(Instant::now(), entry.id());
        let attempts = ticket.history.iter().cloned().collect();
        let letter = DeadLetter::new(seq, entry, code, message).after(attempts, ticket.attempts);
        match &self.shared.queue {
            Queue::Memory(_) => self.dead(seq, reason, (letter, ticket.permit)),
            Queue::Spool(_) => self.write_dead_letter(seq, reason, (letter, ticket.permit)),
        }
    }

    /// An entry has its verdict: the next one with its id need wait no longer.
    pub(super) fn release_next_with_id(&mut self, now: Instant, id: &EventId) {
        if let Some(item) = self.same_id.release_next(id) {
            self.will_give_up(item.ticket.arrived);
            self.batcher.push_retry(item, now);
        }
    }

    /// A dead letter counts when it is on disk as such; until then its event is kept.
    pub(super) fn write_dead_letter(&mut self, seq: u64, reason: NotDelivered, letter: Letter) {
        let Queue::Spool(spool) = &self.shared.queue else { return };
        let spool = spool.clone();
        self.dead_letter_writes.spawn(async move {
            loop {
                match spool.dead_letter(&letter.0).await {
                    Ok(_) => return Some(WrittenDeadLetter { seq, reason, letter }),
                    Err(AppendError::Refused(Refusal::Closed)) => return None,
                    Err(error) => {
                        tracing::error!(
                            error = with_causes(&error),
                            "a dead letter cannot be written; it is tried again"
                        );
                        tokio::time::sleep(READ_AGAIN).await;
                    }
                }
            }
        });
    }

    pub(super) fn on_dead_letter_written(&mut self, written: Result<Option<WrittenDeadLetter>, JoinError>) {
        match written {
            Ok(Some(WrittenDeadLetter { seq, reason, letter })) => self.dead(seq, reason, letter),
            Ok(None) => {}
            Err(error) => tracing::error!(%error, "a dead letter could not be written"),
        }
    }

    pub(super) fn dead(&mut self, seq: u64, reason: NotDelivered, (letter, permit): Letter) {
        let (id, attempts) = (reason.id().clone(), letter.attempt_count);
        let code = letter.code.to_string();
        if self.shared.ledger.died(seq, reason) {
            tracing::error!(%id, code, attempts, "an audit event is a dead letter");
            metrics::counter!(metric::DEAD, "code" => code).increment(1);
            self.shared.handover.hand(&letter, permit);
        }
    }

    pub(super) fn will_give_up(&mut self, arrived: Instant) {
        if let Some(check) = self.policy.give_up_after.and_then(|after| arrived.checked_add(after)) {
            self.give_up_check = Some(self.give_up_check.map_or(check, |earlier| earlier.min(check)));
        }
    }

    pub(super) fn give_up(&mut self, now: Instant) {
        let (Some(after), Some(check)) = (self.policy.give_up_after, self.give_up_check) else { return };
        if check > now {
            return;
        }
        let old =
            (now + GIVE_UP_GRAIN).checked_sub(after).map_or_else(Vec::new, |before| self.batcher.take_older(before));
        for Item { entry, ticket } in old {
            let last = ticket.history.last().map(|attempt| attempt.outcome.clone());
            let shown = last.as_ref().map_or_else(|| "no attempt".to_owned(), Outcome::to_string);
            let reason =
                NotDelivered::GaveUp { id: entry.id().clone(), waited: after, attempts: ticket.attempts, last };
            let message = format!("not delivered within {after:?}; the last attempt: {shown}");
            self.hand_over(entry, ticket, Outcome::GaveUp, message, reason);
        }
        self.give_up_check = self.batcher.oldest().and_then(|oldest| oldest.checked_add(after));
    }
}
