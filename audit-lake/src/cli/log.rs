//! Where the service's log lines go, and how they look.

use std::io::{self, Write};

use audit_lake::{LogConfig, LogFormat, LogLevel};
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::output::{visible, visible_json};

/// Sends log lines to standard error from now on, and panics with them.
pub(super) fn start(config: LogConfig) {
    let level = match config.level {
        LogLevel::Error => Level::ERROR,
        LogLevel::Warn => Level::WARN,
        LogLevel::Debug => Level::DEBUG,
        _ => Level::INFO,
    };
    // What libraries say of each frame of a connection is not asked for, and not held to have no secret.
    let own = Targets::new().with_target("audit_lake", level);
    let json = config.format == LogFormat::Json;
    let lines = tracing_subscriber::fmt::layer().with_writer(move || VisibleLines { json }).with_target(false);
    // It fails only where a subscriber is set already, which then gets the lines.
    drop(match config.format {
        LogFormat::Json => tracing_subscriber::registry().with(own).with(lines.json().flatten_event(true)).try_init(),
        _ => tracing_subscriber::registry().with(own).with(lines.with_ansi(false)).try_init(),
    });
    // A panic is a line like any other, and without its message, which may hold anything.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(tracing::field::display);
        tracing::error!(place, "this program panicked, which is a mistake in it");
    }));
}

/// Standard error, with escapes for what a terminal could hide or obey. Each write is one line of the log.
struct VisibleLines {
    json: bool,
}

impl Write for VisibleLines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        let (text, end) = text.strip_suffix('\n').map_or((&*text, ""), |text| (text, "\n"));
        let text = if self.json { visible_json(text) } else { visible(text) };
        io::stderr().lock().write_all(format!("{text}{end}").as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().lock().flush()
    }
}
