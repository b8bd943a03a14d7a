//! Checks a ledger as it is kept: every record, every link, the tree. Names the first place where it does not hold.

use super::checkpoint::Checkpoint;
use super::head::Head;
use super::record::{Record, RecordError};
use super::tree::Hash;

/// Where a ledger was tampered with (or damaged), and how that shows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("record {index}: {what}")]
pub struct Tampering {
    /// Index of the first record that does not hold.
    pub index: u64,
    /// What does not hold.
    pub what: What,
}

/// What does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum What {
    /// There is another record in its place: it was dropped, or moved.
    #[error("it is missing: record {found} stands in its place")]
    Missing {
        /// The index that was found.
        found: u64,
    },
    /// Its bytes are not a record.
    #[error("{0}")]
    Unreadable(RecordError),
    /// It says that its place is another.
    #[error("it says of itself that it is record {found}")]
    Moved {
        /// What it says.
        found: u64,
    },
    /// The next record was made after another one than this.
    #[error(
        "the next record was made after one with another hash: this one was changed, or the next was put in"
    )]
    Changed,
    /// Its time is before that of the record before it.
    #[error("its time is before that of the record before it")]
    TimeWentBack,
    /// The ledger ends before the size that was signed.
    #[error("the ledger ends here, but {signed} records were signed")]
    CutOff {
        /// Records that were signed.
        signed: u64,
    },
    /// The links hold, but the root of the tree is not the signed one.
    #[error(
        "the root of the tree up to here is not the signed one: this record was changed, or a tail was rewritten"
    )]
    NotSigned,
    /// A ledger without records has a signed root that is not that of an empty tree.
    #[error("the ledger is empty, but the signed root is not that of an empty tree")]
    NotEmpty,
}

/// Checks records as they come, in order from 0, in constant memory.
#[derive(Debug, Clone, Default)]
pub struct Verifier {
    head: Head,
    newest: String,
}

impl Verifier {
    /// Takes the next record.
    ///
    /// # Errors
    ///
    /// If it, or the one before it, is not what it must be. Nothing after that can be said.
    pub fn push(&mut self, index: u64, leaf: &[u8]) -> Result<(), Tampering> {
        let expect = self.head.size;
        let fail = |what| Err(Tampering { index: expect, what });
        if index != expect {
            return fail(What::Missing { found: index });
        }
        let record = match Record::parse(leaf) {
            Ok(record) => record,
            Err(error) => return fail(What::Unreadable(error)),
        };
        if record.seq != expect {
            return fail(What::Moved { found: record.seq });
        }
        if record.prev != self.head.last_leaf {
            return Err(Tampering { index: expect.saturating_sub(1), what: What::Changed });
        }
        // Both have the one form of RFC 3339 that `ts` is written in, which sorts as text.
        if record.ts < self.newest {
            return fail(What::TimeWentBack);
        }
        self.newest = record.ts;
        self.head.append(leaf);
        Ok(())
    }

    /// Returns the head over what was taken so far.
    #[must_use]
    pub fn head(&self) -> &Head {
        &self.head
    }
}

/// Checks a whole ledger by itself: each record's form, its place, its link to the one before, its time. Returns its head,
/// whose root is to be compared with a signed one: without that, a change of the newest record cannot be found (see
/// [`verify_against`]).
///
/// # Errors
///
/// The first record that does not hold.
pub fn verify_chain(records: impl IntoIterator<Item = (u64, Vec<u8>)>) -> Result<Head, Tampering> {
    let mut verifier = Verifier::default();
    for (index, leaf) in records {
        verifier.push(index, &leaf)?;
    }
    Ok(verifier.head)
}

