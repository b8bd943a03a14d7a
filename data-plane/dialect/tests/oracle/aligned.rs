//! The same logical request, recorded in several formats: what is translated from one must be what was recorded in another.
//!
//! The recorded requests themselves differ where the libraries that sent them do (schemas made strict, defaults written out, a
//! model that answered otherwise in an earlier turn). A part in which the two recordings differ says nothing about the
//! translation: it is counted as explained, by its name. Where they agree, the translation must agree too.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use breakwater_dialect::{Format, translate};
use serde_json::Value;

use crate::kit::asked::{self, Asked};
use crate::kit::recordings::{self, Recording};
use crate::kit::semantics::{items, text};
use crate::questions;
use crate::requests::{refusal, target};
use crate::tally::{Tally, Verdict};

/// One scenario: its requests by their place in the conversation.
type Scenario = BTreeMap<u64, Vec<(&'static Recording, Format)>>;

/// Puts every pair of every scenario to the test, once.
pub fn tally() -> &'static Tally {
    static TALLY: OnceLock<Tally> = OnceLock::new();
    TALLY.get_or_init(|| {
        let mut tally = Tally::default();
        for requests in scenarios().iter().flat_map(BTreeMap::values) {
            for (one, client) in requests {
                for (other, provider) in requests.iter().filter(|(_, format)| format != client) {
                    tally.note(*client, *provider, &one.file, &[], cross(one, *client, other, *provider));
                }
            }
        }
        tally
    })
}

fn scenarios() -> Vec<Scenario> {
    let lines = recordings::json_lines("corpus/aligned.jsonl");
    let scenario = |line: &Value| {
        let mut scenario = Scenario::new();
        for interaction in items(&line["interactions"]) {
            let Some(recording) = recordings::by_file(text(&interaction["file"])) else { continue };
            if let (Some(format), true) = (recording.format, recording.request.is_object()) {
                let place = interaction["n"].as_u64().unwrap_or_default();
                scenario.entry(place).or_default().push((recording, format));
            }
        }
        scenario
    };
    lines.iter().map(scenario).collect()
}

fn cross(one: &Recording, client: Format, other: &Recording, provider: Format) -> Verdict {
    let request = match translate::read_request(client, &one.request.to_string()) {
        Ok(request) => request,
        Err(refused) => return refusal(&refused, &one.request),
    };
    let written = match translate::write_request(request, &target(provider)) {
        Ok(written) => written,
        Err(refused) => return refusal(&refused, &one.request),
    };
    let Ok(body) = serde_json::from_slice::<Value>(&written.body) else {
        return Verdict::Wrong("what is written is no JSON".to_owned());
    };
    let (asked, wanted) = (asked::read(client, &one.request), asked::read(provider, &other.request));
    compare(provider, &asked, &wanted, &asked::read(provider, &body), &written.dropped)
}

fn compare(provider: Format, asked: &Asked, wanted: &Asked, got: &Asked, dropped: &[String]) -> Verdict {
    let mut explained = None;
    for part in questions::PARTS {
        let Some(what) = questions::part(part, wanted, got) else { continue };
        let why = match questions::part(part, asked, wanted) {
            Some(_) => format!("the recorded requests differ: {part}"),
            None => match questions::reason(provider, part, asked, got, dropped) {
                Some(reason) => reason.to_owned(),
                None => return Verdict::Wrong(what),
            },
        };
        explained.get_or_insert(why);
    }
    explained.map_or(Verdict::Pass, Verdict::Explained)
}

#[test]
fn what_is_translated_is_what_was_recorded_in_the_other_format() {
    let count = scenarios().iter().map(BTreeMap::len).sum();
    let tally = tally();
    tally.print("aligned", count);
    tally.hold("aligned");
}

/// The oracle's own reader is put to the test by what was recorded: for most pairs it must see that they ask the same.
#[test]
fn the_oracle_sees_that_recorded_requests_ask_the_same() {
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for requests in scenarios().iter().filter_map(|scenario| scenario.get(&0)) {
        for (one, left) in requests {
            for (other, right) in requests.iter().filter(|(_, format)| format > left) {
                let (one, other) = (asked::read(*left, &one.request), asked::read(*right, &other.request));
                for part in questions::PARTS {
                    let count = counts.entry(part).or_default();
                    match questions::part(part, &one, &other) {
                        None => count.0 += 1,
                        Some(_) => count.1 += 1,
                    }
                }
            }
        }
    }
    println!("\n== recorded requests of one scenario: part, equal, different\n{counts:#?}");
    for part in ["system", "turns", "tool choice"] {
        let (equal, different) = counts[part];
        assert!(equal > 20 * different, "{part}: {equal} equal, {different} different");
    }
}
