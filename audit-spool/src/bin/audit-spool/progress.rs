//! A progress line, on a terminal only.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// A bar that draws itself anew on one line of the terminal, at most ten times a second.
pub(crate) struct Progress {
    what: &'static str,
    total: u64,
    drawn_at: Option<Instant>,
    shows: bool,
}

const WIDTH: u64 = 30;

impl Progress {
    pub(crate) fn new(what: &'static str, total: u64) -> Self {
        Self { what, total, drawn_at: None, shows: io::stderr().is_terminal() }
    }

    pub(crate) fn at(&mut self, done: u64) {
        let recently = self.drawn_at.is_some_and(|drawn| drawn.elapsed() < Duration::from_millis(100));
        if !self.shows || recently {
            return;
        }
        self.drawn_at = Some(Instant::now());
        let full = (done.min(self.total) * WIDTH).checked_div(self.total).unwrap_or(WIDTH);
        let bar: String = (0..WIDTH).map(|place| if place < full { '#' } else { '.' }).collect();
        let percent = (done.min(self.total) * 100).checked_div(self.total).unwrap_or(100);
        Self::draw(&format!("{} [{bar}] {percent:3} %", self.what));
    }

    fn draw(line: &str) {
        // A progress line that cannot be drawn is no reason to stop.
        let _ = write!(io::stderr(), "\r{line}\x1b[K");
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.drawn_at.is_some() {
            Self::draw("");
        }
    }
}
