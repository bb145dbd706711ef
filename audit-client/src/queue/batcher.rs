//! Makes batches of what waits: full ones where it can, early ones where it must.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use audit_core::{Batch, DoesNotFit, Entry, Reason, limits};
use tokio::time::Instant;

use super::Wanted;
use super::capacity::Permit;
use crate::ledger::Urgency;
use crate::spool::Attempt;

/// An accepted entry that has no verdict yet.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) entry: Entry,
    pub(crate) ticket: Ticket,
}

/// What is known of an entry beside itself.
#[derive(Debug)]
pub(crate) struct Ticket {
    /// Its place in the order of acceptance.
    pub(crate) seq: u64,
    /// Its bytes in a request, which take a look at every byte to count.
    pub(crate) wire_bytes: usize,
    /// When the pipeline took it.
    pub(crate) arrived: Instant,
    /// How many requests have carried it.
    pub(crate) attempts: u32,
    /// What became of those.
    pub(crate) history: History,
    /// Whether the service has refused its checksum once, which holds here.
    pub(crate) checksum_doubted: bool,
    /// Its permit, until it has its verdict.
    pub(crate) permit: Option<Permit>,
}

/// The first and the latest attempts: enough to tell what happened, at a size that does not grow.
#[derive(Clone, Debug, Default)]
pub(crate) struct History(Vec<Arc<Attempt>>);

impl History {
    const LONGEST: usize = 8;

    pub(crate) fn push(&mut self, attempt: Arc<Attempt>) {
        if self.0.len() == Self::LONGEST {
            self.0.remove(1);
        }
        self.0.push(attempt);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Attempt> {
        self.0.iter().map(AsRef::as_ref)
    }

    pub(crate) fn last(&self) -> Option<&Attempt> {
        self.0.last().map(AsRef::as_ref)
    }
}

/// Items that travel together, as they are: a part of a batch that was too large or was said to have an id twice.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) items: Vec<Item>,
    /// The other half: if `items` turn out to be small enough, the culprit is in here.
    pub(crate) suspects: Vec<Item>,
    pub(crate) due: Instant,
}

/// One request's worth.
#[derive(Debug)]
pub(crate) struct Parcel {
    pub(crate) batch: Batch,
    /// One for each entry of the batch, in its order.
    pub(crate) tickets: Vec<Ticket>,
    pub(crate) suspects: Vec<Item>,
    pub(crate) is_group: bool,
}

/// What waits to be sent.
#[derive(Debug)]
pub(crate) struct Batcher {
    linger: Duration,
    fresh: VecDeque<Item>,
    fresh_wire_bytes: usize,
    retries: BTreeMap<(Instant, u64), Item>,
    groups: Vec<Group>,
}

/// What [`Batcher::next`] found.
#[derive(Debug)]
pub(crate) enum Next {
    Parcel(Parcel),
    /// An entry that fits no request, however empty.
    Unfit(Item, Reason),
}

impl Batcher {
    pub(crate) fn new(linger: Duration) -> Self {
        Self { linger, fresh: VecDeque::new(), fresh_wire_bytes: 0, retries: BTreeMap::new(), groups: Vec::new() }
    }

    pub(crate) fn push(&mut self, item: Item) {
        self.fresh_wire_bytes += item.ticket.wire_bytes;
        self.fresh.push_back(item);
    }

    /// What is missing to a full batch of those that were never sent.
    pub(crate) fn room_left(&self) -> Wanted {
        let (entries, bytes) = (limits::MAX_ENTRIES, limits::Side::Sender.request_bytes());
        Wanted {
            entries: entries - self.fresh.len() % entries,
            // Where one is full already, and cannot go yet, the next is a whole one.
            bytes: if self.fresh_wire_bytes < bytes { bytes - self.fresh_wire_bytes } else { bytes },
        }
    }

    /// Takes back an item that shall be sent again, not before `due`.
    pub(crate) fn push_retry(&mut self, item: Item, due: Instant) {
        self.retries.insert((due, item.ticket.seq), item);
    }

    pub(crate) fn push_group(&mut self, group: Group) {
        if !group.items.is_empty() {
            self.groups.push(group);
        }
    }

    /// The next request's worth that is due, if any.
    pub(crate) fn next(&mut self, now: Instant, urgency: Urgency) -> Option<Next> {
        if let Some(at) = self.groups.iter().position(|group| group.due <= now) {
            return Some(Next::Parcel(seal(self.groups.swap_remove(at))));
        }
        let retry_is_due = self.retries.first_key_value().is_some_and(|((due, _), _)| *due <= now);
        if !retry_is_due && !self.fresh_is_due(now, urgency) {
            return None;
        }
        let mut parcel = Parcel { batch: Batch::new(), tickets: Vec::new(), suspects: Vec::new(), is_group: false };
        let mut same_id = Vec::new();
        let mut is_full = false;
        while !is_full && self.retries.first_key_value().is_some_and(|((due, _), _)| *due <= now) {
            let Some(((due, _), item)) = self.retries.pop_first() else { break };
            match add(&mut parcel, item) {
                Added::Yes => {}
                Added::SameId(item) => same_id.push((due, item)),
                Added::Full(item) => {
                    self.push_retry(item, due);
                    is_full = true;
                }
                Added::Never(item, reason) => {
                    self.put_back(parcel, now);
                    self.put_back_same_id(same_id);
                    return Some(Next::Unfit(item, reason));
                }
            }
        }
        self.put_back_same_id(same_id);
        let mut same_id = Vec::new();
        while !is_full {
            let Some(item) = self.fresh.pop_front() else { break };
            match add(&mut parcel, item) {
                Added::Yes => {}
                Added::SameId(item) => same_id.push(item),
                Added::Full(item) => {
                    self.fresh.push_front(item);
                    is_full = true;
                }
                Added::Never(item, reason) => {
                    self.put_back(parcel, now);
                    self.return_fresh(same_id);
                    self.recount();
                    return Some(Next::Unfit(item, reason));
                }
            }
        }
        self.return_fresh(same_id);
        self.recount();
        (!parcel.tickets.is_empty()).then_some(Next::Parcel(parcel))
    }

