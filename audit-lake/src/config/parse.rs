//! `lake.toml`, read and checked whole.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use audit_core::{AccountId, ChannelArn, ExternalId};
use toml::de::DeTable;

use super::file::{read_bounded, read_regular};
use super::secret::Secret;
use super::section::{At, Mistakes, Section};
use super::settings::{
    AccountConfig, ChannelConfig, ConfigError, KeyConfig, LakeConfig, LimitsConfig, LogConfig, LogFormat, LogLevel,
    Mistake, StoreConfig, TlsConfig,
};
use super::tls::Tls;
use crate::error::with_causes;

/// The most bytes of a secret in a file.
const SECRET_BYTES: usize = 16 * 1_024;
/// The most bytes of a configuration file.
const CONFIG_BYTES: u64 = 16 * 1_024 * 1_024;

impl LakeConfig {
    /// Reads a configuration from a file of at most 16 MiB, and the files and environment variables that it names.
    ///
    /// # Errors
    /// If the file cannot be read: the error has no mistakes, but a source. If it has mistakes: all of them.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        let with_file = |mut error: ConfigError| {
            error.file = Some(path.to_owned());
            error
        };
        let text = std::fs::File::open(path)
            .and_then(|file| read_bounded(file, CONFIG_BYTES))
            .and_then(|bytes| String::from_utf8(bytes).map_err(|_| std::io::Error::other("it is not UTF-8")))
            .map_err(|error| {
                with_file(ConfigError { file: None, mistakes: Vec::new(), unreadable: Some(Arc::new(error)) })
            })?;
        parse(&text, path.parent().unwrap_or(Path::new("."))).map_err(with_file)
    }

    /// Reads a configuration from text. Files that it names are sought from the current folder.
    ///
    /// # Errors
    /// All mistakes of the text.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        parse(text, Path::new("."))
    }
}

fn parse(text: &str, folder: &Path) -> Result<LakeConfig, ConfigError> {
    let mut mistakes = Mistakes::new(text);
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        // The message alone: the whole error shows the line, and there may be a secret in it.
        mistakes.note(
            error.span().map_or(0, |span| span.start),
            format!("this is not TOML: {}", audit_core::shown(error.message()).up_to(400)),
        );
    }
    let root = Section::new("the file", document.get_ref(), document.span());
    let config = Parser { mistakes, folder }.lake(root, errors.is_empty());
    config.map_err(|mistakes| ConfigError { file: None, mistakes, unreadable: None })
}

struct Parser<'t> {
    mistakes: Mistakes<'t>,
    folder: &'t Path,
}

