//! `ledger verify`: the whole ledger, record by record, against its signed checkpoint. The server is asked for bytes and
//! believed in nothing, except the public key unless one is given: keep it from the first export.

use std::{
    io::{BufRead, BufReader},
    path::Path,
};

use breakwater_common::{
    ledger::{Checkpoint, Head, Tampering, VerifierKey, hex, verify_against},
    limits::LEDGER_LEAF_BYTES_MAX,
};
use serde_json::json;

use super::{Context, ledger, text};
use crate::{failure::Failure, table::card};

/// Leaves, one a line, in order from 0.
pub(super) const RECORDS_FILE: &str = "records.jsonl";
/// The signed note.
pub(super) const CHECKPOINT_FILE: &str = "checkpoint";
/// The log's key in C2SP form.
pub(super) const KEY_FILE: &str = "public-key";

pub(super) async fn run(
    context: &Context,
    dir: Option<&Path>,
    public_key: Option<&str>,
) -> Result<(), Failure> {
    let (checkpoint, head, source) = match dir {
        Some(dir) => of_export(dir, public_key)?,
        None => of_server(context, public_key).await?,
    };
    let value = json!({"verified": true, "origin": checkpoint.origin, "records": head.size,
        "signed_records": checkpoint.size, "root_hash": hex(&checkpoint.root)});
    context.output.data(&value, || {
        card(&[
            ("verified", source.clone()),
            ("log", checkpoint.origin.clone()),
            ("records", format!("{}, chain and tree hold", head.size)),
            ("signed", format!("{} records, Ed25519 signature holds", checkpoint.size)),
            ("root", hex(&checkpoint.root)),
        ])
    });
    if public_key.is_none() {
        context
            .output
            .talk("note: the key came along with the ledger; pin one from an earlier time with --public-key");
    }
    Ok(())
}

type Verified = (Checkpoint, Head, String);

async fn of_server(context: &Context, public_key: Option<&str>) -> Result<Verified, Failure> {
    let mut client = context.connect().await?;
    let signed = ledger::checkpoint(&mut client).await?;
    let key = key(public_key, &text(&signed, "/public_key"))?;
    let checkpoint = open(&text(&signed, "/note"), &key)?;
    let mut records = Vec::new();
    let mut next = 0;
    while next < checkpoint.size {
        for leaf in ledger::leaves(&mut client, next, checkpoint.size).await? {
            records.push((next, leaf.into_bytes()));
            next += 1;
        }
    }
    let head = verify_against(records, &checkpoint).map_err(tampered)?;
    Ok((checkpoint, head, format!("the ledger of {}", context.connection.server)))
}

fn of_export(dir: &Path, public_key: Option<&str>) -> Result<Verified, Failure> {
    let read = |name: &str| {
        std::fs::read_to_string(dir.join(name)).map_err(|error| {
            Failure::usage(format!("cannot read {}: {error}", dir.join(name).display()))
                .hint("expected is a directory that breakwater ledger export wrote")
        })
    };
    let along = if public_key.is_some() { String::new() } else { read(KEY_FILE)? };
    let checkpoint = open(&read(CHECKPOINT_FILE)?, &key(public_key, &along)?)?;
    let path = dir.join(RECORDS_FILE);
    let cannot = |error: std::io::Error| Failure::usage(format!("cannot read {}: {error}", path.display()));
    let mut broken = None;
    let lines = Lines { reader: BufReader::new(std::fs::File::open(&path).map_err(cannot)?), next: 0 };
    let records = lines.map_while(|line| line.map_err(|error| broken = Some(error)).ok());
    let verified = verify_against(records, &checkpoint);
    if let Some(error) = broken {
        return Err(cannot(error));
    }
    Ok((checkpoint, verified.map_err(tampered)?, format!("the export in {}", dir.display())))
}

/// Numbered lines of bounded length.
struct Lines<R> {
    reader: R,
    next: u64,
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = std::io::Result<(u64, Vec<u8>)>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut line = Vec::new();
        // One byte more than a leaf and its line end: a longer line is cut, and then no leaf.
        let limit = u64::try_from(LEDGER_LEAF_BYTES_MAX + 2).unwrap_or(u64::MAX);
        match std::io::Read::take(&mut self.reader, limit).read_until(b'\n', &mut line) {
            Err(error) => return Some(Err(error)),
            Ok(0) => return None,
            Ok(_) => {}
        }
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        let index = self.next;
        self.next += 1;
        Some(Ok((index, line)))
    }
}

/// Reads the key that was given (text, or a file with it), or else the one that came along.
pub(super) fn key(given: Option<&str>, along: &str) -> Result<VerifierKey, Failure> {
    let text = match given {
        None => along.to_owned(),
        Some(given) if Path::new(given).is_file() => std::fs::read_to_string(given)
            .map_err(|error| Failure::usage(format!("cannot read {given}: {error}")))?,
        Some(given) => given.to_owned(),
    };
    VerifierKey::parse(&text).map_err(|error| Failure::usage(error.to_string()))
}

fn open(note: &str, key: &VerifierKey) -> Result<Checkpoint, Failure> {
    Checkpoint::open(note, key)
        .map_err(|error| Failure::failed(format!("the ledger does not verify: {error}")))
}

fn tampered(tampering: Tampering) -> Failure {
    Failure::failed(format!(
        "the ledger does not verify from record {} on: {}",
        tampering.index, tampering.what
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_numbered_and_bounded() {
        let long = "x".repeat(LEDGER_LEAF_BYTES_MAX + 10);
        let text = format!("a\n\nb\n{long}\n");
        let lines: Vec<_> = Lines { reader: text.as_bytes(), next: 0 }.map(Result::unwrap).take(4).collect();
        assert_eq!(lines[0], (0, b"a".to_vec()));
        assert_eq!(lines[1], (1, Vec::new()));
        assert_eq!(lines[2], (2, b"b".to_vec()));
        assert_eq!(lines[3].1.len(), LEDGER_LEAF_BYTES_MAX + 2);
    }
}
