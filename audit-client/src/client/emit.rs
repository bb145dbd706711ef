//! The future of `emit`: one type for every event, so that the compiler names what cannot be emitted once.

use std::fmt;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use audit_core::{EncodeError, Entry, IntoEntry};
use tokio::sync::oneshot;

use super::error::EmitError;
use super::receipt::Receipt;
use super::{AuditClient, InLine, refused};
use crate::context::request::{self, Request};
use crate::ledger::verdict::Verdict;
use crate::queue::Queue;
use crate::queue::capacity::NoCapacity;
use crate::spool::Refusal;

/// The future of [`AuditClient::emit`] and [`ActingAs::emit`](crate::ActingAs::emit).
#[must_use = "an event is not in line before this is polled: `.await` it"]
pub struct Emit<'c> {
    client: &'c AuditClient,
    /// The request that the event belongs to, as far as its emitter knows it.
    request: Option<&'c dyn Request>,
    state: State<'c>,
}

enum State<'c> {
    Encoded(Result<Entry, EncodeError>),
    InLine {
        entry: Entry,
        in_line: InLine,
        verdict: oneshot::Receiver<Verdict>,
    },
    /// For room.
    Waits(Pin<Box<dyn Future<Output = Result<Receipt, EmitError>> + Send + 'c>>),
    Ended(Result<Receipt, EmitError>),
    Over,
}

impl AuditClient {
    /// Accepts an event: `&event` of a type that names its actor, an [`Entry`], or a `&StaticEntry`.
    ///
    /// Encodes it at once and then waits for room, if there is none. When this returns, the client owes the event a
    /// verdict: [`Receipt::delivered`] returns it, and the receipt can just as well be dropped.
    ///
    /// If there is room when the future is first polled, the event is in line from then on, and the client delivers it and
    /// accounts for it also if the future is dropped: a server drops a handler when its caller disconnects. Only waiting for
    /// room can be cancelled: then the event was not accepted. [`ClientBuilder::when_full`](crate::ClientBuilder::when_full) and
    /// [`emit_timeout`](crate::ClientBuilder::emit_timeout) bound the wait: then the error has the entry.
    pub fn emit(&self, event: impl IntoEntry) -> Emit<'_> {
        self.emit_encoded(self.encoded(event), None)
    }

    pub(super) fn emit_encoded<'c>(
        &'c self,
        entry: Result<Entry, EncodeError>,
        request: Option<&'c dyn Request>,
    ) -> Emit<'c> {
        Emit { client: self, request, state: State::Encoded(entry) }
    }

    /// Puts an event in line, if there is room for it.
    fn begin(&self, entry: Entry) -> State<'_> {
        if let Err(error) = self.check_recipient(&entry) {
            return State::Ended(Err(error));
        }
        let shared = &self.inner.shared;
        match &shared.queue {
            // Not by waiting alone: tokio lets a task that has used up its turn wait also where there is room.
            Queue::Memory(memory) => match shared.capacity.try_take(&entry) {
                Err(NoCapacity::Full) => State::Waits(Box::pin(async move {
                    let permit = self.wait_for_room(&entry).await;
                    self.enqueue(memory, entry, permit)
                })),
                taken => State::Ended(self.enqueue(memory, entry, taken)),
            },
            Queue::Spool(spool) => {
                let (underway, verdict) = match self.expect(&entry) {
                    Ok(expected) => expected,
                    Err(error) => return State::Ended(Err(error)),
                };
                match spool.try_append(&entry) {
                    Ok(append) => {
                        let in_line = InLine { underway: Some(underway), append: Some(append), stays: true };
                        State::InLine { entry, in_line, verdict }
                    }
                    // No room: this waits for it, or is refused, as the spool's options say. Dropped, it is withdrawn.
                    Err(Refusal::Full { .. } | Refusal::DiskFull | Refusal::Busy { .. }) => {
                        State::Waits(Box::pin(async move {
                            let kept = spool.append(&entry).await;
                            self.appended(entry, kept, underway, verdict)
                        }))
                    }
                    Err(refusal) => State::Ended(Err(refused(entry, refusal))),
                }
            }
        }
    }
}

impl Future for Emit<'_> {
    type Output = Result<Receipt, EmitError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { client, request, state } = self.get_mut();
        let result = loop {
            match mem::replace(state, State::Over) {
                State::Encoded(Err(error)) => break Err(error.into()),
                State::Encoded(Ok(entry)) => *state = client.begin(entry),
                State::Ended(result) => break result,
                State::InLine { entry, mut in_line, verdict } => {
                    let Poll::Ready((kept, underway)) = in_line.poll(context) else {
                        *state = State::InLine { entry, in_line, verdict };
                        return Poll::Pending;
                    };
                    break client.appended(entry, kept, underway, verdict);
                }
                State::Waits(mut waits) => {
                    let Poll::Ready(result) = waits.as_mut().poll(context) else {
                        *state = State::Waits(waits);
                        return Poll::Pending;
                    };
                    break result;
                }
                State::Over => return Poll::Pending,
            }
        };
        if result.is_ok() {
            request::emitted(*request);
        }
        Poll::Ready(result)
    }
}

/// Shows nothing of the event.
impl fmt::Debug for Emit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emit").finish_non_exhaustive()
    }
}
