//! A shutdown that no early return leaves out.

use std::time::Duration;

use super::AuditClient;
use crate::ledger::report::ShutdownReport;

/// Shuts the client down when it is dropped: see [`AuditClient::shutdown_on_drop`].
#[derive(Debug)]
#[must_use = "dropped at once, it shuts the client down at once"]
pub struct ShutdownGuard {
    client: AuditClient,
    deadline: Duration,
}

impl AuditClient {
    /// A guard that shuts the client down when it is dropped, also where a function returns early by `?` or panics. It is for
    /// programs that end then; the report goes to the log, as an error if an event is lost or dead.
    ///
    /// Dropping it blocks the thread until [`shutdown`](Self::shutdown) is through, at most for the deadline. That is safe on any
    /// thread, also inside an async runtime: the client works on its own thread. Other tasks of the blocked thread wait, so end a
    /// server with `shutdown` instead, and do not let the guard's drop wait for them: a [`Transport`](crate::Transport) of your own
    /// that needs the blocked thread makes no progress until the deadline.
    ///
    /// Keep it in a variable with a name. `let _ = …` drops it at once.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// # use audit_client::testing::Recorder;
    /// # fn read_input() -> Result<(), std::io::Error> { Err(std::io::Error::other("no input")) }
    /// # fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// # let recorder = Recorder::new();
    /// # let client = recorder.client();
    /// let _shutdown = client.shutdown_on_drop(Duration::from_secs(5));
    /// read_input()?; // if this fails, the client is shut down as well
    /// # Ok(()) }
    /// # assert!(run().is_err());
    /// ```
    pub fn shutdown_on_drop(&self, deadline: Duration) -> ShutdownGuard {
        ShutdownGuard { client: self.clone(), deadline }
    }
}

impl Drop for ShutdownGuard {
    fn drop(&mut self) {
        // After a shutdown, this is the report that it gave, at once.
        let report = self.client.shutdown_blocking(self.deadline);
        let ShutdownReport { lost, dead, .. } = report;
        if lost > 0 || dead > 0 {
            tracing::error!(%report, "the audit client is shut down; not every event was delivered or kept");
        } else {
            tracing::info!(%report, "the audit client is shut down");
        }
    }
}
