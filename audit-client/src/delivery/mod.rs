//! The delivery loop: takes what was accepted, sends it in batches, and settles every entry by what the answer says.
//!
//! [`course`] says what follows from a refused request, [`reconcile`] holds an answer against its request, [`pace`]
//! says how fast to go. All of it runs as one task, so that no two decisions race.

mod course;
mod pace;
mod reconcile;
#[cfg(test)]
mod script;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use audit_core::wire::{EntryErrorCode, PutAuditEventsResponse};
use audit_core::{Batch, Entry, EventId, Reason};
use tokio::sync::watch;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use crate::batcher::{Batcher, Group, History, Item, Next, Parcel, Ticket, Urgency};
use crate::dead_letter::{Attempt, DeadLetter};
use crate::observe::{LastFailure, metric};
use crate::pipeline::Shared;
use crate::queue::{Accepted, Intake, Queue, Taken};
use crate::receipt::{Delivery, NotDelivered};
use crate::room::Place;
use crate::spool::{AppendError, Attempt as SpoolAttempt, DeadLetter as SpoolLetter, Record, Refusal};
use crate::text::{cut, cut_message};
use crate::transport::{Failure, Submission, Transport};
use crate::twins::Twins;
pub(crate) use course::NO_CREDENTIALS;
use course::{Course, course};
pub use pace::Pause;
pub(crate) use pace::{Pace, Waits};
use reconcile::{Reconciled, Said, reconcile};

/// How long the loop goes on after the last handle was dropped without a shutdown.
const ORPHAN_GRACE: Duration = Duration::from_secs(5);
/// How long closing the spool may take beyond a shutdown's deadline.
const DISK_GRACE: Duration = Duration::from_millis(35);
/// The most of a shutdown's time that is set aside for it.
const MOST_FOR_THE_DISK: Duration = Duration::from_millis(250);
/// How long after a failure the spool is tried again.
const READ_AGAIN: Duration = Duration::from_secs(1);
/// Entries that are given up within this time of each other are given up together.
const GIVE_UP_GRAIN: Duration = Duration::from_millis(10);

/// What the loop goes by.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    pub(crate) linger: Duration,
    pub(crate) attempt_timeout: Duration,
    pub(crate) give_up_after: Option<Duration>,
    pub(crate) most_concurrent: u16,
    pub(crate) waits: Waits,
    /// For jitter that can be repeated.
    pub(crate) seed: Option<u64>,
}

/// A request on its way.
struct Request {
    batch: Arc<Batch>,
    tickets: Vec<Ticket>,
    suspects: Vec<Item>,
    is_group: bool,
    sent: Instant,
}

type Answer = Result<PutAuditEventsResponse, Failure>;

/// The loop's state.
pub(crate) struct DeliveryLoop {
    shared: Arc<Shared>,
    intake: Intake,
    /// With a spool: says when there is something new to read.
    news: Option<watch::Receiver<u64>>,
    /// When a spool that could not be read is read again.
    read_again: Option<Instant>,
    /// With a spool: dead letters on their way to the disk.
    burials: JoinSet<Option<Buried>>,
    transport: Arc<dyn Transport>,
    policy: Policy,
    batcher: Batcher,
    twins: Twins,
    pace: Pace,
    random: fastrand::Rng,
    in_flight: JoinSet<Answer>,
    requests: HashMap<Id, Request>,
    give_up_check: Option<Instant>,
    credentials_renewed: Option<Instant>,
    ends: Ends,
    /// How long closing the spool may take beyond that.
    disk_grace: Duration,
}

/// When the loop ends.
#[derive(Clone, Copy, Debug)]
enum Ends {
    /// Not asked to.
    Open,
    /// As soon as all is settled, at the latest at this time, if there is one.
    By(Option<Instant>),
}

