//! The one thread that writes, and its group commit: whatever waits when the last commit is done goes into the next one.
//!
//! A sync takes the same time for one event as for ten thousand. So the thread puts all requests that queued up during a sync
//! into one transaction, and answers each after the commit. If anything fails, nothing of the transaction is stored and all its
//! requests get the error. The next transaction starts on a new connection, so the lake goes on by itself once the cause is gone.
//!
//! Probes and steps of retention that wait do not end a group: they come after its commit.

use std::collections::{HashMap, VecDeque};
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use audit_core::limits::Side;
use audit_core::{ChannelArn, EventTime};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Statement, Transaction, TransactionBehavior, params, params_from_iter};
use tokio::sync::{mpsc, oneshot};

use super::error::{FileChange, StoreError};
use super::event::{NewEvent, Stored};
use super::folder::{DataFolder, OpenDatabase};
use super::identity::OpenFile;
use super::lake_row::LakeRow;
use super::mark::{self, Mark};
use super::private_file::private_file;
use super::retention::{Pruned, note_commit, prune};
use super::{digest, file_names, schema, start_check};
use crate::error::with_causes;
use crate::metrics::Metrics;

/// The most events of one commit: bounds how long the first of them waits.
const GROUP_EVENTS: usize = 20_000;
/// How many requests may wait for the writer. Their bytes are bounded where bodies are read.
const QUEUE: usize = 4_096;

/// How often the files are compared with their paths without a request.
const WATCH_PERIOD: Duration = Duration::from_secs(1);

/// Why nothing of a request was stored. Shared by all requests of one commit.
pub(crate) type WriteError = Arc<StoreError>;

enum Job {
    Put(Put),
    Prune { now: EventTime, before: EventTime, at_most: usize, answer: oneshot::Sender<Result<Pruned, WriteError>> },
    Probe { answer: oneshot::Sender<Result<(), WriteError>> },
    CheckFiles,
}

struct Put {
    channel: ChannelArn,
    events: Vec<NewEvent>,
    answer: oneshot::Sender<Result<Vec<Stored>, WriteError>>,
}

/// Sends jobs to the writer. Dropping it ends the thread after the waiting jobs are done.
#[derive(Debug)]
pub(crate) struct Store {
    jobs: Option<mpsc::Sender<Job>>,
    /// Whether the last piece of work that stores failed.
    fails: Arc<AtomicBool>,
    /// It has the folder, which stays locked until the thread has ended.
    thread: Option<JoinHandle<()>>,
}

impl Store {
    /// Opens or makes the database of a folder, checks it, and starts the writer.
    pub(crate) fn open(folder: DataFolder, metrics: Arc<Metrics>) -> Result<Self, StoreError> {
        Self::open_with(folder, metrics, Box::new(|_| Ok(())))
    }

    /// [`Store::open`], with something to be done to every connection that the writer opens.
    pub(super) fn open_with(folder: DataFolder, metrics: Arc<Metrics>, prepare: Prepare) -> Result<Self, StoreError> {
        let mut database = folder.open()?;
        start_check::check(&database.connection, start_check::WHOLE_BYTES)?;
        match schema::checked_version(&database.connection)? {
            0 => mark::check_without_database(folder.path())?,
            schema::VERSION => mark::check(folder.path(), Some(&LakeRow::read(&database.connection)?))?,
            _ => mark::check(folder.path(), None)?,
        }
        schema::migrate(&mut database.connection).map_err(start_check::as_damage)?;
        let mark = Mark::create(folder.path(), &database.connection)?;
        database.accept()?;
        prepare(&database.connection)?;
        let (jobs, queue) = mpsc::channel(QUEUE);
        let path = folder.path().to_owned();
        let fails = Arc::new(AtomicBool::new(false));
        let writer = Writer {
            folder,
            prepare,
            database: Some(database),
            left_log: None,
            mark,
            channels: HashMap::new(),
            failing: None,
            fails: Arc::clone(&fails),
            room_seen: false,
            metrics,
        };
        let thread = std::thread::Builder::new()
            .name("lake-writer".to_owned())
            .spawn(move || writer.run(queue))
            .map_err(|source| StoreError::Folder { path, source })?;
        Ok(Self { jobs: Some(jobs), fails, thread: Some(thread) })
    }

    /// Stores what is new of `events` and returns, in their order, what became of each; after the commit.
    pub(crate) async fn put(&self, channel: ChannelArn, events: Vec<NewEvent>) -> Result<Vec<Stored>, WriteError> {
        let (answer, answered) = oneshot::channel();
        self.ask(Job::Put(Put { channel, events, answer })).await?;
        answered.await.unwrap_or_else(|_| Err(Arc::new(StoreError::Closed)))
    }

