//! Entries with one id go one after the other: the first to be accepted is the first to be judged.
//!
//! The channel keeps the first data that it sees under an id and refuses any other. Two requests that are on their way at
//! once can overtake each other, so an entry is held back until every older one with its id has its verdict.

use std::collections::{HashMap, HashSet, VecDeque};

use audit_core::EventId;

use super::batcher::Item;

/// The ids of all entries without a verdict, and the entries that wait for another with their id.
#[derive(Debug, Default)]
pub(crate) struct SameIdQueue {
    open: HashSet<EventId>,
    waiting: HashMap<EventId, VecDeque<Item>>,
}

impl SameIdQueue {
    /// Gives the item back if it may go, and keeps it if an older one with its id has no verdict yet.
    pub(crate) fn admit(&mut self, item: Item) -> Option<Item> {
        if self.open.insert(item.entry.id().clone()) {
            return Some(item);
        }
        self.waiting.entry(item.entry.id().clone()).or_default().push_back(item);
        None
    }

    /// Notes the verdict of the entry with this id; the next one that may go now, if there is one.
    pub(crate) fn release_next(&mut self, id: &EventId) -> Option<Item> {
        let Some(waiting) = self.waiting.get_mut(id) else {
            self.open.remove(id);
            return None;
        };
        let next = waiting.pop_front();
        if waiting.is_empty() {
            self.waiting.remove(id);
        }
        next
    }
}
