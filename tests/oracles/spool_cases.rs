//! Fills spools in a directory, some with a failing disk or with damage, and writes beside each what was put into it. `spool.py` reads them by `docs/spool-format.md`.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use audit_client::spool::{
    DeadLetter, Disk, DiskFile, Encryption, Lock, LockError, Reader, RealDisk, Spool, SpoolOptions,
};
use serde_json::json;

type Failed = Box<dyn std::error::Error>;

/// The real disk, which can be made to fail.
#[derive(Clone, Debug, Default)]
struct FailingDisk {
    /// Neither syncs nor cuts segments.
    segments_fail: Arc<AtomicBool>,
    /// Does not sync acknowledgements.
    acks_fail: Arc<AtomicBool>,
    /// How many calls have failed so far.
    failures: Arc<AtomicUsize>,
}

#[derive(Debug)]
struct FailingFile {
    file: Box<dyn DiskFile>,
    sync_fails: Arc<AtomicBool>,
    failures: Arc<AtomicUsize>,
    is_segment: bool,
}

impl FailingDisk {
    fn wrap(&self, path: &Path, file: Box<dyn DiskFile>) -> Box<dyn DiskFile> {
        let is_segment = path.extension().is_some_and(|ending| ending == "seg");
        let sync_fails = Arc::clone(if is_segment { &self.segments_fail } else { &self.acks_fail });
        Box::new(FailingFile { file, sync_fails, failures: Arc::clone(&self.failures), is_segment })
    }

    /// Waits until `wanted` calls have failed.
    fn await_failures(&self, wanted: usize) -> Result<(), Failed> {
        let began = Instant::now();
        while self.failures.load(Ordering::SeqCst) < wanted {
            if began.elapsed() > Duration::from_mins(1) {
                return Err(format!("the spool did not come to {wanted} failing calls within a minute").into());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }
}

impl Disk for FailingDisk {
    fn prepare_dir(&self, dir: &Path) -> io::Result<()> {
        RealDisk.prepare_dir(dir)
    }
    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        RealDisk.list(dir)
    }
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        // Each call fails once: the spool goes on in a new file.
        self.segments_fail.store(false, Ordering::SeqCst);
        Ok(self.wrap(path, RealDisk.create(path)?))
    }
    fn open(&self, path: &Path, writable: bool) -> io::Result<Box<dyn DiskFile>> {
        Ok(self.wrap(path, RealDisk.open(path, writable)?))
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealDisk.rename(from, to)
    }
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        RealDisk.sync_dir(dir)
    }
    fn lock(&self, path: &Path) -> Result<Box<dyn Lock>, LockError> {
        RealDisk.lock(path)
    }
    fn random(&self, bytes: &mut [u8]) -> io::Result<()> {
        RealDisk.random(bytes)
    }
}

impl FailingFile {
    fn may_fail(&self) -> io::Result<()> {
        if !self.sync_fails.load(Ordering::SeqCst) {
            return Ok(());
        }
        self.failures.fetch_add(1, Ordering::SeqCst);
        Err(io::Error::other("a failing disk"))
    }
}

impl DiskFile for FailingFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buffer, offset)
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.file.write_at(bytes, offset)
    }
    fn sync_data(&self) -> io::Result<()> {
        self.may_fail()?;
        self.file.sync_data()
    }
    fn set_len(&self, length: u64) -> io::Result<()> {
        if self.is_segment {
            self.may_fail()?;
        }
        self.file.set_len(length)
    }
    fn length(&self) -> io::Result<u64> {
        self.file.length()
    }
    fn is_at(&self, path: &Path) -> io::Result<bool> {
        self.file.is_at(path)
    }
}

const NAME: &str = "orders";
const KEY: [u8; 32] = [0xa5; 32];
const KEY_IN_HEX: &str = "a5";

/// A spool that is being filled, and what should be in it.
struct Case {
    dir: PathBuf,
    disk: FailingDisk,
    spool: Spool,
    _reader: Reader,
    events: BTreeMap<u64, (String, String)>,
    dead: BTreeMap<u64, (String, String, String)>,
    missing: Vec<u64>,
    /// Events whose data no longer matches the checksum of their append.
    changed: Vec<u64>,
    end: u64,
}

