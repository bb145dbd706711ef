//! The future that a caller holds while its event is on the way to the disk.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_channel::oneshot;

use super::error::AppendError;

/// An event on its way to the disk: a future that needs no runtime, or [`wait`](Self::wait) for it.
///
/// It resolves to the sequence number once the event is synced. Dropping it earlier withdraws the event, unless the event
/// is being written at this moment.
#[derive(Debug)]
#[must_use = "dropping it withdraws the event"]
pub struct Append {
    answer: oneshot::Receiver<Result<u64, AppendError>>,
}

impl Append {
    pub(super) fn new() -> (oneshot::Sender<Result<u64, AppendError>>, Self) {
        let (done, answer) = oneshot::channel();
        (done, Self { answer })
    }

    /// Blocks this thread until the event is on disk. Do not call it on a thread that runs async tasks: it blocks them.
    pub fn wait(self) -> Result<u64, AppendError> {
        pollster::block_on(self)
    }
}

impl Future for Append {
    type Output = Result<u64, AppendError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.answer).poll(context).map(|answer| {
            // The thread ended without an answer: it panicked.
            answer.unwrap_or_else(|_| Err(AppendError::Unknown(Arc::new(io::Error::other("the spool's thread ended")))))
        })
    }
}
