//! Whether everything that a lake holds is what it was when it was acknowledged.

use audit_core::limits::Side;
use audit_core::{Checksum, schema};

use super::error::StoreError;
use super::event::StoredEvent;
use super::reader::{EventFilter, EventReader};

/// How many findings are told one by one.
const TOLD: usize = 100;

/// What a verification found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "it says whether the lake is sound"]
#[non_exhaustive]
pub struct Verification {
    /// How many events each channel holds, by ARN.
    pub channels: Vec<(String, u64)>,
    /// How many events were read and held against their checksum and their columns.
    pub events: u64,
    /// What is wrong; the first hundred, each in a sentence. Empty: nothing is.
    pub findings: Vec<String>,
    /// How many findings there were beyond those.
    pub more_findings: u64,
}

impl Verification {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }

    fn note(&mut self, finding: String) {
        if self.findings.len() < TOLD {
            self.findings.push(finding);
        } else {
            self.more_findings += 1;
        }
    }
}

impl EventReader {
    /// Reads the whole database: its structure and indexes, and each event, whose data must have the stored checksum,
    /// keep the contract, and say what the columns beside it say.
    pub fn verify(&self) -> Result<Verification, StoreError> {
        let mut verification = Verification::default();
        self.verify_structure(&mut verification)?;
        let read = self.for_each(&EventFilter::default(), |event| {
            verification.events += 1;
            verify_event(&event, &mut verification);
            std::ops::ControlFlow::Continue(())
        });
        match read {
            Ok(()) => {}
            Err(StoreError::Damaged { what }) => {
                verification.note(format!("reading stopped after {} events: {what}", verification.events));
            }
            Err(error) => return Err(error),
        }
        verification.channels = self.counts()?;
        let counted: u64 = verification.channels.iter().map(|(_, count)| count).sum();
        if counted != verification.events {
            let read = verification.events;
            verification.note(format!("the channels hold {counted} events by their index, {read} could be read"));
        }
        Ok(verification)
    }

    fn verify_structure(&self, verification: &mut Verification) -> Result<(), StoreError> {
        for (pragma, what) in [("integrity_check", "structure"), ("foreign_key_check", "a reference")] {
            let mut statement = self.connection().prepare(&format!("PRAGMA {pragma}"))?;
            let mut rows = statement.query([])?;
            loop {
                match rows.next() {
                    Ok(None) => break,
                    Ok(Some(row)) => {
                        let found: String = row.get(0)?;
                        if found != "ok" {
                            verification.note(format!("{what}: {found}"));
                        }
                    }
                    Err(error) => {
                        verification.note(format!("{what}: {error}"));
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    fn counts(&self) -> Result<Vec<(String, u64)>, StoreError> {
        let mut statement = self.connection().prepare(
            "SELECT arn, (SELECT count(*) FROM events WHERE events.channel = channels.channel) FROM channels ORDER BY arn",
        )?;
        let counts = statement.query_map([], |row| {
            let count: i64 = row.get(1)?;
            Ok((row.get(0)?, u64::try_from(count).unwrap_or_default()))
        })?;
        Ok(counts.collect::<Result<_, _>>()?)
    }
}

fn verify_event(event: &StoredEvent, verification: &mut Verification) {
    let id = &event.id;
    if Checksum::of(event.event_data.as_bytes()) != event.checksum {
        verification.note(format!("the event with id {id} does not have its checksum: its data was changed"));
        return;
    }
    match schema::check(&event.event_data, Side::Receiver) {
        Err(violation) => verification.note(format!("the event with id {id} breaks the contract: {violation}")),
        Ok(fields) => {
            let columns_agree = fields.event_source == event.source
                && fields.event_name == event.name
                && fields.principal_id == event.principal
                && fields.event_time == event.event_time;
            if !columns_agree {
                verification.note(format!("the columns of the event with id {id} do not say what its data says"));
            }
            if fields.recipient_account_id != event.channel_arn.account() {
                verification.note(format!("the event with id {id} stands in a channel of another account"));
            }
        }
    }
}
