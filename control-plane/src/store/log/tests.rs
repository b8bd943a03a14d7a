//! What the log promises, over real files; `crash` cuts the power under it.

mod crash;
mod sim_disk;

use std::{fs, path::Path, sync::mpsc};

use super::*;

/// Waits until an operation is durable.
pub(super) struct Waiter {
    receiver: mpsc::Receiver<io::Result<()>>,
}

impl Waiter {
    pub(super) fn new() -> (Self, Done) {
        let (sender, receiver) = mpsc::channel();
        (Self { receiver }, Box::new(move |result| drop(sender.send(result))))
    }

    pub(super) fn wait(self) -> io::Result<()> {
        self.receiver.recv().unwrap()
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn entry(index: u64) -> (u64, Bytes) {
    (index, Bytes::from(format!("entry {index}").repeat(20)))
}

fn append(log: &Log, indices: impl IntoIterator<Item = u64>) {
    let (waiter, done) = Waiter::new();
    block_on(log.append(indices.into_iter().map(entry).collect(), done));
    waiter.wait().unwrap();
}

fn snapshot(log: &Log) -> View {
    log.reader().view().clone()
}

fn segment(dir: &Path) -> std::path::PathBuf {
    let mut names: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    names.pop().unwrap()
}

#[test]
fn every_kind_of_operation_survives_a_reopen() {
    let dir = tempfile::tempdir().unwrap();
    let operations: [fn(&Log, Done); 6] = [
        |log, done| block_on(log.append((1..=20).map(entry).collect(), done)),
        |log, done| block_on(log.save_vote(Bytes::from_static(b"vote 2"), done)),
        |log, done| block_on(log.truncate_after(Some(15), done)),
        |log, done| block_on(log.append(vec![(16, Bytes::from_static(b"another"))], done)),
        |log, done| block_on(log.purge(4, Bytes::from_static(b"id 4"), done)),
        |log, done| {
            block_on(log.save_committed(Bytes::from_static(b"committed")));
            block_on(log.append(vec![entry(17)], done));
        },
    ];
    for operation in operations {
        let log = Log::open(dir.path()).unwrap();
        let (waiter, done) = Waiter::new();
        operation(&log, done);
        waiter.wait().unwrap();
        let before = snapshot(&log);
        log.close();
        let log = Log::open(dir.path()).unwrap();
        assert_eq!(snapshot(&log), before);
        log.close();
    }
    let log = Log::open(dir.path()).unwrap();
    let view = snapshot(&log);
    assert_eq!(view.entries(..).len(), 13);
    assert_eq!(view.entries(16..=16), [Bytes::from_static(b"another")]);
    assert_eq!(view.vote().unwrap(), "vote 2");
    assert_eq!(view.purged().unwrap(), "id 4");
    assert_eq!(view.committed().unwrap(), "committed");
    assert_eq!(view.entry_bytes(), view.entries(..).iter().map(Bytes::len).sum::<usize>());
    assert!(
        view.entries((std::ops::Bound::Excluded(9), std::ops::Bound::Included(3))).is_empty()
            && view.entries(3..3).is_empty()
    );
}

#[test]
fn purged_segments_go_and_the_rest_stands_alone() {
    let dir = tempfile::tempdir().unwrap();
    let log = Log::open(dir.path()).unwrap();
    let (waiter, done) = Waiter::new();
    block_on(log.save_vote(Bytes::from_static(b"vote"), done));
    waiter.wait().unwrap();
    let large = Bytes::from(vec![7; 3 * 1024 * 1024]);
    for index in 0..12 {
        let (waiter, done) = Waiter::new();
        block_on(log.append(vec![(index, large.clone())], done));
        waiter.wait().unwrap();
    }
    let segments = || fs::read_dir(dir.path()).unwrap().count();
    assert!(segments() >= 5, "3 MiB entries must have filled several segments");
    let (waiter, done) = Waiter::new();
    block_on(log.purge(10, Bytes::from_static(b"id 10"), done));
    waiter.wait().unwrap();
    let before = snapshot(&log);
    log.close();
    assert!(segments() <= 2);
    let log = Log::open(dir.path()).unwrap();
    assert_eq!(snapshot(&log), before);
    assert_eq!(snapshot(&log).vote().unwrap(), "vote");
    // An entry larger than a segment gets a segment of its own.
    let (waiter, done) = Waiter::new();
    block_on(log.append(vec![(12, Bytes::from(vec![1; 9 * 1024 * 1024]))], done));
    waiter.wait().unwrap();
    let before = snapshot(&log);
    log.close();
    assert_eq!(snapshot(&Log::open(dir.path()).unwrap()), before);
}

#[test]
fn torn_tail_is_cleared_and_nothing_before_it_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let log = Log::open(dir.path()).unwrap();
    append(&log, 0..3);
    let before = snapshot(&log);
    log.close();
    let path = segment(dir.path());
    let mut bytes = fs::read(&path).unwrap();
    // The closing frame is the fourth sector pair; behind it a write of which only the second sector arrived.
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap().next_multiple_of(512);
    bytes[end + 512..end + 1024].fill(0xa5);
    fs::write(&path, &bytes).unwrap();
    let log = Log::open(dir.path()).unwrap();
    assert_eq!(snapshot(&log), before);
    append(&log, 3..4);
    let before = snapshot(&log);
    log.close();
    assert_eq!(snapshot(&Log::open(dir.path()).unwrap()), before);
}

#[test]
fn flipped_byte_anywhere_after_a_clean_stop_is_never_served() {
    let dir = tempfile::tempdir().unwrap();
    let log = Log::open(dir.path()).unwrap();
    append(&log, 0..2);
    append(&log, 2..4);
    let before = snapshot(&log);
    log.close();
    let path = segment(dir.path());
    let bytes = fs::read(&path).unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    let mut refused = 0;
    for at in (0..=end).step_by(7) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        fs::write(&path, &damaged).unwrap();
        match Log::open(dir.path()) {
            Err(LogError::Damaged { segment: 1, .. }) => refused += 1,
            // Padding, or the closing frame, which holds nothing.
            Ok(log) => assert_eq!(snapshot(&log), before, "flip at {at} changed what is served"),
            Err(error) => panic!("flip at {at}: {error}"),
        }
    }
    assert!(refused > 50, "{refused}");
}

