//! A client together with who acts, for whom and from where.

use std::any::Any;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use audit_core::{AuditEvent, Context, Entry, UserIdentity};
use serde::Serialize;

use super::AuditClient;
use super::emit::Emit;
use super::emit_all::{EmitAllError, has_accepted};
use super::error::EmitError;
use super::receipt::Receipt;
use crate::context::carried::Carried;
use crate::context::request::{self, Request, Scope};

/// A client that names an actor for its events: see [`AuditClient::acting_as`].
///
/// Owned and cheap to clone: it can be kept, and moved to other threads and tasks. An event's own fields win; these values
/// fill in what the event leaves out.
#[derive(Clone)]
#[must_use = "this does nothing until an event is emitted"]
pub struct ActingAs(Arc<Acting>);

struct Acting {
    client: AuditClient,
    context: Arc<Context>,
    /// Where the request is known that the events belong to.
    origin: Option<Arc<dyn Scope>>,
}

/// Who was found to act in a scope after it was entered: the caller's actor is known only when its handler begins.
#[derive(Default)]
struct Found(Mutex<Option<Arc<Context>>>);

impl Found {
    fn get(&self) -> Option<Arc<Context>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, context: Arc<Context>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(context);
    }
}

/// A scope that was entered. Whoever is found to act in it acts in no other one, although the `ActingAs` is the same.
#[cfg(feature = "ambient")]
struct Entered {
    acting: ActingAs,
    found: Found,
}

#[cfg(feature = "ambient")]
impl Scope for Entered {
    fn request(&self) -> Option<&dyn Request> {
        self.acting.0.request()
    }

    fn acting(self: Arc<Self>, found: bool) -> Arc<dyn Any + Send + Sync> {
        let Acting { client, origin, .. } = &*self.acting.0;
        match self.found.get().filter(|_| found) {
            None => self.acting.0.clone(),
            Some(context) => ActingAs::with(client.clone(), context, origin.clone()).0,
        }
    }

    fn found(&self, context: Arc<Context>) {
        self.found.set(context);
    }
}

/// For servers: the scope of a request. It acts as whoever the request's description says, once an event asks for it.
#[doc(hidden)]
pub struct OfRequest<R> {
    client: AuditClient,
    /// Described at the first event.
    context: OnceLock<Arc<Context>>,
    found: Found,
    request: R,
    /// The scope around it: of a layer around the layer.
    around: Option<Arc<dyn Scope>>,
}

impl<R: Request> OfRequest<R> {
    /// A request whose events go through a client.
    pub fn new(client: AuditClient, request: R) -> Self {
        Self { client, context: OnceLock::new(), found: Found::default(), request, around: request::origin() }
    }

    /// The request.
    pub fn request(&self) -> &R {
        &self.request
    }
}

impl<R> OfRequest<R> {
    /// The request around this one.
    fn around(&self) -> Option<&dyn Request> {
        self.around.as_ref()?.request()
    }
}

impl<R: Request> Request for OfRequest<R> {
    fn describe(&self, context: Context) -> Context {
        self.request.describe(context)
    }

    fn emitted(&self) {
        self.request.emitted();
        if let Some(around) = self.around() {
            around.emitted();
        }
    }

    fn exempt(&self, reason: &'static str) {
        self.request.exempt(reason);
        if let Some(around) = self.around() {
            around.exempt(reason);
        }
    }
}

impl<R: Request> Scope for OfRequest<R> {
    fn request(&self) -> Option<&dyn Request> {
        Some(self)
    }

    fn acting(self: Arc<Self>, found: bool) -> Arc<dyn Any + Send + Sync> {
        // Whoever the program itself acts as is not the caller.
        let describe = || Arc::new(self.request.describe(self.client.context().clone().__without_actor()));
        let described = || self.context.get_or_init(describe).clone();
        let context = self.found.get().filter(|_| found).unwrap_or_else(described);
        ActingAs::with(self.client.clone(), context, Some(self)).0
    }

    fn found(&self, context: Arc<Context>) {
        self.found.set(context);
    }
}

