//! Whether everything that a lake holds is what it was when it was acknowledged.

use std::collections::BTreeMap;

use audit_core::limits::Side;
use audit_core::{ChannelArn, Checksum, EventTime, schema as schema_of_data};
use rusqlite::Row;
use rusqlite::types::ValueRef;

use super::digest::EVENT_COLUMNS;
use super::error::StoreError;
use super::lake_row::LakeRow;
use super::mark::FoundMark;
use super::reader::EventReader;
use super::start_check::as_damage;
use super::{digest, schema};

/// How many findings are reported one by one.
const REPORTED: usize = 100;

/// What a verification found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "it says whether the lake is sound"]
#[non_exhaustive]
pub struct Verification {
    /// How many events each channel holds, by ARN.
    pub channels: Vec<(String, u64)>,
    /// How many events were read and compared with their checksum and their digest.
    pub events: u64,
    /// What is wrong: the first hundred findings, each a sentence. Empty: nothing.
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
        if self.findings.len() < REPORTED {
            self.findings.push(finding);
        } else {
            self.more_findings += 1;
        }
    }
}

impl EventReader {
    /// Reads the whole database, as of one moment: its schema, structure and indexes, and each row of each table, which must have
    /// the digest of its columns. An event's data must have the stored checksum, keep the contract, and say what the columns
    /// beside it say.
    pub fn verify(&self) -> Result<Verification, StoreError> {
        // Before the snapshot: a lake that runs commits, and then writes its mark.
        let mark = FoundMark::in_folder(self.folder())?;
        let _snapshot =
            self.connection().is_autocommit().then(|| self.connection().unchecked_transaction()).transpose()?;
        let mut verification = Verification::default();
        self.part("the structure", &mut verification, Self::verify_structure)?;
        self.part("the schema", &mut verification, Self::verify_schema)?;
        let mut channels = BTreeMap::new();
        self.part("the channels", &mut verification, |reader, verification| {
            channels = reader.verify_channels(verification)?;
            Ok(())
        })?;
        self.part("the events", &mut verification, |reader, verification| {
            reader.verify_events(&channels, verification)
        })?;
        self.part("the table lake", &mut verification, |reader, verification| reader.verify_lake(mark, verification))?;
        self.part("the counts", &mut verification, Self::verify_counts)?;
        Ok(verification)
    }

    /// Verifies a part. Damage that ends it is a finding.
    fn part(
        &self,
        what: &str,
        verification: &mut Verification,
        verify: impl FnOnce(&Self, &mut Verification) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        match verify(self, verification).map_err(as_damage) {
            Err(StoreError::Damaged { what: damage }) => {
                verification.note(format!("reading {what} stopped: {damage}"));
                Ok(())
            }
            verified => verified,
        }
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

    fn verify_schema(&self, verification: &mut Verification) -> Result<(), StoreError> {
        let (found, expected) = (schema::objects(self.connection())?, schema::expected_objects()?);
        for (name, sql) in &expected {
            match found.get(name) {
                None => verification.note(format!("the {name} is missing")),
                Some(found) if found != sql => verification.note(format!("the {name} is defined otherwise: {found}")),
                Some(_) => {}
            }
        }
        for name in found.keys().filter(|name| !expected.contains_key(*name)) {
            verification.note(format!("the {name} is none of a lake's"));
        }
        Ok(())
    }

    /// Returns the ARN of each channel.
    fn verify_channels(&self, verification: &mut Verification) -> Result<BTreeMap<i64, ChannelArn>, StoreError> {
        let mut select = self.connection().prepare("SELECT channel, arn, digest FROM channels")?;
        let mut rows = select.query([])?;
        let mut channels = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let channel: i64 = row.get(0)?;
            let digest = digest::of_row("channels", [row.get_ref(0)?, row.get_ref(1)?]);
            if row.get_ref(2)? != ValueRef::Blob(&digest) {
                verification.note(format!("channel {channel} does not have its digest: its row was changed"));
            }
            match row.get_ref(1)?.as_str().ok().and_then(|arn| ChannelArn::try_from(arn).ok()) {
                Some(arn) => drop(channels.insert(channel, arn)),
                None => verification.note(format!("channel {channel} has no channel's ARN")),
            }
        }
        Ok(channels)
    }

