//! The durability gate: whatever the point of the power failure, the log that opens afterwards holds every acknowledged
//! operation and is a prefix of what was asked.

use std::sync::Arc;

use super::{
    super::{record::Record, view::View, *},
    sim_disk::{Event, Random, SimDisk},
};

const IMAGES: u64 = 1_200;
/// Small, so that forty operations fill several.
const SEGMENT_BYTES: usize = 32 * 1024;

/// Draws the next operation that a Raft node could ask for.
fn draw(random: &mut Random, model: &mut Model) -> Vec<Record> {
    let filler = |random: &mut Random| {
        Bytes::from(vec![
            u8::try_from(random.below(255)).unwrap();
            usize::try_from(1 + random.below(3_000)).unwrap()
        ])
    };
    match random.below(10) {
        0 => vec![Record::Vote(filler(random))],
        1 if model.next > model.first + 1 => {
            let last = model.first + random.below(model.next - model.first);
            model.next = last + 1;
            vec![Record::Truncate(Some(last))]
        }
        2 if model.next > model.first + 1 => {
            let index = model.first + random.below(model.next - model.first);
            model.first = index + 1;
            vec![Record::Purge { index, bytes: Bytes::from(index.to_be_bytes().to_vec()) }]
        }
        3 => vec![Record::Committed(filler(random))],
        // Now and then a large one, so that segments fill and change.
        4 => append(random, model, 1, 40_000),
        _ => {
            let count = 1 + random.below(5);
            append(random, model, count, 2_000)
        }
    }
}

struct Model {
    first: u64,
    next: u64,
}

fn append(random: &mut Random, model: &mut Model, count: u64, bytes_max: u64) -> Vec<Record> {
    let start = model.next;
    model.next += count;
    (start..model.next)
        .map(|index| {
            let length = usize::try_from(random.below(bytes_max)).unwrap();
            Record::Entry { index, bytes: Bytes::from(vec![u8::try_from(index % 251).unwrap(); length]) }
        })
        .collect()
}

/// Runs operations on a log over a disk; returns them with the views after each.
fn run(disk: &SimDisk, random: &mut Random, operations: usize) -> Vec<View> {
    let log = Log::open_on(Arc::new(disk.clone()), SEGMENT_BYTES).unwrap();
    let mut views = vec![log.reader().view().clone()];
    let first = views[0].purged_index().map_or(0, |index| index + 1);
    let mut model = Model { first, next: first + u64::try_from(views[0].entries(..).len()).unwrap() };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for number in 1..=operations {
        let records = draw(random, &mut model);
        let waited = !matches!(records.as_slice(), [Record::Committed(_)]);
        let noted = disk.clone();
        let done: Done = Box::new(move |result| {
            result.unwrap();
            noted.note(Event::Acknowledged(number));
        });
        runtime.block_on(log.submit(records, waited.then_some(done)));
        views.push(log.reader().view().clone());
        if random.below(3) == 0 {
            std::thread::yield_now();
        }
    }
    log.close();
    views
}

/// Cuts the power under a disk somewhere; returns what is left and the log that was found there.
fn fail(disk: &SimDisk, views: &[View], random: &mut Random, seed: u64) -> (SimDisk, View) {
    let journal = disk.journal();
    let cut = usize::try_from(random.below(u64::try_from(journal.len()).unwrap() + 1)).unwrap();
    let journal = &journal[..cut];
    let acknowledged =
        |event: &Event| if let Event::Acknowledged(number) = event { Some(*number) } else { None };
    let acknowledged = journal.iter().filter_map(acknowledged).max();
    let image = disk.after_power_failure(journal, random);
    let recovered = Log::open_on(Arc::new(image.clone()), SEGMENT_BYTES)
        .unwrap_or_else(|error| panic!("seed {seed}, cut {cut}: does not open: {error}"));
    let found = recovered.reader().view().clone();
    let at = views.iter().skip(acknowledged.unwrap_or(0)).position(|view| *view == found);
    assert!(
        at.is_some(),
        "seed {seed}, cut {cut}: acknowledged {acknowledged:?}, what was found is no such state"
    );
    recovered.close();
    (image, found)
}

#[test]
fn power_failure_anywhere_loses_nothing_acknowledged() {
    let mut images = 0;
    let mut seed = 0;
    let mut torn = 0;
    while images < IMAGES {
        seed += 1;
        let mut random = Random(seed);
        let disk = SimDisk::default();
        let views = run(&disk, &mut random, 40);
        for _ in 0..20 {
            let (image, found) = fail(&disk, &views, &mut random, seed);
            // One sync on opening, one write and sync on closing; one write more clears what was torn.
            torn += usize::from(image.journal().len() > 3);
            // It was repaired: a second start finds the same, goes on, and fails again.
            let image = image.after_power_failure(&image.journal(), &mut random);
            let views = run(&image, &mut random, 6);
            assert_eq!(views[0], found, "seed {seed}: second start differs");
            drop(fail(&image, &views, &mut random, seed));
            images += 2;
        }
    }
    assert!(torn > 100, "the simulator must tear writes, not only cut between them: {torn}");
}
