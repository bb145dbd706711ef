//! `audit-lake events`

use std::io::{self, BufWriter, IsTerminal, Write};
use std::net::IpAddr;
use std::ops::ControlFlow;
use std::path::PathBuf;

use audit_lake::{EventFilter, EventReader, EventTime, Outcome, StoredEvent};
use clap::Args;

use super::csv::write_record;
use super::moment::Moment;
use super::output::{Failure, visible, visible_json};

#[derive(Debug, Args)]
pub(super) struct Events {
    /// The lake's data folder; a lake may be working in it
    #[arg(long)]
    data: PathBuf,
    /// One JSON object a line: the record that CloudTrail would hold, and under "entry" the id and the checksum
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Comma-separated values for a spreadsheet (RFC 4180, UTF-8), with a header; no cell is a formula
    #[arg(long)]
    csv: bool,
    /// Only what happened at this time or later: 2026-11-19 (its beginning, UTC), 2026-11-19T10:15:30Z, or 7d, 12h, 30m ago
    #[arg(long, value_name = "TIME")]
    since: Option<Moment>,
    /// Only what happened before this time, in the same forms
    #[arg(long, value_name = "TIME")]
    until: Option<Moment>,
    /// Only this eventSource
    #[arg(long)]
    source: Option<String>,
    /// Only this eventName
    #[arg(long)]
    name: Option<String>,
    /// Only this userIdentity.principalId
    #[arg(long)]
    principal: Option<String>,
    /// Only this sourceIPAddress
    #[arg(long, value_name = "ADDRESS")]
    ip: Option<IpAddr>,
    /// Only this channel, by its ARN or its ID
    #[arg(long)]
    channel: Option<String>,
    /// Only what failed: events with an errorCode or an errorMessage
    #[arg(long)]
    failed: bool,
    /// Only the entry with this id
    #[arg(long)]
    id: Option<String>,
    /// Only the last N
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
}

/// How events are written.
#[derive(Clone, Copy)]
enum Form {
    Table,
    Csv,
    /// For a program: byte for byte.
    Json,
    /// For a terminal: with escapes for what it could hide or obey.
    VisibleJson,
}

impl Events {
    pub(super) fn run(self) -> Result<(), Failure> {
        let form = match (self.csv, self.json) {
            (true, _) => Form::Csv,
            (_, true) if io::stdout().is_terminal() => Form::VisibleJson,
            (_, true) => Form::Json,
            _ => Form::Table,
        };
        let reader = EventReader::open(&self.data)?;
        let filter = self.filter();
        let mut out = BufWriter::new(io::stdout().lock());
        let mut written = form.write_header(&mut out);
        if written.is_ok() {
            reader.for_each(&filter, |event| {
                written = form.write(&mut out, &event);
                if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })?;
        }
        match written.and_then(|()| out.flush()) {
            // The reader, such as `head`, has closed the pipe.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => Ok(other?),
        }
    }

    fn filter(self) -> EventFilter {
        let now = EventTime::now();
        let mut filter = EventFilter::default();
        filter.since = self.since.map(|moment| moment.seen_at(now));
        filter.until = self.until.map(|moment| moment.seen_at(now));
        filter.source = self.source;
        filter.name = self.name;
        filter.principal = self.principal;
        filter.source_ip = self.ip;
        filter.channel = self.channel;
        filter.failed = self.failed;
        filter.id = self.id;
        filter.limit = self.limit;
        filter
    }
}

impl Form {
    fn write_header(self, out: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Table => write_row(
                out,
                ["eventTime", "eventID", "eventSource", "eventName", "principalId", "outcome", "id"].map(str::to_owned),
            ),
            Self::Csv => write_record(out, &CSV_HEADER),
            Self::Json | Self::VisibleJson => Ok(()),
        }
    }

    fn write(self, out: &mut impl Write, event: &StoredEvent) -> io::Result<()> {
        match self {
            Self::Table => {
                let outcome = match event.outcome() {
                    Outcome::Failure { code: Some(code), .. } => format!("failure: {}", visible(&code)),
                    outcome => word(&outcome).to_owned(),
                };
                write_row(
                    out,
                    [
                        event.event_time.to_string(),
                        visible(&event.event_id),
                        visible(&event.source),
                        visible(&event.name),
                        visible(&event.principal),
                        outcome,
                        visible(&event.id),
                    ],
                )
            }
            Self::Csv => write_csv(out, event),
            Self::Json => writeln!(out, "{}", json(event)),
            Self::VisibleJson => writeln!(out, "{}", visible_json(&json(event))),
        }
    }
}

fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Success => "success",
        Outcome::Failure { .. } => "failure",
        _ => "unreadable",
    }
}

fn write_row(
    out: &mut impl Write,
    [time, event_id, source, name, principal, outcome, id]: [String; 7],
) -> io::Result<()> {
    writeln!(out, "{time:20}  {event_id:36}  {source:24}  {name:24}  {principal:24}  {outcome:24}  {id}")
}

/// The columns, by the names that the event's data and CloudTrail's record have for them.
const CSV_HEADER: [&str; 16] = [
    "eventTime",
    "eventSource",
    "eventName",
    "outcome",
    "errorCode",
    "errorMessage",
    "userIdentity.type",
    "userIdentity.principalId",
    "sourceIPAddress",
    "userAgent",
    "recipientAccountId",
    "channelARN",
    "ingestionTime",
    "eventID",
    "UID",
    "id",
];

fn write_csv(out: &mut impl Write, event: &StoredEvent) -> io::Result<()> {
    let fields = event.fields().ok();
    let fields = fields.as_ref();
    let source_ip = fields.and_then(|fields| fields.source_ip).map(|ip| ip.to_string());
    write_record(
        out,
        &[
            &event.event_time.to_string(),
            &event.source,
            &event.name,
            word(&event.outcome()),
            fields.and_then(|fields| fields.error_code.as_deref()).unwrap_or_default(),
            fields.and_then(|fields| fields.error_message.as_deref()).unwrap_or_default(),
            fields.map(|fields| &*fields.identity_type).unwrap_or_default(),
            &event.principal,
            source_ip.as_deref().unwrap_or_default(),
            fields.and_then(|fields| fields.user_agent.as_deref()).unwrap_or_default(),
            event.channel_arn.account().as_ref(),
            event.channel_arn.as_str(),
            &event.ingestion_time.to_string(),
            &event.event_id,
            fields.map(|fields| &*fields.uid).unwrap_or_default(),
            &event.id,
        ],
    )
}

fn json(event: &StoredEvent) -> String {
    let record = event.record_json();
    let entry = serde_json::json!({ "id": event.id, "eventDataChecksum": event.checksum });
    // The record is an object: the entry goes in before its closing brace.
    let open = record.strip_suffix('}').unwrap_or(&record);
    format!("{open},\"entry\":{entry}}}")
}
