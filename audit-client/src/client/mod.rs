//! The handle that business code holds.

pub(crate) mod acting_as;
pub(crate) mod builder;
pub(crate) mod config;
pub(crate) mod emit;
pub(crate) mod emit_all;
pub(crate) mod error;
pub(crate) mod receipt;
pub(crate) mod shutdown_guard;
pub mod testing;
mod thread;
mod timer;

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};
use std::time::Duration;

use audit_core::{Context, EncodeError, Entry, IntoEntry};
use tokio::sync::oneshot;

use self::error::{EmitError, FlushError};
use self::receipt::{Interest, Receipt};
use self::timer::Timer;
use crate::blocking::block_on;
use crate::context::request;
use crate::delivery::handover::DeadLetters;
use crate::delivery::state::Shared;
use crate::ledger::expected::VerdictToken;
use crate::ledger::report::ShutdownReport;
use crate::ledger::verdict::Verdict;
use crate::observe::Stats;
use crate::observe::metric;
use crate::observe::tap::Tap;
use crate::queue::capacity::{NoCapacity, Permit};
use crate::queue::{Accepted, MemoryQueue, Queue};
use crate::spool::{Append, AppendError, Refusal};

/// How long after its deadline a shutdown that the pipeline does not answer is answered for it.
const WATCHDOG_GRACE: Duration = Duration::from_millis(45);

/// Accepts audit events and accounts for every one of them. Cheap to clone; all clones are the same client.
///
/// Its work is done on a thread of its own, so it does not matter on which runtime a method is called, or whether there
/// is one. Call [`shutdown`](Self::shutdown) before the process ends: it says what became of every event.
///
/// ```no_run
/// use std::time::Duration;
/// use audit_client::{AuditClient, Entry};
///
/// # async fn f(entry: Entry) -> Result<(), Box<dyn std::error::Error>> {
/// let client = AuditClient::builder()
///     .channel_arn("arn:aws:cloudtrail:eu-west-1:123456789012:channel/EXAMPLE8-0558-4f7e-a06a-43969EXAMPLE")
///     .build()
///     .await?;
/// let receipt = client.emit(entry).await?;
/// println!("stored as {}", receipt.delivered().await?.event_id);
/// let report = client.shutdown(Duration::from_secs(10)).await;
/// assert_eq!(report.accepted, report.delivered + report.dead + report.kept + report.lost);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct AuditClient {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    shared: Arc<Shared>,
    context: Context,
    timers: Option<tokio::runtime::Handle>,
    tap: Option<Tap>,
    room: WaitForRoom,
}

/// In memory: how long `emit` waits for room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WaitForRoom {
    Never,
    AtMost(Duration),
    Unlimited,
}

impl AuditClient {
    pub(crate) fn new(
        shared: Arc<Shared>,
        context: Context,
        timers: Option<tokio::runtime::Handle>,
        tap: Option<Tap>,
        room: WaitForRoom,
    ) -> Self {
        Self { inner: Arc::new(Inner { shared, context, timers, tap, room }) }
    }

    /// Accepts an event if there is room for it now, and never waits.
    ///
    /// With a spool, that means not for the disk either: the event is on its way there when this returns. Should the disk
    /// then refuse it, the receipt says so, and the report counts it as lost.
    pub fn try_emit(&self, event: impl IntoEntry) -> Result<Receipt, EmitError> {
        let receipt = self.try_accept(self.encoded(event)?)?;
        request::emitted(None);
        Ok(receipt)
    }

    /// As [`emit`](Self::emit), for threads without a runtime: blocks this thread while it waits for room.
    pub fn emit_blocking(&self, event: impl IntoEntry) -> Result<Receipt, EmitError> {
        let receipt = self.accept_blocking(self.encoded(event)?)?;
        request::emitted(None);
        Ok(receipt)
    }

    /// Encodes an event as [`emit`](Self::emit) does, and emits nothing. Encode before the action that the event records, then
    /// act, then emit the entry: so that an event that cannot be encoded stops the action, and not its record.
    pub fn encode(&self, event: impl IntoEntry) -> Result<Entry, EmitError> {
        let entry = self.encoded(event)?;
        self.check_recipient(&entry)?;
        Ok(entry)
    }

    /// Sends everything accepted so far without lingering, and waits until each event of it has its verdict. That may
    /// take as long as the service is away: put a timeout around it where that matters. With a spool, that includes what earlier
    /// runs had left in it and, at the start, what other processes had left in its directory.
    pub async fn flush(&self) -> Result<(), FlushError> {
        self.inner.shared.ledger.promises_answered().await;
        let through = self.inner.shared.ledger.flush();
        self.inner.shared.wake.notify_one();
        if through.await.unwrap_or(false) { Ok(()) } else { Err(FlushError::ShutDown) }
    }

    /// As [`flush`](Self::flush), for threads without a runtime.
    pub fn flush_blocking(&self) -> Result<(), FlushError> {
        block_on(self.flush())
    }