#[test]
fn missing_segment_and_missing_entries_stop_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let log = Log::open(dir.path()).unwrap();
    let large = Bytes::from(vec![7; 3 * 1024 * 1024]);
    for index in 0..8 {
        let (waiter, done) = Waiter::new();
        block_on(log.append(vec![(index, large.clone())], done));
        waiter.wait().unwrap();
    }
    log.close();
    fs::rename(dir.path().join(segment_name(2)), dir.path().join("away")).unwrap();
    assert!(matches!(Log::open(dir.path()), Err(LogError::MissingSegment { number: 2 })));
    fs::rename(dir.path().join("away"), dir.path().join(segment_name(2))).unwrap();
    fs::remove_file(dir.path().join(segment_name(1))).unwrap();
    assert!(matches!(Log::open(dir.path()), Err(LogError::Hole { .. })));
}

#[test]
fn one_operation_of_any_size_is_written_in_frames_that_are_believed() {
    use breakwater_common::limits::{WAL_FRAME_BYTES_MAX, WAL_GROUP_BYTES_MAX};
    let dir = tempfile::tempdir().unwrap();
    let log = Log::open(dir.path()).unwrap();
    // The entry that does not fit any frame with others stands alone.
    let entries = [3, 3, 5, 1, 1].map(|mib| Bytes::from(vec![7; mib * 1024 * 1024]));
    let (waiter, done) = Waiter::new();
    block_on(log.append((1..).zip(entries.clone()).collect(), done));
    waiter.wait().unwrap();
    log.close();
    let mut largest = 0;
    for file in fs::read_dir(dir.path()).unwrap() {
        let path = file.unwrap().path();
        let number = segment_number(path.file_name().unwrap().to_str().unwrap()).unwrap();
        let bytes = fs::read(&path).unwrap();
        let mut rest = bytes.as_slice();
        while let Some(frame) = frame::decode(number, rest) {
            largest = largest.max(frame.body.len());
            rest = &rest[frame.size..];
        }
    }
    assert!((5 << 20..(5 << 20) + 1_000).contains(&largest), "{largest}");
    assert!(largest > WAL_GROUP_BYTES_MAX && largest < WAL_FRAME_BYTES_MAX);
    assert_eq!(Log::open(dir.path()).unwrap().reader().view().entries(..), entries);
}
