//! A request that events are emitted for: a server describes it, and learns whether there were any.

use std::sync::Arc;

use audit_core::Context;

/// What a server knows of a request. For `audit-tower`, and servers like it.
pub trait Request: Send + Sync + 'static {
    /// Adds to the context of the first event, and not before: most requests emit none.
    fn describe(&self, context: Context) -> Context;

    /// An event was accepted that belongs to this request.
    fn emitted(&self);

    /// The request needs no event, for this reason.
    fn exempt(&self, reason: &'static str);
}

#[cfg(feature = "ambient")]
tokio::task_local! {
    static CURRENT: Option<Arc<dyn Request>>;
}

/// Runs a future whose events belong to the request.
#[cfg(feature = "ambient")]
pub(crate) fn scope<F: Future>(request: Option<Arc<dyn Request>>, future: F) -> Scoped<F> {
    CURRENT.scope(request, future)
}

/// Such a future.
#[cfg(feature = "ambient")]
pub(crate) type Scoped<F> = tokio::task::futures::TaskLocalFuture<Option<Arc<dyn Request>>, F>;

/// Tells the request that this task works for that it needs no event. Whether there is one.
#[cfg(feature = "ambient")]
pub fn exempt(reason: &'static str) -> bool {
    let tell = |current: &Option<Arc<dyn Request>>| current.as_ref().map(|request| request.exempt(reason)).is_some();
    CURRENT.try_with(tell).unwrap_or(false)
}

#[cfg(feature = "ambient")]
pub(crate) fn sync_scope<R>(request: Option<Arc<dyn Request>>, run: impl FnOnce() -> R) -> R {
    CURRENT.sync_scope(request, run)
}

/// Tells the request that this task works for, if there is one, and the given one.
pub(crate) fn emitted(request: Option<&Arc<dyn Request>>) {
    if let Some(request) = request {
        request.emitted();
    }
    #[cfg(feature = "ambient")]
    let _ = CURRENT.try_with(|current| {
        if let Some(request) = current {
            request.emitted();
        }
    });
}
