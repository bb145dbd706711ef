//! A client's settings as text: from the environment, or as a section of the application's configuration file. The names
//! are the builder's.

use std::env::{self, VarError};
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use serde::de::{Deserializer, Unexpected, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use super::AuditClient;
use super::builder::ClientBuilder;
use super::error::BuildError;
use crate::spool::WhenFull;
use crate::text::cut;

/// A client's settings, for serde: a section of the application's configuration file. What is left out keeps the builder's
/// default; a key that is not known is an error.
///
/// Times are written with their unit: `200ms`, `10s`, `5m`, `1h`; `give_up_after` may also be `never`.
///
/// ```
/// use audit_client::ClientConfig;
///
/// let section = r#"{"channel_arn": "arn:aws:cloudtrail:eu-west-1:123456789012:channel/EXAMPLE8-0558-4f7e-a06a-43969EXAMPLE",
///     "linger": "50ms", "give_up_after": "never", "capacity_entries": 10000}"#;
/// let config: ClientConfig = serde_json::from_str(section)?;
/// let builder = config.into_builder().user_agent("shop/2.1");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct ClientConfig {
    /// See [`ClientBuilder::channel_arn`]. In the environment: `AUDIT_CHANNEL_ARN`.
    pub channel_arn: Option<String>,
    /// See [`ClientBuilder::external_id`]. In the environment: `AUDIT_EXTERNAL_ID`.
    pub external_id: Option<String>,
    /// See [`ClientBuilder::spool`]. In the environment: `AUDIT_SPOOL_DIR`.
    #[serde(alias = "spool_dir")]
    pub spool: Option<PathBuf>,
    /// See [`ClientBuilder::capacity_entries`]. In the environment: `AUDIT_CAPACITY_ENTRIES`.
    pub capacity_entries: Option<usize>,
    /// See [`ClientBuilder::capacity_bytes`]. In the environment: `AUDIT_CAPACITY_BYTES`.
    pub capacity_bytes: Option<usize>,
    /// See [`ClientBuilder::report_ids_bytes`]. In the environment: `AUDIT_REPORT_IDS_BYTES`.
    pub report_ids_bytes: Option<usize>,
    /// See [`ClientBuilder::when_full`]: `wait` or `reject`. In the environment: `AUDIT_WHEN_FULL`.
    pub when_full: Option<WhenFull>,
    /// See [`ClientBuilder::emit_timeout`]. In the environment: `AUDIT_EMIT_TIMEOUT`.
    pub emit_timeout: Option<HumanDuration>,
    /// See [`ClientBuilder::linger`]. In the environment: `AUDIT_LINGER`.
    pub linger: Option<HumanDuration>,
    /// See [`ClientBuilder::give_up_after`]. In the environment: `AUDIT_GIVE_UP_AFTER`.
    pub give_up_after: Option<GiveUpAfter>,
    /// See [`ClientBuilder::attempt_timeout`]. In the environment: `AUDIT_ATTEMPT_TIMEOUT`.
    pub attempt_timeout: Option<HumanDuration>,
    /// See [`ClientBuilder::connect_timeout`]. In the environment: `AUDIT_CONNECT_TIMEOUT`.
    pub connect_timeout: Option<HumanDuration>,
    /// See [`ClientBuilder::max_concurrency`]. In the environment: `AUDIT_MAX_CONCURRENCY`.
    pub max_concurrency: Option<u16>,
    /// See [`ClientBuilder::shutdown_keeps_trying`]. In the environment: `AUDIT_SHUTDOWN_KEEPS_TRYING`.
    pub shutdown_keeps_trying: Option<bool>,
    /// See [`ClientBuilder::region`]. In the environment: `AUDIT_REGION`.
    pub region: Option<String>,
    /// See [`ClientBuilder::endpoint_url`]. In the environment: `AUDIT_ENDPOINT_URL`, or AWS's own variables.
    pub endpoint_url: Option<String>,
    /// See [`ClientBuilder::hmac_key`]: `<id>:<key>`, the key being the bytes of its text. In the environment: `AUDIT_HMAC_KEY`.
    #[serde(skip_serializing)]
    pub hmac_key: Option<String>,
    /// See [`ClientBuilder::user_agent`]. In the environment: `AUDIT_USER_AGENT`.
    pub user_agent: Option<String>,
}

impl ClientConfig {
    /// What the environment says: the variables named at the fields. An empty one counts as not set.
    pub fn from_env() -> Result<Self, BuildError> {
        Self::from_vars(|name| match env::var(name) {
            Ok(value) => Ok(Some(value)),
            Err(VarError::NotPresent) => Ok(None),
            Err(VarError::NotUnicode(_)) => Err(()),
        })
    }