    fn verify_events(
        &self,
        channels: &BTreeMap<i64, ChannelArn>,
        verification: &mut Verification,
    ) -> Result<(), StoreError> {
        let mut select = self
            .connection()
            .prepare(&format!("SELECT {EVENT_COLUMNS}, event_data, digest FROM events ORDER BY seq"))?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            verification.events += 1;
            if let Some(finding) = verify_event(row, channels)? {
                let seq: i64 = row.get(0)?;
                let id = String::from_utf8_lossy(row.get_ref("id")?.as_bytes().unwrap_or_default()).into_owned();
                verification.note(format!("the event with seq {seq} and id {id} {finding}"));
            }
        }
        Ok(())
    }

    fn verify_lake(&self, mark: Option<FoundMark>, verification: &mut Verification) -> Result<(), StoreError> {
        let lake = LakeRow::read(self.connection())?;
        if let Some(Err(missing)) = mark.map(|mark| mark.check(Some(&lake))) {
            verification.note(missing.to_string());
        }
        let last_seq = lake.last_seq;
        let highest: Option<i64> = self.connection().query_row("SELECT max(seq) FROM events", [], |row| row.get(0))?;
        if let Some(highest) = highest.filter(|highest| *highest > last_seq) {
            verification
                .note(format!("an event has seq {highest}, and the table lake says that {last_seq} is the highest"));
        }
        Ok(())
    }

    fn verify_counts(&self, verification: &mut Verification) -> Result<(), StoreError> {
        let mut statement = self.connection().prepare(
            "SELECT arn, (SELECT count(*) FROM events WHERE events.channel = channels.channel) FROM channels ORDER BY arn",
        )?;
        let counts = statement.query_map([], |row| {
            let count: i64 = row.get(1)?;
            Ok((row.get(0)?, u64::try_from(count).unwrap_or_default()))
        })?;
        verification.channels = counts.collect::<Result<_, _>>()?;
        let counted: u64 = verification.channels.iter().map(|(_, count)| count).sum();
        let read = verification.events;
        if counted != read {
            verification.note(format!("the channels hold {counted} events by their index, {read} could be read"));
        }
        Ok(())
    }
}

