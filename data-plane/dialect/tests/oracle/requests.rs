//! Requests: each that a provider took, as it is written for a provider of each other format.

use std::sync::OnceLock;

use breakwater_dialect::codec::Target;
use breakwater_dialect::ir::Refused;
use breakwater_dialect::translate::Translated;
use breakwater_dialect::{Format, quirks, translate};
use serde_json::Value;

use crate::kit::asked;
use crate::kit::recordings::{Recording, all};
use crate::questions;
use crate::refusals;
use crate::tally::{Feature, REFUSED, Tally, Verdict};
use crate::valid;

/// The formats in which providers are asked.
pub const PROVIDERS: [Format; 6] =
    [Format::Chat, Format::Responses, Format::Messages, Format::Gemini, Format::Converse, Format::Ollama];

/// The most tokens that the model of these requests writes.
pub const MAX_OUTPUT_TOKENS: u64 = 8192;

/// Recorded requests that a provider took.
pub fn taken() -> impl Iterator<Item = (&'static Recording, Format)> {
    let taken = all().iter().filter(|one| one.status == 200 && one.request.is_object());
    // A request without a conversation went to a path that is not the format's (a background call's cancellation).
    taken.filter_map(|one| one.format.map(|format| (one, format)))
}

/// Puts every request through every pair, once.
pub fn tally() -> &'static Tally {
    static TALLY: OnceLock<Tally> = OnceLock::new();
    TALLY.get_or_init(|| {
        let mut tally = Tally::default();
        for (recording, client) in taken().filter(|(_, client)| *client != Format::Ollama) {
            let text = recording.request.to_string();
            let read = translate::read_request(client, &text);
            let asked = asked::read(client, &recording.request);
            let features = features(&asked);
            for provider in PROVIDERS.into_iter().filter(|provider| *provider != client) {
                let verdict = match &read {
                    Err(refused) => refusal(refused, &recording.request),
                    Ok(request) => match translate::write_request(request.clone(), &target(provider)) {
                        Err(refused) => refusal(&refused, &recording.request),
                        Ok(written) => judge(provider, &asked, &written),
                    },
                };
                tally.note(client, provider, &recording.file, &features, verdict);
            }
        }
        tally
    })
}

/// What a request is an example of.
fn features(asked: &asked::Asked) -> Vec<Feature> {
    let has = [
        (Feature::Plain, true),
        (Feature::Tools, !asked.tools.is_empty()),
        (Feature::Images, asked.turns.iter().any(|turn| !turn.media.is_empty())),
        (Feature::JsonSchema, asked.schema.is_some()),
    ];
    has.into_iter().filter(|(_, has)| *has).map(|(feature, _)| feature).collect()
}

/// For whom a request is written.
pub fn target(format: Format) -> Target {
    Target {
        format,
        model: "the-model".to_owned(),
        max_output_tokens: Some(MAX_OUTPUT_TOKENS),
        embeddings: None,
        quirks: &quirks::PLAIN,
        reasons: None,
    }
}

fn judge(provider: Format, asked: &asked::Asked, written: &Translated) -> Verdict {
    let Ok(body) = serde_json::from_slice::<Value>(&written.body) else {
        return Verdict::Wrong("what is written is no JSON".to_owned());
    };
    if let Err(why) = valid::request(provider, &body) {
        return Verdict::Wrong(format!("invalid: {why}"));
    }
    questions::compare(provider, asked, &asked::read(provider, &body), &written.dropped)
}

/// A call that cannot be said is refused with a name; `model` is the name that empty rooms give.
pub fn refusal(refused: &Refused, request: &Value) -> Verdict {
    if refused.param == "model" {
        return Verdict::Wrong("there is no reader or no writer of requests".to_owned());
    }
    if let Err(why) = refusals::grounded(&numberless(&refused.param), &refused.reason, request) {
        return Verdict::Wrong(format!("{why} | {refused}"));
    }
    Verdict::Explained(format!("{REFUSED}{} {}", numberless(&refused.param), refused.reason))
}

/// The name of a member without its numbers: `messages[3].content[1]` and `messages[0].content[7]` are one kind.
fn numberless(param: &str) -> String {
    param.split(|letter: char| letter.is_ascii_digit()).collect()
}

#[test]
fn a_request_that_was_taken_is_written_as_each_format_demands() {
    let tally = tally();
    tally.print("requests", taken().count());
    tally.hold("requests");
}
