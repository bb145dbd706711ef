//! axum's way to the actor.

use std::fmt;
use std::ops::Deref;

use audit_client::{ActingAs, Identity, UserIdentity};
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};

/// Extracts who calls, and is an [`ActingAs`] for them, with the request's address, agent and id.
///
/// From then on, [`ActingAs::current`] is theirs too, for the code below the handler: extract it also where the handler itself
/// does not use it.
///
/// `A` says who it is: it implements axum's `FromRequestParts` and [`UserIdentity`]. If it rejects the request, that is the answer.
#[derive(Clone, Debug)]
pub struct Audit<A> {
    actor: A,
    acting: ActingAs,
}

impl<A> Audit<A> {
    /// Who calls.
    pub fn actor(&self) -> &A {
        &self.actor
    }

    /// Gives both away.
    pub fn into_parts(self) -> (A, ActingAs) {
        (self.actor, self.acting)
    }
}

impl<A> Deref for Audit<A> {
    type Target = ActingAs;

    fn deref(&self) -> &ActingAs {
        &self.acting
    }
}

impl<A, S> FromRequestParts<S> for Audit<A>
where
    A: FromRequestParts<S> + UserIdentity,
    S: Send + Sync,
{
    type Rejection = AuditRejection<A::Rejection>;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let actor = A::from_request_parts(parts, state).await.map_err(AuditRejection::Actor)?;
        let acting = ActingAs::__find(|request| request.acting_as(&actor)).ok_or(AuditRejection::NoLayer)?;
        Ok(Self { actor, acting })
    }
}

/// An [`ActingAs`] for callers who are not known yet, such as before a login: identity type `Anonymous`, principal `-`. It is also what
/// [`ActingAs::current`] is from then on.
#[derive(Clone, Debug)]
pub struct AuditAnonymous(ActingAs);

impl Deref for AuditAnonymous {
    type Target = ActingAs;

    fn deref(&self) -> &ActingAs {
        &self.0
    }
}

impl<S: Send + Sync> FromRequestParts<S> for AuditAnonymous {
    type Rejection = AuditRejection<std::convert::Infallible>;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        // A constant that keeps the contract's rules.
        let anonymous = Identity::new("Anonymous", "-").map_err(|_| AuditRejection::NoLayer)?;
        ActingAs::__find(|request| request.acting_as(&anonymous)).map(Self).ok_or(AuditRejection::NoLayer)
    }
}

/// Why there is no [`Audit`].
#[derive(Debug)]
#[non_exhaustive]
pub enum AuditRejection<R> {
    /// The actor's own rejection, which is the answer.
    Actor(R),
    /// The router has no [`AuditLayer`](crate::AuditLayer): 500.
    NoLayer,
}

impl<R> fmt::Display for AuditRejection<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Actor(_) => "the actor is not known",
            Self::NoLayer => "this route has no AuditLayer; add `.layer(AuditLayer::new(client))` to its router",
        })
    }
}

impl<R: std::error::Error + 'static> std::error::Error for AuditRejection<R> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Actor(rejection) => Some(rejection),
            Self::NoLayer => None,
        }
    }
}

impl<R: IntoResponse> IntoResponse for AuditRejection<R> {
    fn into_response(self) -> Response {
        match self {
            Self::Actor(rejection) => rejection.into_response(),
            Self::NoLayer => {
                tracing::error!("a request was refused: {}", AuditRejection::<R>::NoLayer);
                (StatusCode::INTERNAL_SERVER_ERROR, "this route has no AuditLayer").into_response()
            }
        }
    }
}
