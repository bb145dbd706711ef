//! Many events at once: for imports and for what is written down in one go.

use std::fmt;
use std::future::poll_fn;

use audit_core::{Entry, IntoEntry};

use super::error::EmitError;
use super::receipt::Receipt;
use super::{AuditClient, InLine};
use crate::blocking::block_on;
use crate::context::request;
use crate::queue::Queue;

/// Some of several events were not accepted.
#[derive(Debug)]
#[non_exhaustive]
pub struct EmitAllError {
    /// The receipts of those that were accepted, in their order. Where an event could not be encoded, there are none.
    pub accepted: Vec<Receipt>,
    /// The others, by their place in what was given, from 0 on: at least one.
    pub refused: Vec<(usize, EmitError)>,
}

impl fmt::Display for EmitAllError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (refused, all) = (self.refused.len(), self.refused.len() + self.accepted.len());
        match self.refused.first() {
            Some((at, _)) if self.accepted.is_empty() && refused == 1 => {
                write!(f, "no event was accepted, because of the one at {at}")
            }
            Some((at, _)) if self.accepted.is_empty() => {
                write!(f, "no event was accepted, because of {refused} of them, the first at {at}")
            }
            Some((at, _)) => write!(f, "{refused} of {all} events were not accepted, the first of them at {at}"),
            None => f.write_str("some events were not accepted"),
        }
    }
}

impl std::error::Error for EmitAllError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.refused.first().map(|(_, error)| error as _)
    }
}

impl AuditClient {
    /// Accepts several events as [`emit`](Self::emit) does, and returns their receipts in the same order. With a spool, they are
    /// written and synced together, by one write for each 4 MiB: a thousand events take about as long as one.
    ///
    /// All are encoded first. If one cannot be, none is accepted. All of them are in memory meanwhile: give a large import in
    /// parts of some thousand events. Give each an id that the source has, or that is [derived](crate::EventId::derive) from
    /// it: then an import that was interrupted can be done again from the start.
    ///
    /// ```no_run
    /// # async fn f(client: audit_client::AuditClient, entries: Vec<audit_client::Entry>) -> Result<(), Box<dyn std::error::Error>> {
    /// let receipts = client.emit_all(entries).await?;
    /// client.flush().await?; // all of them have their verdict
    /// # Ok(()) }
    /// ```
    ///
    /// If the future is dropped after its first poll, events for which there was room stay in line, as with `emit`.
    pub fn emit_all<E: IntoEntry>(
        &self,
        events: impl IntoIterator<Item = E>,
    ) -> impl Future<Output = Result<Vec<Receipt>, EmitAllError>> + Send {
        let entries = self.encoded_all(events.into_iter().map(|event| self.encode(event)));
        async move {
            let accepted = self.accept_all(entries?).await;
            if has_accepted(&accepted) {
                request::emitted(None);
            }
            accepted
        }
    }

    /// As [`emit_all`](Self::emit_all), for threads without a runtime.
    pub fn emit_all_blocking<E: IntoEntry>(
        &self,
        events: impl IntoIterator<Item = E>,
    ) -> Result<Vec<Receipt>, EmitAllError> {
        block_on(self.emit_all(events))
    }

    /// All of them, or those that cannot be encoded.
    pub(crate) fn encoded_all(
        &self,
        entries: impl Iterator<Item = Result<Entry, EmitError>>,
    ) -> Result<Vec<Entry>, EmitAllError> {
        let (mut encoded, mut refused) = (Vec::new(), Vec::new());
        for (at, entry) in entries.enumerate() {
            match entry.and_then(|entry| self.check_recipient(&entry).map(|()| entry)) {
                Ok(entry) => encoded.push(entry),
                Err(error) => refused.push((at, error)),
            }
        }
        if refused.is_empty() { Ok(encoded) } else { Err(EmitAllError { accepted: Vec::new(), refused }) }
    }

    pub(crate) async fn accept_all(&self, entries: Vec<Entry>) -> Result<Vec<Receipt>, EmitAllError> {
        let (mut accepted, mut refused) = (Vec::with_capacity(entries.len()), Vec::new());
        let mut settle = |at: usize, result: Result<Receipt, EmitError>| match result {
            Ok(receipt) => accepted.push(receipt),
            Err(error) => refused.push((at, error)),
        };
        match &self.inner.shared.queue {
            Queue::Memory(_) => {
                for (at, entry) in entries.into_iter().enumerate() {
                    settle(at, self.emit_encoded(Ok(entry), None).await);
                }
            }
            Queue::Spool(spool) => {
                // Before any of them can be read back and delivered.
                let expected: Vec<_> = entries.iter().map(|entry| self.expect(entry)).collect();
                // Only waiting for room can be cancelled.
                let stays = spool.status().blocked.is_none();
                let taken = entries.iter().zip(&expected).filter(|(_, expected)| expected.is_ok());
                let appends = spool.append_all(taken.map(|(entry, _)| entry));
                let mut appends = appends.into_iter();
                let mut in_line = Vec::with_capacity(entries.len());
                for (at, (entry, expected)) in entries.into_iter().zip(expected).enumerate() {
                    match expected {
                        Ok((underway, verdict)) => {
                            let append = appends.next();
                            in_line.push((at, entry, InLine { underway: Some(underway), append, stays }, verdict));
                        }
                        Err(error) => settle(at, Err(error)),
                    }
                }
                for (at, entry, mut in_line, verdict) in in_line {
                    let (kept, underway) = poll_fn(|context| in_line.poll(context)).await;
                    settle(at, self.appended(entry, kept, underway, verdict));
                }
            }
        }
        if refused.is_empty() {
            return Ok(accepted);
        }
        refused.sort_by_key(|(at, _)| *at);
        Err(EmitAllError { accepted, refused })
    }
}

pub(crate) fn has_accepted(accepted: &Result<Vec<Receipt>, EmitAllError>) -> bool {
    let (Ok(receipts) | Err(EmitAllError { accepted: receipts, .. })) = accepted;
    !receipts.is_empty()
}
