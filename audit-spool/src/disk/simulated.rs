//! A disk in memory that behaves as badly as real ones may, by a seed.
//!
//! - What was not synced is lost, kept, torn at sectors or kept out of order when the power fails.
//! - Names are lost or kept one by one until the directory is synced.
//! - A sync that fails leaves some of the data on the disk, forgets that the rest is not, and would succeed next time.
//! - Any call may fail with EIO or ENOSPC; space may be limited; everything may stop at a given call.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use fastrand::Rng;

use super::{Disk, DiskFile, Lock, LockError};

const SECTOR: usize = 512;
/// A read that fails again and again is damage to the spool, which is tested on its own.
const READ_FAILURES_IN_A_ROW: u32 = 3;

#[derive(Clone, Debug)]
pub(crate) struct SimulatedDisk(Arc<Mutex<Inner>>);

/// How often calls fail, in 1,000.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Faults {
    pub(crate) eio: u32,
    pub(crate) enospc: u32,
}

#[derive(Debug)]
struct Inner {
    random: Rng,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    /// Changes of names since the last sync of the directory.
    unsynced_names: Vec<(String, Option<usize>)>,
    inodes: Vec<Inode>,
    faults: Faults,
    capacity: Option<u64>,
    calls: u64,
    stop_at: Option<u64>,
    stopped: bool,
    /// Handles from before the last restart fail.
    boot: u32,
    read_failures: u32,
    failed_syncs: u64,
    /// The inodes of lock files that are locked.
    locked: BTreeSet<usize>,
}

#[derive(Clone, Debug, Default)]
struct Inode {
    view: Vec<u8>,
    durable: Vec<u8>,
    unsynced: Vec<Change>,
    /// How far it takes room: what was made longer without writing is a hole.
    allocated: usize,
}

impl Inode {
    fn change(&mut self, change: Change) {
        change.apply(&mut self.view);
        self.allocated = match &change {
            Change::Write(at, written) => self.allocated.max(at + written.len()),
            Change::SetLen(length) => self.allocated.min(*length),
        };
        self.unsynced.push(change);
    }
}

#[derive(Clone, Debug)]
enum Change {
    Write(usize, Vec<u8>),
    SetLen(usize),
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write(at, written) => {
                if bytes.len() < at + written.len() {
                    bytes.resize(at + written.len(), 0);
                }
                bytes[*at..at + written.len()].copy_from_slice(written);
            }
            Self::SetLen(length) => bytes.resize(*length, 0),
        }
    }

    /// The change as the disk may do it: sector by sector.
    fn pieces(&self) -> Vec<Self> {
        match self {
            Self::SetLen(_) => vec![self.clone()],
            Self::Write(at, written) => {
                let mut pieces = Vec::new();
                let mut from = 0;
                while from < written.len() {
                    let to = written.len().min((at + from) / SECTOR * SECTOR + SECTOR - at);
                    pieces.push(Self::Write(at + from, written[from..to].to_vec()));
                    from = to;
                }
                pieces
            }
        }
    }
}

/// What a call is, to the faults.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Call {
    Read,
    Change,
    Sync,
}

impl SimulatedDisk {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            random: Rng::with_seed(seed),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            unsynced_names: Vec::new(),
            inodes: Vec::new(),
            faults: Faults::default(),
            capacity: None,
            calls: 0,
            stop_at: None,
            stopped: false,
            boot: 0,
            read_failures: 0,
            failed_syncs: 0,
            locked: BTreeSet::new(),
        })))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    pub(crate) fn set_faults(&self, faults: Faults) {
        self.inner().faults = faults;
    }

    /// The bytes that all files may take together.
    pub(crate) fn set_capacity(&self, bytes: Option<u64>) {
        self.inner().capacity = bytes;
    }

    /// Everything stops at the given call from now.
    pub(crate) fn stop_after(&self, calls: u64) {
        let mut inner = self.inner();
        inner.stop_at = Some(inner.calls + calls);
    }

    pub(crate) fn has_stopped(&self) -> bool {
        self.inner().stopped
    }

    /// How many syncs failed so far.
    pub(crate) fn failed_syncs(&self) -> u64 {
        self.inner().failed_syncs
    }

    /// The process ended, or the machine: with `power_failure`, what was not synced may be lost.
    pub(crate) fn restart(&self, power_failure: bool) {
        let mut inner = self.inner();
        let inner = &mut *inner;
        (inner.stopped, inner.stop_at) = (false, None);
        inner.boot += 1;
        inner.locked.clear();
        if !power_failure {
            return;
        }
        let kept_of_8 = inner.random.u32(0..=8);
        let keep = |random: &mut Rng| random.u32(0..8) < kept_of_8;
        for inode in &mut inner.inodes {
            for change in std::mem::take(&mut inode.unsynced) {
                for piece in change.pieces() {
                    if keep(&mut inner.random) {
                        piece.apply(&mut inode.durable);
                    }
                }
            }
            inode.view.clone_from(&inode.durable);
            inode.allocated = inode.allocated.min(inode.view.len());
        }
        for (name, inode) in std::mem::take(&mut inner.unsynced_names) {
            if keep(&mut inner.random) {
                set_name(&mut inner.durable_names, name, inode);
            }
        }
        inner.names = inner.durable_names.clone();
    }

    /// The names of all files.
    pub(crate) fn names(&self) -> Vec<String> {
        self.inner().names.keys().cloned().collect()
    }

    /// Takes a name out of the directory, durably, as a person would. Who has the file open keeps it.
    pub(crate) fn take_away(&self, name: &str) {
        let mut inner = self.inner();
        inner.names.remove(name).expect("a file of this name");
        inner.durable_names.remove(name);
        inner.unsynced_names.retain(|(other, _)| other != name);
    }

    /// A file as it is now.
    pub(crate) fn contents(&self, path: &Path) -> Vec<u8> {
        let inner = self.inner();
        inner.inodes[inner.names[&name_of(path)]].view.clone()
    }

    /// Puts other bytes into a file, durably, as a failing disk or a person would.
    pub(crate) fn overwrite(&self, path: &Path, at: usize, bytes: &[u8]) {
        let mut inner = self.inner();
        let inode = inner.names[&name_of(path)];
        let inode = &mut inner.inodes[inode];
        inode.view[at..at + bytes.len()].copy_from_slice(bytes);
        inode.durable[at..at + bytes.len()].copy_from_slice(bytes);
    }
}

