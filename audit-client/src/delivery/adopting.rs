//! What other processes left in the spool's directory.

use std::sync::Arc;
use std::time::Duration;

use super::state::Shared;
use crate::queue::Queue;
use crate::text::with_causes;

/// How often slots that no process uses are looked for.
const PERIOD: Duration = Duration::from_secs(30);

/// Moves it to the spool, now and from time to time, for as long as this is polled.
pub(super) async fn adopt_slots(shared: Arc<Shared>) {
    let Queue::Spool(spool) = &shared.queue else { return };
    if !spool.is_slot() {
        return;
    }
    loop {
        let of_blocking = spool.clone();
        match tokio::task::spawn_blocking(move || of_blocking.adopt_slots()).await {
            Ok(Ok(0)) => {}
            Ok(Ok(events)) => {
                tracing::info!(events, "took over what other processes had left in the spool's directory");
            }
            Ok(Err(error)) => {
                tracing::warn!(
                    error = with_causes(&error),
                    "what other processes left in the spool's directory stays there"
                );
            }
            // It panicked, or the runtime ends.
            Err(_) => return,
        }
        tokio::time::sleep(PERIOD).await;
    }
}
