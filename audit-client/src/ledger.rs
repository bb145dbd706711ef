//! The account of every event: who was accepted, what became of each, who waits to hear of it.
//!
//! One lock, held for a few instructions. Whatever races with a shutdown, the order in which this lock is taken decides,
//! so that the figures add up at every moment: an event is open, or it has exactly one verdict.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use audit_core::EventId;
use tokio::sync::oneshot;

use crate::batcher::Urgency;
use crate::receipt::{Delivery, NotDelivered, Verdict};
use crate::report::ShutdownReport;

/// The client takes in no more events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Closing;

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
    /// Accepted events without a verdict.
    pub(crate) open: u64,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Ledger {
    books: Mutex<Books>,
    /// What an event without a verdict is at the end: kept on disk, or lost with the process.
    keeps: bool,
    ids_budget: usize,
}

#[derive(Debug, Default)]
struct Books {
    next_seq: u64,
    accepted: u64,
    recovered: u64,
    delivered: u64,
    dead: u64,
    open: HashMap<u64, Open>,
    settled: Settled,
    report: ShutdownReport,
    flushes: Vec<(u64, oneshot::Sender<bool>)>,
    flush_up_to: u64,
    shutdown: Option<Duration>,
    shutdown_waiters: Vec<oneshot::Sender<ShutdownReport>>,
    orphaned: bool,
    closed: bool,
}

#[derive(Debug)]
struct Open {
    id: EventId,
    verdict: Option<oneshot::Sender<Verdict>>,
    on_its_way: bool,
    in_doubt: bool,
}

/// Which sequence numbers have their verdict: all below `below`, and the ranges above it.
#[derive(Debug)]
struct Settled {
    below: u64,
    above: BTreeMap<u64, u64>,
}

impl Default for Settled {
    fn default() -> Self {
        Self { below: 1, above: BTreeMap::new() }
    }
}

impl Settled {
    /// Marks `seq`, which is not marked yet.
    fn mark(&mut self, seq: u64) {
        let mut end = seq + 1;
        if let Some(next_end) = self.above.remove(&end) {
            end = next_end;
        }
        if seq == self.below {
            self.below = end;
            return;
        }
        if let Some((_, previous_end)) = self.above.range_mut(..seq).next_back()
            && *previous_end == seq
        {
            *previous_end = end;
            return;
        }
        self.above.insert(seq, end);
    }
}

impl Ledger {
    pub(crate) fn new(keeps: bool, ids_budget: usize) -> Self {
        Self { books: Mutex::new(Books { next_seq: 1, ..Books::default() }), keeps, ids_budget }
    }

    /// Accepts an event, and puts it in the queue before anybody else can look.
    pub(crate) fn accept(
        &self,
        id: &EventId,
        enqueue: impl FnOnce(u64),
    ) -> Result<oneshot::Receiver<Verdict>, Closing> {
        let mut books = self.books();
        if books.closed || books.shutdown.is_some() {
            return Err(Closing);
        }
        let seq = books.next_seq;
        books.next_seq += 1;
        books.accepted += 1;
        let (sender, receiver) = oneshot::channel();
        books.open.insert(seq, Open { id: id.clone(), verdict: Some(sender), on_its_way: false, in_doubt: false });
        enqueue(seq);
        Ok(receiver)
    }

