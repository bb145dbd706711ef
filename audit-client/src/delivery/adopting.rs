//! What other processes left in the spool's directory.

use std::sync::Arc;
use std::time::Duration;

use super::state::Shared;
use crate::queue::Queue;
use crate::text::with_causes;

/// How often slots that no process uses are looked for.
const PERIOD: Duration = Duration::from_secs(5);
/// The pause while the spool has no room for them.
const NO_ROOM: Duration = Duration::from_millis(500);

/// Moves it to the spool, now and from time to time, for as long as this is polled.
pub(super) async fn adopt_slots(shared: Arc<Shared>) {
    let Queue::Spool(spool) = &shared.queue else { return };
    if !spool.is_slot() {
        return;
    }
    let mut events = 0;
    loop {
        let of_blocking = spool.clone();
        let pause = match tokio::task::spawn_blocking(move || of_blocking.adopt_slots()).await {
            Ok(Ok(adopted)) => {
                events += adopted.events;
                if !adopted.is_complete {
                    // A step at a time, so that a shutdown need not wait for all of it.
                    if adopted.events == 0 {
                        tokio::time::sleep(NO_ROOM).await;
                    }
                    continue;
                }
                PERIOD
            }
            Ok(Err(error)) => {
                tracing::warn!(
                    error = with_causes(&error),
                    "what other processes left in the spool's directory stays there; it is tried again"
                );
                PERIOD
            }
            // It panicked, or the runtime ends.
            Err(_) => return shared.ledger.adopted(),
        };
        if events > 0 {
            tracing::info!(events, "took over what other processes had left in the spool's directory");
            events = 0;
        }
        shared.ledger.adopted();
        tokio::time::sleep(pause).await;
    }
}