    /// Deletes events that happened before a time, up to a number, if the clock, which says `now`, is plausible.
    pub(crate) async fn prune(&self, now: EventTime, before: EventTime, at_most: usize) -> Result<Pruned, WriteError> {
        let (answer, answered) = oneshot::channel();
        self.ask(Job::Prune { now, before, at_most, answer }).await?;
        answered.await.unwrap_or_else(|_| Err(Arc::new(StoreError::Closed)))
    }

    /// Writes and syncs without changing anything, to find out whether that is possible.
    pub(crate) async fn probe(&self) -> Result<(), WriteError> {
        let (answer, answered) = oneshot::channel();
        self.ask(Job::Probe { answer }).await?;
        answered.await.unwrap_or_else(|_| Err(Arc::new(StoreError::Closed)))
    }

    /// Whether the latest request, probe or comparison of the files failed.
    pub(crate) fn fails(&self) -> bool {
        self.fails.load(Ordering::Acquire)
    }

    /// Has the files compared with their paths once a second, for as long as this is polled: so the log names a file that was
    /// removed or replaced although no request comes.
    pub(crate) async fn watch_files(&self) {
        loop {
            tokio::time::sleep(WATCH_PERIOD).await;
            if self.ask(Job::CheckFiles).await.is_err() {
                // The writer has ended; each request gets that error.
                std::future::pending::<()>().await;
            }
        }
    }

    async fn ask(&self, job: Job) -> Result<(), WriteError> {
        let closed = || Arc::new(StoreError::Closed);
        self.jobs.as_ref().ok_or_else(closed)?.send(job).await.map_err(|_| closed())
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // The thread ends when the queue is closed and empty.
        self.jobs = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the lake's writer thread panicked");
        }
    }
}

/// What is done to a connection when the writer opens it. It is the seam at which tests make the disk fail.
pub(super) type Prepare = Box<dyn Fn(&Connection) -> rusqlite::Result<()> + Send>;

struct Writer {
    folder: DataFolder,
    prepare: Prepare,
    database: Option<OpenDatabase>,
    /// The log that the last connection left when it was closed. It may hold events that are not in the database's file.
    left_log: Option<OpenFile>,
    mark: Mark,
    /// Rows of `channels` that are known to be committed.
    channels: HashMap<ChannelArn, i64>,
    /// Why the last piece of work that stores failed, if it did, and how many in a row have.
    failing: Option<(Arc<StoreError>, u64)>,
    /// The same for [`Store::fails`].
    fails: Arc<AtomicBool>,
    /// Whether a probe of this process has found room for a request.
    room_seen: bool,
    metrics: Arc<Metrics>,
}

impl Writer {
    fn run(mut self, mut queue: mpsc::Receiver<Job>) {
        // What came while a group was collected.
        let mut later = VecDeque::new();
        while let Some(job) = later.pop_front().or_else(|| queue.blocking_recv()) {
            match job {
                Job::Prune { now, before, at_most, answer } => {
                    // Whether this works says nothing about whether events can be stored; retention reports it.
                    let pruned = self.work(|connection, _| prune(connection, now, before, at_most)).map_err(Arc::new);
                    // No receiver is left.
                    drop(answer.send(pruned));
                }
                Job::Probe { answer } => drop(answer.send(self.probe())),
                Job::CheckFiles => {
                    // Where storing fails already, the next request or probe logs what is new.
                    if let Err(error) = self.check_files()
                        && self.failing.is_none()
                    {
                        self.note_failure(error);
                    }
                }
                Job::Put(first) => {
                    let mut events = first.events.len();
                    let mut group = vec![first];
                    while events < GROUP_EVENTS {
                        match queue.try_recv() {
                            Ok(Job::Put(next)) => {
                                events += next.events.len();
                                group.push(next);
                            }
                            // The commit compares them too.
                            Ok(Job::CheckFiles) => {}
                            Ok(other) => later.push_back(other),
                            Err(_) => break,
                        }
                    }
                    self.commit(group);
                }
            }
        }
        self.mark.close();
        if let Some(database) = self.database.take()
            && let Err((_, error)) = database.connection.close()
        {
            tracing::warn!(%error, "closing the database failed; its log is read at the next start");
        }
    }

