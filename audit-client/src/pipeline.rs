//! The pipeline's own thread, with its own runtime: it owes nothing to the application's.

use std::sync::Arc;
use std::thread;

use audit_core::{ChannelArn, ExternalId};
use tokio::sync::{Notify, oneshot};

use crate::dead_letter::Handover;
use crate::delivery::{DeliveryLoop, Policy};
use crate::ledger::Ledger;
use crate::observe::Observed;
use crate::queue::MemoryQueue;
use crate::room::Room;
use crate::transport::Transport;

/// What the handles and the pipeline share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) channel: ChannelArn,
    pub(crate) external_id: Option<ExternalId>,
    pub(crate) ledger: Ledger,
    pub(crate) queue: MemoryQueue,
    pub(crate) room: Room,
    pub(crate) handover: Handover,
    pub(crate) observed: Observed,
    /// There is something new to look at.
    pub(crate) wake: Notify,
}

/// A started pipeline: its runtime's timers, for whoever waits with a deadline.
pub(crate) type Started<E> = Result<tokio::runtime::Handle, StartError<E>>;

/// Why a pipeline does not start.
#[derive(Debug)]
pub(crate) enum StartError<E> {
    /// No thread, or no runtime on it.
    Thread(std::io::Error),
    /// No transport.
    Transport(E),
}

/// Starts the pipeline's thread; `connect` runs on it, so that whatever it spawns lives there too. The receiver hears
/// when it is ready.
pub(crate) fn start<F, E>(
    shared: Arc<Shared>,
    policy: Policy,
    connect: impl FnOnce() -> F + Send + 'static,
) -> oneshot::Receiver<Started<E>>
where
    F: Future<Output = Result<Arc<dyn Transport>, E>>,
    E: Send + 'static,
{
    let (ready, started) = oneshot::channel();
    let ready = Arc::new(std::sync::Mutex::new(Some(ready)));
    let tell = {
        let ready = ready.clone();
        move |result| {
            let ready = ready.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
            ready.is_some_and(|ready: oneshot::Sender<Started<E>>| ready.send(result).is_ok())
        }
    };
    let fail = tell.clone();
    let spawned = thread::Builder::new().name("audit-client".to_owned()).spawn(move || {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => {
                tell(Err(StartError::Thread(error)));
                return;
            }
        };
        let handle = runtime.handle().clone();
        runtime.block_on(async move {
            match connect().await {
                Ok(transport) => {
                    // Nobody waits for it any more: whoever started it has gone.
                    if tell(Ok(handle)) {
                        DeliveryLoop::new(shared, transport, policy).run().await;
                    }
                }
                Err(error) => {
                    tell(Err(StartError::Transport(error)));
                }
            }
        });
        // A blocking lookup that hangs must not hold the thread.
        runtime.shutdown_background();
    });
    if let Err(error) = spawned {
        fail(Err(StartError::Thread(error)));
    }
    started
}
