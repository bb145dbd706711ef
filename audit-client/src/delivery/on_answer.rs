//! What follows from an answer, entry by entry, and from a request that was refused as a whole.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::SystemTime;

use audit_core::wire::{EntryErrorCode, PutAuditEventsResponse};
use audit_core::{Batch, Entry, EventTime};
use tokio::time::Instant;

use super::reaction::{Reaction, label, reaction};
use super::reconcile::{Reconciled, Said, reconcile};
use super::state::{DeliveryLoop, Request};
use crate::ledger::verdict::Delivery;
use crate::observe::{LastFailure, metric};
use crate::queue::batcher::{Group, Item, Ticket};
use crate::spool::{Attempt, Outcome};
use crate::text::{cut, cut_message};
use crate::transport::submit::Failure;

impl DeliveryLoop {
    /// The service took the request: each entry by what was said of it.
    pub(super) fn on_answer(&mut self, now: Instant, request: Request, answer: PutAuditEventsResponse) {
        metrics::counter!(metric::REQUESTS, "outcome" => "answered").increment(1);
        let Request { batch, tickets, suspects, round: sent_in_round, .. } = request;
        let Reconciled { said, foreign, repeated } = reconcile(&batch, answer);
        if foreign + repeated > 0 {
            tracing::warn!(
                foreign,
                repeated,
                "the answer names ids that were not sent, or one twice: those are ignored"
            );
            metrics::counter!(metric::ODD_IDS).increment((foreign + repeated) as u64);
            self.shared.observed.update(|seen| seen.odd_ids += (foreign + repeated) as u64);
        }
        let unnamed = |(ticket, said): (&Ticket, &Said)| (*said == Said::Nothing).then_some(ticket.seq);
        self.shared.ledger.answered(tickets.iter().map(|ticket| ticket.seq), false);
        self.shared.ledger.answered(tickets.iter().zip(&said).filter_map(unnamed), true);
        // One draw for all: what failed together goes together again.
        let mut round = Round { jitter: self.random.f64(), ..Round::default() };
        let entries = entries_of(batch);
        for ((entry, ticket), said) in entries.into_iter().zip(tickets).zip(said) {
            self.on_said(now, Item { entry, ticket }, said, &mut round);
        }
        if round.throttled {
            self.pace.throttled(sent_in_round, now, None, round.progress, &mut self.random);
        } else if round.progress {
            self.resume(now);
        } else if let Some(message) = &round.unsubscribed {
            self.pause(sent_in_round, now, EntryErrorCode::AccountNotSubscribed.into(), message);
        } else if round.again {
            self.pace.failed(sent_in_round, now, None, &mut self.random);
        }
        // The first half was small enough: the culprit is in the second.
        self.split_suspects(now, suspects);
    }