    fn from_vars(var: impl Fn(&'static str) -> Result<Option<String>, ()>) -> Result<Self, BuildError> {
        let vars = Vars(var);
        Ok(Self {
            channel_arn: vars.text("AUDIT_CHANNEL_ARN")?,
            external_id: vars.text("AUDIT_EXTERNAL_ID")?,
            spool: vars.text("AUDIT_SPOOL_DIR")?.map(PathBuf::from),
            capacity_entries: vars.parsed("AUDIT_CAPACITY_ENTRIES", "a whole number")?,
            capacity_bytes: vars.parsed("AUDIT_CAPACITY_BYTES", "a whole number")?,
            report_ids_bytes: vars.parsed("AUDIT_REPORT_IDS_BYTES", "a whole number")?,
            when_full: vars.parsed("AUDIT_WHEN_FULL", "`wait` or `reject`")?,
            emit_timeout: vars.parsed("AUDIT_EMIT_TIMEOUT", HumanDuration::RULE)?,
            linger: vars.parsed("AUDIT_LINGER", HumanDuration::RULE)?,
            give_up_after: vars.parsed("AUDIT_GIVE_UP_AFTER", GiveUpAfter::RULE)?,
            attempt_timeout: vars.parsed("AUDIT_ATTEMPT_TIMEOUT", HumanDuration::RULE)?,
            connect_timeout: vars.parsed("AUDIT_CONNECT_TIMEOUT", HumanDuration::RULE)?,
            max_concurrency: vars.parsed("AUDIT_MAX_CONCURRENCY", "a whole number from 1 to 1000")?,
            shutdown_keeps_trying: vars.parsed("AUDIT_SHUTDOWN_KEEPS_TRYING", "`true` or `false`")?,
            region: vars.text("AUDIT_REGION")?,
            endpoint_url: vars.text("AUDIT_ENDPOINT_URL")?,
            hmac_key: vars.text("AUDIT_HMAC_KEY")?,
            user_agent: vars.text("AUDIT_USER_AGENT")?,
        })
    }

    /// A builder with these settings.
    pub fn into_builder(self) -> ClientBuilder {
        /// Sets what there is.
        fn set<T>(
            builder: ClientBuilder,
            value: Option<T>,
            set: impl FnOnce(ClientBuilder, T) -> ClientBuilder,
        ) -> ClientBuilder {
            match value {
                Some(value) => set(builder, value),
                None => builder,
            }
        }
        let builder = AuditClient::builder();
        let builder = set(builder, self.channel_arn, ClientBuilder::channel_arn);
        let builder = set(builder, self.external_id, ClientBuilder::external_id);
        let builder = set(builder, self.spool, ClientBuilder::spool);
        let builder = set(builder, self.capacity_entries, ClientBuilder::capacity_entries);
        let builder = set(builder, self.capacity_bytes, ClientBuilder::capacity_bytes);
        let builder = set(builder, self.report_ids_bytes, ClientBuilder::report_ids_bytes);
        let builder = set(builder, self.when_full, ClientBuilder::when_full);
        let builder = set(builder, self.emit_timeout, |builder, limit| builder.emit_timeout(limit.get()));
        let builder = set(builder, self.linger, |builder, linger| builder.linger(linger.get()));
        let builder = set(builder, self.give_up_after, |builder, after| builder.give_up_after(after.limit()));
        let builder = set(builder, self.attempt_timeout, |builder, limit| builder.attempt_timeout(limit.get()));
        let builder = set(builder, self.connect_timeout, |builder, limit| builder.connect_timeout(limit.get()));
        let builder = set(builder, self.max_concurrency, ClientBuilder::max_concurrency);
        let builder = set(builder, self.shutdown_keeps_trying, ClientBuilder::shutdown_keeps_trying);
        let builder = set(builder, self.region, ClientBuilder::region);
        let builder = set(builder, self.endpoint_url, ClientBuilder::endpoint_url);
        let builder = set(builder, self.hmac_key, |builder, key| {
            // Without a colon there is no id, which the builder refuses.
            let (id, key) = key.split_once(':').unwrap_or_default();
            builder.hmac_key(id, key)
        });
        set(builder, self.user_agent, |builder, agent| builder.user_agent(&agent))
    }
}

/// Shows no key.
impl fmt::Debug for ClientConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientConfig")
            .field("channel_arn", &self.channel_arn)
            .field("external_id", &self.external_id)
            .field("spool", &self.spool)
            .field("capacity_entries", &self.capacity_entries)
            .field("capacity_bytes", &self.capacity_bytes)
            .field("linger", &self.linger)
            .field("give_up_after", &self.give_up_after)
            .field("region", &self.region)
            .field("endpoint_url", &self.endpoint_url)
            .field("has_hmac_key", &self.hmac_key.is_some())
            .finish_non_exhaustive()
    }
}