    /// As [`shutdown`](Self::shutdown), for threads without a runtime.
    pub fn shutdown_blocking(&self, deadline: Duration) -> ShutdownReport {
        block_on(self.shutdown(deadline))
    }

    /// Takes in no more events, sends what waits, and says what became of every one: when all have their verdict, at
    /// the latest at the deadline. Called again, it gives the same report.
    ///
    /// With a spool, it does not wait for a channel that fails: it tries once more, and what is on disk is kept for the next start.
    /// [`ClientBuilder::shutdown_keeps_trying`](crate::ClientBuilder::shutdown_keeps_trying) says otherwise.
    ///
    /// Begins when the future is first polled, and then goes on also if the future is dropped.
    pub async fn shutdown(&self, deadline: Duration) -> ShutdownReport {
        let shared = self.inner.shared.clone();
        let report = shared.ledger.shut_down(deadline);
        shared.capacity.close();
        shared.wake.notify_one();
        // A transport that blocks the pipeline's thread must not hold up the application's end.
        let (through, watch) = std::sync::mpsc::channel::<()>();
        let watched = shared.clone();
        let watchdog = std::thread::Builder::new().name("audit-shutdown".to_owned()).spawn(move || {
            let limit = deadline.checked_add(WATCHDOG_GRACE).unwrap_or(deadline);
            if watch.recv_timeout(limit) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                let _ = watched.ledger.close(false);
            }
        });
        if let Err(error) = watchdog {
            tracing::debug!(%error, "no thread to watch over the shutdown");
        }
        let report = match report.await {
            Ok(report) => report,
            // The ledger answers every waiter; this line is for the day when it does not.
            Err(_) => shared.ledger.close(false),
        };
        drop(through);
        report
    }

    /// The client's figures now.
    pub fn stats(&self) -> Stats {
        let Shared { ledger, observed, handover, .. } = &*self.inner.shared;
        Stats::new(ledger.figures(), observed.seen(), handover.missed())
    }

    /// Dead letters from now on, as they come.
    pub fn dead_letters(&self) -> DeadLetters {
        self.inner.shared.handover.subscribe()
    }

    pub(crate) fn try_accept(&self, entry: Entry) -> Result<Receipt, EmitError> {
        self.check_recipient(&entry)?;
        let shared = &self.inner.shared;
        match &shared.queue {
            Queue::Memory(memory) => {
                let permit = shared.capacity.try_take(&entry);
                self.enqueue(memory, entry, permit)
            }
            Queue::Spool(spool) => {
                let (underway, verdict) = self.expect(&entry)?;
                let append = match spool.try_append(&entry) {
                    Ok(append) => append,
                    Err(refusal) => return Err(refused(entry, refusal)),
                };
                if shared.ledger.promise(&underway.token, append).is_err() {
                    // It is in line already, and may be written before it can be taken back.
                    let reason = "the client was shut down while it was in line for the disk; if it got there, the next \
                                  start with this spool delivers it";
                    return Err(EmitError::Unknown { id: entry.id().clone(), source: io::Error::other(reason) });
                }
                let token = underway.handed_over();
                shared.wake.notify_one();
                Ok(self.receipt(token, verdict))
            }
        }
    }

    pub(crate) fn accept_blocking(&self, entry: Entry) -> Result<Receipt, EmitError> {
        block_on(self.emit_encoded(Ok(entry), None))
    }

    async fn wait_for_room(&self, entry: &Entry) -> Result<Permit, NoCapacity> {
        let Inner { shared, timers, room, .. } = &*self.inner;
        let room_comes = shared.capacity.wait_for(entry);
        match room {
            WaitForRoom::Never => Err(NoCapacity::Full),
            WaitForRoom::Unlimited => room_comes.await,
            WaitForRoom::AtMost(limit) => tokio::select! {
                biased;
                permit = room_comes => permit,
                () = Timer::start(timers.as_ref(), *limit).over() => Err(NoCapacity::Full),
            },
        }
    }

    fn enqueue(
        &self,
        memory: &MemoryQueue,
        entry: Entry,
        permit: Result<Permit, NoCapacity>,
    ) -> Result<Receipt, EmitError> {
        let Inner { shared, timers, tap, .. } = &*self.inner;
        let id = entry.id().clone();
        let permit = match permit {
            Ok(permit) => permit,
            Err(NoCapacity::Full) => return Err(EmitError::Full { entry: Box::new(entry) }),
            Err(NoCapacity::Closed) => return Err(EmitError::ShutDown { id }),
        };
        let accepted = shared.ledger.accept(&id, |seq| {
            if let Some(tap) = tap {
                tap.record(&entry);
            }
            memory.push(Accepted { seq, entry, permit: Some(permit) })
        });
        match accepted {
            Ok((verdict, wanted)) => {
                if wanted {
                    shared.wake.notify_one();
                }
                Ok(Receipt::new(id, verdict, timers.clone(), None))
            }
            Err(_) => Err(EmitError::ShutDown { id }),
        }
    }

    fn expect(&self, entry: &Entry) -> Result<(Underway, oneshot::Receiver<Verdict>), EmitError> {
        let shared = &self.inner.shared;
        match shared.ledger.expect(entry.id()) {
            Ok((token, verdict)) => Ok((Underway { shared: shared.clone(), token, ended: false }, verdict)),
            Err(_) => Err(EmitError::ShutDown { id: entry.id().clone() }),
        }
    }

    fn appended(
        &self,
        entry: Entry,
        kept: Result<u64, AppendError>,
        underway: Underway,
        verdict: oneshot::Receiver<Verdict>,
    ) -> Result<Receipt, EmitError> {
        match kept {
            Ok(seq) => {
                let (token, counts) = underway.arrived(seq);
                if !counts {
                    let reason = "the client ended while it was written; the next start with this spool delivers it";
                    return Err(EmitError::Unknown { id: entry.id().clone(), source: io::Error::other(reason) });
                }
                metrics::counter!(metric::ACCEPTED).increment(1);
                Ok(self.receipt(token, verdict))
            }
            Err(AppendError::Refused(refusal)) => Err(refused(entry, refusal)),
            Err(error) => Err(EmitError::Unknown { id: entry.id().clone(), source: io::Error::other(error) }),
        }
    }

    fn receipt(&self, token: VerdictToken, verdict: oneshot::Receiver<Verdict>) -> Receipt {
        let Inner { shared, timers, .. } = &*self.inner;
        let id = token.id().clone();
        Receipt::new(id, verdict, timers.clone(), Some(Interest { shared: shared.clone(), token }))
    }

    pub(crate) fn context(&self) -> &Context {
        &self.inner.context
    }

    fn encoded<I: IntoEntry>(&self, event: I) -> Result<Entry, EncodeError> {
        // In the scope of a request, it says from where and under which id.
        let of_request = if I::__TAKES_CONTEXT { request::described(self.context()) } else { None };
        event.into_entry(of_request.as_ref().unwrap_or(self.context()))
    }

    /// Entries that were encoded here are for the channel's owner; others may come from elsewhere.
    pub(crate) fn check_recipient(&self, entry: &Entry) -> Result<(), EmitError> {
        let (recipient, owner) = (entry.recipient_account_id(), self.inner.context.account());
        if recipient == owner { Ok(()) } else { Err(EmitError::Recipient { id: entry.id().clone(), recipient, owner }) }
    }
}