impl Case {
    fn new(folder: &Path, name: &str, encrypted: bool) -> Result<Self, Failed> {
        let dir = folder.join(name);
        let mut options = SpoolOptions::new().name(NAME).segment_bytes(4_000);
        if encrypted {
            options = options.encryption(Encryption::new("2026-11", &KEY)?);
        }
        let disk = FailingDisk::default();
        let (spool, reader) = Spool::open_on(Arc::new(disk.clone()), &dir, options)?;
        let (events, dead) = (BTreeMap::new(), BTreeMap::new());
        Ok(Self { dir, disk, spool, _reader: reader, events, dead, missing: Vec::new(), changed: Vec::new(), end: 1 })
    }

    /// Puts in events by one write, and returns their numbers.
    fn group(&mut self, events: usize) -> Result<Vec<u64>, Failed> {
        let records: Vec<(String, String)> = (0..events)
            .map(|n| {
                let id = format!("é-{}-{n}-{}", self.end, "i".repeat(n * 37 % 200));
                let text = ["", "plain", "\u{0}\u{1f}\"\\", "€😀\u{10ffff}", "AUDSPOOL"][n % 5].repeat(n % 23);
                (id, json!({ "text": text }).to_string())
            })
            .collect();
        let mut seqs = Vec::new();
        let appends = self.spool.append_all(records.iter().map(|(id, data)| (id.as_str(), data.as_str())));
        for (append, record) in appends.into_iter().zip(records) {
            let seq = append.wait()?;
            seqs.push(seq);
            self.events.insert(seq, record);
            self.end = self.end.max(seq + 1);
        }
        Ok(seqs)
    }

    /// Puts in events, each by a write of its own.
    fn one_by_one(&mut self, events: usize) -> Result<(), Failed> {
        (0..events).try_for_each(|_| self.group(1).map(drop))
    }

    /// Acknowledges, and returns when that is written, perhaps not synced: the thread writes it before the next append.
    fn acknowledge(&mut self, seqs: impl IntoIterator<Item = u64>) -> Result<(), Failed> {
        for seq in seqs {
            self.spool.ack(seq);
            self.events.remove(&seq);
        }
        self.one_by_one(1)
    }

    fn dead_letter(&mut self, seq: u64) -> Result<(), Failed> {
        let (id, data) = self.events.remove(&seq).ok_or("no such event")?;
        // Once more with another code: the last one counts, and when it is there, the first one's acknowledgement is written.
        for code in ["InternalFailure", "InvalidData"] {
            let letter = DeadLetter::new(seq, (id.as_str(), data.as_str()), code, "eventTime\nis no time");
            self.spool.dead_letter(&letter).wait()?;
        }
        self.dead.insert(seq, (id, "InvalidData".to_owned(), data));
        Ok(())
    }

    /// The start of every case: several segments, of which the first ones are deleted.
    fn fill(&mut self) -> Result<(), Failed> {
        self.one_by_one(30)?;
        self.group(20)?;
        self.acknowledge((1..25).chain([27, 40, 41, 42, 30]))?;
        self.dead_letter(33)?;
        self.one_by_one(5)
    }

    /// A copy of the spool at this moment, as a killed process leaves it.
    fn leave(mut self, harm: impl FnOnce(&mut Self, &Path) -> Result<(), Failed>) -> Result<(), Failed> {
        let copy = self.dir.with_extension("copy");
        std::fs::create_dir(&copy)?;
        for file in std::fs::read_dir(&self.dir)? {
            let file = file?;
            std::fs::copy(file.path(), copy.join(file.file_name()))?;
        }
        self.disk.acks_fail.store(false, Ordering::SeqCst);
        self.spool.close()?;
        std::fs::remove_dir_all(&self.dir)?;
        std::fs::rename(copy, &self.dir)?;
        let dir = self.dir.clone();
        harm(&mut self, &dir)?;
        self.expect()
    }

