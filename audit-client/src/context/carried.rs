//! A context on its way to another process, with a job.

use std::fmt;
use std::net::IpAddr;

use audit_core::{Context, ContextParts, EncodeError, EventId};
use serde::{Deserialize, Deserializer, Serialize};

/// The version of the form that is written.
const VERSION: u32 = 1;
/// The most bytes of all texts.
const MAX_BYTES: usize = 8_000;
/// So many bytes remain of a text that is cut.
const CUT_BYTES: usize = 200;

/// Who acts, for whom, from where and with what, for a job that another process does later: put it into the job's payload, and emit
/// its events with [`AuditClient::resume`](crate::AuditClient::resume).
///
/// It has no account, no key and no secret: `hmac` values are hashed, and `redact` values are gone. Whoever can write the
/// payload can write who acted, so trust it as far as you trust the queue.
///
/// Serialized, it has at most 8 kB of texts. To that end, additional members are left out, the largest first, then details of
/// identities become `{"omittedBytes":N}`, and long user agents are cut, and long principal IDs to their beginning and a hash. Reading fails on a version that this
/// program does not know, on more than 8 kB, and on texts that are not what this type writes.
///
/// ```
/// # async fn f(client: audit_client::AuditClient) -> Result<(), Box<dyn std::error::Error>> {
/// use audit_client::{Carried, Identity};
///
/// let acting = client.acting_as(&Identity::new("Staff", "alice@example.com")?);
/// let payload = serde_json::to_string(&acting.carry())?;
/// // … hours later, in another process:
/// let carried: Carried = serde_json::from_str(&payload)?;
/// let acting = client.resume(&carried);
/// # Ok(()) }
/// ```
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Carried {
    version: u32,
    /// JSON as a text, and no member left out, so that every format can carry it.
    user_identity: Option<String>,
    on_behalf_of: Vec<String>,
    source_ip: Option<IpAddr>,
    user_agent: Option<String>,
    additional: Vec<(String, String)>,
}

/// Shows nobody and nothing of what they are known by.
impl fmt::Debug for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Carried").field("version", &self.version).finish_non_exhaustive()
    }
}

impl Carried {
    pub(crate) fn of(context: &Context) -> Self {
        let parts = ContextParts::of(context).unwrap_or_else(|error| {
            // Its events are then refused, unless they name an actor.
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "a context is carried without its identity, which cannot be encoded"
            );
            ContextParts::default()
        });
        let ContextParts { identity: user_identity, on_behalf_of, source_ip, user_agent, additional, .. } = parts;
        let mut carried = Self { version: VERSION, user_identity, on_behalf_of, source_ip, user_agent, additional };
        carried.shorten();
        carried
    }

    pub(crate) fn put_into(&self, context: Context) -> Result<Context, EncodeError> {
        let mut parts = ContextParts::default();
        parts.identity.clone_from(&self.user_identity);
        parts.on_behalf_of.clone_from(&self.on_behalf_of);
        parts.source_ip = self.source_ip;
        parts.user_agent.clone_from(&self.user_agent);
        parts.additional.clone_from(&self.additional);
        parts.put_into(context)
    }

    fn bytes(&self) -> usize {
        let additional = self.additional.iter().map(|(key, json)| key.len() + json.len());
        let texts = self.user_identity.iter().chain(&self.on_behalf_of).chain(&self.user_agent);
        additional.sum::<usize>() + texts.map(String::len).sum::<usize>()
    }

    fn shorten(&mut self) {
        while self.bytes() > MAX_BYTES && !self.additional.is_empty() {
            let largest = (0..self.additional.len()).max_by_key(|at| self.additional[*at].1.len());
            self.additional.remove(largest.unwrap_or_default());
        }
        let mut identities: Vec<&mut String> =
            self.on_behalf_of.iter_mut().rev().chain(&mut self.user_identity).collect();
        let mut bytes = identities.iter().map(|identity| identity.len()).sum::<usize>()
            + self.user_agent.as_ref().map_or(0, String::len);
        for step in [without_details, with_short_principal] {
            for identity in &mut identities {
                if bytes <= MAX_BYTES {
                    return;
                }
                if let Some(shorter) = step(identity).filter(|shorter| shorter.len() < identity.len()) {
                    bytes = bytes + shorter.len() - identity.len();
                    **identity = shorter;
                }
            }
            if let Some(user_agent) = &mut self.user_agent
                && bytes > MAX_BYTES
            {
                let shorter = beginning(user_agent);
                bytes = bytes + shorter.len() - user_agent.len();
                *user_agent = shorter;
            }
        }
    }
}

/// The first bytes of a text and an ellipsis, if it has many more.
fn beginning(text: &str) -> String {
    if text.len() <= CUT_BYTES {
        return text.to_owned();
    }
    let end = (0..=CUT_BYTES).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
    format!("{}…", text.get(..end).unwrap_or_default())
}

/// An identity as far as it has to be known here.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Known {
    r#type: String,
    principal_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    details: Option<serde_json::Value>,
}

fn without_details(identity: &str) -> Option<String> {
    let mut known: Known = serde_json::from_str(identity).ok()?;
    let bytes = known.details.take()?.to_string().len();
    known.details = Some(serde_json::json!({ "omittedBytes": bytes }));
    serde_json::to_string(&known).ok()
}

fn with_short_principal(identity: &str) -> Option<String> {
    let mut known: Known = serde_json::from_str(identity).ok()?;
    if known.principal_id.len() > CUT_BYTES {
        // With a hash, so that no two people become one.
        let hash = EventId::derive(&known.principal_id);
        known.principal_id = format!("{}{hash}", beginning(&known.principal_id));
    }
    serde_json::to_string(&known).ok()
}

impl<'de> Deserialize<'de> for Carried {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Read {
            version: u32,
            #[serde(default)]
            user_identity: Option<String>,
            #[serde(default)]
            on_behalf_of: Vec<String>,
            #[serde(default)]
            source_ip: Option<IpAddr>,
            #[serde(default)]
            user_agent: Option<String>,
            #[serde(default)]
            additional: Vec<(String, String)>,
        }

        let fail = <D::Error as serde::de::Error>::custom::<String>;
        let Read { version, user_identity, on_behalf_of, source_ip, user_agent, additional } =
            Read::deserialize(deserializer)?;
        if version != VERSION {
            return Err(fail(format!(
                "a carried context of version {version}, but this program knows {VERSION}: update it before what carries contexts"
            )));
        }
        let carried = Self { version, user_identity, on_behalf_of, source_ip, user_agent, additional };
        if carried.bytes() > MAX_BYTES {
            return Err(fail(format!("a carried context of {} bytes; at most {MAX_BYTES} are taken", carried.bytes())));
        }
        // So that `resume` cannot fail.
        let account = audit_core::AccountId::from_static("000000000000");
        match carried.put_into(Context::new(account)) {
            Ok(_) => Ok(carried),
            Err(error) => {
                let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
                Err(fail(format!("not a carried context: {error}{cause}")))
            }
        }
    }
}
