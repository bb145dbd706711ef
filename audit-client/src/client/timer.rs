//! A limit on how long a caller waits.

use std::time::Duration;

use tokio::sync::oneshot;

/// A timer on the pipeline's runtime: the caller's may have none, or be gone.
pub(super) struct Timer(Option<oneshot::Receiver<()>>);

impl Timer {
    pub(super) fn start(runtime: Option<&tokio::runtime::Handle>, limit: Duration) -> Self {
        let Some(runtime) = runtime else { return Self(None) };
        let (over, timer) = oneshot::channel();
        drop(runtime.spawn(async move {
            let mut over = over;
            tokio::select! {
                () = tokio::time::sleep(limit) => { let _ = over.send(()); }
                () = over.closed() => {}
            }
        }));
        Self(Some(timer))
    }

    pub(super) async fn over(self) {
        match self.0 {
            Some(timer) => {
                let _ = timer.await;
            }
            None => std::future::pending().await,
        }
    }
}