    fn commit(&mut self, group: Vec<Put>) {
        let began = Instant::now();
        match self.attempt(|connection, channels| put_all(connection, channels, &group)) {
            Ok((outcomes, last_seq)) => {
                self.mark.note(last_seq);
                let events = group.iter().map(|put| put.events.len()).sum();
                self.metrics.commit(events, began.elapsed().as_secs_f64());
                for (put, outcome) in group.into_iter().zip(outcomes) {
                    drop(put.answer.send(Ok(outcome)));
                }
            }
            Err(error) => {
                self.metrics.failed_commit();
                for put in group {
                    drop(put.answer.send(Err(Arc::clone(&error))));
                }
            }
        }
    }

    /// Whether something can be written. What a full disk still has room for says nothing: after a failure, and at first, since
    /// the process before may have ended by one, it must be as much as a request may need.
    fn probe(&mut self) -> Result<(), WriteError> {
        if self.failing.is_some() || !self.room_seen {
            let room = self.check_files().and_then(|()| probe_room(&self.folder.path().join(file_names::PROBE)));
            if let Err(error) = room {
                return Err(self.note_failure(error));
            }
            self.room_seen = true;
        }
        self.attempt(|connection, _| probe(connection))
    }

    /// Does work whose success shows whether events can be stored.
    fn attempt<T>(
        &mut self,
        work: impl FnOnce(&mut Connection, &mut HashMap<ChannelArn, i64>) -> Result<T, StoreError>,
    ) -> Result<T, WriteError> {
        let done = self.work(work).map_err(|error| self.note_failure(error))?;
        if let Some((_, failures)) = self.failing.take() {
            self.fails.store(false, Ordering::Release);
            tracing::info!(failures, "the store works again");
        }
        Ok(done)
    }

    /// Does a piece of work on the connection, which is opened again if the work before failed. The work counts only if the files
    /// are at their paths before and after it.
    fn work<T>(
        &mut self,
        work: impl FnOnce(&mut Connection, &mut HashMap<ChannelArn, i64>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let result = self.check_files().and_then(|()| {
            let mut database = match self.database.take() {
                Some(database) => database,
                None => self.open()?,
            };
            match work(&mut database.connection, &mut self.channels) {
                Ok(done) => {
                    self.database = Some(database);
                    self.check_files().map(|()| done)
                }
                Err(error) => {
                    drop(database);
                    self.left_log = self.folder.log();
                    Err(error)
                }
            }
        });
        if result.is_err() {
            // A channel's row may have gone with the transaction.
            self.channels.clear();
        }
        result
    }

    fn open(&mut self) -> Result<OpenDatabase, StoreError> {
        if let Some(log) = &self.left_log {
            log.check()?;
        }
        let database = self.folder.open()?;
        database.accept()?;
        (self.prepare)(&database.connection)?;
        self.left_log = None;
        Ok(database)
    }

    /// Compares every open file with its path. The connection stays open where one differs: it is the only way to what a
    /// removed file holds. What a removed log holds is copied into the database.
    fn check_files(&mut self) -> Result<(), StoreError> {
        self.folder.check()?;
        let Some(database) = &self.database else { return Ok(()) };
        let moved = database.log.check().and_then(|()| database.index.check());
        if matches!(moved, Err(StoreError::Moved { change: FileChange::Removed, .. })) && database.empty_log()? {
            tracing::warn!("copied the removed log into the database, which is opened again");
            self.database = None;
        }
        moved
    }

    /// Logs a failure, once for each cause: while a disk is full for hours, senders retry again and again.
    fn note_failure(&mut self, error: StoreError) -> WriteError {
        let error = Arc::new(error);
        let (before, failures) = self.failing.take().map_or((None, 0), |(error, failures)| (Some(error), failures));
        if before.is_none_or(|before| before.to_string() != error.to_string()) {
            tracing::error!(error = with_causes(&*error), "nothing was stored, and nothing will be until this ends");
        }
        self.failing = Some((Arc::clone(&error), failures + 1));
        self.fails.store(true, Ordering::Release);
        error
    }
}

/// Stores what is new of a group. Returns what became of each event, and the highest `seq` then.
fn put_all(
    connection: &mut Connection,
    channels: &mut HashMap<ChannelArn, i64>,
    group: &[Put],
) -> Result<(Vec<Vec<Stored>>, i64), StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let now = EventTime::now();
    let mut lake = LakeRow::read(&transaction)?;
    let mut outcomes = Vec::with_capacity(group.len());
    {
        let mut statements = Statements::prepare(&transaction, lake.last_seq)?;
        for put in group {
            let channel = channel_row(&transaction, channels, &put.channel)?;
            outcomes
                .push(put.events.iter().map(|event| statements.put(channel, now, event)).collect::<Result<_, _>>()?);
        }
        lake.last_seq = statements.last_seq;
    }
    note_commit(&mut lake, now);
    lake.write(&transaction)?;
    transaction.commit()?;
    Ok((outcomes, lake.last_seq))
}

