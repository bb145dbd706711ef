//! A client together with who acts, for whom and from where.

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use audit_core::{AuditEvent, Context, Entry, UserIdentity};
use serde::Serialize;

use super::AuditClient;
use super::error::EmitError;
use super::receipt::Receipt;
use crate::context::carried::Carried;
use crate::context::request::{self, Request};

/// A client that names an actor for its events: see [`AuditClient::acting_as`].
///
/// Owned and cheap to clone: it can be kept, and moved to other threads and tasks. An event's own fields win; these values
/// fill in what the event leaves out.
#[derive(Clone)]
#[must_use = "this does nothing until an event is emitted"]
pub struct ActingAs(Arc<Acting>);

struct Acting {
    client: AuditClient,
    /// Described by the request at the first event, unless it was made before.
    context: OnceLock<Context>,
    request: Option<Arc<dyn Request>>,
    /// Who was found to act in the scope of this, after it was entered.
    found: Mutex<Option<ActingAs>>,
}

impl AuditClient {
    /// Emits as this actor: for events that do not name one.
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
        ActingAs::with(self.clone(), self.context().clone().identity(identity), None)
    }

    /// Goes on for whom [`ActingAs::carry`] has written down: emits as that actor, on behalf of the same others, with that address,
    /// agent and additional members. Account, hmac key and time are this client's.
    pub fn resume(&self, carried: &Carried) -> ActingAs {
        // It was read or made whole; should that change, its events are refused for want of an actor, and say so.
        let context = carried.put_into(self.context().clone()).unwrap_or_else(|_| self.context().clone());
        ActingAs::with(self.clone(), context, None)
    }
}

impl ActingAs {
    fn with(client: AuditClient, context: Context, request: Option<Arc<dyn Request>>) -> Self {
        Self(Arc::new(Acting { client, context: OnceLock::from(context), request, found: Mutex::default() }))
    }

    /// For servers: acts as whoever the request's description says, once an event asks for it.
    #[doc(hidden)]
    pub fn __of_request(client: AuditClient, request: Arc<dyn Request>) -> Self {
        Self(Arc::new(Acting { client, context: OnceLock::new(), request: Some(request), found: Mutex::default() }))
    }

    /// For servers: from now on, [`current`](Self::current) in the scope of this is another. The caller's actor is known only when
    /// its handler begins.
    #[doc(hidden)]
    pub fn __found(&self, acting: Self) {
        *self.0.found.lock().unwrap_or_else(PoisonError::into_inner) = Some(acting);
    }

    fn context(&self) -> &Context {
        self.0.context.get_or_init(|| {
            let context = self.0.client.context().clone();
            self.0.request.as_ref().map_or_else(|| context.clone(), |request| request.describe(context.clone()))
        })
    }

    fn map(&self, change: impl FnOnce(Context) -> Context) -> Self {
        Self::with(self.0.client.clone(), change(self.context().clone()), self.0.request.clone())
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
        Carried::of(self.context())
    }

    /// As [`AuditClient::encode`]; the event need not name its actor.
    pub fn encode<E: AuditEvent + ?Sized>(&self, event: &E) -> Result<Entry, EmitError> {
        let entry = event.to_entry(self.context())?;
        self.0.client.check_recipient(&entry)?;
        Ok(entry)
    }

    /// As [`AuditClient::emit`]; the event need not name its actor.
    pub fn emit<E: AuditEvent + ?Sized>(&self, event: &E) -> impl Future<Output = Result<Receipt, EmitError>> + Send {
        let entry = event.to_entry(self.context());
        async move {
            let receipt = self.0.client.accept(entry?).await?;
            Ok(self.emitted(receipt))
        }
    }

    /// As [`AuditClient::try_emit`]; the event need not name its actor.
    pub fn try_emit<E: AuditEvent + ?Sized>(&self, event: &E) -> Result<Receipt, EmitError> {
        let receipt = self.0.client.try_accept(event.to_entry(self.context())?)?;
        Ok(self.emitted(receipt))
    }

    /// As [`AuditClient::emit_blocking`]; the event need not name its actor.
    pub fn emit_blocking<E: AuditEvent + ?Sized>(&self, event: &E) -> Result<Receipt, EmitError> {
        let receipt = self.0.client.accept_blocking(event.to_entry(self.context())?)?;
        Ok(self.emitted(receipt))
    }

    fn emitted(&self, receipt: Receipt) -> Receipt {
        request::emitted(self.0.request.as_ref());
        receipt
    }
}

/// Shows no key and no identity.
impl fmt::Debug for ActingAs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActingAs").field("context", &self.0.context.get()).finish_non_exhaustive()
    }
}

#[cfg(feature = "ambient")]
mod ambient {
    use std::sync::PoisonError;

    use tokio::task::JoinHandle;
    use tokio::task::futures::TaskLocalFuture;

    use super::ActingAs;
    use crate::context::request;

    tokio::task_local! {
        static CURRENT: Option<ActingAs>;
    }

    /// With the feature `ambient`: the actor of the running task.
    impl ActingAs {
        /// Runs a future in whose code [`current`](Self::current) is this actor, however deep the call. Scopes nest: the innermost
        /// counts. A task that is spawned inside does not have it: use [`spawn`], or [`in_scope`](Self::in_scope).
        pub fn scope<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
            self.__scope(future)
        }

        /// As `scope`, for a server that names the type of its future.
        #[doc(hidden)]
        pub fn __scope<F: Future>(&self, future: F) -> Scoped<F> {
            request::scope(self.0.request.clone(), scoped(Some(self.clone()), future))
        }

        /// As [`scope`](Self::scope), for code that does not wait.
        pub fn sync_scope<R>(&self, run: impl FnOnce() -> R) -> R {
            request::sync_scope(self.0.request.clone(), || CURRENT.sync_scope(Some(self.clone()), run))
        }

        /// The actor in whose scope this code runs. Outside of every scope there is none, and no default: then the record could
        /// not tell who acted.
        #[must_use]
        pub fn current() -> Option<Self> {
            let entered = Self::__entered()?;
            let found = entered.0.found.lock().unwrap_or_else(PoisonError::into_inner).clone();
            Some(found.unwrap_or(entered))
        }

        /// The one whose scope was entered, whoever was found to act since then.
        #[doc(hidden)]
        pub fn __entered() -> Option<Self> {
            CURRENT.try_with(Clone::clone).ok().flatten()
        }

        /// Takes the scope of this task along, for `JoinSet::spawn`, `FuturesUnordered` and others: the future runs in it, wherever it is
        /// polled. Without a scope, the future runs as it is.
        pub fn in_scope<F: Future>(future: F) -> impl Future<Output = F::Output> + use<F> {
            let current = Self::current();
            let request = current.as_ref().and_then(|acting| acting.0.request.clone());
            request::scope(request, scoped(current, future))
        }
    }

    /// A future in whose code an actor is the current one.
    #[doc(hidden)]
    pub type Scoped<F> = request::Scoped<TaskLocalFuture<Option<ActingAs>, F>>;

    fn scoped<F: Future>(acting: Option<ActingAs>, future: F) -> TaskLocalFuture<Option<ActingAs>, F> {
        CURRENT.scope(acting, future)
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
pub use ambient::{Scoped, spawn, spawn_blocking};
