//! Deletes events that are past their retention, in small steps, so that no request waits long for one.

use std::fmt::Display;
use std::time::{Duration, SystemTime};

use audit_core::EventTime;
use tokio::sync::watch;

use super::state::Service;
use crate::error::with_causes;
use crate::store::Pruned;

/// The most events that one step deletes.
const STEP: usize = 500;
/// The pause between two steps, in which requests have the writer to themselves.
const PAUSE: Duration = Duration::from_millis(50);
/// The pause when there is nothing more to delete, or when deleting failed.
const REST: Duration = Duration::from_mins(1);

/// Deletes events that happened longer ago than `age`, for as long as this is polled.
/// `age` may change meanwhile; `None` keeps everything.
pub(crate) async fn keep(service: &Service, age: watch::Receiver<Option<Duration>>) {
    let prune = |now, before, at_most| async move {
        let pruned = service.store().prune(now, before, at_most).await.map_err(|error| with_causes(&*error))?;
        Ok::<usize, String>(match pruned {
            Pruned::Deleted(deleted) => {
                service.metrics().pruned(deleted);
                service.note_clock_doubt(None);
                deleted
            }
            Pruned::Waits(doubt) => {
                service.note_clock_doubt(Some(doubt));
                0
            }
        })
    };
    run(prune, || service.note_clock_doubt(None), SystemTime::now, age).await;
}

