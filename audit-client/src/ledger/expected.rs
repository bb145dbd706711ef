//! Events that are on their way to the disk, and those on disk that somebody holds a receipt for but the pipeline has not
//! read yet. They are known by their id: the number comes with the disk's answer, and the pipeline may be faster.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::pin::Pin;
use std::task::{Context, Poll};

use audit_core::EventId;
use tokio::sync::oneshot;

use crate::receipt::Verdict;
use crate::spool::{Append, AppendError};

/// Somebody's claim on the verdict of an event.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    id: EventId,
    token: u64,
}

impl Claim {
    pub(crate) fn id(&self) -> &EventId {
        &self.id
    }
}

/// What became of a promise, and who waits for the event's verdict if it was broken.
pub(super) type Answered = (EventId, Option<oneshot::Sender<Verdict>>, Result<u64, AppendError>);

#[derive(Debug, Default)]
pub(super) struct Expected {
    newest: u64,
    /// By id and, for the same id twice, in the order of their coming.
    waiters: HashMap<EventId, BTreeMap<u64, oneshot::Sender<Verdict>>>,
    /// On their way to the disk.
    on_their_way: BTreeSet<u64>,
    /// Those of them that nobody waits for, since who emitted them could not wait. The disk answers in this order.
    promises: VecDeque<(Claim, Append)>,
}

impl Expected {
    pub(super) fn add(&mut self, id: &EventId) -> (Claim, oneshot::Receiver<Verdict>) {
        self.newest += 1;
        let token = self.newest;
        let (sender, receiver) = oneshot::channel();
        self.waiters.entry(id.clone()).or_default().insert(token, sender);
        self.on_their_way.insert(token);
        (Claim { id: id.clone(), token }, receiver)
    }

    pub(super) fn newest(&self) -> u64 {
        self.newest
    }

    pub(super) fn promise(&mut self, claim: &Claim, append: Append) {
        self.promises.push_back((claim.clone(), append));
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
        self.ended(&claim);
        let waiter = if answer.is_err() { self.remove(&claim) } else { None };
        Poll::Ready(Some((claim.id, waiter, answer)))
    }

    /// The disk has answered.
    pub(super) fn ended(&mut self, claim: &Claim) {
        self.on_their_way.remove(&claim.token);
    }

    /// Nobody waits for its verdict.
    pub(super) fn forget(&mut self, claim: &Claim) {
        drop(self.remove(claim));
    }

    fn remove(&mut self, claim: &Claim) -> Option<oneshot::Sender<Verdict>> {
        let waiters = self.waiters.get_mut(&claim.id)?;
        let waiter = waiters.remove(&claim.token);
        if waiters.is_empty() {
            self.waiters.remove(&claim.id);
        }
        waiter
    }

    /// The pipeline has read one with this id: who waits for it?
    pub(super) fn take(&mut self, id: &EventId) -> Option<oneshot::Sender<Verdict>> {
        let waiters = self.waiters.get_mut(id)?;
        let (_, waiter) = waiters.pop_first()?;
        if waiters.is_empty() {
            self.waiters.remove(id);
        }
        Some(waiter)
    }

    /// At the end: what was promised, and the disk has not answered.
    pub(super) fn unanswered_promises(&mut self) -> Vec<EventId> {
        let unanswered: Vec<_> = self.promises.drain(..).collect();
        unanswered.into_iter().map(|(claim, _)| claim.id).collect()
    }

    /// At the end: those on disk that somebody waits for. Whoever still waits for the disk learns it from there.
    pub(super) fn end(&mut self) -> Vec<(EventId, oneshot::Sender<Verdict>)> {
        let mut end = Vec::new();
        for (id, waiters) in self.waiters.drain() {
            for (token, waiter) in waiters {
                if !self.on_their_way.contains(&token) {
                    end.push((id.clone(), waiter));
                }
            }
        }
        end
    }
}
