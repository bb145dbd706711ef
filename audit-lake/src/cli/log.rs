//! Where the service's log lines go, and how they look.

use audit_lake::{LogConfig, LogFormat, LogLevel};
use tracing::Level;

/// Sends log lines to standard error from now on, and panics with them.
pub(super) fn start(config: LogConfig) {
    let level = match config.level {
        LogLevel::Error => Level::ERROR,
        LogLevel::Warn => Level::WARN,
        LogLevel::Info => Level::INFO,
        LogLevel::Debug => Level::DEBUG,
    };
    let lines = tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr).with_target(false);
    // It fails only where a subscriber is set already, which then gets the lines.
    drop(match config.format {
        LogFormat::Text => lines.with_ansi(false).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    });
    // A panic is a line like any other, and without its message, which may hold anything.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(tracing::field::display);
        tracing::error!(place, "this program panicked, which is a mistake in it");
    }));
}