impl Parser<'_> {
    fn lake(mut self, mut root: Section<'_, '_>, whole: bool) -> Result<LakeConfig, Vec<Mistake>> {
        let notes = &mut self.mistakes;
        let region = root.string(notes, "region").and_then(|region| {
            let proper = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            let good = !region.value.is_empty() && region.value.bytes().all(proper);
            if !good {
                notes.note(region.at, "`region` must be a region's name, like eu-west-1");
            }
            good.then(|| region.value.to_owned())
        });
        let listen = root.parsed::<SocketAddr>(notes, "listen").map(|listen| listen.value);
        let admin = root.parsed::<SocketAddr>(notes, "admin");
        if let Some(admin) = &admin
            && admin.value.port() != 0
            && listen == Some(admin.value)
        {
            notes.note(admin.at, "`admin` must be another address than `listen`");
        }
        let admin = admin.map(|admin| admin.value);
        let admin_hosts = root.strings(notes, "admin_hosts").map(|hosts| hosts.value).unwrap_or_default();
        let part_of_a_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        for host in &admin_hosts {
            if host.value.is_empty() || !host.value.bytes().all(part_of_a_name) {
                notes.note(host.at, "`admin_hosts` must hold host names without port, like lake.internal");
            }
        }
        let admin_hosts = admin_hosts.iter().map(|host| host.value.to_owned()).collect();
        let tls = root.section(notes, "tls");
        let accounts = root.sections(notes, "account", "account");
        let channels = root.sections(notes, "channel", "channel");
        let limits = root.section(notes, "limits");
        let store = root.section(notes, "store");
        let retention = root.section(notes, "retention");
        let log = root.section(notes, "log");
        if whole {
            if accounts.is_empty() {
                notes.note(0, "there is no [[account]], so no request could be signed");
            }
            if channels.is_empty() {
                notes.note(0, "there is no [[channel]], so no event could be sent anywhere");
            }
        }
        root.finish(notes);

        let mut config = LakeConfig { region, listen, admin, admin_hosts, ..LakeConfig::default() };
        config.tls = tls.and_then(|section| self.tls(section));
        config.accounts = self.accounts(accounts);
        config.channels = self.channels(channels, &config.accounts);
        if let Some(section) = limits {
            config.limits = self.limits(section);
        }
        if let Some(section) = store {
            config.store = self.store(section);
        }
        config.retention = retention.and_then(|section| self.retention(section));
        if let Some(section) = log {
            config.log = self.log(section);
        }
        let mistakes = self.mistakes.into_sorted();
        if mistakes.is_empty() { Ok(config) } else { Err(mistakes) }
    }

    fn tls(&mut self, mut section: Section<'_, '_>) -> Option<TlsConfig> {
        let notes = &mut self.mistakes;
        let certificate = section.required_string(notes, "certificate");
        let key = section.required_string(notes, "key");
        let section_at = section.at();
        section.finish(notes);
        let mut readable = true;
        let mut file = |text: At<&str>| {
            let path = self.folder.join(text.value);
            if let Err(error) = read_regular(&path) {
                readable = false;
                notes.note(text.at, unreadable(&path, &error));
            }
            path
        };
        let certificate: Option<PathBuf> = certificate.map(&mut file);
        let key: Option<PathBuf> = key.map(&mut file);
        let at = section_at;
        let config = TlsConfig { certificate: certificate?, key: key? };
        if readable && let Err(error) = Tls::load(&config) {
            notes.note(at, with_causes(&error));
        }
        Some(config)
    }

    fn accounts(&mut self, sections: Vec<Section<'_, '_>>) -> Vec<AccountConfig> {
        let mut accounts = Vec::with_capacity(sections.len());
        let mut seen: HashSet<AccountId> = HashSet::new();
        let mut seen_keys = HashSet::new();
        for mut section in sections {
            let notes = &mut self.mistakes;
            let id = section.required_parsed::<AccountId>(notes, "id");
            let opted_in = section.boolean(notes, "opted_in").unwrap_or(true);
            let requests_per_second = section.number(notes, "requests_per_second", 1..=1_000_000);
            let events_per_second = section.number(notes, "events_per_second", 1..=100_000_000);
            let keys = section.sections(notes, "key", "account.key");
            section.finish(notes);
            let keys = keys.into_iter().filter_map(|key| self.key(key, &mut seen_keys)).collect();
            let Some(id) = id else { continue };
            if !seen.insert(id.value) {
                self.mistakes.note(id.at, format!("the account {} is there twice", id.value));
            }
            accounts.push(AccountConfig { id: id.value, keys, opted_in, requests_per_second, events_per_second });
        }
        accounts
    }

    fn key(&mut self, mut section: Section<'_, '_>, seen: &mut HashSet<String>) -> Option<KeyConfig> {
        let start = section.at();
        let notes = &mut self.mistakes;
        let id = section.required_string(notes, "id");
        let secret = self.secret(&mut section, ["secret", "secret_file", "secret_env"]);
        let token = self.secret(&mut section, ["session_token", "session_token_file", "session_token_env"]);
        let notes = &mut self.mistakes;
        let expires = section.time(notes, "expires");
        section.finish(notes);
        if let SecretSource::Nothing = secret {
            notes.note(start, "[[account.key]] needs one of `secret`, `secret_file` and `secret_env`");
        }
        let id = id?;
        let proper = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        if id.value.is_empty() || id.value.len() > 128 || !id.value.bytes().all(proper) {
            // Not shown: where id and secret are swapped, the secret must not reach a log.
            notes.note(id.at, "`id` of [[account.key]] must be 1 to 128 of [A-Za-z0-9_.-]");
            return None;
        }
        if !seen.insert(id.value.to_owned()) {
            notes.note(id.at, "this access key id is there twice");
        }
        let SecretSource::Found(secret) = secret else { return None };
        let session_token = match token {
            SecretSource::Found(token) => Some(token),
            SecretSource::Nothing => None,
            SecretSource::Wrong => return None,
        };
        Some(KeyConfig { id: id.value.to_owned(), secret, session_token, expires })
    }

    /// A secret that stands in the file itself, in a file of its own, or in the environment.
    fn secret(&mut self, section: &mut Section<'_, '_>, [inline, file, env]: [&'static str; 3]) -> SecretSource {
        let notes = &mut self.mistakes;
        let given: Vec<(&'static str, At<&str>)> =
            [inline, file, env].into_iter().filter_map(|key| Some((key, section.string(notes, key)?))).collect();
        if given.is_empty() {
            return SecretSource::Nothing;
        }
        if let [_, (_, second), ..] = &given[..] {
            notes.note(second.at, format!("give only one of `{inline}`, `{file}` and `{env}`"));
            return SecretSource::Wrong;
        }
        let (key, text) = &given[0];
        let read = if *key == inline {
            Ok(text.value.to_owned())
        } else if *key == file {
            let path = self.folder.join(text.value);
            read_secret(&path).map_err(|error| unreadable(&path, &error))
        } else {
            std::env::var(text.value).map_err(|_| {
                format!("the environment variable {} is not set, or not UTF-8", audit_core::shown(text.value))
            })
        };
        match read {
            Ok(secret) if secret.is_empty() => {
                notes.note(text.at, format!("`{key}` gives an empty text"));
                SecretSource::Wrong
            }
            Ok(secret) => SecretSource::Found(Secret::from(secret)),
            Err(message) => {
                notes.note(text.at, message);
                SecretSource::Wrong
            }
        }
    }

    fn channels(&mut self, sections: Vec<Section<'_, '_>>, accounts: &[AccountConfig]) -> Vec<ChannelConfig> {
        let mut channels: Vec<ChannelConfig> = Vec::with_capacity(sections.len());
        for mut section in sections {
            let notes = &mut self.mistakes;
            let arn = section.required_parsed::<ChannelArn>(notes, "arn");
            let account = section.parsed::<AccountId>(notes, "account");
            let external_id = section.string(notes, "external_id").and_then(|id| {
                let read = ExternalId::try_from(id.value).ok();
                if read.is_none() {
                    // Not shown: it is as good as a secret to some.
                    notes.note(id.at, "`external_id` must be 2 to 1,224 characters of [A-Za-z0-9_+=,.@:/-]");
                }
                read
            });
            let sources = section.strings(notes, "sources");
            let destination = section.boolean(notes, "destination").unwrap_or(true);
            let activity_events = section.boolean(notes, "activity_events").unwrap_or(true);
            section.finish(notes);
            let sources = sources.map(|sources| {
                if sources.value.is_empty() {
                    notes.note(
                        sources.at,
                        "`sources` is empty, so the channel would take nothing; leave it out to take all",
                    );
                }
                for source in sources.value.iter().filter(|source| source.value.is_empty()) {
                    notes.note(source.at, "an event source cannot be empty");
                }
                sources.value.iter().map(|source| source.value.to_owned()).collect()
            });
            let Some(arn) = arn else { continue };
            let owner = arn.value.account();
            if let Some(account) = account
                && account.value != owner
            {
                notes.note(account.at, format!("`account` is {}, but the ARN says {owner}", account.value));
            }
            if !accounts.iter().any(|account| account.id == owner) {
                notes.note(
                    arn.at,
                    format!("the channel's account {owner} has no [[account]], so no request could go to it"),
                );
            }
            if channels.iter().any(|channel| channel.arn == arn.value) {
                notes.note(arn.at, "this channel is there twice");
            }
            channels.push(ChannelConfig { arn: arn.value, external_id, sources, destination, activity_events });
        }
        channels
    }

    fn limits(&mut self, mut section: Section<'_, '_>) -> LimitsConfig {
        let notes = &mut self.mistakes;
        let defaults = LimitsConfig::default();
        let connections = section.number(notes, "connections", 1..=1_000_000);
        let body_memory = section.number(notes, "body_memory_mib", 2..=1_048_576);
        let mut seconds = |key, default| {
            let seconds = section.number(notes, key, 1..=3_600);
            seconds.map_or(default, |seconds| Duration::from_secs(seconds.into()))
        };
        let limits = LimitsConfig {
            header_timeout: seconds("header_timeout_seconds", defaults.header_timeout),
            body_timeout: seconds("body_timeout_seconds", defaults.body_timeout),
            idle_timeout: seconds("idle_timeout_seconds", defaults.idle_timeout),
            shutdown_timeout: seconds("shutdown_timeout_seconds", defaults.shutdown_timeout),
            connections: connections.and_then(|number| number.try_into().ok()).unwrap_or(defaults.connections),
            body_memory: body_memory
                .and_then(|mebibytes| usize::try_from(u64::from(mebibytes) * 1_024 * 1_024).ok())
                .unwrap_or(defaults.body_memory),
        };
        section.finish(notes);
        limits
    }

    fn store(&mut self, mut section: Section<'_, '_>) -> StoreConfig {
        let notes = &mut self.mistakes;
        let create = section.boolean(notes, "create").unwrap_or(StoreConfig::default().create);
        section.finish(notes);
        StoreConfig { create }
    }

    fn retention(&mut self, mut section: Section<'_, '_>) -> Option<Duration> {
        let notes = &mut self.mistakes;
        let days = section.number(notes, "days", 1..=36_500);
        if days.is_none() {
            notes.note(section.at(), "[retention] needs `days`");
        }
        section.finish(notes);
        days.map(|days| Duration::from_secs(u64::from(days) * 86_400))
    }

    fn log(&mut self, mut section: Section<'_, '_>) -> LogConfig {
        let notes = &mut self.mistakes;
        let format = section.one_of(notes, "format", &[("text", LogFormat::Text), ("json", LogFormat::Json)]);
        let level = section.one_of(
            notes,
            "level",
            &[
                ("error", LogLevel::Error),
                ("warn", LogLevel::Warn),
                ("info", LogLevel::Info),
                ("debug", LogLevel::Debug),
            ],
        );
        section.finish(notes);
        LogConfig { format: format.unwrap_or_default(), level: level.unwrap_or_default() }
    }
}

enum SecretSource {
    Found(Secret),
    Nothing,
    /// It is wrong, which is already noted.
    Wrong,
}

/// What is wrong with a file that the configuration names.
fn unreadable(path: &Path, error: &std::io::Error) -> String {
    let path = path.display().to_string();
    format!("the file {} cannot be read: {error}", audit_core::shown(&path).up_to(usize::MAX))
}

fn read_secret(path: &Path) -> std::io::Result<String> {
    let bytes = read_regular(path)?;
    if bytes.len() > SECRET_BYTES {
        return Err(std::io::Error::other(format!("it has more than {SECRET_BYTES} bytes, which is no secret")));
    }
    let text = String::from_utf8(bytes).map_err(|_| std::io::Error::other("it is not UTF-8"))?;
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::parse;

    /// A whole configuration, with a line of its one key.
    fn with_key(line: &str) -> String {
        format!(
            "[[account]]\nid = \"123456789012\"\n[[account.key]]\nid = \"AKID\"\n{line}\n[[channel]]\narn = \"arn:aws:cloudtrail:eu-west-1:123456789012:channel/a\"\n"
        )
    }

    #[test]
    fn a_secret_comes_from_the_file_itself_from_another_or_from_the_environment() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("secret"), "from a file\n").expect("written");
        let path = std::env::var("PATH").expect("the path of programs");
        for (line, secret) in [
            ("secret = 'inline'", "inline"),
            ("secret_file = 'secret'", "from a file"),
            ("secret_env = 'PATH'", path.as_str()),
        ] {
            let config = parse(&with_key(line), folder.path()).expect(line);
            assert_eq!(config.accounts[0].keys[0].secret.expose(), secret);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_is_not_a_regular_one_is_refused_at_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let fifo = folder.path().join("fifo");
        assert!(std::process::Command::new("mkfifo").arg(&fifo).status().expect("mkfifo").success());
        for path in [fifo.to_str().expect("text"), "/dev/zero", "/dev/null", "."] {
            let tls = format!("{}[tls]\ncertificate = '{path}'\nkey = '{path}'\n", with_key("secret = 's'"));
            for text in [with_key(&format!("secret_file = '{path}'")), tls] {
                let error = parse(&text, folder.path()).expect_err(path).to_string();
                assert!(error.contains("not a regular file") && error.contains(path), "{error}");
            }
        }
    }

    #[test]
    fn of_thousands_of_mistakes_an_error_shows_the_first_and_the_number() {
        let text = (0..5_000).map(|at| format!("a{at} = 1")).collect::<Vec<_>>().join("\n");
        let error = parse(&text, Path::new(".")).expect_err("unknown keys");
        assert_eq!(error.mistakes().len(), 5_002);
        let shown = error.to_string();
        assert_eq!(shown.lines().count(), 102, "{shown}");
        assert!(shown.ends_with("and 4902 more"), "{shown}");
    }

    #[test]
    fn a_time_may_be_a_string_or_a_date_time() {
        let with = |expires: &str| parse(&with_key(&format!("secret = \"s\"\nexpires = {expires}")), Path::new("."));
        for good in ["\"2027-01-01T00:00:00Z\"", "2027-01-01T00:00:00Z"] {
            let config = with(good).expect(good);
            assert_eq!(
                config.accounts[0].keys[0].expires.map(|time| time.to_string()).as_deref(),
                Some("2027-01-01T00:00:00Z")
            );
        }
        for bad in ["2027-01-01", "2027-01-01T00:00:00+01:00", "1"] {
            assert!(with(bad).is_err(), "{bad}");
        }
    }
}
