//! What of a context travels to another process, as texts.

use std::net::IpAddr;

use super::context::{Context, MAX_ON_BEHALF};
use super::error::{EncodeError, EncodeFault};
use super::from_context::Additional;
use super::identity::Identity;
use super::member::ReadyMember;

/// Who acts, for whom, from where, with what, and the additional members: for `audit-client`'s `Carried`.
#[doc(hidden)]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContextParts {
    /// An identity's JSON.
    pub identity: Option<String>,
    pub on_behalf_of: Vec<String>,
    pub source_ip: Option<IpAddr>,
    pub user_agent: Option<String>,
    /// Keys with the JSON of their values.
    pub additional: Vec<(String, String)>,
}

impl ContextParts {
    /// Takes the parts of a context. An identity that breaks a rule, or waits for a key, is an error.
    pub fn of(context: &Context) -> Result<Self, EncodeError> {
        let text = |member: &Option<ReadyMember>| {
            let json = member.as_ref().map(ReadyMember::json).transpose().ok().flatten()?;
            let (_, value) = json.split_once(':')?;
            serde_json::from_str::<String>(value).ok()
        };
        Ok(Self {
            identity: context.identity_json()?,
            on_behalf_of: context.on_behalf_json()?,
            source_ip: text(&context.source_ip).and_then(|address| address.parse().ok()),
            user_agent: text(&context.user_agent),
            additional: context.additional.iter().map(Additional::to_json).collect(),
        })
    }

    /// Puts them into a context. Texts that are not what [`of`](Self::of) makes are an error.
    pub fn put_into(&self, mut context: Context) -> Result<Context, EncodeError> {
        if self.on_behalf_of.len() > MAX_ON_BEHALF {
            return Err(EncodeError::new(EncodeFault::OnBehalfOf { limit: MAX_ON_BEHALF }));
        }
        if let Some(identity) = &self.identity {
            context = context.identity(&Identity::from_json(identity)?);
        }
        for other in &self.on_behalf_of {
            context = context.on_behalf_of(&Identity::from_json(other)?);
        }
        if let Some(address) = self.source_ip {
            context = context.source_ip(address);
        }
        if let Some(user_agent) = &self.user_agent {
            context = context.user_agent(user_agent);
        }
        for (key, json) in &self.additional {
            context = context.additional_json(key, json)?;
        }
        // Each may be right, and all together not.
        context.check_actor()?;
        Ok(context)
    }
}