/// [`keep`] by the clock `now`. `prune` deletes those that happened before its second argument, up to a number, and returns how
/// many they were; its first argument is the time. `keep_all` is called instead where everything is kept.
async fn run<F, E>(
    prune: impl Fn(EventTime, EventTime, usize) -> F,
    keep_all: impl Fn(),
    now: impl Fn() -> SystemTime,
    mut age: watch::Receiver<Option<Duration>>,
) where
    F: Future<Output = Result<usize, E>>,
    E: Display,
{
    let mut deleted = 0;
    loop {
        let current = *age.borrow_and_update();
        let now = now();
        let before = current.and_then(|age| now.checked_sub(age)).and_then(|time| EventTime::try_from(time).ok());
        let step = if let (Ok(now), Some(before)) = (EventTime::try_from(now), before) {
            prune(now, before, STEP).await
        } else {
            keep_all();
            Ok(0)
        };
        match &step {
            Ok(step) => deleted += step,
            Err(error) => tracing::warn!(%error, "could not delete events that are past their retention"),
        }
        let more = matches!(step, Ok(STEP));
        if !more && deleted > 0 {
            // One line for all steps: a year's worth of events is many of them.
            tracing::info!(deleted, "deleted events that are past their retention");
            deleted = 0;
        }
        let changed = async {
            if age.changed().await.is_err() {
                // No sender is left that could change it.
                std::future::pending::<()>().await;
            }
        };
        // A change is acted on at once.
        drop(tokio::time::timeout(if more { PAUSE } else { REST }, changed).await);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::sync::Arc;
    use std::time::{Duration, SystemTime};

    use audit_core::EventTime;
    use tokio::sync::{mpsc, watch};
    use tokio::time::Instant;

    use super::{PAUSE, REST, STEP, run};
    use crate::metrics::Metrics;
    use crate::store::tests::{CHANNEL, event_at, ids};
    use crate::store::{DataFolder, Pruned, Store};

    const DAY: Duration = Duration::from_hours(24);
    /// What the clock of these tests says.
    const NOW: EventTime = EventTime::from_static("2026-11-21T10:15:30Z");

    fn now() -> SystemTime {
        let seconds = u64::try_from(NOW.unix_seconds()).expect("after 1970");
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn days_ago(days: u32) -> EventTime {
        EventTime::try_from(now() - DAY * days).expect("a time")
    }

    /// A call of `prune`: when, in time since the start, and with what.
    #[derive(Debug, PartialEq, Eq)]
    struct Call {
        at: Duration,
        before: EventTime,
        at_most: usize,
    }

    /// Runs retention over a store with given answers, then with nothing deleted, until `script` has seen enough.
    /// Time is paused: it goes on only when everything waits for it, so every `at` is exact.
    async fn with_answers(
        age: Option<Duration>,
        answers: Vec<Result<usize, &'static str>>,
        script: impl AsyncFnOnce(&watch::Sender<Option<Duration>>, &mut mpsc::UnboundedReceiver<Call>),
    ) {
        let start = Instant::now();
        let (setting, age) = watch::channel(age);
        let (sent, mut calls) = mpsc::unbounded_channel();
        let answers = RefCell::new(answers.into_iter());
        let prune = |_, before, at_most| {
            sent.send(Call { at: start.elapsed(), before, at_most }).expect("a receiver");
            std::future::ready(answers.borrow_mut().next().unwrap_or(Ok(0)))
        };
        tokio::select! {
            () = run(prune, || (), now, age) => unreachable!("it runs for ever"),
            () = script(&setting, &mut calls) => {}
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_step_is_followed_by_another_after_a_pause_and_the_last_by_a_rest() {
        with_answers(Some(DAY), vec![Ok(STEP), Ok(STEP), Ok(3)], async |_, calls| {
            for at in [Duration::ZERO, PAUSE, 2 * PAUSE, 2 * PAUSE + REST, 2 * PAUSE + 2 * REST] {
                assert_eq!(calls.recv().await, Some(Call { at, before: days_ago(1), at_most: STEP }));
            }
        })
        .await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_step_that_failed_is_tried_again_after_a_rest() {
        with_answers(Some(DAY), vec![Ok(STEP), Err("full"), Err("full"), Ok(STEP)], async |_, calls| {
            for at in [Duration::ZERO, PAUSE, PAUSE + REST, PAUSE + 2 * REST, 2 * PAUSE + 2 * REST] {
                assert_eq!(calls.recv().await, Some(Call { at, before: days_ago(1), at_most: STEP }));
            }
        })
        .await;
    }

    #[tokio::test(start_paused = true)]
    async fn another_setting_is_acted_on_at_once_and_none_deletes_nothing() {
        with_answers(None, Vec::new(), async |setting, calls| {
            // Paused time stands still while anything else can run: a request in these ten minutes would be there.
            tokio::time::sleep(10 * REST).await;
            assert!(calls.try_recv().is_err(), "it keeps everything");
            for (days, at) in [(7, 10 * REST), (3, 10 * REST)] {
                setting.send_replace(Some(DAY * days));
                assert_eq!(calls.recv().await, Some(Call { at, before: days_ago(days), at_most: STEP }));
            }
            setting.send_replace(None);
            tokio::time::sleep(10 * REST).await;
            assert!(calls.try_recv().is_err(), "it keeps everything again");
        })
        .await;
    }

    #[tokio::test(start_paused = true)]
    async fn retention_goes_on_when_its_setting_has_no_sender_any_more() {
        let start = Instant::now();
        let (setting, age) = watch::channel(Some(DAY));
        drop(setting);
        let (sent, mut calls) = mpsc::unbounded_channel();
        let prune = |_, _, _| {
            sent.send(start.elapsed()).expect("a receiver");
            std::future::ready(Ok::<_, &str>(0))
        };
        tokio::select! {
            () = run(prune, || (), now, age) => unreachable!("it runs for ever"),
            () = async {
                assert_eq!(calls.recv().await, Some(Duration::ZERO));
                assert_eq!(calls.recv().await, Some(REST), "it rests rather than spin");
            } => {}
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_loses_its_old_events_in_steps_and_keeps_the_others() {
        let folder = tempfile::tempdir().expect("a folder");
        let claimed = DataFolder::claim(folder.path()).expect("the folder");
        let store = Store::open(claimed, Arc::new(Metrics::default())).expect("a store");
        let old = (0..2 * STEP + 7).map(|at| event_at(&format!("old{at}"), "2026-11-20T10:15:29Z"));
        let kept = [event_at("a day old", "2026-11-20T10:15:30Z"), event_at("of the future", "2030-01-01T00:00:00Z")];
        store.put(CHANNEL, old.chain(kept).collect()).await.expect("stored");

        let (_setting, age) = watch::channel(Some(DAY));
        let (sent, mut steps) = mpsc::unbounded_channel();
        let (deleting, sending) = (&store, &sent);
        let prune = |now, before, at_most| async move {
            let pruned = deleting.prune(now, before, at_most).await.expect("a step");
            let Pruned::Deleted(deleted) = pruned else { panic!("{pruned:?}") };
            sending.send(deleted).expect("a receiver");
            Ok::<_, &str>(deleted)
        };
        tokio::select! {
            () = run(prune, || (), now, age) => unreachable!("it runs for ever"),
            () = async {
                for deleted in [STEP, STEP, 7, 0] {
                    assert_eq!(steps.recv().await, Some(deleted));
                }
            } => {}
        }
        assert_eq!(ids(folder.path()), ["a day old", "of the future"]);
    }
}
