//! What the delivery loop knows: its state, and what it shares with the handles.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use audit_core::wire::PutAuditEventsResponse;
use audit_core::{Batch, ChannelArn, ExternalId};
use tokio::sync::Notify;
use tokio::task::{Id, JoinSet};
use tokio::time::Instant;

use super::handover::Handover;
use super::pace::{LastTry, Pace, Waits};
use crate::ledger::Ledger;
use crate::ledger::verdict::NotDelivered;
use crate::observe::{Observed, metric};
use crate::queue::batcher::{Batcher, Item, Ticket};
use crate::queue::capacity::{Capacity, Permit};
use crate::queue::same_id::SameIdQueue;
use crate::queue::{Intake, Queue};
use crate::spool::{DeadLetter, DurableEnd};
use crate::transport::submit::{Failure, Transport};

/// How long after a failure the disk is tried again.
pub(super) const READ_AGAIN: Duration = Duration::from_secs(1);
/// How long closing the spool may take beyond a shutdown's deadline.
pub(super) const DISK_GRACE: Duration = Duration::from_millis(35);

/// What the handles and the pipeline share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) channel: ChannelArn,
    pub(crate) external_id: Option<ExternalId>,
    pub(crate) ledger: Ledger,
    pub(crate) queue: Queue,
    pub(crate) capacity: Capacity,
    pub(crate) handover: Handover,
    pub(crate) observed: Observed,
    /// There is something new to look at.
    pub(crate) wake: Notify,
}

/// What the loop goes by.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    pub(crate) linger: Duration,
    pub(crate) attempt_timeout: Duration,
    pub(crate) give_up_after: Option<Duration>,
    pub(crate) most_concurrent: u16,
    pub(crate) waits: Waits,
    /// With a spool: whether a shutdown tries until its deadline while the channel fails.
    pub(crate) shutdown_keeps_trying: bool,
    /// For jitter that can be repeated.
    pub(crate) seed: Option<u64>,
}

/// A request on its way.
pub(super) struct Request {
    pub(super) batch: Arc<Batch>,
    pub(super) tickets: Vec<Ticket>,
    pub(super) suspects: Vec<Item>,
    pub(super) is_group: bool,
    pub(super) sent: Instant,
    /// See [`Pace::round`](super::pace::Pace::round).
    pub(super) round: u64,
}

/// A dead letter, and the permit for the memory that it takes.
pub(super) type Letter = (DeadLetter, Option<Permit>);

/// A dead letter that is on disk.
pub(super) struct WrittenDeadLetter {
    pub(super) seq: u64,
    pub(super) reason: NotDelivered,
    pub(super) letter: Letter,
}

/// When the loop ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ends {
    /// Not asked to.
    Open,
    /// As soon as all is settled, at the latest at this time, if there is one.
    By(Option<Instant>),
}

/// If the loop panics or never starts, every waiter gets an answer: open events are lost or kept, and no new ones are accepted.
struct CloseOnDrop(Arc<Shared>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.capacity.close();
        if let Queue::Spool(spool) = &self.0.queue
            && std::thread::panicking()
        {
            drop(spool.close());
        }
        let _ = self.0.ledger.close(false);
        if let Queue::Memory(memory) = &self.0.queue {
            // The loop no longer takes these in, but they were accepted.
            metrics::counter!(metric::ACCEPTED).increment(memory.len() as u64);
        }
        self.0.handover.close();
    }
}

pub(super) type Answer = Result<PutAuditEventsResponse, Failure>;

/// The loop's state.
pub(crate) struct DeliveryLoop {
    pub(super) shared: Arc<Shared>,
    pub(super) intake: Intake,
    /// With a spool: says when there is something new to read.
    pub(super) news: Option<DurableEnd>,
    /// When a spool that could not be read is read again.
    pub(super) read_again: Option<Instant>,
    /// When something new was last taken in: for a linger from then on, single entries do not wake the loop.
    pub(super) gathers_since: Option<Instant>,
    /// With a spool: dead letters on their way to the disk.
    pub(super) dead_letter_writes: JoinSet<Option<WrittenDeadLetter>>,
    pub(super) transport: Arc<dyn Transport>,
    pub(super) policy: Policy,
    pub(super) batcher: Batcher,
    pub(super) same_id: SameIdQueue,
    pub(super) pace: Pace,
    pub(super) random: fastrand::Rng,
    pub(super) in_flight: JoinSet<Answer>,
    pub(super) requests: HashMap<Id, Request>,
    pub(super) give_up_check: Option<Instant>,
    pub(super) credentials_renewed: Option<Instant>,
    pub(super) ends: Ends,
    /// With a spool: since when a channel that fails ends the shutdown.
    pub(super) last_try: Option<LastTry>,
    /// How long closing the spool may take beyond that.
    pub(super) disk_grace: Duration,
    _guard: CloseOnDrop,
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
            gathers_since: None,
            dead_letter_writes: JoinSet::new(),
            batcher: Batcher::new(policy.linger),
            same_id: SameIdQueue::default(),
            pace: Pace::new(policy.waits, policy.most_concurrent, now),
            random: policy.seed.map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed),
            in_flight: JoinSet::new(),
            requests: HashMap::new(),
            give_up_check: None,
            credentials_renewed: None,
            ends: Ends::Open,
            last_try: None,
            disk_grace: DISK_GRACE,
            _guard: CloseOnDrop(shared.clone()),
            shared,
            transport,
            policy,
        }
    }
}