impl AuditClient {
    /// A client as the environment says: `AUDIT_CHANNEL_ARN`, `AUDIT_EXTERNAL_ID`, `AUDIT_SPOOL_DIR` and the other
    /// variables named at [`ClientConfig`]'s fields, and AWS's own for credentials and endpoint.
    ///
    /// To add to it, [`ClientConfig::from_env`] and [`ClientConfig::into_builder`].
    pub async fn from_env() -> Result<Self, BuildError> {
        ClientConfig::from_env()?.into_builder().build().await
    }
}

struct Vars<F>(F);

impl<F: Fn(&'static str) -> Result<Option<String>, ()>> Vars<F> {
    fn text(&self, key: &'static str) -> Result<Option<String>, BuildError> {
        match self.0(key) {
            Ok(value) => Ok(value.filter(|value| !value.is_empty())),
            Err(()) => Err(BuildError::Value { key, reason: "is not UTF-8".to_owned() }),
        }
    }

    fn parsed<T: FromStr>(&self, key: &'static str, rule: &str) -> Result<Option<T>, BuildError> {
        let Some(value) = self.text(key)? else { return Ok(None) };
        let wrong = |_| BuildError::Value { key, reason: format!("is `{}`; it must be {rule}", cut(&value)) };
        value.trim().parse().map(Some).map_err(wrong)
    }
}

/// A time that is read with its unit: `200ms`, `10s`, `5m`, `1h`.
///
/// ```
/// use std::time::Duration;
///
/// use audit_client::HumanDuration;
///
/// assert_eq!("200ms".parse(), Ok(HumanDuration::new(Duration::from_millis(200))));
/// assert_eq!(HumanDuration::from(Duration::from_mins(5)).to_string(), "300s");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HumanDuration(Duration);

/// How long delivery of an event is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GiveUpAfter {
    /// For ever.
    Never,
    /// For this time; then it is a dead letter.
    After(Duration),
}

/// A text that is not a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParseDurationError;

impl fmt::Display for ParseDurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HumanDuration::RULE)
    }
}

impl std::error::Error for ParseDurationError {}

impl HumanDuration {
    const RULE: &str = "a whole number and its unit, such as `200ms`, `10s`, `5m` or `1h`";

    /// This time. It is written in milliseconds; what is below them is cut off then.
    #[must_use]
    pub const fn new(time: Duration) -> Self {
        Self(time)
    }

    /// The time.
    #[must_use]
    pub const fn get(self) -> Duration {
        self.0
    }
}

impl From<Duration> for HumanDuration {
    fn from(time: Duration) -> Self {
        Self(time)
    }
}

impl GiveUpAfter {
    const RULE: &str = "`never`, or a whole number and its unit, such as `90s`, `5m` or `1h`";

    fn limit(self) -> Option<Duration> {
        match self {
            Self::Never => None,
            Self::After(limit) => Some(limit),
        }
    }
}

impl FromStr for HumanDuration {
    type Err = ParseDurationError;

    fn from_str(text: &str) -> Result<Self, ParseDurationError> {
        let digits = text.find(|character: char| !character.is_ascii_digit()).ok_or(ParseDurationError)?;
        let (number, unit) = text.split_at(digits);
        let number: u64 = number.parse().map_err(|_| ParseDurationError)?;
        let seconds = |each: u64| number.checked_mul(each).map(Duration::from_secs).ok_or(ParseDurationError);
        match unit.trim_start() {
            "ms" => Ok(Self(Duration::from_millis(number))),
            "s" => seconds(1).map(Self),
            "m" => seconds(60).map(Self),
            "h" => seconds(60 * 60).map(Self),
            _ => Err(ParseDurationError),
        }
    }
}

impl fmt::Display for HumanDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_millis();
        if millis.is_multiple_of(1_000) { write!(f, "{}s", millis / 1_000) } else { write!(f, "{millis}ms") }
    }
}

impl FromStr for GiveUpAfter {
    type Err = ParseDurationError;

    fn from_str(text: &str) -> Result<Self, ParseDurationError> {
        if text == "never" { Ok(Self::Never) } else { text.parse().map(|HumanDuration(limit)| Self::After(limit)) }
    }
}

impl fmt::Display for GiveUpAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => f.write_str("never"),
            Self::After(limit) => HumanDuration(*limit).fmt(f),
        }
    }
}

