//! A transport that answers as a test wants, and notes what it was sent.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use audit_core::wire::{FailedEntry, PutAuditEventsResponse, SuccessfulEntry};
use tokio::time::{Instant, sleep};

use crate::transport::submit::{Failure, Submission, Submitting, Transport};

type Answer = Result<PutAuditEventsResponse, Failure>;
type Answering = Box<dyn FnOnce(&[String]) -> Answer + Send>;
type Otherwise = Box<dyn FnMut(&[String]) -> Answer + Send>;

/// One answer.
pub(crate) struct Step {
    after: Duration,
    answer: Answering,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) at: Instant,
    pub(crate) ids: Vec<String>,
    pub(crate) with: usize,
    pub(crate) wire_len: usize,
}

#[derive(Default)]
struct State {
    steps: VecDeque<Step>,
    otherwise: Option<Otherwise>,
    takes: Duration,
    seen: Vec<Seen>,
    on_their_way: usize,
    renewals: usize,
}

/// Answers step by step; when the steps are used up, it takes everything, or what [`Script::otherwise`] says.
#[derive(Clone, Default)]
pub(crate) struct Script(Arc<Mutex<State>>);

#[expect(clippy::unnecessary_wraps, reason = "an answer, like the others")]
pub(crate) fn all_taken(ids: &[String]) -> Answer {
    let successful = ids.iter().map(|id| SuccessfulEntry::new(id, format!("E-{id}"))).collect();
    Ok(PutAuditEventsResponse::new(successful, Vec::new()))
}

pub(crate) fn all_refused(code: &'static str) -> impl Fn(&[String]) -> Answer {
    move |ids| {
        let refused = |id: &String| FailedEntry::new(id, code, "m");
        Ok(PutAuditEventsResponse::new(Vec::new(), ids.iter().map(refused).collect()))
    }
}

impl Script {
    pub(crate) fn then(self, answer: impl FnOnce(&[String]) -> Answer + Send + 'static) -> Self {
        self.after(Duration::ZERO, answer)
    }

    pub(crate) fn after(self, after: Duration, answer: impl FnOnce(&[String]) -> Answer + Send + 'static) -> Self {
        self.0.lock().expect("state").steps.push_back(Step { after, answer: Box::new(answer) });
        self
    }

    pub(crate) fn fail(self, failure: Failure) -> Self {
        self.then(move |_| Err(failure))
    }

    pub(crate) fn otherwise(self, answer: impl FnMut(&[String]) -> Answer + Send + 'static) -> Self {
        self.0.lock().expect("state").otherwise = Some(Box::new(answer));
        self
    }

    /// How long an answer takes that no step times.
    pub(crate) fn takes(self, time: Duration) -> Self {
        self.0.lock().expect("state").takes = time;
        self
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.0.lock().expect("state").seen.clone()
    }

    pub(crate) fn renewals(&self) -> usize {
        self.0.lock().expect("state").renewals
    }
}

impl Transport for Script {
    fn submit<'a>(&'a self, submission: Submission<'a>) -> Submitting<'a> {
        let ids: Vec<String> = submission.batch.entries().iter().map(|entry| entry.id().to_string()).collect();
        let wire_len = submission.batch.wire_len();
        Box::pin(async move {
            let (step, takes) = {
                let mut state = self.0.lock().expect("state");
                state.on_their_way += 1;
                let with = state.on_their_way;
                state.seen.push(Seen { at: Instant::now(), ids: ids.clone(), with, wire_len });
                (state.steps.pop_front(), state.takes)
            };
            let answer = if let Some(step) = step {
                sleep(step.after).await;
                (step.answer)(&ids)
            } else {
                sleep(takes).await;
                let mut state = self.0.lock().expect("state");
                state.otherwise.as_mut().map_or_else(|| all_taken(&ids), |otherwise| otherwise(&ids))
            };
            self.0.lock().expect("state").on_their_way -= 1;
            answer
        })
    }

    fn renew_credentials(&self) {
        self.0.lock().expect("state").renewals += 1;
    }
}
