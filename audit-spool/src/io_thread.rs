//! The thread that does the writing: a loop around [`Log`], with the clock that the log does not have.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::dead_letters::DeadLetters;
use super::error::Refusal;
use super::log::Log;
use super::queue::Queue;
use super::state::Shared;

/// The pause before a full disk or a failed journal is tried again.
const RETRY_AFTER: Duration = Duration::from_millis(100);
/// How long acknowledgements may stay unsynced. After a power failure, what was delivered within it is delivered again.
const ACKS_SYNCED_WITHIN: Duration = Duration::from_secs(1);

/// Everything that the thread works with.
#[derive(Debug)]
pub(super) struct IoThread {
    pub(super) log: Log,
    pub(super) letters: DeadLetters,
    pub(super) queue: Arc<Queue>,
    pub(super) shared: Arc<Shared>,
}

/// Marks the queue as ended when the thread ends, also by a panic.
struct EndsQueue(Arc<Queue>);

impl Drop for EndsQueue {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl IoThread {
    /// Works until the queue is closed; then everything in it is written, or refused if there is no room.
    pub(super) fn run(mut self) -> std::io::Result<()> {
        let _ends = EndsQueue(Arc::clone(&self.queue));
        let mut held = VecDeque::new();
        let mut blocked = None;
        let mut persisted = true;
        let mut owes_since: Option<Instant> = None;
        loop {
            let pause = match owes_since {
                _ if blocked.is_some() || !persisted => Some(RETRY_AFTER),
                Some(since) => Some(ACKS_SYNCED_WITHIN.saturating_sub(since.elapsed())),
                None => None,
            };
            let work = self.queue.take(pause, blocked.is_some());
            held.extend(work.records);
            // Acknowledgements first: they free space.
            let due = owes_since.is_some_and(|since| since.elapsed() >= ACKS_SYNCED_WITHIN);
            persisted = self.persist_acks(due);
            if due && persisted {
                owes_since = None;
            }
            blocked = self.log.commit(&mut held);
            if !work.letters.is_empty() {
                self.letters.commit(work.letters, &self.shared);
                persisted = self.persist_acks(false) && persisted;
            }
            owes_since = self.log.owes_sync().then(|| owes_since.unwrap_or_else(Instant::now));
            self.queue.report(&held, blocked);
            if work.closing {
                break;
            }
        }
        for record in held {
            record.refuse(Refusal::Closed);
        }
        self.shared.state().closed = true;
        self.log.finish()
    }

    fn persist_acks(&mut self, sync: bool) -> bool {
        match self.log.persist_acks(sync) {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(%error, "acknowledgements cannot be written; they are tried again");
                false
            }
        }
    }
}
