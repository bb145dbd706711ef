//! Events that are on their way to the disk, and those on disk for which a receipt is held but which the pipeline has not
//! read yet. They are known by their id: the number comes with the disk's answer, and the pipeline may be faster.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::pin::Pin;
use std::task::{Context, Poll};

use audit_core::EventId;
use tokio::sync::oneshot;

use super::verdict::Verdict;
use crate::spool::{Append, AppendError};

/// The right to the verdict of an event.
#[derive(Clone, Debug)]
pub(crate) struct VerdictToken {
    id: EventId,
    token: u64,
}

impl VerdictToken {
    pub(crate) fn id(&self) -> &EventId {
        &self.id
    }
}

/// What became of a promise, and who waits for the event's verdict if it was broken.
pub(super) type Answered = (EventId, Option<oneshot::Sender<Verdict>>, Result<u64, AppendError>);

/// Who waits, and for which number.
#[derive(Debug)]
struct Waiter {
    number: Number,
    verdict: oneshot::Sender<Verdict>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Number {
    Known(u64),
    /// The disk has not told it yet. Lower ones are taken.
    AtLeast(u64),
}

#[derive(Debug, Default)]
pub(super) struct Expected {
    newest: u64,
    /// By id and, for the same id twice, in the order of their coming.
    waiters: HashMap<EventId, BTreeMap<u64, Waiter>>,
    /// On their way to the disk.
    on_their_way: BTreeSet<u64>,
    /// Those of them for which no caller waits: they came by `try_emit`, or their `emit` was dropped. The disk answers in about
    /// this order.
    promises: VecDeque<(VerdictToken, Append)>,
}

impl Expected {
    /// `next` is the lowest number that the disk may give it.
    pub(super) fn add(&mut self, id: &EventId, next: u64) -> (VerdictToken, oneshot::Receiver<Verdict>) {
        self.newest += 1;
        let token = self.newest;
        let (sender, receiver) = oneshot::channel();
        self.waiters
            .entry(id.clone())
            .or_default()
            .insert(token, Waiter { number: Number::AtLeast(next), verdict: sender });
        self.on_their_way.insert(token);
        (VerdictToken { id: id.clone(), token }, receiver)
    }

    pub(super) fn newest(&self) -> u64 {
        self.newest
    }

    pub(super) fn promise(&mut self, claim: &VerdictToken, append: Append) {
        // By token: an `emit` that was dropped may be older than the newest ones.
        let at = self.promises.iter().rposition(|(other, _)| other.token < claim.token).map_or(0, |before| before + 1);
        self.promises.insert(at, (claim.clone(), append));
    }

    pub(super) fn promises(&self) -> u64 {
        self.promises.len() as u64
    }

    pub(super) fn has_promise_up_to(&self, token: u64) -> bool {
        self.promises.front().is_some_and(|(claim, _)| claim.token <= token)
    }

    pub(super) fn poll_promise(&mut self, context: &mut Context<'_>) -> Poll<Option<Answered>> {
        let Some((_, append)) = self.promises.front_mut() else { return Poll::Ready(None) };
        let Poll::Ready(answer) = Pin::new(append).poll(context) else { return Poll::Pending };
        let Some((claim, _)) = self.promises.pop_front() else { return Poll::Ready(None) };
        let waiter = if let Ok(seq) = answer {
            self.arrived(&claim, seq);
            None
        } else {
            self.ended(&claim);
            self.remove(&claim)
        };
        Poll::Ready(Some((claim.id, waiter, answer)))
    }

    /// It is on disk.
    pub(super) fn arrived(&mut self, claim: &VerdictToken, seq: u64) {
        self.ended(claim);
        for (token, waiter) in self.waiters.get_mut(&claim.id).into_iter().flatten() {
            match &mut waiter.number {
                number if *token == claim.token => *number = Number::Known(seq),
                // The disk takes them in the order of their coming.
                Number::AtLeast(next) if *token > claim.token => *next = (*next).max(seq + 1),
                _ => {}
            }
        }
    }

    /// It is no longer on its way to the disk.
    pub(super) fn ended(&mut self, claim: &VerdictToken) {
        self.on_their_way.remove(&claim.token);
    }

    /// No caller waits for its verdict.
    pub(super) fn forget(&mut self, claim: &VerdictToken) {
        drop(self.remove(claim));
    }

    fn remove(&mut self, claim: &VerdictToken) -> Option<oneshot::Sender<Verdict>> {
        let waiters = self.waiters.get_mut(&claim.id)?;
        let waiter = waiters.remove(&claim.token);
        if waiters.is_empty() {
            self.waiters.remove(&claim.id);
        }
        waiter.map(|waiter| waiter.verdict)
    }

    /// The pipeline has read this one: who waits for it? If the disk's answer has not been heard yet, the first one with its
    /// id whose number it can be.
    pub(super) fn take(&mut self, seq: u64, id: &EventId) -> Option<oneshot::Sender<Verdict>> {
        let waiters = self.waiters.get(id)?;
        let known = waiters.iter().find(|(_, waiter)| waiter.number == Number::Known(seq));
        let perhaps =
            || waiters.iter().find(|(_, waiter)| matches!(waiter.number, Number::AtLeast(next) if next <= seq));
        let (&token, _) = known.or_else(perhaps)?;
        self.remove(&VerdictToken { id: id.clone(), token })
    }

    /// At the end: what was promised, and the disk has not answered.
    pub(super) fn unanswered_promises(&mut self) -> Vec<EventId> {
        let unanswered: Vec<_> = self.promises.drain(..).collect();
        unanswered.into_iter().map(|(claim, _)| claim.id).collect()
    }

    /// At the end: those on disk for whose verdict a caller waits. A caller that still waits for the disk gets its answer there.
    pub(super) fn end(&mut self) -> Vec<(EventId, oneshot::Sender<Verdict>)> {
        let mut end = Vec::new();
        for (id, waiters) in self.waiters.drain() {
            for (token, waiter) in waiters {
                if !self.on_their_way.contains(&token) {
                    end.push((id.clone(), waiter.verdict));
                }
            }
        }
        end
    }
}