/// What is wrong with an event.
fn verify_event(row: &Row<'_>, channels: &BTreeMap<i64, ChannelArn>) -> Result<Option<String>, StoreError> {
    let text = |column| row.get_ref(column).map(|value| value.as_str().ok());
    let data = row.get_ref("event_data")?.as_bytes().unwrap_or_default();
    let has_checksum = text("checksum")? == Some(&Checksum::of(data).to_string());
    let has_digest = row.get_ref("digest")? == ValueRef::Blob(&digest::of_event(row)?);
    let Some(data) = text("event_data")?.filter(|_| has_checksum) else {
        let changed = if has_digest { "its data was changed" } else { "its data or a column was changed" };
        return Ok(Some(format!("does not have its checksum: {changed}")));
    };
    let finding = match schema_of_data::check(data, Side::Receiver) {
        Err(violation) => Some(format!("breaks the contract: {violation}")),
        Ok(fields) => {
            let time = row.get_ref("event_time")?.as_i64().ok().and_then(EventTime::from_unix_seconds);
            let arn = row.get_ref("channel")?.as_i64().ok().and_then(|channel| channels.get(&channel));
            let differing = [
                ("event_source", text("event_source")? != Some(&fields.event_source)),
                ("event_name", text("event_name")? != Some(&fields.event_name)),
                ("principal_id", text("principal_id")? != Some(&fields.principal_id)),
                ("event_time", time != Some(fields.event_time)),
                ("channel", arn.map(ChannelArn::account) != Some(fields.recipient_account_id)),
            ];
            let differing: Vec<&str> =
                differing.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect();
            (!differing.is_empty())
                .then(|| format!("has columns that do not say what its data says: {}", differing.join(", ")))
        }
    };
    Ok(finding.or_else(|| (!has_digest).then(|| "does not have its digest: a column was changed".to_owned())))
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::atomic::{AtomicBool, Ordering};

    use rusqlite::types::Value;
    use rusqlite::{Connection, params};

    use super::super::tests::{CHANNEL, event, open};
    use super::super::{EventReader, StoreError};
    use super::Verification;

    fn verify(folder: &Path) -> Result<Verification, StoreError> {
        EventReader::open(folder)?.verify()
    }

    /// What a value becomes if one of its bits is another one: each bit of a number, one bit of each byte.
    fn flips(value: &Value) -> Vec<Value> {
        let bytes = |bytes: &[u8]| -> Vec<Vec<u8>> {
            let flip = |at: usize| {
                let mut flipped = bytes.to_vec();
                flipped[at] ^= 1 << (at % 8);
                flipped
            };
            (0..bytes.len()).map(flip).collect()
        };
        match value {
            Value::Integer(number) => (0..64).map(|bit| Value::Integer(number ^ (1 << bit))).collect(),
            Value::Text(text) => bytes(text.as_bytes()).into_iter().map(Value::Blob).collect(),
            Value::Blob(blob) => bytes(blob).into_iter().map(Value::Blob).collect(),
            Value::Null => vec![Value::Integer(0)],
            Value::Real(_) => Vec::new(),
        }
    }

    #[tokio::test]
    async fn every_change_of_every_column_of_every_table_is_found() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = open(folder.path()).expect("a store");
        store.put(CHANNEL, vec![event("a"), event("b")]).await.expect("stored");
        drop(store);
        let database = Connection::open(folder.path().join("lake.db")).expect("a connection");
        database.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON").expect("set");
        let reader = EventReader::over(folder.path(), database);
        let database = reader.connection();
        assert!(reader.verify().expect("verified").is_sound());
        let mut columns = Vec::new();
        let mut changes = 0;
        for (table, key) in [("events", 1), ("channels", 1), ("lake", 1)] {
            let mut info = database.prepare(&format!("PRAGMA table_info({table})")).expect("SQL");
            let names: Vec<String> =
                info.query_map([], |row| row.get(1)).expect("columns").collect::<Result<_, _>>().expect("columns");
            for column in names {
                let read = format!("SELECT {column} FROM {table} WHERE rowid = {key}");
                let value: Value = database.query_row(&read, [], |row| row.get(0)).expect("a value");
                for flipped in flips(&value) {
                    let kind = if matches!(value, Value::Text(_)) { "CAST(?1 AS TEXT)" } else { "?1" };
                    let change = format!("UPDATE {table} SET {column} = {kind} WHERE rowid = {key}");
                    database.execute_batch("SAVEPOINT sound").expect("begun");
                    // A few break a constraint: then there is no change.
                    if database.execute(&change, params![flipped]).is_ok() {
                        let verification = reader.verify().expect("verified");
                        assert!(!verification.is_sound(), "{table}.{column}: {flipped:?}");
                        changes += 1;
                    }
                    database.execute_batch("ROLLBACK TO sound; RELEASE sound").expect("undone");
                }
                columns.push(format!("{table}.{column}"));
            }
        }
        assert_eq!(columns.len(), 12 + 3 + 6, "{columns:?}");
        assert!(changes > 800, "{changes}");
    }

    /// All that a database says, or nothing where it cannot be read.
    fn everything(folder: &Path) -> Option<Vec<Vec<Value>>> {
        let database = Connection::open(folder.join("lake.db")).ok()?;
        let mut rows = Vec::new();
        for table in ["events", "channels", "lake"] {
            let mut select = database.prepare(&format!("SELECT * FROM {table} ORDER BY rowid")).ok()?;
            let columns = select.column_count();
            let read = select.query_map([], |row| (0..columns).map(|at| row.get(at)).collect()).ok()?;
            rows.extend(read.collect::<Result<Vec<Vec<Value>>, _>>().ok()?);
        }
        Some(rows)
    }

    #[tokio::test]
    async fn a_bit_of_the_file_that_changes_a_value_is_found() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = open(folder.path()).expect("a store");
        store.put(CHANNEL, (0..8).map(|at| event(&format!("e{at}"))).collect()).await.expect("stored");
        drop(store);
        let path = folder.path().join("lake.db");
        let sound = std::fs::read(&path).expect("the file");
        let before = everything(folder.path()).expect("readable");
        let mut changed = 0;
        // A prime, so that bits of all places are among them.
        for bit in (0..sound.len() * 8).step_by(409) {
            let mut bytes = sound.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(&path, bytes).expect("written");
            if everything(folder.path()).as_ref() != Some(&before) {
                changed += 1;
                let verified = verify(folder.path());
                assert!(!verified.is_ok_and(|verification| verification.is_sound()), "bit {bit}");
            }
        }
        assert!(changed > 50, "{changed}");
    }

    #[tokio::test]
    async fn a_schema_that_was_changed_is_found() {
        let folder = tempfile::tempdir().expect("a folder");
        drop(open(folder.path()).expect("a store"));
        let database = Connection::open(folder.path().join("lake.db")).expect("a connection");
        for (change, found) in [
            (
                "CREATE TRIGGER t AFTER INSERT ON events BEGIN DELETE FROM events; END",
                "the trigger t is none of a lake's",
            ),
            ("DROP TRIGGER t; DROP VIEW records", "the view records is missing"),
            ("CREATE VIEW records AS SELECT 1 AS record", "the view records is defined otherwise"),
        ] {
            database.execute_batch(change).expect(change);
            let verification = verify(folder.path()).expect("verified");
            assert!(verification.findings.iter().any(|finding| finding.contains(found)), "{verification:?}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_lake_that_takes_events_meanwhile_is_sound() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = open(folder.path()).expect("a store");
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let verifying = scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let verification = verify(folder.path()).expect("verified");
                    assert!(verification.is_sound(), "{verification:?}");
                }
            });
            let runtime = tokio::runtime::Handle::current();
            for at in 0..300 {
                let put = store.put(CHANNEL, vec![event(&format!("e{at}"))]);
                tokio::task::block_in_place(|| runtime.block_on(put)).expect("stored");
            }
            done.store(true, Ordering::Relaxed);
            verifying.join().expect("sound");
        });
    }
}
