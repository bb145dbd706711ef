//! Configuration: `lake.toml`, its model, and the directory that requests use.

mod directory;
mod file;
mod fixed;
mod parse;
mod secret;
mod section;
mod settings;
mod tls;

pub use secret::Secret;
pub use settings::{
    AccountConfig, ChannelConfig, ConfigError, KeyConfig, LakeConfig, LimitsConfig, LogConfig, LogFormat, LogLevel,
    Mistake, StoreConfig, TlsConfig,
};

pub(crate) use directory::Directory;
pub(crate) use fixed::FixedSettings;
pub(crate) use secret::equal;
pub(crate) use tls::{Tls, TlsError};
