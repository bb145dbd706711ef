//! Entries of GitHub's audit log: serde reads them, `#[derive(AuditEvent)]` writes them as events.

use std::fmt;
use std::net::{AddrParseError, IpAddr};

use audit_client::{AuditEvent, EventId, EventTime, NameError, UserIdentity};
use serde::Deserialize;
use serde_json::{Map, Value};

/// The event that an entry becomes.
#[derive(AuditEvent)]
#[audit(source = "github.com", rename_all = "snake_case")]
pub struct GithubEvent {
    /// GitHub's `action` is the event's name; this program has no list of them.
    #[audit(event_name)]
    pub action: String,
    #[audit(id)]
    id: String,
    #[audit(time)]
    at: EventTime,
    #[audit(user_identity)]
    actor: Actor,
    #[audit(user_agent)]
    user_agent: Option<String>,
    #[audit(source_ip)]
    actor_ip: Option<IpAddr>,
    org: Option<String>,
    repo: Option<String>,
    /// The record says that there was a credential, and not its hash.
    #[audit(redact, skip_if = Option::is_none)]
    hashed_token: Option<String>,
    /// All other keys of the entry, unchanged.
    #[audit(flatten)]
    rest: Map<String, Value>,
}

/// Who did it.
#[derive(UserIdentity)]
#[audit(type = "GitHubUser", rename_all = "snake_case")]
struct Actor {
    #[audit(principal_id)]
    login: String,
    #[audit(rename = "id")]
    number: Option<Value>,
    is_bot: Option<bool>,
}

/// The keys that this program reads. All others are in `rest`.
#[derive(Deserialize)]
struct LogEntry {
    action: String,
    #[serde(rename = "_document_id")]
    document_id: Option<String>,
    #[serde(rename = "@timestamp")]
    timestamp: Option<Time>,
    at_sign_timestamp: Option<Time>,
    created_at: Option<Time>,
    actor: Option<String>,
    actor_id: Option<Value>,
    actor_is_bot: Option<bool>,
    actor_ip: Option<String>,
    user_agent: Option<String>,
    org: Option<String>,
    repo: Option<String>,
    hashed_token: Option<String>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// A time, in one of GitHub's forms.
#[derive(Deserialize)]
#[serde(untagged)]
enum Time {
    Number(f64),
    Text(String),
}

impl GithubEvent {
    /// Reads one line of the log.
    pub fn from_line(line: &str) -> Result<Self, NotAnEvent> {
        let entry: LogEntry = serde_json::from_str(line).map_err(|why| NotAnEvent { action: None, why: why.into() })?;
        let action = entry.action.clone();
        Self::from_entry(entry, line).map_err(|why| NotAnEvent { action: Some(action), why })
    }

    fn from_entry(entry: LogEntry, line: &str) -> Result<Self, Why> {
        let login = entry.actor.ok_or(Why::NoActor)?;
        let time = entry.timestamp.or(entry.at_sign_timestamp).or(entry.created_at).ok_or(Why::NoTime)?;
        Ok(Self {
            action: entry.action,
            // An entry without an ID gets one from its text: the same line is always the same event.
            id: entry.document_id.unwrap_or_else(|| EventId::derive(line).to_string()),
            at: time.read()?,
            actor: Actor { login, number: entry.actor_id, is_bot: entry.actor_is_bot },
            user_agent: entry.user_agent,
            actor_ip: entry.actor_ip.map(|address| address.parse()).transpose()?,
            org: entry.org,
            repo: entry.repo,
            hashed_token: entry.hashed_token,
            rest: entry.rest,
        })
    }
}

impl Time {
    /// Milliseconds since 1970, or UTC as `2026-11-21T10:15:30.000Z`, with a space for the `T`, without the `Z`, with any
    /// number of digits after the second.
    fn read(&self) -> Result<EventTime, Why> {
        match self {
            Self::Number(milliseconds) => {
                // Whole seconds of the years 0 to 9999 are exact in a float.
                #[allow(clippy::cast_possible_truncation, reason = "a float beyond i64 becomes the nearest i64")]
                let seconds = (milliseconds / 1_000.0).floor() as i64;
                EventTime::from_unix_seconds(seconds).ok_or_else(|| Why::Time(milliseconds.to_string()))
            }
            Self::Text(text) => {
                let unknown = || Why::Time(text.clone());
                let (second, rest) = text.split_at_checked("2026-11-21T10:15:30".len()).ok_or_else(unknown)?;
                let fraction = rest.strip_suffix('Z').unwrap_or(rest);
                let fraction = fraction.strip_prefix('.').unwrap_or(fraction);
                if !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
                    return Err(unknown());
                }
                Ok(second.replacen(' ', "T", 1).parse()?)
            }
        }
    }
}