/// An event on its way to the disk. Dropped, it did not get there, or no caller waits for it any more.
struct Underway {
    shared: Arc<Shared>,
    token: VerdictToken,
    ended: bool,
}

impl Underway {
    /// It is on disk. The flag says whether a shutdown's report knows it.
    fn arrived(self, seq: u64) -> (VerdictToken, bool) {
        let counts = self.shared.ledger.arrived(&self.token, seq);
        (self.handed_over(), counts)
    }

    /// Another owner has taken it over.
    fn handed_over(mut self) -> VerdictToken {
        self.ended = true;
        self.token.clone()
    }
}

/// An event in line for the disk. Dropped, it stays there if there was room for it, and the ledger waits for it.
struct InLine {
    /// Both until the disk has answered.
    underway: Option<Underway>,
    append: Option<Append>,
    /// Whether there was room.
    stays: bool,
}

impl InLine {
    fn poll(&mut self, context: &mut task::Context<'_>) -> Poll<(Result<u64, AppendError>, Underway)> {
        let (Some(append), true) = (&mut self.append, self.underway.is_some()) else { return Poll::Pending };
        let Poll::Ready(kept) = Pin::new(append).poll(context) else { return Poll::Pending };
        self.append = None;
        self.underway.take().map_or(Poll::Pending, |underway| Poll::Ready((kept, underway)))
    }
}

impl Drop for InLine {
    fn drop(&mut self) {
        if let (true, Some(underway), Some(append)) = (self.stays, self.underway.take(), self.append.take()) {
            let shared = underway.shared.clone();
            if shared.ledger.promise(&underway.token, append).is_ok() {
                let token = underway.handed_over();
                shared.ledger.forget(&token);
                shared.wake.notify_one();
            }
        }
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        if !self.ended {
            self.shared.ledger.withdrawn(&self.token);
        }
    }
}

fn refused(entry: Entry, refusal: Refusal) -> EmitError {
    match refusal {
        Refusal::Closed => EmitError::ShutDown { id: entry.id().clone() },
        source => EmitError::Spool { entry: Box::new(entry), source },
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(open) = self.shared.ledger.orphan() {
            if open > 0 {
                tracing::warn!(
                    open,
                    "the last handle of the audit client was dropped without a shutdown; these events have no verdict yet"
                );
            }
            self.shared.capacity.close();
            self.shared.wake.notify_one();
        }
    }
}