impl DeliveryLoop {
    pub(crate) fn new(shared: Arc<Shared>, intake: Intake, transport: Arc<dyn Transport>, policy: Policy) -> Self {
        let now = Instant::now();
        let news = match &shared.queue {
            Queue::Memory(_) => None,
            Queue::Spool(spool) => Some(spool.durable_end()),
        };
        Self {
            intake,
            news,
            read_again: None,
            burials: JoinSet::new(),
            batcher: Batcher::new(policy.linger),
            twins: Twins::default(),
            pace: Pace::new(policy.waits, policy.most_concurrent, now),
            random: policy.seed.map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed),
            in_flight: JoinSet::new(),
            requests: HashMap::new(),
            give_up_check: None,
            credentials_renewed: None,
            ends: Ends::Open,
            disk_grace: DISK_GRACE,
            shared,
            transport,
            policy,
        }
    }

    /// Runs until a shutdown is through, or the last handle is gone.
    pub(crate) async fn run(mut self) {
        loop {
            let signals = self.shared.ledger.signals();
            if signals.closed {
                break;
            }
            let now = Instant::now();
            self.take_in(now);
            self.give_up(now);
            self.note_end(now, signals.shutdown, signals.orphaned);
            if let Ends::By(limit) = self.ends
                && (signals.open == 0 || limit.is_some_and(|limit| limit <= now))
            {
                break;
            }
            while let Some(parcel) = self.next_parcel(now, signals.urgency) {
                self.send(parcel);
            }
            self.show();
            let wake_at = self.wake_at(now, signals.urgency);
            tokio::select! {
                () = self.shared.wake.notified() => {}
                Some(joined) = self.in_flight.join_next_with_id() => self.on_joined(joined),
                Some(buried) = self.burials.join_next() => self.on_buried(buried),
                () = something_new(&mut self.news) => {}
                () = self.shared.ledger.next_promise() => {}
                () = sleep_until(wake_at.unwrap_or(now)), if wake_at.is_some() => {}
            }
            while let Some(joined) = self.in_flight.try_join_next_with_id() {
                self.on_joined(joined);
            }
            while let Some(buried) = self.burials.try_join_next() {
                self.on_buried(buried);
            }
            // The requests' own tasks need their turn however busy `emit` keeps this one.
            tokio::task::yield_now().await;
        }
        self.end().await;
    }

    async fn end(mut self) {
        let limit = match self.ends {
            Ends::By(limit) => limit,
            Ends::Open => Some(Instant::now()),
        };
        self.in_flight.abort_all();
        within(limit, self.bury_all()).await;
        within(limit, self.shared.handover.done()).await;
        // The deadline is for the service; the disk has a moment of its own.
        let limit = limit.map(|limit| limit.max(Instant::now()) + self.disk_grace);
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
        self.shared.room.close();
        self.shared.handover.close();
    }

    async fn bury_all(&mut self) {
        while let Some(buried) = self.burials.join_next().await {
            self.on_buried(buried);
        }
    }

    /// What is in line is written or refused, and the next process may come. Says whether that is done.
    async fn close_spool(&self) -> bool {
        let Queue::Spool(spool) = &self.shared.queue else { return true };
        let spool = spool.clone();
        match tokio::task::spawn_blocking(move || spool.close()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "the spool does not close"),
            Err(error) => tracing::error!(%error, "the closing of the spool failed"),
        }
        true
    }

    fn take_in(&mut self, now: Instant) {
        if self.read_again.is_some_and(|again| again > now) {
            return;
        }
        self.read_again = None;
        loop {
            match self.intake.take(&self.shared.queue, &self.shared.room) {
                Ok(Taken::Accepted(accepted)) => {
                    for Accepted { seq, entry, place } in accepted {
                        self.push(now, seq, entry, place);
                    }
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

    fn take_in_record(&mut self, now: Instant, record: Record) {
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
                let reason =
                    NotDelivered::Rejected { id: name, code: code.clone(), message: cut(&message), attempts: 0 };
                let letter = SpoolLetter::new(seq, id, event_data).because(code, message);
                self.bury_on_disk(letter, seq, reason, None);
            }
        }
    }

    fn push(&mut self, now: Instant, seq: u64, entry: Entry, place: Option<Place>) {
        let ticket = Ticket { seq, arrived: now, attempts: 0, history: History::default(), encoded_anew: false, place };
        self.will_give_up(now);
        if let Some(item) = self.twins.admit(Item { entry, ticket }) {
            self.batcher.push(item);
        }
    }

    fn note_end(&mut self, now: Instant, shutdown: Option<Duration>, orphaned: bool) {
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

    fn next_parcel(&mut self, now: Instant, urgency: Urgency) -> Option<Parcel> {
        while self.in_flight.len() < self.pace.concurrency() && self.pace.gate() <= now {
            match self.batcher.next(now, urgency)? {
                Next::Parcel(parcel) => return Some(parcel),
                Next::Unfit(item, reason) => self.bury_unfit(item, &reason),
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
        [send, self.give_up_check, self.read_again, end].into_iter().flatten().min()
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
            self.in_flight.spawn(async move {
                let submission =
                    Submission { channel: &shared.channel, external_id: shared.external_id.as_ref(), batch: &batch };
                timeout(limit, transport.submit(submission))
                    .await
                    .unwrap_or_else(|_| Err(Failure::new(format!("no answer within {limit:?}"))))
            })
        };
        self.requests.insert(task.id(), Request { batch, tickets, suspects, is_group, sent: Instant::now() });
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

    /// The service took the request: each entry by what was said of it.
    fn on_answer(&mut self, now: Instant, request: Request, answer: PutAuditEventsResponse) {
        metrics::counter!(metric::REQUESTS, "outcome" => "answered").increment(1);
        let Request { batch, tickets, suspects, sent, .. } = request;
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
            self.pace.throttled(sent, now, None, &mut self.random);
        } else if round.progress {
            self.resume(now);
        } else if let Some((code, message)) = &round.unsubscribed {
            self.pause(sent, now, code, message);
        } else if round.again {
            self.pace.failed(sent, now, None, &mut self.random);
        }
        // The first half was small enough: the culprit is in the second.
        self.split_suspects(now, suspects);
    }

    fn on_said(&mut self, now: Instant, mut item: Item, said: Said, round: &mut Round) {
        let attempts = item.ticket.attempts;
        let (code, message) = match said {
            Said::Stored { event_id } => {
                round.progress = true;
                let waited = now - item.ticket.arrived;
                self.let_twin_go(now, item.entry.id());
                let delivery = Delivery { id: item.entry.id().clone(), event_id, attempts };
                if self.shared.ledger.delivered(item.ticket.seq, delivery) {
                    metrics::counter!(metric::DELIVERED).increment(1);
                    metrics::histogram!(metric::DELIVERY_SECONDS).record(waited.as_secs_f64());
                }
                return;
            }
            Said::Nothing => {
                round.again = true;
                item.ticket.history.push(round.attempt("not named in the answer"));
                let due = now + self.policy.waits.backoff_at(attempts, round.jitter);
                return self.again(item, due);
            }
            Said::Refused { code, message } => (code, message),
        };
        item.ticket.history.push(round.attempt(&code));
        match code.parse::<EntryErrorCode>() {
            Ok(
                EntryErrorCode::FieldTooLong
                | EntryErrorCode::FieldNotFound
                | EntryErrorCode::InvalidData
                | EntryErrorCode::InvalidRecipient
                | EntryErrorCode::InvalidEventSource,
            ) => {
                round.progress = true;
                self.bury(item, code, message);
            }
            Ok(EntryErrorCode::InvalidChecksum) => {
                round.progress = true;
                match encoded_anew(item) {
                    Ok(item) => self.again(item, now),
                    Err(item) => self.bury(*item, code, message),
                }
            }
            Ok(EntryErrorCode::AccountNotSubscribed) => {
                let due = now + self.policy.waits.probe(attempts);
                round.unsubscribed = Some((code, message));
                self.again(item, due);
            }
            Ok(EntryErrorCode::Throttling) => {
                round.throttled = true;
                let due = now + self.policy.waits.backoff_at(attempts, round.jitter);
                self.again(item, due);
            }
            // A code that nobody has documented is no reason to drop an event.
            Ok(EntryErrorCode::InternalFailure) | Err(_) => {
                round.again = true;
                let due = now + self.policy.waits.backoff_at(attempts, round.jitter);
                self.again(item, due);
            }
        }
    }

    /// The request was refused as a whole, or got no answer.
    fn on_failure(&mut self, now: Instant, request: Request, failure: &Failure) {
        let outcome = failure.name();
        metrics::counter!(metric::REQUESTS, "outcome" => outcome.clone()).increment(1);
        self.shared.observed.update(|seen| {
            seen.last_failure =
                Some(LastFailure { outcome: outcome.clone(), message: cut(&failure.message), at: SystemTime::now() });
        });
        let course = course(failure);
        tracing::warn!(outcome, ?course, entries = request.batch.len(), "a request failed");
        let Request { batch, tickets, mut suspects, is_group, sent } = request;
        // Refused with a status of the 400s: surely not taken. Anything else may have been.
        let in_doubt = !failure.status.is_some_and(|status| (300..500).contains(&status) && status != 408);
        self.shared.ledger.answered(tickets.iter().map(|ticket| ticket.seq), in_doubt);
        let attempt = Arc::new(Attempt { at: SystemTime::now(), outcome: outcome.clone() });
        let entries = entries_of(batch);
        let mut items: Vec<Item> =
            entries.into_iter().zip(tickets).map(|(entry, ticket)| Item { entry, ticket }).collect();
        for item in &mut items {
            item.ticket.history.push(attempt.clone());
        }
        match course {
            // An entry cannot share its id with itself: the service is at fault, and that may pass.
            Course::Split if items.len() == 1 => self.pace.failed(sent, now, failure.retry_after, &mut self.random),
            Course::Bisect | Course::Split => {
                self.resume(now);
                // Cleared of nothing: the other half waits for its own turn, whole.
                self.batcher.push_group(Group { items: suspects, suspects: Vec::new(), due: now });
                if items.len() == 1 {
                    for item in items {
                        self.bury(item, outcome.clone(), failure.message.clone());
                    }
                } else {
                    let second = items.split_off(items.len() / 2);
                    let (suspects, other) =
                        if course == Course::Bisect { (second, Vec::new()) } else { (Vec::new(), second) };
                    self.batcher.push_group(Group { items, suspects, due: now });
                    self.batcher.push_group(Group { items: other, suspects: Vec::new(), due: now });
                }
                return;
            }
            Course::SlowDown => self.pace.throttled(sent, now, failure.retry_after, &mut self.random),
            Course::Retry => self.pace.failed(sent, now, failure.retry_after, &mut self.random),
            Course::Pause => self.pause(sent, now, &outcome, &failure.message),
            Course::RenewCredentials => self.renew_credentials(sent, now, &outcome, &failure.message),
        }
        // The gate of the pace holds them back; so they are due as soon as it opens.
        let due = now;
        if is_group {
            self.batcher.push_group(Group { items, suspects: std::mem::take(&mut suspects), due });
        } else {
            for item in items {
                self.again(item, due);
            }
        }
    }

    /// The first time at once; if the new ones are refused too, it is a matter to be repaired.
    fn renew_credentials(&mut self, sent: Instant, now: Instant, code: &str, message: &str) {
        let used_new_ones = self.credentials_renewed.is_some_and(|renewed| renewed <= sent);
        if self.credentials_renewed.is_none() || used_new_ones {
            self.transport.renew_credentials();
            tracing::info!(code, "credentials are fetched anew");
        }
        if used_new_ones {
            self.pause(sent, now, code, message);
        }
        self.credentials_renewed = Some(now);
    }

    fn pause(&mut self, sent: Instant, now: Instant, code: &str, message: &str) {
        if self.pace.paused(sent, now, code, &cut(message)) {
            tracing::error!(
                code,
                "delivery of audit events is paused until this is repaired; events are kept, and it is tried again slowly"
            );
        }
    }

    fn resume(&mut self, now: Instant) {
        self.credentials_renewed = None;
        if let Some(pause) = self.pace.succeeded(now) {
            tracing::info!(code = pause.code, "delivery of audit events goes on");
            self.batcher.hurry(now);
        }
    }

    /// One of these is too large, by exclusion: sending them whole would only prove it.
    fn split_suspects(&mut self, now: Instant, mut suspects: Vec<Item>) {
        let second = suspects.split_off(suspects.len() / 2);
        if suspects.is_empty() {
            self.batcher.push_group(Group { items: second, suspects, due: now });
        } else {
            self.batcher.push_group(Group { items: suspects, suspects: second, due: now });
        }
    }

    /// An entry has its verdict: the next one with its id need wait no longer.
    fn let_twin_go(&mut self, now: Instant, id: &EventId) {
        if let Some(item) = self.twins.settled(id) {
            self.batcher.push_retry(item, now);
        }
    }

    fn again(&mut self, item: Item, due: Instant) {
        self.will_give_up(item.ticket.arrived);
        self.batcher.push_retry(item, due);
    }

    fn bury_unfit(&mut self, item: Item, reason: &Reason) {
        let message = match reason {
            Reason::TooLarge { bytes, limit } => {
                format!("a request with it alone would have {bytes} bytes, and at most {limit} are allowed")
            }
            Reason::Full | Reason::DuplicateId => "it fits no request".to_owned(),
        };
        self.bury(item, "TooLarge".to_owned(), message);
    }

    fn bury(&mut self, item: Item, code: String, message: String) {
        let Item { entry, ticket } = item;
        let reason = NotDelivered::Rejected {
            id: entry.id().clone(),
            code: cut(&code),
            message: cut_message(&message),
            attempts: ticket.attempts,
        };
        self.hand_over(entry, ticket, code, message, reason);
    }

    fn hand_over(&mut self, entry: Entry, ticket: Ticket, code: String, message: String, reason: NotDelivered) {
        let seq = ticket.seq;
        self.let_twin_go(Instant::now(), entry.id());
        let letter = DeadLetter {
            attempts: ticket.history.iter().cloned().collect(),
            attempt_count: ticket.attempts,
            at: SystemTime::now(),
            entry,
            code,
            message,
        };
        match &self.shared.queue {
            Queue::Memory(_) => self.dead(seq, reason, Some((letter, ticket.place))),
            Queue::Spool(_) => {
                let attempts = letter.attempts.iter().map(|attempt| SpoolAttempt::new(attempt.at, &attempt.outcome));
                let on_disk = SpoolLetter::new(seq, letter.entry.id().as_str(), letter.entry.event_data())
                    .because(&letter.code, &letter.message)
                    .after(attempts.collect());
                self.bury_on_disk(on_disk, seq, reason, Some((letter, ticket.place)));
            }
        }
    }

    /// A dead letter counts when it is on disk as such; until then its event is kept.
    fn bury_on_disk(&mut self, on_disk: SpoolLetter, seq: u64, reason: NotDelivered, letter: Option<Letter>) {
        let Queue::Spool(spool) = &self.shared.queue else { return };
        let spool = spool.clone();
        self.burials.spawn(async move {
            loop {
                match spool.dead_letter(&on_disk).await {
                    Ok(_) => return Some(Buried { seq, reason, letter }),
                    Err(AppendError::Refused(Refusal::Closed)) => return None,
                    Err(error) => {
                        tracing::error!(%error, "a dead letter cannot be written; it is tried again");
                        tokio::time::sleep(READ_AGAIN).await;
                    }
                }
            }
        });
    }

    fn on_buried(&mut self, buried: Result<Option<Buried>, JoinError>) {
        match buried {
            Ok(Some(Buried { seq, reason, letter })) => self.dead(seq, reason, letter),
            Ok(None) => {}
            Err(error) => tracing::error!(%error, "a dead letter could not be written"),
        }
    }

    fn dead(&mut self, seq: u64, reason: NotDelivered, letter: Option<Letter>) {
        let (id, attempts) = (reason.id().clone(), letter.as_ref().map_or(0, |(letter, _)| letter.attempt_count));
        let code = letter.as_ref().map_or_else(|| "NotAnEntry".to_owned(), |(letter, _)| cut(&letter.code));
        if self.shared.ledger.died(seq, reason) {
            tracing::error!(%id, code, attempts, "an audit event is a dead letter");
            metrics::counter!(metric::DEAD, "code" => code).increment(1);
            if let Some((letter, place)) = letter {
                self.shared.handover.hand(&letter, place);
            }
        }
    }

    fn will_give_up(&mut self, arrived: Instant) {
        if let Some(check) = self.policy.give_up_after.and_then(|after| arrived.checked_add(after)) {
            self.give_up_check = Some(self.give_up_check.map_or(check, |earlier| earlier.min(check)));
        }
    }

    fn give_up(&mut self, now: Instant) {
        let (Some(after), Some(check)) = (self.policy.give_up_after, self.give_up_check) else { return };
        if check > now {
            return;
        }
        let old =
            (now + GIVE_UP_GRAIN).checked_sub(after).map_or_else(Vec::new, |before| self.batcher.take_older(before));
        for Item { entry, ticket } in old {
            let last = ticket.history.last().map_or_else(|| "no attempt".to_owned(), |attempt| attempt.outcome.clone());
            let reason = NotDelivered::GaveUp {
                id: entry.id().clone(),
                waited: after,
                attempts: ticket.attempts,
                last: last.clone(),
            };
            let message = format!("not delivered within {after:?}; the last attempt: {last}");
            self.hand_over(entry, ticket, DeadLetter::GAVE_UP.to_owned(), message, reason);
        }
        self.give_up_check = self.batcher.oldest().and_then(|oldest| oldest.checked_add(after));
    }

    fn show(&self) {
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

/// A dead letter, and the place in memory that it takes.
type Letter = (DeadLetter, Option<Place>);

/// A dead letter that is on disk.
struct Buried {
    seq: u64,
    reason: NotDelivered,
    /// Not there if it is no entry.
    letter: Option<Letter>,
}

/// Waits for something new in the spool; without one, for ever.
async fn something_new(news: &mut Option<watch::Receiver<u64>>) {
    if let Some(end) = news
        && end.changed().await.is_ok()
    {
        return;
    }
    std::future::pending::<()>().await;
}

/// Waits, but only until then.
async fn within(limit: Option<Instant>, work: impl Future<Output = ()>) {
    match limit {
        Some(limit) => drop(timeout_at(limit, work).await),
        None => work.await,
    }
}

/// What one answer brought.
#[derive(Debug, Default)]
struct Round {
    jitter: f64,
    progress: bool,
    throttled: bool,
    again: bool,
    unsubscribed: Option<(String, String)>,
    attempts: Vec<Arc<Attempt>>,
}

impl Round {
    /// The attempt that all entries with this outcome share.
    fn attempt(&mut self, outcome: &str) -> Arc<Attempt> {
        let outcome = cut(outcome);
        if let Some(known) = self.attempts.iter().find(|attempt| attempt.outcome == outcome) {
            return known.clone();
        }
        let attempt = Arc::new(Attempt { at: SystemTime::now(), outcome });
        self.attempts.push(attempt.clone());
        attempt
    }
}

/// The request's task has ended, so its batch is ours again.
fn entries_of(batch: Arc<Batch>) -> Vec<Entry> {
    Arc::try_unwrap(batch).map_or_else(|shared| shared.entries().to_vec(), Batch::into_entries)
}

/// With its checksum computed anew, once: a checksum can be damaged in memory or on disk.
fn encoded_anew(item: Item) -> Result<Item, Box<Item>> {
    if item.ticket.encoded_anew {
        return Err(Box::new(item));
    }
    match Entry::parse(item.entry.id().clone(), item.entry.event_data()) {
        Ok(entry) => Ok(Item { entry, ticket: Ticket { encoded_anew: true, ..item.ticket } }),
        Err(_) => Err(Box::new(item)),
    }
}
