//! What a group costs the disk, counted at the interface to the disk; `strace -c` shows the same from outside:
//! `strace -f -c -e trace=pwrite64,fdatasync,fsync cargo bench -p audit-bench --features peers --bench spool -- --one spool 2000 1`.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use audit_spool::{Disk, DiskFile, Lock, LockError, RealDisk, Spool, SpoolOptions};

#[derive(Debug, Default)]
struct Counts {
    writes: AtomicU64,
    bytes: AtomicU64,
    syncs: AtomicU64,
    dir_syncs: AtomicU64,
    lengths: AtomicU64,
}

impl Counts {
    fn take(&self) -> [u64; 5] {
        [&self.writes, &self.bytes, &self.syncs, &self.dir_syncs, &self.lengths]
            .map(|count| count.swap(0, Ordering::SeqCst))
    }
}

/// The real disk, which counts the calls on segments. While the gate is locked, syncs wait.
#[derive(Clone, Debug, Default)]
struct CountingDisk {
    counts: Arc<Counts>,
    gate: Arc<std::sync::Mutex<()>>,
}

#[derive(Debug)]
struct CountingFile {
    file: Box<dyn DiskFile>,
    disk: CountingDisk,
    counted: bool,
}

impl CountingDisk {
    fn wrap(&self, path: &Path, file: Box<dyn DiskFile>) -> Box<dyn DiskFile> {
        let counted = path.extension().is_some_and(|ending| ending == "seg");
        Box::new(CountingFile { file, disk: self.clone(), counted })
    }
}

impl Disk for CountingDisk {
    fn prepare_dir(&self, dir: &Path) -> io::Result<()> {
        RealDisk.prepare_dir(dir)
    }
    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        RealDisk.list(dir)
    }
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
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
        self.counts.dir_syncs.fetch_add(1, Ordering::SeqCst);
        RealDisk.sync_dir(dir)
    }
    fn lock(&self, path: &Path) -> Result<Box<dyn Lock>, LockError> {
        RealDisk.lock(path)
    }
    fn random(&self, bytes: &mut [u8]) -> io::Result<()> {
        RealDisk.random(bytes)
    }
}

impl DiskFile for CountingFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buffer, offset)
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let written = self.file.write_at(bytes, offset)?;
        if self.counted {
            self.disk.counts.writes.fetch_add(1, Ordering::SeqCst);
            self.disk.counts.bytes.fetch_add(written as u64, Ordering::SeqCst);
        }
        Ok(written)
    }
    fn sync_data(&self) -> io::Result<()> {
        if self.counted {
            self.disk.counts.syncs.fetch_add(1, Ordering::SeqCst);
            drop(self.disk.gate.lock());
        }
        self.file.sync_data()
    }
    fn set_len(&self, length: u64) -> io::Result<()> {
        if self.counted {
            self.disk.counts.lengths.fetch_add(1, Ordering::SeqCst);
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

#[test]
fn a_group_costs_one_write_and_one_sync_and_48_bytes_an_event() {
    let dir = tempfile::tempdir().unwrap();
    let disk = CountingDisk::default();
    let counts = Arc::clone(&disk.counts);
    let (spool, _reader) = Spool::open_on(Arc::new(disk.clone()), &dir, SpoolOptions::new()).unwrap();
    counts.take();
    let (id, event_data) = ("0123456789", "x".repeat(610));

    spool.append((id, event_data.as_str())).wait().unwrap();
    assert_eq!(counts.take(), [1, 576 + 48 + 620, 1, 1, 1], "the first event makes a segment and its name durable");
    spool.append((id, event_data.as_str())).wait().unwrap();
    assert_eq!(counts.take(), [1, 48 + 620, 1, 0, 0], "one event alone: one write, one sync");

    // While one event is being synced, 100 others come in; they are the next group.
    let shut = disk.gate.lock().unwrap();
    let first = spool.append((id, event_data.as_str()));
    while counts.syncs.load(Ordering::SeqCst) == 0 {
        std::thread::yield_now();
    }
    let others: Vec<_> = (0..100).map(|_| spool.append((id, event_data.as_str()))).collect();
    drop(shut);
    first.wait().unwrap();
    for other in others {
        other.wait().unwrap();
    }
    assert_eq!(counts.take(), [2, 101 * (48 + 620), 2, 0, 0], "a group of one and a group of 100");
}

#[test]
fn a_hundred_events_at_once_cost_one_write_and_one_sync() {
    let dir = tempfile::tempdir().unwrap();
    let disk = CountingDisk::default();
    let counts = Arc::clone(&disk.counts);
    let (spool, _reader) = Spool::open_on(Arc::new(disk), &dir, SpoolOptions::new()).unwrap();
    let (id, event_data) = ("0123456789", "x".repeat(610));
    spool.append((id, event_data.as_str())).wait().unwrap();
    for round in 0..10 {
        counts.take();
        let appends = spool.append_all((0..100).map(|_| (id, event_data.as_str())));
        let seqs: Vec<u64> = appends.into_iter().map(|append| append.wait().unwrap()).collect();
        assert_eq!(seqs, (round * 100 + 2..round * 100 + 102).collect::<Vec<_>>());
        let [writes, bytes, syncs, dir_syncs, _] = counts.take();
        assert_eq!([writes, bytes, syncs, dir_syncs], [1, 100 * (48 + 620), 1, 0]);
    }
}

#[test]
fn a_file_is_made_longer_once_in_256_kib_and_has_its_own_length_in_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let disk = CountingDisk::default();
    let counts = Arc::clone(&disk.counts);
    let (spool, _reader) = Spool::open_on(Arc::new(disk), &dir, SpoolOptions::new()).unwrap();
    let event_data = "x".repeat(1000 - 48 - 1);
    for _ in 0..600 {
        spool.append(("a", event_data.as_str())).wait().unwrap();
    }
    let [writes, _, syncs, _, lengths] = counts.take();
    assert_eq!([writes, syncs, lengths], [600, 600, 3]);
    let segment = dir.path().join("default.0000000000000001.00000001.seg");
    assert_eq!(segment.metadata().unwrap().len(), 3 * 256 * 1024);
    assert_eq!(spool.status().used_bytes, 576 + 600_000);
    spool.close().unwrap();
    assert_eq!(segment.metadata().unwrap().len(), 576 + 600_000);
}