fn set_name(names: &mut BTreeMap<String, usize>, name: String, inode: Option<usize>) {
    match inode {
        Some(inode) => names.insert(name, inode),
        None => names.remove(&name),
    };
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

impl Inner {
    fn call(&mut self, call: Call) -> io::Result<()> {
        self.calls += 1;
        if self.stop_at == Some(self.calls) {
            self.stopped = true;
        }
        if self.stopped {
            return Err(io::Error::other("the machine has stopped"));
        }
        let roll = self.random.u32(0..1000);
        let spared = call == Call::Read && self.read_failures >= READ_FAILURES_IN_A_ROW;
        if roll < self.faults.eio && !spared {
            self.read_failures += u32::from(call == Call::Read);
            return Err(io::Error::other("injected EIO"));
        }
        if call == Call::Read {
            self.read_failures = 0;
        } else if roll < self.faults.eio + self.faults.enospc {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    fn rename(&mut self, name: String, inode: Option<usize>) {
        set_name(&mut self.names, name.clone(), inode);
        self.unsynced_names.push((name, inode));
    }

    fn used(&self) -> u64 {
        self.names.values().map(|inode| self.inodes[*inode].allocated as u64).sum()
    }
}

impl Disk for SimulatedDisk {
    fn prepare_dir(&self, _: &Path) -> io::Result<()> {
        self.inner().call(Call::Change)
    }

    fn list(&self, _: &Path) -> io::Result<Vec<String>> {
        let mut inner = self.inner();
        inner.call(Call::Read)?;
        Ok(inner.names.keys().cloned().collect())
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut inner = self.inner();
        inner.call(Call::Change)?;
        let name = name_of(path);
        if inner.names.contains_key(&name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let inode = inner.inodes.len();
        inner.inodes.push(Inode::default());
        inner.rename(name, Some(inode));
        Ok(Box::new(SimulatedFile { disk: self.clone(), inode, boot: inner.boot, writable: true }))
    }

    fn open(&self, path: &Path, writable: bool) -> io::Result<Box<dyn DiskFile>> {
        let mut inner = self.inner();
        inner.call(Call::Read)?;
        let inode = *inner.names.get(&name_of(path)).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(SimulatedFile { disk: self.clone(), inode, boot: inner.boot, writable }))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut inner = self.inner();
        inner.call(Call::Change)?;
        let name = name_of(path);
        if !inner.names.contains_key(&name) {
            return Err(io::ErrorKind::NotFound.into());
        }
        inner.rename(name, None);
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut inner = self.inner();
        inner.call(Call::Change)?;
        let inode = *inner.names.get(&name_of(from)).ok_or(io::ErrorKind::NotFound)?;
        inner.rename(name_of(to), Some(inode));
        inner.rename(name_of(from), None);
        Ok(())
    }

    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        let mut inner = self.inner();
        inner.call(Call::Sync).inspect_err(|_| inner.failed_syncs += 1)?;
        inner.unsynced_names.clear();
        inner.durable_names = inner.names.clone();
        Ok(())
    }

    fn lock(&self, path: &Path) -> Result<Box<dyn Lock>, LockError> {
        let mut inner = self.inner();
        inner.call(Call::Change).map_err(LockError::Io)?;
        let name = name_of(path);
        let known = inner.names.get(&name).copied();
        let inode = known.unwrap_or(inner.inodes.len());
        if known.is_none() {
            inner.inodes.push(Inode::default());
            inner.rename(name.clone(), Some(inode));
        }
        if !inner.locked.insert(inode) {
            return Err(LockError::Held { owner: None });
        }
        Ok(Box::new(SimulatedLock { disk: self.clone(), name, inode, boot: inner.boot }))
    }

    fn random(&self, bytes: &mut [u8]) -> io::Result<()> {
        self.inner().random.fill(bytes);
        Ok(())
    }
}

#[derive(Debug)]
struct SimulatedLock {
    disk: SimulatedDisk,
    name: String,
    inode: usize,
    boot: u32,
}

impl Lock for SimulatedLock {
    fn is_in_place(&self) -> io::Result<bool> {
        let mut inner = self.disk.inner();
        inner.call(Call::Read)?;
        Ok(inner.names.get(&self.name) == Some(&self.inode))
    }
}

impl Drop for SimulatedLock {
    fn drop(&mut self) {
        let mut inner = self.disk.inner();
        if inner.boot == self.boot {
            inner.locked.remove(&self.inode);
        }
    }
}

#[derive(Debug)]
struct SimulatedFile {
    disk: SimulatedDisk,
    inode: usize,
    boot: u32,
    writable: bool,
}

impl SimulatedFile {
    fn enter(&self, call: Call) -> io::Result<MutexGuard<'_, Inner>> {
        let mut inner = self.disk.inner();
        assert!(call == Call::Read || self.writable, "a file opened to read is changed");
        if inner.boot != self.boot {
            return Err(io::Error::other("a handle from before the restart"));
        }
        inner.call(call)?;
        Ok(inner)
    }
}

impl DiskFile for SimulatedFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut inner = self.enter(Call::Read)?;
        let short = inner.random.u32(0..8) == 0;
        let bytes = inner.inodes[self.inode].view.get(place(offset)..).unwrap_or_default();
        let mut length = bytes.len().min(buffer.len());
        if short && length > 1 {
            length -= 1;
        }
        buffer[..length].copy_from_slice(&bytes[..length]);
        Ok(length)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let mut inner = match self.enter(Call::Change) {
            Ok(inner) => inner,
            Err(error) => {
                // The call failed or never came back, and part of it was done all the same.
                let mut inner = self.disk.inner();
                if inner.boot == self.boot && inner.random.bool() {
                    let part = inner.random.usize(0..=bytes.len());
                    let part = part.min(room(&inner, self.inode, offset, part));
                    let change = Change::Write(place(offset), bytes[..part].to_vec());
                    inner.inodes[self.inode].change(change);
                }
                return Err(error);
            }
        };
        let mut length = bytes.len();
        if length > 1 && inner.random.u32(0..16) == 0 {
            length = inner.random.usize(1..length);
        }
        length = length.min(room(&inner, self.inode, offset, length));
        if length == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let change = Change::Write(place(offset), bytes[..length].to_vec());
        inner.inodes[self.inode].change(change);
        Ok(length)
    }

    fn sync_data(&self) -> io::Result<()> {
        match self.enter(Call::Sync) {
            Ok(mut inner) => {
                let inode = &mut inner.inodes[self.inode];
                inode.unsynced.clear();
                inode.durable.clone_from(&inode.view);
                Ok(())
            }
            Err(error) => {
                let mut inner = self.disk.inner();
                if inner.boot == self.boot && !inner.stopped {
                    // Some of it is on the disk; the rest is forgotten, and the next sync would not miss it.
                    inner.failed_syncs += 1;
                    let mut random = inner.random.fork();
                    let inode = &mut inner.inodes[self.inode];
                    for change in std::mem::take(&mut inode.unsynced) {
                        for piece in change.pieces() {
                            if random.bool() {
                                piece.apply(&mut inode.durable);
                            }
                        }
                    }
                }
                Err(error)
            }
        }
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let mut inner = self.enter(Call::Change)?;
        inner.inodes[self.inode].change(Change::SetLen(place(length)));
        Ok(())
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.enter(Call::Read)?.inodes[self.inode].view.len() as u64)
    }

    fn is_at(&self, path: &Path) -> io::Result<bool> {
        Ok(self.enter(Call::Read)?.names.get(&name_of(path)) == Some(&self.inode))
    }
}

fn place(offset: u64) -> usize {
    usize::try_from(offset).unwrap()
}

/// How much of a write there is room for.
fn room(inner: &Inner, inode: usize, offset: u64, length: usize) -> usize {
    let Some(capacity) = inner.capacity else { return length };
    let there = inner.inodes[inode].allocated as u64;
    let end = there + capacity.saturating_sub(inner.used());
    length.min(place(end.saturating_sub(offset)))
}