/// A line of the log that is not an event.
#[derive(Debug)]
pub struct NotAnEvent {
    /// GitHub's name for it, if the line has one.
    pub action: Option<String>,
    /// The reason.
    pub why: Why,
}

/// Why a line of the log is not an event.
#[derive(Debug)]
pub enum Why {
    /// The line is not JSON, or not an entry.
    Entry(serde_json::Error),
    /// The entry names no actor.
    NoActor,
    /// The entry has no time.
    NoTime,
    /// The time has an unknown form.
    Time(String),
    /// The time does not exist, such as 31 February.
    NotATime(NameError),
    /// The source is not an IP address.
    Address(AddrParseError),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entry(error) => write!(f, "not an audit log entry: {error}"),
            Self::NoActor => f.write_str("no `actor`: an event must name who did it"),
            Self::NoTime => f.write_str("no `@timestamp` and no `created_at`: when it happened is not known"),
            Self::Time(time) => write!(f, "its time `{time}` has a form that is not known"),
            Self::NotATime(error) => error.fmt(f),
            Self::Address(error) => write!(f, "its `actor_ip` is not an address: {error}"),
        }
    }
}

impl std::error::Error for Why {}

impl From<serde_json::Error> for Why {
    fn from(error: serde_json::Error) -> Self {
        Self::Entry(error)
    }
}

impl From<NameError> for Why {
    fn from(error: NameError) -> Self {
        Self::NotATime(error)
    }
}

impl From<AddrParseError> for Why {
    fn from(error: AddrParseError) -> Self {
        Self::Address(error)
    }
}

#[cfg(test)]
mod tests {
    use super::{GithubEvent, Time};

    #[test]
    fn times_are_read_in_every_form_that_github_writes() {
        for (time, read) in [
            (Time::Number(1_621_305_118_553.0), "2021-05-18T02:31:58Z"),
            (Time::Text("2023-01-31 18:58:27.638".into()), "2023-01-31T18:58:27Z"),
            (Time::Text("2023-01-31T18:58:27.000Z".into()), "2023-01-31T18:58:27Z"),
            (Time::Text("2025-10-15 18:41:19.605000000".into()), "2025-10-15T18:41:19Z"),
            (Time::Text("2024-12-17 00:00:00000000".into()), "2024-12-17T00:00:00Z"),
        ] {
            assert_eq!(time.read().expect(read).to_string(), read);
        }
        for time in ["yesterday", "2023-01-31 18:58:27 +0200", "2023-02-31 18:58:27", "é023-01-31 18:58:27"] {
            assert!(Time::Text(time.into()).read().is_err(), "{time}");
        }
        assert!(Time::Number(f64::MAX).read().is_err());
    }

    #[test]
    fn an_entry_that_is_no_event_says_why() {
        for (line, why) in [
            ("{", "not an audit log entry"),
            (r#"{"action":"a","actor":"b"}"#, "no `@timestamp`"),
            (r#"{"action":"a","created_at":0}"#, "no `actor`"),
            (r#"{"action":"a","actor":"b","created_at":0,"actor_ip":"unknown"}"#, "not an address"),
        ] {
            let error = GithubEvent::from_line(line).err().expect(line).why.to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
