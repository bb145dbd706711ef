//! Whether the store can write: one probe for all that ask at a time.
//!
//! A probe costs a write and a sync. Several load balancers, or a stranger who reached the admin address, must not slow down
//! the requests of senders with it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::store::{StoreError, WriteError};

/// How long the answer of a probe holds.
const HOLDS: Duration = Duration::from_secs(1);

type Answer = Result<(), WriteError>;
/// Where a probe puts its answer, and when it was there.
type Answered = watch::Receiver<Option<(Instant, Answer)>>;

/// The latest probe.
#[derive(Debug, Default)]
pub(super) struct Readiness {
    latest: Mutex<Option<Answered>>,
}

impl Readiness {
    /// The answer of the latest probe, or of a new one if that is too old or the store has failed or recovered since. A probe
    /// goes on when its caller is gone, and the next caller waits for it.
    pub(super) async fn ask<F>(&self, store_fails: bool, probe: impl FnOnce() -> F) -> Answer
    where
        F: Future<Output = Answer> + Send + 'static,
    {
        let mut latest = self.latest(store_fails, probe);
        match latest.wait_for(Option::is_some).await.as_deref() {
            Ok(Some((_, answer))) => answer.clone(),
            // The probe panicked, or the runtime ends.
            _ => Err(StoreError::Closed.into()),
        }
    }

    fn latest<F>(&self, store_fails: bool, probe: impl FnOnce() -> F) -> Answered
    where
        F: Future<Output = Answer> + Send + 'static,
    {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(latest) = &*latest {
            let holds = match &*latest.borrow() {
                Some((at, answer)) => at.elapsed() < HOLDS && answer.is_err() == store_fails,
                // Whether its task still is there to answer.
                None => latest.has_changed().is_ok(),
            };
            if holds {
                return latest.clone();
            }
        }
        let (sender, receiver) = watch::channel(None);
        let probe = probe();
        tokio::spawn(async move {
            let answer = probe.await;
            sender.send_replace(Some((Instant::now(), answer)));
        });
        latest.insert(receiver).clone()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::sync::Arc;

    use tokio::sync::oneshot;
    use tokio::task::JoinSet;

    use super::{Answer, HOLDS, Readiness, StoreError};
    use crate::store::tests::open;

    async fn good() -> Answer {
        Ok(())
    }

    /// Polls a future once, and returns whether it waits.
    async fn waits(future: &mut (impl Future + Unpin)) -> bool {
        tokio::select! {
            biased;
            _ = future => false,
            () = std::future::ready(()) => true,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_hundred_that_ask_at_once_cost_the_write_of_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Arc::new(open(folder.path()).expect("a store"));
        let log = || std::fs::metadata(folder.path().join("lake.db-wal")).expect("the log").len();
        let readiness = Arc::new(Readiness::default());
        let ask = || {
            let (readiness, store) = (Arc::clone(&readiness), Arc::clone(&store));
            async move { readiness.ask(false, || async move { store.probe().await }).await }
        };
        ask().await.expect("ready");
        tokio::time::advance(HOLDS).await;
        let before = log();
        ask().await.expect("ready");
        let one = log() - before;
        assert!(one > 0, "a probe writes");
        tokio::time::advance(HOLDS).await;
        let mut asking: JoinSet<Answer> = (0..100).map(|_| ask()).collect();
        while let Some(answer) = asking.join_next().await {
            answer.expect("no panic").expect("ready");
        }
        for _ in 0..100 {
            ask().await.expect("ready");
        }
        assert_eq!(log() - before, 2 * one);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_holds_for_a_second_from_when_it_was_given() {
        let readiness = Readiness::default();
        let (answers, probes, fails) = (Cell::new(Ok(())), Cell::new(0), Cell::new(false));
        let ask = async || {
            let answer = readiness.ask(fails.get(), || {
                probes.set(probes.get() + 1);
                let answer = answers.get().map_err(|()| StoreError::Full.into());
                async move {
                    tokio::time::sleep(HOLDS * 10).await;
                    answer
                }
            });
            let answer = answer.await;
            fails.set(answer.is_err());
            answer.is_ok()
        };
        assert!(ask().await);
        answers.set(Err(()));
        tokio::time::advance(HOLDS.saturating_sub(std::time::Duration::from_millis(1))).await;
        assert!(ask().await && probes.get() == 1);
        tokio::time::advance(std::time::Duration::from_millis(1)).await;
        assert!(!ask().await && probes.get() == 2);
        answers.set(Ok(()));
        assert!(!ask().await && probes.get() == 2, "a failure holds too");
        tokio::time::advance(HOLDS).await;
        assert!(ask().await && probes.get() == 3);
    }

    #[tokio::test]
    async fn an_answer_does_not_hold_once_the_store_has_failed_or_recovered() {
        let readiness = Readiness::default();
        readiness.ask(false, good).await.expect("ready");
        assert!(readiness.ask(true, || async { Err(StoreError::Full.into()) }).await.is_err());
        assert!(readiness.ask(true, good).await.is_err(), "it holds");
        readiness.ask(false, good).await.expect("ready");
    }

    #[tokio::test]
    async fn a_probe_goes_on_when_its_caller_is_gone_and_answers_the_next() {
        let readiness = Readiness::default();
        let (finish, finished) = oneshot::channel();
        let mut first = Box::pin(readiness.ask(false, || async { finished.await.expect("an answer") }));
        assert!(waits(&mut first).await);
        drop(first);
        let mut second = Box::pin(readiness.ask(false, || async { unreachable!("a second probe") }));
        assert!(waits(&mut second).await);
        finish.send(Ok(())).expect("a probe that waits");
        second.await.expect("ready");
    }

    #[tokio::test]
    async fn a_probe_that_panics_is_no_answer_and_the_next_caller_gets_another() {
        let readiness = Readiness::default();
        let panicked = readiness.ask(false, || async { panic!("a mistake") }).await;
        assert!(panicked.is_err_and(|error| matches!(*error, StoreError::Closed)));
        readiness.ask(false, good).await.expect("ready");
    }
}
