//! The image after power failures: between two syncs any of the sectors written may have reached the device.
//!
//! sled's writes cannot be recorded without unsafe code, so two images of its file are compared, one from before a group and
//! one from behind its sync, and any of the sectors that differ are put together. That misses only what sled overwrote
//! twice within a group.

use std::collections::BTreeMap;

use super::*;

const IMAGES: u32 = 240;
/// Small, so that segments fill and are used again. The values stay below an eighteenth of a quarter of it.
const SEGMENT: usize = 256 * 1024;
const SECTOR: usize = 512;

/// SplitMix64 (Steele, Lea, Flood 2014), so that a failing seed can be run again.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

fn draw(random: &mut Random, index: u64) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
    let mut changes = Vec::new();
    for _ in 0..=random.below(12) {
        let key = format!("\x01key {}", random.below(150)).into_bytes();
        let length = usize::try_from(random.below(3_000)).unwrap();
        changes.push((key, (random.below(6) > 0).then(|| vec![index.to_be_bytes()[7]; length])));
    }
    changes.push(([&[BULK], index.to_be_bytes().as_slice()].concat(), Some(vec![1; 200])));
    changes
}

fn take(model: &mut Model, changes: &[(Vec<u8>, Option<Vec<u8>>)]) {
    for (key, value) in changes.iter().filter(|(key, _)| key.first() != Some(&BULK)) {
        match value {
            Some(value) => drop(model.insert(key.clone(), value.clone())),
            None => drop(model.remove(key)),
        }
    }
}

/// Mixes two states of a file, sector by sector.
fn mix(before: &[u8], after: &[u8], random: &mut Random) -> (Vec<u8>, usize) {
    let mut mixed = before.to_vec();
    mixed.resize(if random.below(2) == 0 { after.len() } else { before.len() }, 0);
    let (mut lost, length) = (0, mixed.len());
    for (at, sector) in after.chunks(SECTOR).enumerate().map(|(number, sector)| (number * SECTOR, sector)) {
        let end = (at + sector.len()).min(length);
        if at >= end || mixed[at..end] == sector[..end - at] {
            continue;
        }
        if random.below(2) == 0 {
            mixed[at..end].copy_from_slice(&sector[..end - at]);
        } else {
            lost += 1;
        }
    }
    (mixed, lost)
}

#[tokio::test]
async fn power_failure_within_a_group_leaves_the_group_whole_or_not_there() {
    let (mut images, mut torn, mut seed) = (0, 0, 0);
    while images < IMAGES {
        seed += 1;
        let mut random = Random(seed);
        let dir = tempfile::tempdir().unwrap();
        let directory = dir.path().join("state");
        let (image, _) = Image::open_sized(&directory, BULK, SEGMENT).unwrap();
        let mut model = Model::new();
        for index in 1..=150 {
            let changes = draw(&mut random, index);
            let before = (fs::read(directory.join("db")).unwrap(), model.clone());
            take(&mut model, &changes);
            image.write(changes, applied(index)).await.unwrap();
            image.reached(index).await.unwrap();
            if index == 1 || random.below(5) > 0 {
                continue;
            }
            let (mixed, lost) = mix(&before.0, &fs::read(directory.join("db")).unwrap(), &mut random);
            torn += u32::from(lost > 0);
            images += 1;
            let failed = dir.path().join("failed");
            fs::create_dir(&failed).unwrap();
            for entry in fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path()) {
                if entry.is_file() && !entry.ends_with("db") {
                    fs::copy(&entry, failed.join(entry.file_name().unwrap())).unwrap();
                }
            }
            fs::write(failed.join("db"), mixed).unwrap();
            let (recovered, loaded) = Image::open_sized(&failed, BULK, SEGMENT).unwrap();
            assert!(loaded.moved.is_none(), "seed {seed}, index {index}, lost {lost}: {:?}", loaded.moved);
            let found = loaded.applied.unwrap().index;
            let expected = if found == index { &model } else { &before.1 };
            assert!(found == index || found == index - 1, "seed {seed}, index {index}: found {found}");
            assert_eq!(loaded.rows.into_iter().collect::<Model>(), *expected, "seed {seed}, index {index}");
            assert_eq!(recovered.bulk_rows(&[], 1_000).unwrap().len(), usize::try_from(found).unwrap());
            recovered.close();
            fs::remove_dir_all(&failed).unwrap();
        }
        image.close();
    }
    assert!(torn > IMAGES / 3, "groups must be torn, not only cut between: {torn}");
}
