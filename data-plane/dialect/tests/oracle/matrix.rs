//! The matrix of formats: for each caller's format and each provider's, what passes. It is counted from the other oracles, and
//! `docs/formats.md` holds it: `make matrix` prints it, `UPDATE_MATRIX=1` rewrites it.

use std::fmt::Write;
use std::path::Path;

use breakwater_dialect::Format;

use crate::crossing::CLIENTS;
use crate::requests::PROVIDERS;
use crate::tally::{Feature, Mark};
use crate::{errors, floors, replies, requests, streams};

const BEGIN: &str = "<!-- matrix: written by `UPDATE_MATRIX=1 make matrix` -->\n";
const END: &str = "<!-- end of the matrix -->\n";

/// What is counted in one cell: the way there and the way back.
fn cell(client: Format, provider: Format, feature: Feature) -> Mark {
    let mut mark = requests::tally().mark(client, provider, feature);
    for answers in [replies::tally(), streams::tally(), errors::tally()] {
        mark.add(&answers.mark(provider, client, feature));
    }
    mark
}

/// The word of a cell.
fn word(client: Format, provider: Format, feature: Feature) -> &'static str {
    let mark = cell(client, provider, feature);
    match mark {
        _ if client == provider => "as it came",
        mark if mark.wrong > 0 => "wrong",
        mark if mark.passed + mark.explained > 0 => "yes",
        mark if !mark.refused.is_empty() => "refused",
        _ => "missing",
    }
}

fn cells() -> impl Iterator<Item = (Format, Format, Feature)> {
    CLIENTS.into_iter().flat_map(|client| {
        PROVIDERS
            .into_iter()
            .flat_map(move |provider| Feature::ALL.map(|feature| (client, provider, feature)))
    })
}

fn table() -> String {
    let mut table = String::from("| caller | provider |");
    Feature::ALL.iter().for_each(|feature| write!(table, " {} |", feature.as_str()).unwrap());
    table.push_str("\n|---|---|");
    Feature::ALL.iter().for_each(|_| table.push_str("---|"));
    table.push('\n');
    for client in CLIENTS {
        for provider in PROVIDERS {
            write!(table, "| {} | {} |", client.as_str(), provider.as_str()).unwrap();
            for feature in Feature::ALL {
                write!(table, " {} |", word(client, provider, feature)).unwrap();
            }
            table.push('\n');
        }
    }
    table
}

/// Prints the counts behind the words.
fn counts() {
    println!("\n== matrix: passed/explained/refused/wrong");
    for client in CLIENTS {
        for provider in PROVIDERS.into_iter().filter(|provider| *provider != client) {
            let marks = Feature::ALL.map(|feature| {
                let mark = cell(client, provider, feature);
                let refused: usize = mark.refused.values().sum();
                format!("{}/{}/{refused}/{}", mark.passed, mark.explained, mark.wrong)
            });
            println!("{:>9} at {:<9} {}", client.as_str(), provider.as_str(), marks.join("  "));
        }
    }
}

#[test]
fn the_matrix_has_no_hole_and_is_the_documented_one() {
    counts();
    let table = table();
    println!("\n{table}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/formats.md");
    let document = std::fs::read_to_string(&path).expect("docs/formats.md");
    let (before, rest) = document.split_once(BEGIN).expect("the matrix begins");
    let (held, after) = rest.split_once(END).expect("the matrix ends");
    for (client, provider, feature) in cells() {
        let word = word(client, provider, feature);
        let admitted = word != "missing" && (word != "wrong" || floors::admits(client, provider));
        assert!(admitted, "{} at {}: {} is {word}", client.as_str(), provider.as_str(), feature.as_str());
    }
    if std::env::var_os("UPDATE_MATRIX").is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{table}{END}{after}"))
            .expect("docs/formats.md is written");
        return;
    }
    // What was wrong and is mended may stay written down as wrong until the next writing.
    let same = |(held, now): (&str, &str)| held == now || held.trim() == "wrong";
    let all = held.split('|').count() == table.split('|').count()
        && held.split('|').zip(table.split('|')).all(same);
    assert!(all, "the document has another matrix: UPDATE_MATRIX=1 make matrix");
}
