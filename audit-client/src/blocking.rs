//! Waiting on a plain thread.

use tokio::task::unconstrained;

/// Blocks this thread until the future is ready.
///
/// Also on a thread of an async runtime: there, a task that has used up its turn is told to wait until its thread is free, which
/// it would never be. Hence outside of tokio's budget.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    pollster::block_on(unconstrained(future))
}