    fn expect(self) -> Result<(), Failed> {
        let pending: Vec<_> = self.events.into_iter().map(|(seq, (id, data))| json!([seq, id, data])).collect();
        let dead: Vec<_> = self.dead.into_iter().map(|(seq, (id, code, data))| json!([seq, id, code, data])).collect();
        let expected = json!({
            "name": NAME,
            "keys": { "2026-11": KEY_IN_HEX.repeat(32) },
            "pending": pending,
            "missing": self.missing,
            "changed": self.changed,
            "dead": dead,
            "end": self.end,
        });
        Ok(std::fs::write(self.dir.with_extension("json"), expected.to_string())?)
    }
}

/// The segments, in order.
fn segments(dir: &Path) -> Result<Vec<PathBuf>, Failed> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(dir)?.map(|file| Ok(file?.path())).collect::<io::Result<_>>()?;
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "seg"));
    paths.sort();
    Ok(paths)
}

/// Changes the last byte of an event's data, in the last segment that has it.
fn flip(dir: &Path, event: &(String, String)) -> Result<(), Failed> {
    let wanted = [event.0.as_bytes(), event.1.as_bytes()].concat();
    for path in segments(dir)?.into_iter().rev() {
        let mut bytes = std::fs::read(&path)?;
        if let Some(at) = bytes.windows(wanted.len()).position(|window| window == wanted) {
            bytes[at + wanted.len() - 1] ^= 1;
            return Ok(std::fs::write(path, bytes)?);
        }
    }
    Err("the event is in no segment".into())
}

/// Changes the last byte of an event's data, and makes the CRC of its frame right again.
fn change(dir: &Path, event: &(String, String)) -> Result<(), Failed> {
    let wanted = [event.0.as_bytes(), event.1.as_bytes()].concat();
    for path in segments(dir)?.into_iter().rev() {
        let mut bytes = std::fs::read(&path)?;
        if let Some(at) = bytes.windows(wanted.len()).position(|window| window == wanted) {
            let (frame, end) = (at - 48, at + wanted.len());
            bytes[end - 1] ^= 1;
            let crc = crc32c::crc32c_append(crc32c::crc32c(&bytes[24..40]), &bytes[frame + 4..end]);
            bytes[frame..frame + 4].copy_from_slice(&crc.to_le_bytes());
            return Ok(std::fs::write(path, bytes)?);
        }
    }
    Err("the event is in no segment".into())
}

