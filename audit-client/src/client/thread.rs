//! The pipeline's own thread, with its own runtime: it owes nothing to the application's.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

use crate::client::error::BuildError;
use crate::delivery::state::{DeliveryLoop, Shared};

/// A pipeline that has started: what the handles share with it, and its runtime, for timers.
pub(crate) type Started = (Arc<Shared>, Handle);

/// Starts the pipeline's thread; `assemble` runs on it, so that whatever it opens and spawns lives there too. The receiver
/// hears when it is ready.
pub(crate) fn start<F>(assemble: impl FnOnce() -> F + Send + 'static) -> oneshot::Receiver<Result<Started, BuildError>>
where
    F: Future<Output = Result<(Arc<Shared>, DeliveryLoop), BuildError>>,
{
    let (ready, started) = oneshot::channel();
    let ready = Arc::new(Mutex::new(Some(ready)));
    let tell = {
        let ready = ready.clone();
        move |result: Result<Started, BuildError>| {
            let ready = ready.lock().unwrap_or_else(PoisonError::into_inner).take();
            ready.is_some_and(|ready| ready.send(result).is_ok())
        }
    };
    let fail = tell.clone();
    let spawned = thread::Builder::new().name("audit-client".to_owned()).spawn(move || {
        let runtime = match Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => {
                tell(Err(BuildError::Thread(error)));
                return;
            }
        };
        let handle = runtime.handle().clone();
        runtime.block_on(async move {
            match assemble().await {
                Ok((shared, delivery)) => {
                    // If no receiver is left, the caller that started it has gone.
                    if tell(Ok((shared, handle))) {
                        delivery.run().await;
                    }
                }
                Err(error) => {
                    tell(Err(error));
                }
            }
        });
        // A lookup that hangs must not hold the thread.
        runtime.shutdown_background();
    });
    if let Err(error) = spawned {
        fail(Err(BuildError::Thread(error)));
    }
    started
}