    /// When something may become due by itself.
    pub(crate) fn next_due(&self, now: Instant, urgency: Urgency) -> Option<Instant> {
        let fresh = self
            .fresh
            .front()
            .map(|oldest| if self.fresh_is_due(now, urgency) { now } else { oldest.ticket.arrived + self.linger });
        let retry = self.retries.first_key_value().map(|((due, _), _)| *due);
        let group = self.groups.iter().map(|group| group.due).min();
        [fresh, retry, group].into_iter().flatten().min()
    }

    /// Takes out everything that arrived before `before`.
    pub(crate) fn take_older(&mut self, before: Instant) -> Vec<Item> {
        let is_old = |item: &Item| item.ticket.arrived < before;
        let mut old = Vec::new();
        while self.fresh.front().is_some_and(is_old) {
            old.extend(self.fresh.pop_front());
        }
        self.recount();
        let keys: Vec<_> = self.retries.iter().filter(|(_, item)| is_old(item)).map(|(key, _)| *key).collect();
        old.extend(keys.into_iter().filter_map(|key| self.retries.remove(&key)));
        for group in &mut self.groups {
            old.extend(group.items.extract_if(.., |item| is_old(item)));
            old.extend(group.suspects.extract_if(.., |item| is_old(item)));
            if group.items.is_empty() {
                group.items.append(&mut group.suspects);
            }
        }
        self.groups.retain(|group| !group.items.is_empty());
        old
    }

    /// When the oldest item arrived.
    pub(crate) fn oldest(&self) -> Option<Instant> {
        let grouped = self.groups.iter().flat_map(|group| group.items.iter().chain(&group.suspects));
        let all = self.fresh.front().into_iter().chain(self.retries.values()).chain(grouped);
        all.map(|item| item.ticket.arrived).min()
    }

    /// Lets everything that waits for its time be due now.
    pub(crate) fn hurry(&mut self, now: Instant) {
        let waiting = std::mem::take(&mut self.retries);
        self.retries = waiting.into_iter().map(|((due, seq), item)| ((due.min(now), seq), item)).collect();
        for group in &mut self.groups {
            group.due = group.due.min(now);
        }
    }

    fn fresh_is_due(&self, now: Instant, urgency: Urgency) -> bool {
        let Some(oldest) = self.fresh.front() else { return false };
        urgency.closing
            || oldest.ticket.seq <= urgency.flush_up_to
            || self.fresh.len() >= limits::MAX_ENTRIES
            || self.fresh_wire_bytes >= limits::Side::Sender.request_bytes()
            || oldest.ticket.arrived + self.linger <= now
    }

    fn put_back(&mut self, parcel: Parcel, now: Instant) {
        for (entry, ticket) in parcel.batch.into_entries().into_iter().zip(parcel.tickets) {
            self.push_retry(Item { entry, ticket }, now);
        }
    }

    fn put_back_same_id(&mut self, same_id: Vec<(Instant, Item)>) {
        for (due, item) in same_id {
            self.push_retry(item, due);
        }
    }

    fn return_fresh(&mut self, same_id: Vec<Item>) {
        for item in same_id.into_iter().rev() {
            self.fresh.push_front(item);
        }
    }

    fn recount(&mut self) {
        // At most one request's worth of items was taken, but what is left may be long: count only when it is short.
        self.fresh_wire_bytes = self.fresh.iter().take(limits::MAX_ENTRIES).map(|item| item.ticket.wire_bytes).sum();
    }
}

enum Added {
    Yes,
    SameId(Item),
    Full(Item),
    Never(Item, Reason),
}

fn add(parcel: &mut Parcel, item: Item) -> Added {
    let Item { entry, ticket } = item;
    match parcel.batch.push(entry) {
        Ok(()) => {
            parcel.tickets.push(ticket);
            Added::Yes
        }
        Err(DoesNotFit { entry, reason, .. }) => {
            let item = Item { entry: *entry, ticket };
            match reason {
                Reason::DuplicateId => Added::SameId(item),
                reason if parcel.tickets.is_empty() => Added::Never(item, reason),
                _ => Added::Full(item),
            }
        }
    }
}

/// A group was cut from one batch, so it fits one. Were it otherwise, the rest would be among the suspects.
fn seal(group: Group) -> Parcel {
    let mut parcel = Parcel { batch: Batch::new(), tickets: Vec::new(), suspects: group.suspects, is_group: true };
    for item in group.items {
        match add(&mut parcel, item) {
            Added::Yes => {}
            Added::SameId(item) | Added::Full(item) | Added::Never(item, _) => parcel.suspects.push(item),
        }
    }
    parcel
}