/// Checks a whole ledger by itself and against a checkpoint whose signature was checked. Records after the checkpoint are
/// checked by their links alone.
///
/// # Errors
///
/// The first record that does not hold.
pub fn verify_against(
    records: impl IntoIterator<Item = (u64, Vec<u8>)>,
    checkpoint: &Checkpoint,
) -> Result<Head, Tampering> {
    let mut verifier = Verifier::default();
    let mut root: Option<Hash> = (checkpoint.size == 0).then(|| verifier.head.root());
    for (index, leaf) in records {
        verifier.push(index, &leaf)?;
        if verifier.head.size == checkpoint.size {
            root = Some(verifier.head.root());
        }
    }
    let fail = |index: u64, what| Err(Tampering { index, what });
    match root {
        None => fail(verifier.head.size, What::CutOff { signed: checkpoint.size }),
        Some(root) if root == checkpoint.root => Ok(verifier.head),
        Some(_) if checkpoint.size == 0 => fail(0, What::NotEmpty),
        Some(_) => fail(checkpoint.size - 1, What::NotSigned),
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::tests::{chain, sample};
    use super::*;

    fn signed(records: &[(u64, Vec<u8>)]) -> Checkpoint {
        let head = verify_chain(records.to_vec()).unwrap();
        Checkpoint { origin: "c1/audit".to_owned(), size: head.size, root: head.root() }
    }

    #[test]
    fn an_untouched_ledger_holds_also_beyond_its_checkpoint() {
        let records = chain(20);
        for size in 0..=20 {
            let checkpoint = signed(&records[..size]);
            assert_eq!(verify_against(records.clone(), &checkpoint).unwrap().size, 20);
        }
    }

    #[test]
    fn any_flipped_bit_is_found_at_its_record() {
        let records = chain(4);
        let checkpoint = signed(&records);
        for victim in 0..records.len() {
            for byte in 0..records[victim].1.len() {
                for bit in 0..8 {
                    let mut forged = records.clone();
                    forged[victim].1[byte] ^= 1 << bit;
                    let found = verify_against(forged, &checkpoint).unwrap_err();
                    // A record whose own link is bent cannot be told from one whose forerunner was changed.
                    let by_link = found.what == What::Changed && found.index + 1 == victim as u64;
                    assert!(found.index == victim as u64 || by_link, "byte {byte} of {victim}: {found}");
                }
            }
        }
    }

    #[test]
    fn dropped_swapped_and_cut_records_are_found() {
        let records = chain(8);
        let checkpoint = signed(&records);
        let check = |forged: Vec<(u64, Vec<u8>)>, index, what| {
            assert_eq!(verify_against(forged, &checkpoint), Err(Tampering { index, what }));
        };
        for victim in 0..8_u64 {
            let dropped: Vec<_> = records.iter().filter(|(seq, _)| *seq != victim).cloned().collect();
            let what =
                if victim == 7 { What::CutOff { signed: 8 } } else { What::Missing { found: victim + 1 } };
            check(dropped.clone(), victim, what);
            let renumbered: Vec<_> = (0..).zip(dropped.into_iter().map(|(_, leaf)| leaf)).collect();
            let what =
                if victim == 7 { What::CutOff { signed: 8 } } else { What::Moved { found: victim + 1 } };
            check(renumbered, victim, what);
            check(records[..usize::try_from(victim).unwrap()].to_vec(), victim, What::CutOff { signed: 8 });
        }
        for first in 0..7 {
            let mut swapped = records.clone();
            let (before, after) = swapped.split_at_mut(first + 1);
            std::mem::swap(&mut before[first].1, &mut after[0].1);
            check(swapped, first as u64, What::Moved { found: first as u64 + 1 });
        }
    }

    #[test]
    fn a_rewritten_tail_with_good_links_is_found_by_the_signed_root() {
        let records = chain(6);
        let checkpoint = signed(&records);
        for from in 0..6_usize {
            let mut head = verify_chain(records[..from].to_vec()).unwrap();
            let mut forged = records[..from].to_vec();
            for seq in from as u64..6 {
                let mut record = sample(seq, head.last_leaf);
                record.actor.subject = "mallory".to_owned();
                let leaf = record.encode();
                head.append(&leaf);
                forged.push((seq, leaf));
            }
            assert!(verify_chain(forged.clone()).is_ok());
            let found = verify_against(forged, &checkpoint).unwrap_err();
            assert_eq!(found, Tampering { index: 5, what: What::NotSigned });
        }
    }

    #[test]
    fn time_that_goes_back_and_a_false_empty_root_are_found() {
        let first = sample(0, [0; 32]).encode();
        let mut head = Head::default();
        head.append(&first);
        let mut second = sample(1, head.last_leaf);
        second.ts = "2026-11-20T14:34:59.999Z".to_owned();
        let found = verify_chain([(0, first), (1, second.encode())]).unwrap_err();
        assert_eq!(found, Tampering { index: 1, what: What::TimeWentBack });
        let empty = Checkpoint { origin: "c1/audit".to_owned(), size: 0, root: [1; 32] };
        assert_eq!(verify_against([], &empty).unwrap_err().what, What::NotEmpty);
    }
}