fn channel_row(
    transaction: &Transaction<'_>,
    known: &mut HashMap<ChannelArn, i64>,
    arn: &ChannelArn,
) -> Result<i64, StoreError> {
    if let Some(&row) = known.get(arn) {
        return Ok(row);
    }
    let found = transaction
        .query_row("SELECT channel FROM channels WHERE arn = ?1", [arn.as_str()], |row| row.get(0))
        .optional()?;
    let row = if let Some(row) = found {
        row
    } else {
        let row = transaction.query_row("SELECT coalesce(max(channel), 0) + 1 FROM channels", [], |row| row.get(0))?;
        transaction.execute(
            "INSERT INTO channels (channel, arn, digest) VALUES (?1, ?2, ?3)",
            params![row, arn.as_str(), digest::of_channel(row, arn.as_str())],
        )?;
        row
    };
    known.insert(arn.clone(), row);
    Ok(row)
}

/// The statements of a transaction, prepared once.
struct Statements<'t> {
    insert: Statement<'t>,
    find: Statement<'t>,
    /// The highest `seq` that an event has or had.
    last_seq: i64,
    /// For digests.
    memory: Vec<u8>,
}

impl<'t> Statements<'t> {
    fn prepare(transaction: &'t Transaction<'_>, last_seq: i64) -> Result<Self, StoreError> {
        let highest: Option<i64> = transaction.query_row("SELECT max(seq) FROM events", [], |row| row.get(0))?;
        Ok(Self {
            insert: transaction.prepare(
                "INSERT INTO events (seq, channel, id, event_id, checksum, event_time, ingestion_time, event_source,
                                     event_name, principal_id, event_data, digest)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
                 ON CONFLICT (id, event_source, channel) DO NOTHING",
            )?,
            find: transaction.prepare(
                "SELECT event_id, checksum FROM events WHERE id = ?1 AND event_source = ?2 AND channel = ?3",
            )?,
            last_seq: last_seq.max(highest.unwrap_or(0)),
            memory: Vec::new(),
        })
    }

    /// Stores an event if it is new, and returns what became of it.
    fn put(&mut self, channel: i64, now: EventTime, event: &NewEvent) -> Result<Stored, StoreError> {
        let checksum = event.checksum.to_string();
        let seq = self.last_seq + 1;
        // In the order of EVENT_COLUMNS.
        let columns = [
            ValueRef::Integer(seq),
            ValueRef::Integer(channel),
            event.id.as_str().into(),
            event.event_id.as_str().into(),
            checksum.as_str().into(),
            ValueRef::Integer(event.event_time.unix_seconds()),
            ValueRef::Integer(now.unix_seconds()),
            event.source.as_str().into(),
            event.name.as_str().into(),
            event.principal.as_str().into(),
        ];
        let digest = digest::of_row_with(&mut self.memory, "events", columns);
        let columns = columns.map(ToSqlOutput::Borrowed);
        let rest = [ToSqlOutput::Borrowed(event.data.as_str().into()), ToSqlOutput::Borrowed(ValueRef::Blob(&digest))];
        let inserted = self.insert.execute(params_from_iter(columns.iter().chain(&rest)))?;
        if inserted == 1 {
            self.last_seq = seq;
            return Ok(Stored::New);
        }
        let before: Option<(String, String)> = self
            .find
            .query_row(params![event.id, event.source, channel], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        match before {
            Some((event_id, stored)) if stored == checksum => Ok(Stored::Before { event_id }),
            Some(_) => Ok(Stored::IdTaken),
            None => {
                Err(StoreError::Damaged { what: "the index events_by_id names an event that is not there".to_owned() })
            }
        }
    }
}

/// Writes, syncs and removes a file of the size of a large request.
fn probe_room(path: &Path) -> Result<(), StoreError> {
    let written = private_file(path).and_then(|mut file| {
        file.write_all(&vec![0x5A; Side::Receiver.request_bytes()])?;
        file.sync_all()
    });
    let removed = std::fs::remove_file(path);
    written.and(removed).map_err(|source| match source.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreError::Full,
        ErrorKind::ReadOnlyFilesystem => StoreError::ReadOnly,
        _ => StoreError::Folder { path: path.to_owned(), source },
    })
}

fn probe(connection: &mut Connection) -> Result<(), StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version = schema::checked_version(&transaction)?;
    transaction.pragma_update(None, "user_version", i64::try_from(version).unwrap_or(i64::MAX))?;
    transaction.commit()?;
    Ok(())
}
