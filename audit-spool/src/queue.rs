//! What waits between the callers and the thread that writes, and the condition variable that wakes the thread.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::dead_letters::PendingLetter;
use super::error::Refusal;
use super::log::{Blocked, GROUP_BYTES, Pending};

/// How many bytes may wait before `try_append` refuses.
const BUSY_BYTES: usize = GROUP_BYTES;

#[derive(Debug, Default)]
pub(super) struct Queue {
    inner: Mutex<Inner>,
    wake_up: Condvar,
}

#[derive(Debug, Default)]
struct Inner {
    records: VecDeque<Pending>,
    letters: VecDeque<PendingLetter>,
    /// Bytes in `records`, and of those that the thread holds and could not write.
    waiting: usize,
    blocked: Option<Blocked>,
    /// Something else is to be done: acknowledgements.
    woken: bool,
    closing: bool,
    /// The thread is gone.
    ended: bool,
}

/// What the thread takes away to work on.
#[derive(Debug, Default)]
pub(super) struct Work {
    pub(super) records: VecDeque<Pending>,
    pub(super) letters: VecDeque<PendingLetter>,
    pub(super) closing: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts records in line, all before the thread can take the first of them; refuses them if the spool is closed.
    pub(super) fn push(&self, records: impl IntoIterator<Item = Pending>) {
        let mut inner = self.lock();
        if inner.closing || inner.ended {
            drop(inner);
            return records.into_iter().for_each(|record| record.refuse(Refusal::Closed));
        }
        for record in records {
            inner.waiting += record.content.len();
            inner.records.push_back(record);
        }
        drop(inner);
        self.wake_up.notify_one();
    }

    pub(super) fn push_letter(&self, letter: PendingLetter) {
        let mut inner = self.lock();
        if inner.closing || inner.ended {
            drop(inner);
            return letter.refuse(Refusal::Closed);
        }
        inner.letters.push_back(letter);
        drop(inner);
        self.wake_up.notify_one();
    }

    /// How many bytes wait, if a record would have to wait for them beyond the write that is under way.
    pub(super) fn busy(&self) -> Option<usize> {
        Some(self.lock().waiting).filter(|waiting| *waiting > BUSY_BYTES)
    }

    pub(super) fn blocked(&self) -> Option<Blocked> {
        self.lock().blocked
    }

    pub(super) fn wake(&self) {
        self.lock().woken = true;
        self.wake_up.notify_one();
    }

    pub(super) fn close(&self) {
        self.lock().closing = true;
        self.wake_up.notify_one();
    }

    /// Waits for work, or until the time is up. While `blocked`, further records are no reason to wake: they would only
    /// wait as well.
    pub(super) fn take(&self, at_most: Option<Duration>, blocked: bool) -> Work {
        let idle = |inner: &mut Inner| {
            let records = !inner.records.is_empty() && !blocked;
            !(records || !inner.letters.is_empty() || inner.woken || inner.closing)
        };
        let inner = self.lock();
        let mut inner = match at_most {
            Some(time) => self.wake_up.wait_timeout_while(inner, time, idle).unwrap_or_else(PoisonError::into_inner).0,
            None => self.wake_up.wait_while(inner, idle).unwrap_or_else(PoisonError::into_inner),
        };
        inner.woken = false;
        Work {
            records: std::mem::take(&mut inner.records),
            letters: std::mem::take(&mut inner.letters),
            closing: inner.closing,
        }
    }

    /// Records what the thread could not write, and why.
    pub(super) fn report(&self, held: &VecDeque<Pending>, blocked: Option<Blocked>) {
        let held: usize = held.iter().map(|record| record.content.len()).sum();
        let mut inner = self.lock();
        inner.waiting = held + inner.records.iter().map(|record| record.content.len()).sum::<usize>();
        inner.blocked = blocked;
    }

    /// The thread ends: refuses everything that waits for it.
    pub(super) fn end(&self) {
        let mut inner = self.lock();
        inner.ended = true;
        let (records, letters) = (std::mem::take(&mut inner.records), std::mem::take(&mut inner.letters));
        drop(inner);
        for record in records {
            record.refuse(Refusal::Closed);
        }
        for letter in letters {
            letter.refuse(Refusal::Closed);
        }
    }
}