    /// These are on their way: until an answer names them, nobody knows whether the service has them.
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
        books.delivered += 1;
        books.report.delivered_ids.push(&open.id, self.ids_budget);
        books.settle(seq, open, Ok(delivery));
        true
    }

    /// It is a dead letter. Returns whether that still counts.
    pub(crate) fn died(&self, seq: u64, reason: NotDelivered) -> bool {
        let mut books = self.books();
        if books.closed {
            return false;
        }
        let Some(open) = books.open.remove(&seq) else { return false };
        books.dead += 1;
        books.report.dead_ids.push(&open.id, self.ids_budget);
        books.settle(seq, open, Err(reason));
        true
    }

    /// Asks for everything accepted so far to be sent without lingering. The receiver hears `true` when all of it has
    /// its verdict, `false` if the client ends before.
    pub(crate) fn flush(&self) -> oneshot::Receiver<bool> {
        let (sender, receiver) = oneshot::channel();
        let mut books = self.books();
        let up_to = books.next_seq - 1;
        if books.settled.below > up_to {
            let _ = sender.send(true);
        } else if books.closed {
            let _ = sender.send(false);
        } else {
            books.flushes.retain(|(_, waiter)| !waiter.is_closed());
            books.flush_up_to = books.flush_up_to.max(up_to);
            books.flushes.push((up_to, sender));
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
        (!books.closed && books.shutdown.is_none()).then(|| books.open_count())
    }

    pub(crate) fn signals(&self) -> Signals {
        let books = self.books();
        Signals {
            urgency: Urgency { flush_up_to: books.flush_up_to, closing: books.shutdown.is_some() || books.orphaned },
            shutdown: books.shutdown,
            orphaned: books.orphaned,
            closed: books.closed,
            open: books.open_count(),
        }
    }

    /// Makes the report: what is open now is kept or lost. Only the first call decides.
    pub(crate) fn close(&self) -> ShutdownReport {
        let mut books = self.books();
        if books.closed {
            return books.report.clone();
        }
        books.closed = true;
        let mut open: Vec<_> = std::mem::take(&mut books.open).into_iter().collect();
        open.sort_unstable_by_key(|(seq, _)| *seq);
        let left = books.accepted - books.delivered - books.dead;
        let mut report = std::mem::take(&mut books.report);
        report.accepted = books.accepted;
        report.recovered = books.recovered;
        report.delivered = books.delivered;
        report.dead = books.dead;
        if self.keeps {
            report.kept = left;
        } else {
            report.lost = left;
        }
        for (_, Open { id, verdict, on_its_way, in_doubt }) in open {
            let in_doubt = in_doubt || on_its_way;
            report.in_doubt += u64::from(in_doubt);
            let ids = if self.keeps { &mut report.kept_ids } else { &mut report.lost_ids };
            ids.push(&id, usize::MAX);
            if let Some(verdict) = verdict {
                let reason = if self.keeps { NotDelivered::Kept { id } } else { NotDelivered::Lost { id, in_doubt } };
                let _ = verdict.send(Err(reason));
            }
        }
        books.report = report.clone();
        for (_, flush) in books.flushes.drain(..) {
            let _ = flush.send(left == 0);
        }
        for waiter in books.shutdown_waiters.drain(..) {
            let _ = waiter.send(report.clone());
        }
        report
    }

    pub(crate) fn figures(&self) -> Figures {
        let books = self.books();
        let left = books.open_count();
        Figures {
            accepted: books.accepted,
            recovered: books.recovered,
            delivered: books.delivered,
            dead: books.dead,
            pending: if books.closed { 0 } else { left },
        }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The figures at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    pub(crate) accepted: u64,
    pub(crate) recovered: u64,
    pub(crate) delivered: u64,
    pub(crate) dead: u64,
    pub(crate) pending: u64,
}

impl Books {
    fn open_count(&self) -> u64 {
        self.accepted - self.delivered - self.dead
    }

    fn settle(&mut self, seq: u64, open: Open, verdict: Verdict) {
        if let Some(waiter) = open.verdict {
            let _ = waiter.send(verdict);
        }
        self.settled.mark(seq);
        let below = self.settled.below;
        if self.flushes.iter().any(|(up_to, _)| *up_to < below) {
            let (done, waiting) = std::mem::take(&mut self.flushes).into_iter().partition(|(up_to, _)| *up_to < below);
            self.flushes = waiting;
            let done: Vec<(u64, oneshot::Sender<bool>)> = done;
            for (_, flush) in done {
                let _ = flush.send(true);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Settled;

    #[test]
    fn settled_numbers_join_into_one_bound_whatever_their_order() {
        let mut random = fastrand::Rng::with_seed(11);
        for _ in 0..200 {
            let mut order: Vec<u64> = (1..=64).collect();
            random.shuffle(&mut order);
            let mut settled = Settled::default();
            let mut marked = std::collections::BTreeSet::new();
            for seq in order {
                settled.mark(seq);
                marked.insert(seq);
                let first_open = (1..=65).find(|seq| !marked.contains(seq)).expect("an open one");
                assert_eq!(settled.below, first_open);
                let above: u64 = settled.above.iter().map(|(start, end)| end - start).sum();
                assert_eq!(settled.below - 1 + above, marked.len() as u64);
            }
            assert!(settled.above.is_empty());
        }
    }
}