impl AuditClient {
    /// Emits as this actor: for events that do not name one. In the scope of a request, with its address, agent and id.
    ///
    /// ```no_run
    /// # async fn f(client: audit_client::AuditClient, event: Box<dyn audit_client::AuditEvent>) -> Result<(), Box<dyn std::error::Error>> {
    /// use audit_client::Identity;
    ///
    /// let staff = Identity::new("Staff", "alice@example.com")?;
    /// client.acting_as(&staff).source_ip("203.0.113.7".parse()?).emit(&*event).await?;
    /// # Ok(()) }
    /// ```
    pub fn acting_as(&self, identity: &dyn UserIdentity) -> ActingAs {
        let context = request::described(self.context()).unwrap_or_else(|| self.context().clone());
        ActingAs::with(self.clone(), Arc::new(context.identity(identity)), request::origin())
    }

    /// Goes on for whom [`ActingAs::carry`] has written down: emits as that actor, on behalf of the same others, with that address,
    /// agent and additional members. Account, hmac key and time are this client's.
    pub fn resume(&self, carried: &Carried) -> ActingAs {
        // It was read or made whole; should that change, its events are refused for want of an actor, and say so.
        let bare = self.context().clone().__without_actor();
        let context = carried.put_into(bare.clone()).unwrap_or(bare);
        ActingAs::with(self.clone(), Arc::new(context), None)
    }
}

impl Acting {
    fn request(&self) -> Option<&dyn Request> {
        self.origin.as_ref()?.request()
    }
}

impl ActingAs {
    fn with(client: AuditClient, context: Arc<Context>, origin: Option<Arc<dyn Scope>>) -> Self {
        Self(Arc::new(Acting { client, context, origin }))
    }

    fn map(&self, change: impl FnOnce(Context) -> Context) -> Self {
        Self::with(self.0.client.clone(), Arc::new(change(Context::clone(&self.0.context))), self.0.origin.clone())
    }

    /// The client.
    #[must_use]
    pub fn client(&self) -> &AuditClient {
        &self.0.client
    }

    /// The same for another actor, with this one's address, agent and additional members.
    pub fn acting_as(&self, identity: &dyn UserIdentity) -> Self {
        self.map(|context| context.identity(identity))
    }

    /// For whom they act: `details.onBehalfOf` of the actor, who stays the one that acts. Called again, the one before acts on
    /// behalf of this one; up to four. See [`Context::on_behalf_of`].
    pub fn on_behalf_of(&self, identity: &dyn UserIdentity) -> Self {
        self.map(|context| context.on_behalf_of(identity))
    }

    /// The address from which they act.
    pub fn source_ip(&self, address: IpAddr) -> Self {
        self.map(|context| context.source_ip(address))
    }

    /// With what they act. Over 1,024 characters, it is cut.
    pub fn user_agent(&self, user_agent: &str) -> Self {
        self.map(|context| context.user_agent(user_agent))
    }

    /// A member of every event's `additionalEventData`, such as the ID of a request. The event's own key wins; what is too
    /// large is cut. See [`Context::additional`].
    pub fn additional<T: Serialize + ?Sized>(&self, key: &str, value: &T) -> Self {
        self.map(|context| context.additional(key, value))
    }

    /// Writes down who acts, for whom and from where, for a job's payload; see [`AuditClient::resume`].
    #[must_use]
    pub fn carry(&self) -> Carried {
        Carried::of(&self.0.context)
    }

    /// As [`AuditClient::encode`]; the event need not name its actor.
    pub fn encode<E: AuditEvent + ?Sized>(&self, event: &E) -> Result<Entry, EmitError> {
        let entry = event.to_entry(&self.0.context)?;
        self.0.client.check_recipient(&entry)?;
        Ok(entry)
    }

    /// As [`AuditClient::emit`]; the event need not name its actor.
    pub fn emit<E: AuditEvent + ?Sized>(&self, event: &E) -> Emit<'_> {
        self.0.client.emit_encoded(event.to_entry(&self.0.context), self.0.request())
    }

    /// As [`AuditClient::try_emit`]; the event need not name its actor.
    pub fn try_emit<E: AuditEvent + ?Sized>(&self, event: &E) -> Result<Receipt, EmitError> {
        let receipt = self.0.client.try_accept(event.to_entry(&self.0.context)?)?;
        Ok(self.emitted(receipt))
    }

    /// As [`AuditClient::emit_blocking`]; the event need not name its actor.
    pub fn emit_blocking<E: AuditEvent + ?Sized>(&self, event: &E) -> Result<Receipt, EmitError> {
        let receipt = self.0.client.accept_blocking(event.to_entry(&self.0.context)?)?;
        Ok(self.emitted(receipt))
    }

    /// As [`AuditClient::emit_all`]; the events need not name their actor.
    pub fn emit_all<'a, E: AuditEvent + ?Sized + 'a>(
        &self,
        events: impl IntoIterator<Item = &'a E>,
    ) -> impl Future<Output = Result<Vec<Receipt>, EmitAllError>> + Send {
        let encode = |event: &E| event.to_entry(&self.0.context).map_err(EmitError::from);
        let entries = self.0.client.encoded_all(events.into_iter().map(encode));
        async move {
            let accepted = self.0.client.accept_all(entries?).await;
            if has_accepted(&accepted) {
                request::emitted(self.0.request());
            }
            accepted
        }
    }

    fn emitted(&self, receipt: Receipt) -> Receipt {
        request::emitted(self.0.request());
        receipt
    }
}

