//! A disk that forgets: every write, sync and name is journalled, and any prefix of the journal becomes the disks that a
//! power failure at that point could leave behind.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex},
};

use crate::store::disk::{Disk, DiskFile};

const SECTOR: usize = 512;

/// What happened, in order.
#[derive(Clone)]
pub(super) enum Event {
    Create {
        name: String,
        head: Vec<u8>,
        size: usize,
    },
    Write {
        name: String,
        offset: usize,
        bytes: Vec<u8>,
    },
    Sync {
        name: String,
    },
    Remove {
        name: String,
    },
    /// The operation with this number was acknowledged.
    Acknowledged(usize),
}

/// A small generator, so that a failing seed can be run again.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        // SplitMix64 (Steele, Lea, Flood 2014).
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

#[derive(Default)]
struct Inner {
    /// What the disk held when it was made.
    start: BTreeMap<String, Vec<u8>>,
    files: BTreeMap<String, Vec<u8>>,
    journal: Vec<Event>,
}

#[derive(Clone, Default)]
pub(super) struct SimDisk {
    inner: Arc<Mutex<Inner>>,
}

impl SimDisk {
    pub(super) fn note(&self, event: Event) {
        self.inner.lock().unwrap().journal.push(event);
    }

    pub(super) fn journal(&self) -> Vec<Event> {
        self.inner.lock().unwrap().journal.clone()
    }

    /// Builds a disk as a power failure right after `journal`, a prefix of this disk's, could leave it.
    pub(super) fn after_power_failure(&self, journal: &[Event], random: &mut Random) -> Self {
        let mut files = self.inner.lock().unwrap().start.clone();
        let mut unsynced: Vec<(String, usize, Vec<u8>)> = Vec::new();
        for event in journal {
            match event {
                Event::Create { name, head, size } => {
                    let mut bytes = head.clone();
                    bytes.resize(*size, 0);
                    files.insert(name.clone(), bytes);
                }
                Event::Write { name, offset, bytes } => unsynced.push((name.clone(), *offset, bytes.clone())),
                Event::Sync { name } => {
                    for (_, offset, bytes) in unsynced.extract_if(.., |(of, _, _)| of == name) {
                        put(files.get_mut(name).unwrap(), offset, &bytes);
                    }
                }
                Event::Remove { name } => drop(files.remove(name)),
                Event::Acknowledged(_) => {}
            }
        }
        for (name, offset, bytes) in unsynced {
            for (sector, part) in bytes.chunks(SECTOR).enumerate() {
                let at = offset + sector * SECTOR;
                match random.below(5) {
                    0 | 1 => put(files.get_mut(&name).unwrap(), at, part),
                    // A sector that failed in the middle: what it holds is neither old nor new.
                    2 => put(
                        files.get_mut(&name).unwrap(),
                        at,
                        &part.iter().map(|byte| byte ^ 0x3c).collect::<Vec<_>>(),
                    ),
                    _ => {}
                }
            }
        }
        Self { inner: Arc::new(Mutex::new(Inner { start: files.clone(), files, journal: Vec::new() })) }
    }
}

fn put(file: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if file.len() < end {
        file.resize(end, 0);
    }
    file[offset..end].copy_from_slice(bytes);
}

impl Disk for SimDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.inner.lock().unwrap().files.keys().cloned().collect())
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        Ok(self.inner.lock().unwrap().files[name].clone())
    }

    fn create(&self, name: &str, head: &[u8], size: usize) -> io::Result<Box<dyn DiskFile>> {
        let mut inner = self.inner.lock().unwrap();
        let mut bytes = head.to_vec();
        bytes.resize(size, 0);
        inner.files.insert(name.to_owned(), bytes);
        inner.journal.push(Event::Create { name: name.to_owned(), head: head.to_vec(), size });
        drop(inner);
        self.open(name)
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(SimFile { disk: self.clone(), name: name.to_owned() }))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut inner = self.inner.lock().unwrap();
        inner.files.remove(name);
        inner.journal.push(Event::Remove { name: name.to_owned() });
        Ok(())
    }
}

struct SimFile {
    disk: SimDisk,
    name: String,
}

impl DiskFile for SimFile {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).unwrap();
        let mut inner = self.disk.inner.lock().unwrap();
        put(inner.files.get_mut(&self.name).unwrap(), offset, bytes);
        inner.journal.push(Event::Write { name: self.name.clone(), offset, bytes: bytes.to_vec() });
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.disk.note(Event::Sync { name: self.name.clone() });
        Ok(())
    }
}
