//! What `emit` gives back: a claim on the event's verdict.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use audit_core::EventId;
use tokio::sync::oneshot;

use crate::ledger::Claim;
use crate::pipeline::Shared;

/// What became of an entry.
pub(crate) type Verdict = Result<Delivery, NotDelivered>;

/// The service has the event.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delivery {
    /// The entry's own id.
    pub id: EventId,
    /// The id that the service gave the event.
    pub event_id: String,
    /// How many requests carried the entry, the last one included.
    pub attempts: u32,
}

/// Why an event was not delivered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotDelivered {
    /// The service refuses this entry for good, or it fits no request: it is a dead letter.
    #[error("event {id} is refused for good with {code}: {message}")]
    #[non_exhaustive]
    Rejected {
        /// The entry's id.
        id: EventId,
        /// The service's code, such as `InvalidData`.
        code: String,
        /// The service's words.
        message: String,
        /// How many requests carried it.
        attempts: u32,
    },
    /// It could not be delivered for as long as `give_up_after` allows: it is a dead letter.
    #[error("event {id} was given up after {attempts} attempts in {waited:?}; the last one failed with {last}")]
    #[non_exhaustive]
    GaveUp {
        /// The entry's id.
        id: EventId,
        /// The configured time.
        waited: Duration,
        /// How many requests carried it.
        attempts: u32,
        /// What the last attempt failed with.
        last: String,
    },
    /// The client was shut down before; the event is on disk, and the next start with the same spool goes on.
    #[error("event {id} was not delivered before the shutdown; it is kept in the spool")]
    #[non_exhaustive]
    Kept {
        /// The entry's id.
        id: EventId,
    },
    /// The client ended before, and there is no spool: this process has forgotten the event.
    #[error(
        "event {id} was not delivered before the client ended and is lost{}",
        if *.in_doubt { "; a request with it went unanswered, so the service may have it" } else { "" }
    )]
    #[non_exhaustive]
    Lost {
        /// The entry's id.
        id: EventId,
        /// Whether a request that carried it got no answer, so that the service may have it all the same.
        in_doubt: bool,
    },
}

impl NotDelivered {
    /// The entry's id.
    pub fn id(&self) -> &EventId {
        match self {
            Self::Rejected { id, .. } | Self::GaveUp { id, .. } | Self::Kept { id } | Self::Lost { id, .. } => id,
        }
    }
}

/// A claim on what becomes of one event. Dropping it costs nothing and changes nothing.
///
/// ```no_run
/// # async fn f(client: audit_client::AuditClient, entry: audit_client::Entry) -> Result<(), Box<dyn std::error::Error>> {
/// let receipt = client.emit(entry).await?;
/// println!("stored as {}", receipt.delivered().await?.event_id);
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[must_use = "await `delivered()` to learn what became of the event, or drop it on purpose with `let _ =`"]
pub struct Receipt {
    id: EventId,
    verdict: Waiting,
    timers: Option<tokio::runtime::Handle>,
    interest: Option<Interest>,
}

/// A verdict that is waited for, or was heard.
#[derive(Debug)]
enum Waiting {
    For(oneshot::Receiver<Verdict>),
    Over(Verdict),
}

/// The sender goes without a word only if the pipeline's thread was torn down.
fn heard(verdict: Result<Verdict, oneshot::error::RecvError>, id: EventId) -> Verdict {
    verdict.unwrap_or(Err(NotDelivered::Lost { id, in_doubt: true }))
}

/// With a spool, the ledger remembers who holds a receipt; until nobody does.
#[derive(Debug)]
pub(crate) struct Interest {
    pub(crate) shared: Arc<Shared>,
    pub(crate) claim: Claim,
}

impl Drop for Interest {
    fn drop(&mut self) {
        self.shared.ledger.forget(&self.claim);
    }
}

impl Receipt {
    pub(crate) fn new(
        id: EventId,
        verdict: oneshot::Receiver<Verdict>,
        timers: Option<tokio::runtime::Handle>,
        interest: Option<Interest>,
    ) -> Self {
        Self { id, verdict: Waiting::For(verdict), timers, interest }
    }

    /// The entry's id.
    pub fn id(&self) -> &EventId {
        &self.id
    }

    /// Waits for the verdict. Needs no runtime of the caller's, and works when that of the `emit` is gone.
    pub async fn delivered(self) -> Result<Delivery, NotDelivered> {
        let Self { id, verdict, interest: _interest, .. } = self;
        match verdict {
            Waiting::For(verdict) => heard(verdict.await, id),
            Waiting::Over(verdict) => verdict,
        }
    }

    /// Waits for the verdict, at most so long: `None` says that there is none yet. The receipt can be asked again.
    pub async fn delivered_within(&mut self, limit: Duration) -> Option<Result<Delivery, NotDelivered>> {
        let waiting = match &mut self.verdict {
            Waiting::For(waiting) => waiting,
            Waiting::Over(verdict) => return Some(verdict.clone()),
        };
        let timer = Timer::start(self.timers.as_ref(), limit);
        let verdict = tokio::select! {
            biased;
            verdict = waiting => heard(verdict, self.id.clone()),
            () = timer.over() => return None,
        };
        self.verdict = Waiting::Over(verdict.clone());
        Some(verdict)
    }

    /// Waits for the verdict on a plain thread. On a thread of an async runtime, which this would block, use
    /// [`delivered`](Self::delivered).
    pub fn delivered_blocking(self) -> Result<Delivery, NotDelivered> {
        block_on(self.delivered())
    }
}

/// A timer on the pipeline's runtime: the caller's may have none, or be gone.
struct Timer(Option<oneshot::Receiver<()>>);

impl Timer {
    fn start(runtime: Option<&tokio::runtime::Handle>, limit: Duration) -> Self {
        let Some(runtime) = runtime else { return Self(None) };
        let (over, timer) = oneshot::channel();
        drop(runtime.spawn(async move {
            let mut over = over;
            tokio::select! {
                () = tokio::time::sleep(limit) => { let _ = over.send(()); }
                () = over.closed() => {}
            }
        }));
        Self(Some(timer))
    }

    async fn over(self) {
        match self.0 {
            Some(timer) => {
                let _ = timer.await;
            }
            None => std::future::pending().await,
        }
    }
}

/// Runs a future on this thread, with no runtime at all.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future: Pin<&mut F> = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}
