//! A table for both a terminal and a README, with each aim and whether it is met.

use std::fmt::{self, Display};

/// Rows of cells under one head.
pub struct Table {
    title: String,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns.
    #[must_use]
    pub fn new(title: impl Into<String>, columns: &[&str]) -> Self {
        Self { title: title.into(), rows: vec![columns.iter().map(ToString::to_string).collect()] }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }
}

impl Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |column: usize| {
            self.rows
                .iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or_default()
        };
        writeln!(f, "### {}\n", self.title)?;
        for (number, row) in self.rows.iter().enumerate() {
            for (column, cell) in row.iter().enumerate() {
                let width = width(column);
                if column == 0 { write!(f, "| {cell:width$} |")? } else { write!(f, " {cell:>width$} |")? }
            }
            writeln!(f)?;
            if number == 0 {
                for column in 0..row.len() {
                    let line = "-".repeat(width(column));
                    if column == 0 { write!(f, "|-{line}-|")? } else { write!(f, "-{line}:|")? }
                }
                writeln!(f)?;
            }
        }
        Ok(())
    }
}

/// Nanoseconds as a person reads them.
#[must_use]
pub fn time(nanos: f64) -> String {
    match nanos {
        nanos if nanos < 10_000.0 => format!("{nanos:.0} ns"),
        nanos if nanos < 10_000_000.0 => format!("{:.1} µs", nanos / 1e3),
        nanos => format!("{:.1} ms", nanos / 1e6),
    }
}

/// A ratio.
#[must_use]
pub fn ratio(ratio: f64) -> String {
    format!("{ratio:.2} ×")
}

/// A figure with its upper limit, and whether the limit is met.
#[must_use]
pub fn at_most(figure: f64, aim: f64) -> String {
    let verdict = if figure <= aim { "met" } else { "missed" };
    format!("≤ {aim:.2} ×: {verdict}")
}
