//! The account of every event: who was accepted, what became of each, who waits to hear of it.
//!
//! One lock, held for a few instructions. Whatever races with a shutdown, the order in which this lock is taken decides,
//! so that the figures add up at every moment: an event is open, or it has exactly one verdict.
//!
//! In memory, an event is accepted when it is entered here. With a spool, it is accepted when it is on disk, and what is
//! open is what the spool has pending: the ledger only knows those by name that the pipeline has in hand or that
//! a receipt is held for, so that a backlog of any length takes no memory.

pub(crate) mod expected;
pub(crate) mod ids;
pub(crate) mod report;
pub(crate) mod verdict;

use std::collections::{BTreeMap, HashMap};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use audit_core::EventId;
use tokio::sync::{Notify, oneshot};
use tokio::task::unconstrained;

use self::expected::{Expected, VerdictToken};
use self::report::ShutdownReport;
use self::verdict::{Delivery, NotDelivered, Verdict};
use crate::observe::{Figures, metric};
use crate::spool::{Append, SeqSet, Spool};

/// The client takes in no more events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Closing;

/// Why partial batches need not linger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Urgency {
    /// Everything accepted up to here is asked for by a flush.
    pub(crate) flush_up_to: u64,
    /// The client shuts down.
    pub(crate) closing: bool,
}

/// What was asked of the pipeline.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signals {
    pub(crate) urgency: Urgency,
    /// A shutdown, with the time that it has left from when it was asked for.
    pub(crate) shutdown: Option<Duration>,
    /// All handles were dropped.
    pub(crate) orphaned: bool,
    /// The report is made: nothing counts any more.
    pub(crate) closed: bool,
    /// Accepted events without a verdict, those that were promised to be kept included.
    pub(crate) open: u64,
    /// Of those, the ones that are on their way to the disk.
    pub(crate) promises: u64,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Ledger {
    books: Mutex<Books>,
    /// Where events without a verdict stay at the end; without it, they are lost with the process.
    spool: Option<Spool>,
    /// What other processes had left at the start is still being taken over.
    adopting: AtomicBool,
    ids_budget: usize,
    /// An event that was on its way to the disk has arrived, or has not.
    arrived: Notify,
}

#[derive(Debug, Default)]
struct Books {
    next_seq: u64,
    /// In memory: events accepted.
    accepted: u64,
    recovered: u64,
    delivered: u64,
    dead: u64,
    /// Accepted by `try_emit`, and then refused by the disk.
    accepted_not_stored: u64,
    open: HashMap<u64, Open>,
    expected: Expected,
    settled: SeqSet,
    report: ShutdownReport,
    /// By the number up to which they wait.
    flushes: BTreeMap<u64, Vec<oneshot::Sender<bool>>>,
    flush_up_to: u64,
    shutdown: Option<Duration>,
    shutdown_waiters: Vec<oneshot::Sender<ShutdownReport>>,
    orphaned: bool,
    closed: bool,
    spool_was_closed: bool,
}

#[derive(Debug)]
struct Open {
    id: EventId,
    verdict: Option<oneshot::Sender<Verdict>>,
    on_its_way: bool,
    in_doubt: bool,
}

impl Ledger {
    pub(crate) fn in_memory(ids_budget: usize) -> Self {
        Self::new(None, 0, ids_budget)
    }

    /// With what earlier runs left in the spool.
    pub(crate) fn with_spool(spool: Spool, ids_budget: usize) -> Self {
        let recovered = spool.recovery().backlog_events;
        Self::new(Some(spool), recovered, ids_budget)
    }

    fn new(spool: Option<Spool>, recovered: u64, ids_budget: usize) -> Self {
        let books = Mutex::new(Books { next_seq: 1, recovered, ..Books::default() });
        let adopting = AtomicBool::new(spool.as_ref().is_some_and(Spool::is_slot));
        Self { books, spool, adopting, ids_budget, arrived: Notify::new() }
    }

    /// In memory: accepts an event, and puts it in the queue before another task can look. Gives what `enqueue` gave.
    pub(crate) fn accept<T>(
        &self,
        id: &EventId,
        enqueue: impl FnOnce(u64) -> T,
    ) -> Result<(oneshot::Receiver<Verdict>, T), Closing> {
        let mut books = self.books();
        if books.takes_no_more() {
            return Err(Closing);
        }
        let seq = books.next_seq;
        books.next_seq += 1;
        books.accepted += 1;
        let (sender, receiver) = oneshot::channel();
        books.open.insert(seq, Open { id: id.clone(), verdict: Some(sender), on_its_way: false, in_doubt: false });
        Ok((receiver, enqueue(seq)))
    }