    pub(super) fn on_said(&mut self, now: Instant, mut item: Item, said: Said, round: &mut Round) {
        let attempts = item.ticket.attempts;
        let (code, message) = match said {
            Said::Stored { event_id } => {
                round.progress = true;
                let waited = now - item.ticket.arrived;
                self.release_next_with_id(now, item.entry.id());
                let delivery = Delivery { id: item.entry.id().clone(), event_id, attempts };
                if self.shared.ledger.delivered(item.ticket.seq, delivery) {
                    metrics::counter!(metric::DELIVERED).increment(1);
                    metrics::histogram!(metric::DELIVERY_SECONDS).record(waited.as_secs_f64());
                }
                return;
            }
            Said::Nothing => {
                round.again = true;
                item.ticket.history.push(round.attempt(Outcome::NotNamed));
                let due = now + self.policy.waits.backoff_at(attempts, round.jitter);
                return self.again(item, due);
            }
            Said::Refused { code, message } => (code, message),
        };
        let outcome = Outcome::from(cut(&code).as_str());
        item.ticket.history.push(round.attempt(outcome.clone()));
        match code.parse::<EntryErrorCode>() {
            Ok(
                EntryErrorCode::FieldTooLong
                | EntryErrorCode::FieldNotFound
                | EntryErrorCode::InvalidData
                | EntryErrorCode::InvalidRecipient
                | EntryErrorCode::InvalidEventSource,
            ) => {
                round.progress = true;
                self.dead_letter(item, outcome, &message);
            }
            Ok(EntryErrorCode::InvalidChecksum) => {
                round.progress = true;
                if !item.entry.is_intact() {
                    self.dead_letter(item, Outcome::ChecksumMismatch, &message);
                } else if item.ticket.checksum_doubted {
                    self.dead_letter(item, outcome, &message);
                } else {
                    item.ticket.checksum_doubted = true;
                    self.again(item, now);
                }
            }
            Ok(EntryErrorCode::AccountNotSubscribed) => {
                let due = now + self.policy.waits.probe(attempts);
                round.unsubscribed = Some(message);
                self.again(item, due);
            }
            Ok(EntryErrorCode::Throttling) => {
                round.throttled = true;
                let due = now + self.policy.waits.backoff_at(attempts, round.jitter);
                self.again(item, due);
            }
            // An undocumented code does not justify dropping an event.
            _ => {
                round.again = true;
                let due = now + self.policy.waits.backoff_at(attempts, round.jitter);
                self.again(item, due);
            }
        }
    }

    /// The request was refused as a whole, or got no answer.
    pub(super) fn on_failure(&mut self, now: Instant, request: Request, failure: &Failure) {
        let outcome = failure.outcome();
        metrics::counter!(metric::REQUESTS, "outcome" => label(failure)).increment(1);
        self.shared.observed.update(|seen| {
            seen.last_failure = Some(LastFailure {
                outcome: outcome.clone(),
                message: cut_message(&failure.message),
                at: SystemTime::now(),
            });
        });
        let reaction = reaction(failure);
        // The service's words may quote what was sent, and stay out of the log. Without a status, the words are the transport's.
        let reason = failure.status.is_none().then(|| cut_message(&failure.message));
        tracing::warn!(%outcome, ?reaction, reason, entries = request.batch.len(), "a request failed");
        let Request { batch, tickets, mut suspects, is_group, round, sent } = request;
        // Never sent, or refused with a status of the 300s or 400s: certainly not stored. Anything else may have been.
        let refused = failure.status.is_some_and(|status| (300..500).contains(&status) && status != 408);
        let in_doubt = !(refused || failure.never_sent);
        self.shared.ledger.answered(tickets.iter().map(|ticket| ticket.seq), in_doubt);
        let attempt = Arc::new(Attempt::new(EventTime::now(), outcome.clone()));
        let entries = entries_of(batch);
        let mut items: Vec<Item> =
            entries.into_iter().zip(tickets).map(|(entry, ticket)| Item { entry, ticket }).collect();
        for item in &mut items {
            item.ticket.history.push(attempt.clone());
        }
        match reaction {
            // An entry cannot share its id with itself: the service is at fault, and that may pass.
            Reaction::Split if items.len() == 1 => self.pace.failed(round, now, failure.retry_after, &mut self.random),
            Reaction::Bisect | Reaction::Split => {
                self.resume(now);
                // Cleared of nothing: the other half waits for its own turn, whole.
                self.together(Group { items: suspects, suspects: Vec::new(), due: now });
                if items.len() == 1 {
                    for item in items {
                        self.dead_letter(item, outcome.clone(), &failure.message);
                    }
                } else {
                    let second = items.split_off(items.len() / 2);
                    let (suspects, other) =
                        if reaction == Reaction::Bisect { (second, Vec::new()) } else { (Vec::new(), second) };
                    self.together(Group { items, suspects, due: now });
                    self.together(Group { items: other, suspects: Vec::new(), due: now });
                }
                return;
            }
            Reaction::SlowDown => self.pace.throttled(round, now, failure.retry_after, false, &mut self.random),
            Reaction::Retry => self.pace.failed(round, now, failure.retry_after, &mut self.random),
            Reaction::Pause => self.pause(round, now, outcome, &failure.message),
            Reaction::RenewCredentials => self.renew_credentials((sent, round), now, outcome, &failure.message),
        }
        // The gate of the pace holds them back; so they are due as soon as it opens.
        let due = now;
        if is_group {
            self.together(Group { items, suspects: std::mem::take(&mut suspects), due });
        } else {
            for item in items {
                self.again(item, due);
            }
        }
    }

