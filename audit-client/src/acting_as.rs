//! Events on behalf of somebody: for those that do not say themselves who acted.

use std::net::IpAddr;

use audit_core::{AuditEvent, Context};

use crate::client::AuditClient;
use crate::error::EmitError;
use crate::receipt::Receipt;

/// A client that names somebody as the actor: see [`AuditClient::acting_as`].
///
/// What an event says of itself goes first; what is said here fills in the rest.
#[derive(Clone, Debug)]
#[must_use = "this does nothing until an event is emitted"]
pub struct ActingAs<'a> {
    pub(crate) client: &'a AuditClient,
    pub(crate) context: Context,
}

impl ActingAs<'_> {
    /// From where they act.
    pub fn from_ip(mut self, address: IpAddr) -> Self {
        self.context = self.context.source_ip(address);
        self
    }

    /// With what they act: at most 1,024 characters.
    pub fn user_agent(mut self, user_agent: &str) -> Self {
        self.context = self.context.user_agent(user_agent);
        self
    }

    /// As [`AuditClient::emit`]; the event need not name its actor.
    pub fn emit<E: AuditEvent + ?Sized>(&self, event: &E) -> impl Future<Output = Result<Receipt, EmitError>> + Send {
        let entry = event.to_entry(&self.context);
        let client = self.client;
        async move { client.accept(entry?).await }
    }

    /// As [`AuditClient::try_emit`]; the event need not name its actor.
    pub fn try_emit<E: AuditEvent + ?Sized>(&self, event: &E) -> Result<Receipt, EmitError> {
        self.client.try_accept(event.to_entry(&self.context)?)
    }

    /// As [`AuditClient::emit_blocking`]; the event need not name its actor.
    pub fn emit_blocking<E: AuditEvent + ?Sized>(&self, event: &E) -> Result<Receipt, EmitError> {
        self.client.accept_blocking(event.to_entry(&self.context)?)
    }
}