    /// With a spool: an event is about to go to the disk.
    pub(crate) fn expect(&self, id: &EventId) -> Result<(VerdictToken, oneshot::Receiver<Verdict>), Closing> {
        let mut books = self.books();
        if books.takes_no_more() {
            return Err(Closing);
        }
        let next = self.spool.as_ref().map_or(0, |spool| spool.status().next_seq);
        Ok(books.expected.add(id, next))
    }

    /// No caller waits for the disk: `try_emit` returns that the event is accepted, or its `emit` was dropped. Also while a
    /// shutdown waits for what is in line.
    pub(crate) fn promise(&self, token: &VerdictToken, append: Append) -> Result<(), Closing> {
        let mut books = self.books();
        if books.closed {
            return Err(Closing);
        }
        books.expected.promise(token, append);
        Ok(())
    }

    /// Ends when a promise has been kept or broken.
    pub(crate) async fn next_promise(&self) {
        poll_fn(|context| {
            let answered = answer_promises(&mut self.books(), context);
            if answered { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        self.arrived.notify_waiters();
    }

    /// It is on disk. `false` says that the report was made before, and does not know it.
    pub(crate) fn arrived(&self, token: &VerdictToken, seq: u64) -> bool {
        let mut books = self.books();
        books.expected.arrived(token, seq);
        !books.closed || books.spool_was_closed
    }

    /// It did not get to the disk, or no caller waits for it any more.
    pub(crate) fn withdrawn(&self, token: &VerdictToken) {
        let mut books = self.books();
        books.expected.ended(token);
        books.expected.forget(token);
    }

    /// No caller waits for it any more.
    pub(crate) fn forget(&self, token: &VerdictToken) {
        self.books().expected.forget(token);
    }

    /// With a spool: the pipeline has read this one, which is now known by its number.
    pub(crate) fn in_hand(&self, seq: u64, id: &EventId) {
        let mut books = self.books();
        let verdict = books.expected.take(seq, id);
        books.open.insert(seq, Open { id: id.clone(), verdict, on_its_way: false, in_doubt: false });
    }

    /// What other processes had left at the start is in the spool now, or cannot be.
    pub(crate) fn adopted(&self) {
        self.adopting.store(false, Ordering::Release);
        self.arrived.notify_waiters();
    }

    /// Waits until what was promised so far is on disk, or is known not to be, and so is what other processes had left at the
    /// start.
    pub(crate) async fn promises_answered(&self) {
        let up_to = self.books().expected.newest();
        loop {
            let arrived = self.arrived.notified();
            tokio::pin!(arrived);
            arrived.as_mut().enable();
            if self.is_answered(up_to) {
                return;
            }
            arrived.await;
        }
    }

    fn is_answered(&self, promises_up_to: u64) -> bool {
        let books = self.books();
        let adopting = self.adopting.load(Ordering::Acquire);
        books.closed || !(adopting || books.expected.has_promise_up_to(promises_up_to))
    }

    /// These are on their way to the service: until an answer names them, it is unknown whether the service has them.
    pub(crate) fn sent(&self, seqs: impl Iterator<Item = u64>) {
        self.mark(seqs, |open| open.on_its_way = true);
    }

    /// The request that carried these is over. In doubt are those that the service may have taken all the same.
    pub(crate) fn answered(&self, seqs: impl Iterator<Item = u64>, in_doubt: bool) {
        self.mark(seqs, |open| {
            open.on_its_way = false;
            open.in_doubt |= in_doubt;
        });
    }

    fn mark(&self, seqs: impl Iterator<Item = u64>, mark: impl Fn(&mut Open)) {
        let mut books = self.books();
        for seq in seqs {
            if let Some(open) = books.open.get_mut(&seq) {
                mark(open);
            }
        }
    }

    /// The service has it. Returns whether that still counts.
    pub(crate) fn delivered(&self, seq: u64, delivery: Delivery) -> bool {
        let mut books = self.books();
        if books.closed {
            return false;
        }
        let Some(open) = books.open.remove(&seq) else { return false };
        // Under this lock: at no moment is it both delivered and pending.
        let is_news = self.spool.as_ref().is_none_or(|spool| spool.ack(seq));
        if is_news {
            books.delivered += 1;
            books.report.delivered_ids.push(&open.id, self.ids_budget);
        }
        self.settle(&mut books, seq, open, Ok(delivery));
        is_news
    }

    /// It is a dead letter; with a spool, one that is on disk as such. Returns whether that still counts.
    pub(crate) fn died(&self, seq: u64, reason: NotDelivered) -> bool {
        let mut books = self.books();
        if books.closed {
            return false;
        }
        let Some(open) = books.open.remove(&seq) else { return false };
        books.dead += 1;
        books.report.dead_ids.push(&open.id, self.ids_budget);
        self.settle(&mut books, seq, open, Err(reason));
        true
    }

    fn settle(&self, books: &mut Books, seq: u64, open: Open, verdict: Verdict) {
        if let Some(waiter) = open.verdict {
            let _ = waiter.send(verdict);
        }
        if self.spool.is_none() {
            books.settled.insert(seq..seq + 1);
        }
        self.answer_flushes(books);
    }

    /// Something may be settled without a verdict: what the spool found damaged.
    pub(crate) fn look_at_flushes(&self) {
        self.answer_flushes(&mut self.books());
    }

    fn answer_flushes(&self, books: &mut Books) {
        while let Some(next) = books.flushes.first_entry().map(|first| *first.key())
            && self.is_settled(books, next)
        {
            for flush in books.flushes.remove(&next).unwrap_or_default() {
                let _ = flush.send(true);
            }
        }
    }

    fn is_settled(&self, books: &Books, up_to: u64) -> bool {
        match &self.spool {
            Some(spool) => spool.pending_before(up_to + 1) == 0,
            None => books.settled.first_absent(1) > up_to,
        }
    }

    /// Asks for everything accepted so far to be sent without lingering. The receiver hears `true` when all of it has
    /// its verdict, `false` if the client ends before.
    pub(crate) fn flush(&self) -> oneshot::Receiver<bool> {
        let (sender, receiver) = oneshot::channel();
        let mut books = self.books();
        let end = self.spool.as_ref().map_or(books.next_seq, |spool| spool.status().next_seq);
        let up_to = end.saturating_sub(1);
        if self.is_settled(&books, up_to) {
            let _ = sender.send(true);
        } else if books.closed {
            let _ = sender.send(false);
        } else {
            books.flush_up_to = books.flush_up_to.max(up_to);
            let waiters = books.flushes.entry(up_to).or_default();
            waiters.retain(|waiter| !waiter.is_closed());
            waiters.push(sender);
        }
        receiver
    }

    /// Asks for the end. From here on nothing is accepted.
    pub(crate) fn shut_down(&self, deadline: Duration) -> oneshot::Receiver<ShutdownReport> {
        let (sender, receiver) = oneshot::channel();
        let mut books = self.books();
        if books.closed {
            let _ = sender.send(books.report.clone());
        } else {
            books.shutdown = Some(books.shutdown.map_or(deadline, |asked| asked.min(deadline)));
            books.shutdown_waiters.push(sender);
        }
        receiver
    }

    /// The last handle is gone. Returns how many events are open, unless a shutdown takes care of them.
    pub(crate) fn orphan(&self) -> Option<u64> {
        let mut books = self.books();
        books.orphaned = true;
        (!books.closed && books.shutdown.is_none()).then(|| self.open_count(&books))
    }

    pub(crate) fn signals(&self) -> Signals {
        let books = self.books();
        let promises = books.expected.promises();
        Signals {
            urgency: Urgency { flush_up_to: books.flush_up_to, closing: books.shutdown.is_some() || books.orphaned },
            shutdown: books.shutdown,
            orphaned: books.orphaned,
            closed: books.closed,
            open: self.open_count(&books) + promises,
            promises,
        }
    }

    /// Makes the report: what is open now is kept or lost. Only the first call decides. `spool_was_closed` says that
    /// nothing more can get to the disk, so that the report has all that did.
    pub(crate) fn close(&self, spool_was_closed: bool) -> ShutdownReport {
        let mut books = self.books();
        if books.closed {
            return books.report.clone();
        }
        {
            // All of them, however much of its turn the task has used up: tokio would have the others wait for the next.
            let answer = poll_fn(|context| Poll::Ready(answer_promises(&mut books, context)));
            let _ = pin!(unconstrained(answer)).poll(&mut Context::from_waker(Waker::noop()));
        }
        books.closed = true;
        books.spool_was_closed = spool_was_closed;
        let unanswered = books.expected.unanswered_promises();
        let left = self.open_count(&books);
        let damaged = self.damaged();
        let mut report = std::mem::take(&mut books.report);
        report.recovered = self.recovered(&books);
        report.delivered = books.delivered;
        report.dead = books.dead;
        report.lost = books.accepted_not_stored + damaged + unanswered.len() as u64;
        report.in_doubt = unanswered.len() as u64;
        for id in &unanswered {
            report.lost_ids.push(id, usize::MAX);
        }
        if self.spool.is_some() {
            report.kept = left;
        } else {
            report.lost += left;
        }
        report.accepted = report.delivered + report.dead + report.kept + report.lost;
        let mut open: Vec<_> = std::mem::take(&mut books.open).into_iter().collect();
        open.sort_unstable_by_key(|(seq, _)| *seq);
        for (seq, Open { id, verdict, on_its_way, in_doubt }) in open {
            let in_doubt = in_doubt || on_its_way;
            report.in_doubt += u64::from(in_doubt);
            // Its segment may have been removed.
            let is_kept = self.spool.as_ref().is_some_and(|spool| spool.keeps(seq));
            end_without_verdict(&mut report, id, verdict, is_kept, in_doubt);
        }
        for (id, verdict) in books.expected.end() {
            end_without_verdict(&mut report, id, Some(verdict), self.spool.is_some(), false);
        }
        report.kept_ids.complete_to(report.kept);
        report.lost_ids.complete_to(report.lost);
        books.report = report.clone();
        self.arrived.notify_waiters();
        for flush in std::mem::take(&mut books.flushes).into_values().flatten() {
            let _ = flush.send(left == 0);
        }
        for waiter in books.shutdown_waiters.drain(..) {
            let _ = waiter.send(report.clone());
        }
        report
    }

    pub(crate) fn figures(&self) -> Figures {
        let books = self.books();
        if books.closed {
            let ShutdownReport { accepted, recovered, delivered, dead, .. } = books.report;
            return Figures { accepted, recovered, delivered, dead, pending: 0 };
        }
        let pending = self.open_count(&books);
        let lost = books.accepted_not_stored + self.damaged();
        Figures {
            accepted: books.delivered + books.dead + pending + lost,
            recovered: self.recovered(&books),
            delivered: books.delivered,
            dead: books.dead,
            pending,
        }
    }

    /// Events that are accepted and have no verdict.
    fn open_count(&self, books: &Books) -> u64 {
        match &self.spool {
            Some(spool) => spool.status().pending_events,
            None => books.accepted - books.delivered - books.dead,
        }
    }

    /// Events that other runs and other processes had left.
    fn recovered(&self, books: &Books) -> u64 {
        books.recovered + self.spool.as_ref().map_or(0, |spool| spool.status().adopted_events)
    }

    /// Events that were on disk and can no longer be read.
    fn damaged(&self) -> u64 {
        self.spool.as_ref().map_or(0, |spool| spool.status().damage.events)
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn end_without_verdict(
    report: &mut ShutdownReport,
    id: EventId,
    verdict: Option<oneshot::Sender<Verdict>>,
    is_kept: bool,
    in_doubt: bool,
) {
    let ids = if is_kept { &mut report.kept_ids } else { &mut report.lost_ids };
    ids.push(&id, usize::MAX);
    if let Some(verdict) = verdict {
        let reason = if is_kept { NotDelivered::Kept { id } } else { NotDelivered::Lost { id, in_doubt } };
        let _ = verdict.send(Err(reason));
    }
}

/// Takes what the disk has answered so far. Says whether it has answered anything.
fn answer_promises(books: &mut Books, context: &mut Context<'_>) -> bool {
    let mut answered = false;
    while let Poll::Ready(Some((id, waiter, answer))) = books.expected.poll_promise(context) {
        answered = true;
        match answer {
            // Its waiter stays until the pipeline has read it.
            Ok(_) => metrics::counter!(metric::ACCEPTED).increment(1),
            Err(error) => {
                tracing::error!(%id, error = crate::text::with_causes(&error), "an audit event in line for the disk did not get there");
                books.accepted_not_stored += 1;
                books.report.lost_ids.push(&id, usize::MAX);
                if let Some(waiter) = waiter {
                    let _ = waiter.send(Err(NotDelivered::Lost { id, in_doubt: false }));
                }
            }
        }
    }
    answered
}

impl Books {
    fn takes_no_more(&self) -> bool {
        self.closed || self.shutdown.is_some()
    }
}
