//! The settings that a running lake cannot change.

use std::net::SocketAddr;

use super::settings::{LakeConfig, LimitsConfig, LogConfig};

/// What a lake was started with, as far as a reload leaves it as it is.
#[derive(Debug)]
pub(crate) struct FixedSettings {
    listen: Option<SocketAddr>,
    admin: Option<SocketAddr>,
    admin_hosts: Vec<String>,
    tls: bool,
    limits: LimitsConfig,
    log: LogConfig,
}

impl FixedSettings {
    pub(crate) fn of(config: &LakeConfig) -> Self {
        // Whole, so that a new setting is either named here or said to be one that a reload changes.
        let LakeConfig {
            region: _,
            listen,
            admin,
            admin_hosts,
            tls,
            accounts: _,
            channels: _,
            limits,
            // It matters at a start only.
            store: _,
            retention: _,
            log,
        } = config;
        Self {
            listen: *listen,
            admin: *admin,
            admin_hosts: admin_hosts.clone(),
            tls: tls.is_some(),
            limits: *limits,
            log: *log,
        }
    }

    /// Those that another configuration sets otherwise, by their names in `lake.toml`.
    pub(crate) fn changed(&self, config: &LakeConfig) -> Vec<&'static str> {
        let Self { listen, admin, admin_hosts, tls, limits, log } = Self::of(config);
        let LimitsConfig { connections, body_memory, header_timeout, body_timeout, idle_timeout, shutdown_timeout } =
            limits;
        [
            ("listen", listen != self.listen),
            ("admin", admin != self.admin),
            ("admin_hosts", admin_hosts != self.admin_hosts),
            ("tls", tls != self.tls),
            ("limits.connections", connections != self.limits.connections),
            ("limits.body_memory_mib", body_memory != self.limits.body_memory),
            ("limits.header_timeout_seconds", header_timeout != self.limits.header_timeout),
            ("limits.body_timeout_seconds", body_timeout != self.limits.body_timeout),
            ("limits.idle_timeout_seconds", idle_timeout != self.limits.idle_timeout),
            ("limits.shutdown_timeout_seconds", shutdown_timeout != self.limits.shutdown_timeout),
            ("log.format", log.format != self.log.format),
            ("log.level", log.level != self.log.level),
        ]
        .into_iter()
        .filter_map(|(name, changed)| changed.then_some(name))
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::FixedSettings;
    use crate::config::{LakeConfig, TlsConfig};

    const REST: &str = r#"
        [[account]]
        id = "123456789012"
        [[channel]]
        arn = "arn:aws:cloudtrail:eu-west-1:123456789012:channel/a"
    "#;

    fn config(top: &str, tables: &str) -> LakeConfig {
        LakeConfig::parse(&format!("{top}\n{REST}\n{tables}")).expect(top)
    }

    #[test]
    fn each_setting_that_needs_a_restart_is_named_by_itself() {
        let fixed = FixedSettings::of(&config("", ""));
        for (top, tables, name) in [
            ("listen = '127.0.0.1:1'", "", "listen"),
            ("admin = '127.0.0.1:1'", "", "admin"),
            ("admin_hosts = ['lake']", "", "admin_hosts"),
            ("", "[limits]\nconnections = 7", "limits.connections"),
            ("", "[limits]\nbody_memory_mib = 7", "limits.body_memory_mib"),
            ("", "[limits]\nheader_timeout_seconds = 7", "limits.header_timeout_seconds"),
            ("", "[limits]\nbody_timeout_seconds = 7", "limits.body_timeout_seconds"),
            ("", "[limits]\nidle_timeout_seconds = 7", "limits.idle_timeout_seconds"),
            ("", "[limits]\nshutdown_timeout_seconds = 7", "limits.shutdown_timeout_seconds"),
            ("", "[log]\nformat = 'json'", "log.format"),
            ("", "[log]\nlevel = 'error'", "log.level"),
        ] {
            assert_eq!(fixed.changed(&config(top, tables)), [name]);
        }
        let mut secured = config("", "");
        secured.tls = Some(TlsConfig::new("c", "k"));
        assert_eq!(fixed.changed(&secured), ["tls"]);
        assert!(FixedSettings::of(&secured).changed(&secured).is_empty());
        let changeable = config("region = 'eu-west-2'", "[retention]\ndays = 7");
        assert!(fixed.changed(&changeable).is_empty());
    }
}
