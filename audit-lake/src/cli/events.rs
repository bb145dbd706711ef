//! `audit-lake events`

use std::io::{BufWriter, IsTerminal, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;

use audit_core::EventTime;
use audit_lake::{EventFilter, EventReader, StoredEvent};
use clap::Args;

use super::output::{Failure, visible, visible_json};

#[derive(Debug, Args)]
pub(super) struct Events {
    /// The lake's data folder; a lake may be working in it
    #[arg(long)]
    data: PathBuf,
    /// One JSON object a line: the record that CloudTrail would hold, and under "entry" the id and the checksum
    #[arg(long)]
    json: bool,
    /// Only what happened at this time or later, like 2026-11-21T10:15:30Z
    #[arg(long)]
    since: Option<EventTime>,
    /// Only what happened before this time
    #[arg(long)]
    until: Option<EventTime>,
    /// Only this eventSource
    #[arg(long)]
    source: Option<String>,
    /// Only this eventName
    #[arg(long)]
    name: Option<String>,
    /// Only this userIdentity.principalId
    #[arg(long)]
    principal: Option<String>,
    /// Only the entry with this id
    #[arg(long)]
    id: Option<String>,
    /// Only the last so many
    #[arg(long)]
    limit: Option<u32>,
}

impl Events {
    pub(super) fn run(self) -> Result<(), Failure> {
        let mut filter = EventFilter::default();
        filter.since = self.since;
        filter.until = self.until;
        filter.source = self.source;
        filter.name = self.name;
        filter.principal = self.principal;
        filter.id = self.id;
        filter.limit = self.limit;
        let reader = EventReader::open(&self.data)?;
        let terminal = std::io::stdout().is_terminal();
        let mut out = BufWriter::new(std::io::stdout().lock());
        let mut written = if self.json { Ok(()) } else { write_header(&mut out) };
        if written.is_ok() {
            reader.for_each(&filter, |event| {
                written = if self.json { write_json(&mut out, &event, terminal) } else { write_row(&mut out, &event) };
                if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })?;
        }
        match written.and_then(|()| out.flush()) {
            // The reader, such as `head`, has closed the pipe.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            other => Ok(other?),
        }
    }
}

fn write_header(out: &mut impl Write) -> std::io::Result<()> {
    writeln!(
        out,
        "{:20}  {:36}  {:24}  {:24}  {:24}  id",
        "eventTime", "eventID", "eventSource", "eventName", "principalId"
    )
}

fn write_row(out: &mut impl Write, event: &StoredEvent) -> std::io::Result<()> {
    writeln!(
        out,
        "{:20}  {:36}  {:24}  {:24}  {:24}  {}",
        event.event_time,
        event.event_id,
        visible(&event.source),
        visible(&event.name),
        visible(&event.principal),
        visible(&event.id)
    )
}

fn write_json(out: &mut impl Write, event: &StoredEvent, terminal: bool) -> std::io::Result<()> {
    let record = event.record_json();
    let entry = serde_json::json!({ "id": event.id, "eventDataChecksum": event.checksum });
    // The record is an object: the entry goes in before its closing brace.
    let open = record.strip_suffix('}').unwrap_or(&record);
    let line = format!("{open},\"entry\":{entry}}}");
    // A program gets the data byte for byte.
    if terminal { writeln!(out, "{}", visible_json(&line)) } else { writeln!(out, "{line}") }
}
