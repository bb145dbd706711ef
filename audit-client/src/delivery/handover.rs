//! Entries that no retry can save: what is reported of them, and how they are handed over.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc as std_mpsc};
use std::task::{Context, Poll};
use std::thread;

use futures_core::Stream;
use tokio::sync::{Notify, mpsc};

use crate::queue::capacity::Permit;
use crate::spool::DeadLetter;

/// How many dead letters a stream holds for a reader that does not read.
const STREAM_HOLDS: usize = 1_024;

/// What an application does with a dead letter.
pub(crate) type Callback = Box<dyn FnMut(DeadLetter) + Send>;

/// Dead letters as they come: see [`AuditClient::dead_letters`](crate::AuditClient::dead_letters).
///
/// A stream ([`futures_core::Stream`]); without an adapter crate, [`next`](Self::next) does. It ends with the client.
/// It holds 1,024 dead letters for a reader that does not read; what comes beyond is logged and counted in
/// [`Stats::dead_letters_missed`](crate::Stats::dead_letters_missed), but not held.
#[derive(Debug)]
pub struct DeadLetters(mpsc::Receiver<DeadLetter>);

impl DeadLetters {
    /// Waits for the next dead letter; `None` when the client has ended.
    pub async fn next(&mut self) -> Option<DeadLetter> {
        poll_fn(|context| self.0.poll_recv(context)).await
    }
}

impl Stream for DeadLetters {
    type Item = DeadLetter;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<DeadLetter>> {
        self.0.poll_recv(context)
    }
}

/// Hands dead letters to the callback and to the streams.
#[derive(Debug, Default)]
pub(crate) struct Handover {
    /// `None` when the client has ended.
    streams: Mutex<Option<Vec<mpsc::Sender<DeadLetter>>>>,
    callback: Mutex<Option<std_mpsc::Sender<Handed>>>,
    waiting: Arc<Waiting>,
    missed: AtomicU64,
}

/// A dead letter, and the permit that it still holds.
type Handed = (DeadLetter, Option<Permit>);

/// How many dead letters wait for the callback.
#[derive(Debug, Default)]
struct Waiting {
    letters: AtomicU64,
    fewer: Notify,
}

impl Handover {
    /// With a callback, which runs on a thread of its own, so that it may block and may panic.
    pub(crate) fn new(callback: Option<Callback>) -> std::io::Result<Self> {
        let handover = Self { streams: Mutex::new(Some(Vec::new())), ..Self::default() };
        if let Some(mut callback) = callback {
            let (letters, inbox) = std_mpsc::channel::<Handed>();
            let waiting = handover.waiting.clone();
            thread::Builder::new().name("audit-dead-letters".to_owned()).spawn(move || {
                for (letter, permit) in inbox {
                    // The callback may emit it again: its permit is free for that.
                    drop(permit);
                    if catch_unwind(AssertUnwindSafe(|| callback(letter))).is_err() {
                        tracing::error!("the callback for dead letters panicked");
                    }
                    waiting.letters.fetch_sub(1, Ordering::AcqRel);
                    waiting.fewer.notify_waiters();
                }
            })?;
            *handover.callback.lock().unwrap_or_else(PoisonError::into_inner) = Some(letters);
        }
        Ok(handover)
    }

    pub(crate) fn subscribe(&self) -> DeadLetters {
        let (sender, receiver) = mpsc::channel(STREAM_HOLDS);
        if let Some(streams) = &mut *self.streams.lock().unwrap_or_else(PoisonError::into_inner) {
            streams.push(sender);
        }
        DeadLetters(receiver)
    }

    /// Hands one over. Its permit is free when the callback has returned.
    pub(crate) fn hand(&self, letter: &DeadLetter, permit: Option<Permit>) {
        let mut missed = false;
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(streams) = &mut *streams {
            streams.retain(|stream| match stream.try_send(letter.clone()) {
                Ok(()) => true,
                Err(mpsc::error::TrySendError::Full(_)) => {
                    missed = true;
                    true
                }
                Err(mpsc::error::TrySendError::Closed(_)) => false,
            });
        }
        drop(streams);
        if missed {
            self.missed.fetch_add(1, Ordering::Relaxed);
            tracing::error!(id = letter.id, code = %letter.code, "the stream of dead letters is not read: this one is not held");
        }
        if let Some(callback) = &*self.callback.lock().unwrap_or_else(PoisonError::into_inner) {
            self.waiting.letters.fetch_add(1, Ordering::AcqRel);
            if callback.send((letter.clone(), permit)).is_err() {
                self.waiting.letters.fetch_sub(1, Ordering::AcqRel);
            }
        }
    }

    pub(crate) fn missed(&self) -> u64 {
        self.missed.load(Ordering::Relaxed)
    }

    /// Waits until the callback is through with everything.
    pub(crate) async fn done(&self) {
        loop {
            let fewer = self.waiting.fewer.notified();
            tokio::pin!(fewer);
            fewer.as_mut().enable();
            if self.waiting.letters.load(Ordering::Acquire) == 0 {
                return;
            }
            fewer.await;
        }
    }

    /// Ends the streams and the callback's thread.
    pub(crate) fn close(&self) {
        *self.streams.lock().unwrap_or_else(PoisonError::into_inner) = None;
        *self.callback.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