macro_rules! serde_as_text {
    ($type:ident) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Text;
                impl Visitor<'_> for Text {
                    type Value = $type;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($type::RULE)
                    }

                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$type, E> {
                        text.parse().map_err(|_| E::invalid_value(Unexpected::Str(&cut(text)), &self))
                    }
                }
                deserializer.deserialize_str(Text)
            }
        }
    };
}
serde_as_text!(HumanDuration);
serde_as_text!(GiveUpAfter);

#[cfg(test)]
mod tests {
    use super::{ClientConfig, GiveUpAfter, HumanDuration, ParseDurationError};
    use std::time::Duration;

    fn from_vars(vars: &[(&str, &str)]) -> Result<ClientConfig, String> {
        ClientConfig::from_vars(|name| {
            Ok(vars.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
        })
        .map_err(|error| error.to_string())
    }

    #[test]
    fn times_are_read_with_their_unit_and_nothing_else() {
        for (text, millis) in [("0ms", 0), ("200ms", 200), ("10s", 10_000), ("5 m", 300_000), ("1h", 3_600_000)] {
            assert_eq!(text.parse(), Ok(HumanDuration(Duration::from_millis(millis))), "{text}");
        }
        for text in ["", "10", "s", "-1s", "1.5s", "10 parsecs", "1d", "99999999999999999999s", "18446744073709551615h"]
        {
            assert_eq!(text.parse::<HumanDuration>(), Err(ParseDurationError), "{text}");
        }
        assert_eq!("never".parse(), Ok(GiveUpAfter::Never));
    }

    #[test]
    fn the_environment_and_a_file_say_the_same_under_the_same_names() {
        let from_env = from_vars(&[
            ("AUDIT_CHANNEL_ARN", "arn"),
            ("AUDIT_EXTERNAL_ID", "partner"),
            ("AUDIT_SPOOL_DIR", "/var/spool"),
            ("AUDIT_CAPACITY_ENTRIES", "7"),
            ("AUDIT_WHEN_FULL", "reject"),
            ("AUDIT_EMIT_TIMEOUT", "2s"),
            ("AUDIT_LINGER", "50ms"),
            ("AUDIT_GIVE_UP_AFTER", "never"),
            ("AUDIT_MAX_CONCURRENCY", "3"),
            ("AUDIT_SHUTDOWN_KEEPS_TRYING", "true"),
            ("AUDIT_REGION", ""),
        ])
        .expect("valid");
        let section = r#"{"channel_arn":"arn","external_id":"partner","spool":"/var/spool","capacity_entries":7,
            "when_full":"reject","emit_timeout":"2s","linger":"50ms","give_up_after":"never","max_concurrency":3,
            "shutdown_keeps_trying":true}"#;
        let from_file: ClientConfig = serde_json::from_str(section).expect("valid");
        assert_eq!(from_env, from_file);
        let written = serde_json::to_string(&from_file).expect("written");
        assert_eq!(serde_json::from_str::<ClientConfig>(&written).expect("read back"), from_file);
    }

    #[test]
    fn a_wrong_value_names_the_key_and_the_rule() {
        let error = from_vars(&[("AUDIT_LINGER", "soon")]).expect_err("wrong");
        assert_eq!(
            error,
            "AUDIT_LINGER: is `soon`; it must be a whole number and its unit, such as `200ms`, `10s`, `5m` or `1h`"
        );
        let error = from_vars(&[("AUDIT_MAX_CONCURRENCY", "-1")]).expect_err("wrong");
        assert_eq!(error, "AUDIT_MAX_CONCURRENCY: is `-1`; it must be a whole number from 1 to 1000");
        let error = serde_json::from_str::<ClientConfig>(r#"{"linger":"soon"}"#).expect_err("wrong").to_string();
        assert!(error.contains("soon") && error.contains("200ms"), "{error}");
        let error = serde_json::from_str::<ClientConfig>(r#"{"lingre":"1s"}"#).expect_err("unknown").to_string();
        assert!(error.contains("lingre") && error.contains("linger"), "{error}");
    }

    #[test]
    fn no_key_is_shown_or_written() {
        let config = from_vars(&[("AUDIT_HMAC_KEY", "sesame")]).expect("valid");
        let builder = config.clone().into_builder().channel_arn(crate::testing::CHANNEL_ARN);
        let error = builder.build_blocking().expect_err("no id").to_string();
        assert!(error.contains("AUDIT_HMAC_KEY=<id>:<key>") && !error.contains("sesame"), "{error}");
        assert!(!format!("{config:?}").contains("sesame"));
        assert!(!serde_json::to_string(&config).expect("written").contains("sesame"));
        assert!(!format!("{:?}", config.into_builder()).contains("sesame"));
    }
}