    /// The first time at once; if the new ones are refused too, it is a matter to be repaired.
    pub(super) fn renew_credentials(
        &mut self,
        (sent, round): (Instant, u64),
        now: Instant,
        code: Outcome,
        message: &str,
    ) {
        let used_new_ones = self.credentials_renewed.is_some_and(|renewed| renewed <= sent);
        if self.credentials_renewed.is_none() || used_new_ones {
            if catch_unwind(AssertUnwindSafe(|| self.transport.renew_credentials())).is_err() {
                tracing::error!("the transport panicked when it was told to renew its credentials");
            }
            tracing::info!(%code, "credentials are fetched anew");
        }
        if used_new_ones {
            self.pause(round, now, code, message);
        }
        self.credentials_renewed = Some(now);
    }

    pub(super) fn pause(&mut self, round: u64, now: Instant, code: Outcome, message: &str) {
        if let Some(pause) = self.pace.paused(round, now, code, cut_message(message)) {
            tracing::error!(
                code = %pause.code,
                "delivery of audit events is paused until this is repaired; events are kept, and it is tried again slowly"
            );
        }
    }

    pub(super) fn resume(&mut self, now: Instant) {
        self.credentials_renewed = None;
        if let Some(pause) = self.pace.succeeded(now) {
            tracing::info!(code = %pause.code, "delivery of audit events goes on");
            self.batcher.hurry(now);
        }
    }

    /// One of these is too large, by exclusion: sending them whole would only prove it.
    pub(super) fn split_suspects(&mut self, now: Instant, mut suspects: Vec<Item>) {
        let second = suspects.split_off(suspects.len() / 2);
        if suspects.is_empty() {
            self.together(Group { items: second, suspects, due: now });
        } else {
            self.together(Group { items: suspects, suspects: second, due: now });
        }
    }

    /// Sends a part of a batch as it is.
    pub(super) fn together(&mut self, group: Group) {
        for item in group.items.iter().chain(&group.suspects) {
            self.will_give_up(item.ticket.arrived);
        }
        self.batcher.push_group(group);
    }

    pub(super) fn again(&mut self, item: Item, due: Instant) {
        self.will_give_up(item.ticket.arrived);
        self.batcher.push_retry(item, due);
    }
}

/// What one answer brought.
#[derive(Debug, Default)]
pub(super) struct Round {
    jitter: f64,
    progress: bool,
    throttled: bool,
    again: bool,
    /// The service's words.
    unsubscribed: Option<String>,
    attempts: Vec<Arc<Attempt>>,
}

impl Round {
    /// The attempt that all entries with this outcome share.
    pub(super) fn attempt(&mut self, outcome: Outcome) -> Arc<Attempt> {
        if let Some(known) = self.attempts.iter().find(|attempt| attempt.outcome == outcome) {
            return known.clone();
        }
        let attempt = Arc::new(Attempt::new(EventTime::now(), outcome));
        self.attempts.push(attempt.clone());
        attempt
    }
}

/// The request's task has ended, so its batch is ours again.
pub(super) fn entries_of(batch: Arc<Batch>) -> Vec<Entry> {
    Arc::try_unwrap(batch).map_or_else(|shared| shared.entries().to_vec(), Batch::into_entries)
}