/// Shows no key and no identity.
impl fmt::Debug for ActingAs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActingAs").field("context", &self.0.context).finish_non_exhaustive()
    }
}

#[cfg(feature = "ambient")]
mod ambient {
    use std::sync::Arc;

    use tokio::task::JoinHandle;

    use super::{ActingAs, Entered, Found, OfRequest};
    use crate::context::request::{self, Request, Scope, Scoped};

    impl<R: Request> OfRequest<R> {
        /// As [`ActingAs::scope`].
        pub fn scope<F: Future>(self: &Arc<Self>, future: F) -> Scoped<F> {
            request::scope(Some(self.clone()), future)
        }

        /// As [`ActingAs::sync_scope`].
        pub fn sync_scope<T>(self: &Arc<Self>, run: impl FnOnce() -> T) -> T {
            request::sync_scope(self.clone(), run)
        }
    }

    /// With the feature `ambient`: the actor of the running task.
    impl ActingAs {
        /// Runs a future in whose code [`current`](Self::current) is this actor, however deep the call. Scopes nest: the innermost
        /// counts. A task that is spawned inside does not have it: use [`spawn`], or [`in_scope`](Self::in_scope).
        pub fn scope<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
            request::scope(Some(self.entered()), future)
        }

        fn entered(&self) -> Arc<dyn Scope> {
            Arc::new(Entered { acting: self.clone(), found: Found::default() })
        }

        /// As [`scope`](Self::scope), for code that does not wait.
        pub fn sync_scope<R>(&self, run: impl FnOnce() -> R) -> R {
            request::sync_scope(self.entered(), run)
        }

        /// The actor in whose scope this code runs. Outside of every scope there is none, and no default: then the record could
        /// not tell who acted.
        #[must_use]
        pub fn current() -> Option<Self> {
            request::current()?.acting(true).downcast().ok().map(Self)
        }

        /// For servers: as in the scope that was entered, and whoever `find` returns is the current one from then on.
        #[doc(hidden)]
        pub fn __find(find: impl FnOnce(&Self) -> Self) -> Option<Self> {
            let scope = request::current()?;
            let found = find(&scope.clone().acting(false).downcast().ok().map(Self)?);
            scope.found(found.0.context.clone());
            Some(found)
        }

        /// Takes the scope of this task along, for `JoinSet::spawn`, `FuturesUnordered` and others: the future runs in it, wherever it is
        /// polled. Without a scope, the future runs as it is.
        pub fn in_scope<F: Future>(future: F) -> impl Future<Output = F::Output> + use<F> {
            request::scope(Self::current().map(|acting| acting.entered()), future)
        }
    }

    /// As `tokio::spawn`, with the scope of this task.
    ///
    /// # Panics
    /// Outside of a tokio runtime, as `tokio::spawn` does.
    pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        tokio::spawn(ActingAs::in_scope(future))
    }

    /// As `tokio::task::spawn_blocking`, with the scope of this task.
    ///
    /// # Panics
    /// Outside of a tokio runtime, as `tokio::task::spawn_blocking` does.
    pub fn spawn_blocking<R: Send + 'static>(run: impl FnOnce() -> R + Send + 'static) -> JoinHandle<R> {
        let current = ActingAs::current();
        tokio::task::spawn_blocking(move || match current {
            Some(acting) => acting.sync_scope(run),
            None => run(),
        })
    }
}

#[cfg(feature = "ambient")]
pub use ambient::{spawn, spawn_blocking};
