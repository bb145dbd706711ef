//! What `emit` gives back: a claim on the event's verdict.

use std::sync::Arc;
use std::time::Duration;

use audit_core::EventId;
use tokio::sync::oneshot;

use super::timer::Timer;
use crate::blocking::block_on;
use crate::delivery::state::Shared;
use crate::ledger::expected::VerdictToken;
use crate::ledger::verdict::{Delivery, NotDelivered, Verdict};

/// A claim on what becomes of one event. Dropping it costs nothing and changes nothing.
///
/// ```no_run
/// # async fn f(client: audit_client::AuditClient, entry: audit_client::Entry) -> Result<(), Box<dyn std::error::Error>> {
/// let receipt = client.emit(entry).await?;
/// println!("stored as {}", receipt.delivered().await?.event_id);
/// # Ok(()) }
/// ```
#[derive(Debug)]
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

/// With a spool, the ledger remembers who holds a receipt, as long as one is held.
#[derive(Debug)]
pub(crate) struct Interest {
    pub(crate) shared: Arc<Shared>,
    pub(crate) token: VerdictToken,
}

impl Drop for Interest {
    fn drop(&mut self) {
        self.shared.ledger.forget(&self.token);
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
