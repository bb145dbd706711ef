//! The engines compared, each configured to sync before it confirms a record.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use audit_client::spool::{NewRecord, Spool, SpoolOptions};
use audit_core::Checksum;

pub(crate) const ENGINES: [&str; 5] = ["spool", "raw append", "fjall", "redb", "rusqlite"];

/// Something that keeps records; each call returns when all of them are synced.
pub(crate) trait Engine {
    fn keep(&mut self, records: &[(String, String)]);
}

pub(crate) fn engine(name: &str, dir: &Path) -> Box<dyn Engine> {
    match name {
        "spool" => Box::new(OurSpool(Spool::open(dir.join("spool"), SpoolOptions::new()).unwrap().0)),
        "raw append" => Box::new(RawAppend(File::create(dir.join("raw")).unwrap())),
        "fjall" => {
            let db = fjall::Database::builder(dir.join("fjall")).open().unwrap();
            let queue = db.keyspace("queue", fjall::KeyspaceCreateOptions::default).unwrap();
            Box::new(Fjall(db, queue))
        }
        "redb" => Box::new(Redb(redb::Database::create(dir.join("redb")).unwrap())),
        "rusqlite" => {
            let db = rusqlite::Connection::open(dir.join("sqlite")).unwrap();
            db.pragma_update(None, "journal_mode", "wal").unwrap();
            db.pragma_update(None, "synchronous", "full").unwrap();
            db.execute("create table queue (seq integer primary key, id text, data text)", ()).unwrap();
            Box::new(Sqlite(db))
        }
        other => panic!("there is no engine {other}"),
    }
}

struct OurSpool(Spool);

impl Engine for OurSpool {
    fn keep(&mut self, records: &[(String, String)]) {
        // An entry comes with its checksum: computing it is not the spool's work.
        let checksum = Checksum::from_bytes([7; 32]);
        let records = records.iter().map(|(id, data)| NewRecord::new(id.as_str(), data.as_str(), checksum));
        for append in self.0.append_all(records) {
            append.wait().unwrap();
        }
    }
}

/// A file to which bytes are appended: the lower bound. It could not be read back after a crash.
struct RawAppend(File);

impl Engine for RawAppend {
    fn keep(&mut self, records: &[(String, String)]) {
        let bytes: Vec<u8> =
            records.iter().flat_map(|(id, data)| [id.as_bytes(), data.as_bytes()]).flatten().copied().collect();
        self.0.write_all(&bytes).unwrap();
        self.0.sync_data().unwrap();
    }
}

struct Fjall(fjall::Database, fjall::Keyspace);

impl Engine for Fjall {
    fn keep(&mut self, records: &[(String, String)]) {
        let mut batch = self.0.batch().durability(Some(fjall::PersistMode::SyncData));
        for (id, data) in records {
            batch.insert(&self.1, id.as_str(), data.as_str());
        }
        batch.commit().unwrap();
    }
}

struct Redb(redb::Database);

const TABLE: redb::TableDefinition<'_, &str, &str> = redb::TableDefinition::new("queue");

impl Engine for Redb {
    fn keep(&mut self, records: &[(String, String)]) {
        let write = self.0.begin_write().unwrap();
        {
            let mut table = write.open_table(TABLE).unwrap();
            for (id, data) in records {
                table.insert(id.as_str(), data.as_str()).unwrap();
            }
        }
        write.commit().unwrap();
    }
}

struct Sqlite(rusqlite::Connection);

impl Engine for Sqlite {
    fn keep(&mut self, records: &[(String, String)]) {
        let write = self.0.transaction().unwrap();
        {
            let mut insert = write.prepare_cached("insert into queue (id, data) values (?1, ?2)").unwrap();
            for (id, data) in records {
                insert.execute((id, data)).unwrap();
            }
        }
        write.commit().unwrap();
    }
}