fn main() -> Result<(), Failed> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("where to put the spools is missing")?);

    let mut closed = Case::new(&folder, "closed", false)?;
    closed.fill()?;
    closed.spool.close()?;
    closed.expect()?;

    let mut killed = Case::new(&folder, "killed", false)?;
    killed.fill()?;
    killed.leave(|_, _| Ok(()))?;

    let mut encrypted = Case::new(&folder, "encrypted", true)?;
    encrypted.fill()?;
    encrypted.leave(|_, _| Ok(()))?;

    let mut emptied = Case::new(&folder, "emptied", false)?;
    emptied.fill()?;
    let all: Vec<u64> = emptied.events.keys().copied().collect();
    emptied.acknowledge(all)?;
    emptied.leave(|_, _| Ok(()))?;

    let mut torn = Case::new(&folder, "torn-at-the-end", false)?;
    torn.fill()?;
    torn.leave(|torn, dir| {
        // The last write is one event, of which only a part reached the disk: it was never accepted.
        let (seq, event) = torn.events.pop_last().ok_or("there are events")?;
        torn.end = seq;
        flip(dir, &event)
    })?;

    let mut gap = Case::new(&folder, "torn-in-the-middle", false)?;
    gap.fill()?;
    let last_write = gap.group(5)?;
    gap.leave(|gap, dir| {
        let event = gap.events.remove(&last_write[2]).ok_or("it was just put in")?;
        flip(dir, &event)
    })?;

    let mut damaged = Case::new(&folder, "damaged", false)?;
    damaged.fill()?;
    damaged.leave(|damaged, dir| {
        // The last of them was written after all acknowledgements, and before the last write.
        for seq in [26, 45, 53] {
            let event = damaged.events.remove(&seq).ok_or("it waits")?;
            flip(dir, &event)?;
            damaged.missing.push(seq);
        }
        // A damaged first copy of a header is tolerated.
        let path = segments(dir)?.swap_remove(0);
        let mut bytes = std::fs::read(&path)?;
        bytes[20] ^= 1;
        std::fs::write(&path, bytes)?;
        // Events of a file that an earlier run set aside still count.
        Ok(std::fs::rename(&path, path.with_extension("damaged"))?)
    })?;

    let mut changed = Case::new(&folder, "changed-under-a-sound-crc", false)?;
    changed.fill()?;
    changed.leave(|changed, dir| {
        let event = changed.events.get_mut(&45).ok_or("it waits")?;
        change(dir, event)?;
        // `}` with its lowest bit flipped.
        event.1.pop();
        event.1.push('|');
        changed.changed.push(45);
        Ok(())
    })?;

    let mut rewritten = Case::new(&folder, "rewritten-after-a-failed-sync", false)?;
    rewritten.fill()?;
    let before = segments(&rewritten.dir)?.len();
    rewritten.disk.segments_fail.store(true, Ordering::SeqCst);
    rewritten.group(3)?;
    rewritten.one_by_one(2)?;
    if segments(&rewritten.dir)?.len() <= before {
        return Err("the failed sync led to no new segment".into());
    }
    rewritten.leave(|rewritten, dir| {
        // The old segment has this event too, and that copy does not count.
        let event = rewritten.events.remove(&58).ok_or("it waits")?;
        rewritten.missing.push(58);
        flip(dir, &event)
    })?;

    let mut cut = Case::new(&folder, "damaged-at-the-end", false)?;
    cut.fill()?;
    let last_write = cut.group(5)?;
    // Says in the acknowledgements that all so far is synced: so nothing of the last write is torn.
    cut.dead_letter(36)?;
    cut.leave(|cut, dir| {
        for seq in [last_write[1], last_write[4]] {
            let event = cut.events.remove(&seq).ok_or("it was just put in")?;
            flip(dir, &event)?;
            cut.missing.push(seq);
        }
        Ok(())
    })?;

    let mut acks = Case::new(&folder, "acknowledgements-that-could-not-be-synced", false)?;
    acks.fill()?;
    acks.disk.acks_fail.store(true, Ordering::SeqCst);
    acks.acknowledge([28, 29, 31])?;
    // A sync of them comes by itself within a second; a snapshot is tried, and fails as well.
    acks.disk.await_failures(2)?;
    acks.acknowledge([35, 37])?;
    acks.disk.acks_fail.store(false, Ordering::SeqCst);
    acks.acknowledge([39])?;
    acks.leave(|_, _| Ok(()))?;
    slots(&folder.join("slots"))
}

/// Three processes in one directory: one has moved a part of what another left there when it is killed.
fn slots(dir: &Path) -> Result<(), Failed> {
    const EVENTS: usize = 700;
    let open = || Spool::open_slot(dir, SpoolOptions::new()).map(|(spool, _)| spool);
    let (first, second, third) = (open()?, open()?, open()?);
    let mut events: Vec<(String, String)> =
        (0..EVENTS).map(|n| (format!("left-{n}"), format!("{{\"n\":{n}}}"))).collect();
    let left = events.iter().map(|(id, data)| (id.as_str(), data.as_str()));
    second.append_all(left).into_iter().try_for_each(|append| append.wait().map(drop))?;
    second.close()?;
    for (slot, id) in [(&first, "first"), (&third, "third")] {
        slot.append((id, "{}")).wait()?;
        events.push((id.to_owned(), "{}".to_owned()));
    }
    let moved = first.adopt_slots()?.events;
    if moved == 0 || moved == EVENTS as u64 {
        return Err(format!("{moved} events were moved, and not a part of them").into());
    }
    // The files as they are now are those that a kill leaves.
    let copy = dir.with_extension("copy");
    std::fs::create_dir(&copy)?;
    for file in std::fs::read_dir(dir)? {
        let file = file?;
        std::fs::copy(file.path(), copy.join(file.file_name()))?;
    }
    first.close()?;
    third.close()?;
    std::fs::remove_dir_all(dir)?;
    std::fs::rename(copy, dir)?;
    events.sort();
    let expected = json!({ "slots": ["default", "default-1", "default-2"], "pending": events });
    Ok(std::fs::write(dir.with_extension("json"), expected.to_string())?)
}
