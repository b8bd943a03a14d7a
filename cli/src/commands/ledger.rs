//! `ledger`: records, checkpoint, proofs, export. Verification stands in `ledger_verify`.

use std::{
    io::{BufWriter, Write},
    path::Path,
};

use breakwater_common::ledger::{Checkpoint, leaf_hash, unhex, verify_inclusion};
use serde_json::{Value, json};

use super::{
    Context,
    ledger_verify::{self, CHECKPOINT_FILE, KEY_FILE, RECORDS_FILE},
    list, part, text,
};
use crate::{
    args::LedgerCommand,
    client::Client,
    failure::Failure,
    table::{Table, card},
};

/// Records fetched at once.
const PAGE: u64 = 500;

pub(super) async fn run(context: &Context, command: LedgerCommand) -> Result<(), Failure> {
    match command {
        LedgerCommand::Records { start, limit } => records(context, start, limit).await,
        LedgerCommand::Checkpoint => {
            let checkpoint = checkpoint(&mut context.connect().await?).await?;
            context.output.data(&checkpoint, || text(&checkpoint, "/note"));
            Ok(())
        }
        LedgerCommand::Prove { index } => prove(context, index).await,
        LedgerCommand::Export { dir } => export(context, &dir).await,
        LedgerCommand::Verify { dir, public_key } => {
            ledger_verify::run(context, dir.as_deref(), public_key.as_deref()).await
        }
    }
}

async fn records(context: &Context, start: Option<u64>, limit: u32) -> Result<(), Failure> {
    let mut client = context.connect().await?;
    let request = json!({"start": start.unwrap_or(0), "page_size": limit, "newest_first": start.is_none()});
    let reply = client.read("LedgerService", "ListRecords", &request).await?;
    let mut table = Table::new(&["INDEX", "TIME", "WHO", "ROLE", "ACTION", "OBJECT", "OUTCOME", "REVISION"]);
    let mut values = Vec::new();
    for record in list(&reply, "records") {
        // A leaf that does not read as JSON is shown as it is: looking at a damaged ledger must work.
        let leaf: Value = serde_json::from_str(&text(record, "/leaf")).unwrap_or(Value::Null);
        let outcome = [text(&leaf, "/outcome"), text(&leaf, "/reason")].join(" ");
        table.row([
            text(record, "/index"),
            text(&leaf, "/ts"),
            text(&leaf, "/actor/subject"),
            text(&leaf, "/actor/role"),
            text(&leaf, "/action"),
            text(&leaf, "/object"),
            outcome.trim().to_owned(),
            text(&leaf, "/rev_after"),
        ]);
        values.push(json!({"index": record["index"], "leaf_hash": record["leaf_hash"], "record": leaf}));
    }
    context.output.rows(&Value::Array(values), &table);
    context.output.talk(&format!("{} records in the ledger", text(&reply, "/tree_size")));
    Ok(())
}

async fn prove(context: &Context, index: u64) -> Result<(), Failure> {
    let mut client = context.connect().await?;
    let proof = client.read("LedgerService", "GetProof", &json!({"index": index})).await?;
    let page = client.read("LedgerService", "ListRecords", &json!({"start": index, "page_size": 1})).await?;
    let key = ledger_verify::key(None, &text(&proof, "/checkpoint/public_key"))?;
    let checkpoint = Checkpoint::open(&text(&proof, "/checkpoint/note"), &key)
        .map_err(|error| Failure::failed(format!("the proof does not hold: {error}")))?;
    let leaf = list(&page, "records").first().map(|record| text(record, "/leaf")).unwrap_or_default();
    let hashes: Option<Vec<_>> = list(&proof, "hashes").iter().map(|hash| unhex(&text(hash, ""))).collect();
    let holds = hashes.is_some_and(|hashes| {
        verify_inclusion(&leaf_hash(leaf.as_bytes()), index, checkpoint.size, &hashes, &checkpoint.root)
    });
    if !holds {
        return Err(Failure::failed(format!(
            "the proof does not hold: record {index} is not in the signed tree"
        )));
    }
    context.output.data(&proof, || {
        card(&[
            ("record", index.to_string()),
            ("leaf hash", text(&proof, "/leaf_hash")),
            ("tree", format!("{} records of {}", checkpoint.size, checkpoint.origin)),
            ("proof", format!("{} hashes, checked here", list(&proof, "hashes").len())),
        ])
    });
    Ok(())
}

async fn export(context: &Context, dir: &Path) -> Result<(), Failure> {
    let name = dir.display();
    let cannot = |error: std::io::Error| Failure::failed(format!("cannot write to {name}: {error}"));
    std::fs::create_dir_all(dir).map_err(cannot)?;
    if std::fs::read_dir(dir).map_err(cannot)?.next().is_some() {
        return Err(Failure::usage(format!("{name} is not empty; an export never goes over another")));
    }
    let mut client = context.connect().await?;
    let checkpoint = checkpoint(&mut client).await?;
    let size = part(&checkpoint, "tree_size").as_u64().unwrap_or(0);
    let mut file = BufWriter::new(std::fs::File::create(dir.join(RECORDS_FILE)).map_err(cannot)?);
    let mut next = 0;
    while next < size {
        for leaf in leaves(&mut client, next, size).await? {
            writeln!(file, "{leaf}").map_err(cannot)?;
            next += 1;
        }
    }
    file.into_inner().map_err(|error| cannot(error.into_error()))?.sync_all().map_err(cannot)?;
    std::fs::write(dir.join(CHECKPOINT_FILE), text(&checkpoint, "/note")).map_err(cannot)?;
    std::fs::write(dir.join(KEY_FILE), text(&checkpoint, "/public_key") + "\n").map_err(cannot)?;
    let value =
        json!({"directory": name.to_string(), "records": size, "root_hash": part(&checkpoint, "root_hash")});
    context.output.data(&value, || {
        card(&[
            ("exported", name.to_string()),
            ("records", size.to_string()),
            ("root", text(&checkpoint, "/root_hash")),
        ])
    });
    context.output.talk(&format!("check it anywhere with: breakwater ledger verify {name}"));
    Ok(())
}

/// Fetches the newest checkpoint.
pub(super) async fn checkpoint(client: &mut Client) -> Result<Value, Failure> {
    client.read("LedgerService", "GetCheckpoint", &json!({})).await
}

/// Fetches leaves from `start` on, at most up to `size`; never none.
pub(super) async fn leaves(client: &mut Client, start: u64, size: u64) -> Result<Vec<String>, Failure> {
    let request = json!({"start": start, "page_size": PAGE.min(size.saturating_sub(start))});
    let reply = client.read("LedgerService", "ListRecords", &request).await?;
    let mut leaves = Vec::new();
    for (expected, record) in (start..size).zip(list(&reply, "records")) {
        if record["index"].as_u64() != Some(expected) {
            return Err(Failure::failed(format!("the server left out record {expected}")));
        }
        leaves.push(text(record, "/leaf"));
    }
    if leaves.is_empty() {
        return Err(Failure::failed(format!(
            "the server signed {size} records and does not return record {start}"
        )));
    }
    Ok(leaves)
}
