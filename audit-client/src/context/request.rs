//! A request that events are emitted for: a server describes it, and learns whether there were any.

use std::any::Any;
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

/// What the code in a scope acts as.
pub trait Scope: Send + Sync {
    /// The request that it works for, if it does.
    fn request(&self) -> Option<&dyn Request>;

    /// The client with its context, which `ActingAs` knows. `found`: as whoever was found to act since the scope was entered.
    fn acting(self: Arc<Self>, found: bool) -> Arc<dyn Any + Send + Sync>;

    /// From now on, another one acts.
    fn found(&self, context: Arc<Context>);
}

#[cfg(feature = "ambient")]
tokio::task_local! {
    static CURRENT: Option<Arc<dyn Scope>>;
}

/// A future with its scope.
#[cfg(feature = "ambient")]
pub type Scoped<F> = tokio::task::futures::TaskLocalFuture<Option<Arc<dyn Scope>>, F>;

#[cfg(feature = "ambient")]
pub(crate) fn scope<F: Future>(scope: Option<Arc<dyn Scope>>, future: F) -> Scoped<F> {
    CURRENT.scope(scope, future)
}

#[cfg(feature = "ambient")]
pub(crate) fn sync_scope<R>(scope: Arc<dyn Scope>, run: impl FnOnce() -> R) -> R {
    CURRENT.sync_scope(Some(scope), run)
}

/// The scope in which this code runs.
#[cfg(feature = "ambient")]
pub(crate) fn current() -> Option<Arc<dyn Scope>> {
    CURRENT.try_with(Clone::clone).ok().flatten()
}

/// Does something with the request that this code works for, if there is one.
#[cfg(feature = "ambient")]
fn with_current<R>(run: impl FnOnce(&dyn Request) -> R) -> Option<R> {
    CURRENT.try_with(|scope| Some(run(scope.as_ref()?.request()?))).ok().flatten()
}

/// Tells the request that this code works for that it needs no event. Whether there is one.
#[cfg(feature = "ambient")]
pub fn exempt(reason: &'static str) -> bool {
    with_current(|request| request.exempt(reason)).is_some()
}

/// A client's context as the request that this code works for describes it, if there is one: for a client that is used as it is.
pub(crate) fn described(context: &Context) -> Option<Context> {
    #[cfg(feature = "ambient")]
    return with_current(|request| request.describe(context.clone()));
    #[cfg(not(feature = "ambient"))]
    {
        let _ = context;
        None
    }
}

/// The scope in which this code runs, if it works for a request.
pub(crate) fn origin() -> Option<Arc<dyn Scope>> {
    #[cfg(feature = "ambient")]
    return current().filter(|scope| scope.request().is_some());
    #[cfg(not(feature = "ambient"))]
    None
}

/// Tells the request that this code works for, if there is one, and the given one.
pub(crate) fn emitted(request: Option<&dyn Request>) {
    if let Some(request) = request {
        request.emitted();
    }
    #[cfg(feature = "ambient")]
    let _ = with_current(Request::emitted);
}
