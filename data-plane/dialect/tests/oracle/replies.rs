//! Whole answers: what a provider of one format said, as a caller of each other format gets it.

use std::sync::OnceLock;

use breakwater_dialect::{Format, translate};
use serde_json::Value;

use crate::compare;
use crate::crossing::{ALIAS, CLIENTS, caller, names, replies};
use crate::kit;
use crate::kit::recordings::Recording;
use crate::tally::{Feature, Tally, Verdict};
use crate::valid;

/// Puts every recorded answer through every pair, once.
pub fn tally() -> &'static Tally {
    static TALLY: OnceLock<Tally> = OnceLock::new();
    TALLY.get_or_init(|| {
        let mut tally = Tally::default();
        for (recording, format, body) in replies() {
            let Ok(body) = body else { continue };
            cross(recording, format, body, &mut tally);
        }
        tally
    })
}

fn cross(recording: &Recording, provider: Format, body: &Value, tally: &mut Tally) {
    let said = kit::whole(provider, body);
    let features = features(Feature::Plain, &said);
    let caller = caller(recording, provider, true);
    let read = translate::read_reply(provider, body.to_string().as_bytes());
    let names = names(provider, std::slice::from_ref(body));
    for client in CLIENTS.into_iter().filter(|client| *client != provider) {
        let verdict = match &read {
            Err(_) => Verdict::Wrong("the reader takes it for no answer".to_owned()),
            Ok(reply) => judge(client, &translate::write_reply(client, reply, &caller), &said, &names),
        };
        tally.note(provider, client, &recording.file, &features, verdict);
    }
}

/// What an answer is an example of.
pub fn features(way: Feature, said: &kit::semantics::Answer) -> Vec<Feature> {
    let mut features = vec![way];
    if said.choices.iter().any(|choice| !choice.calls.is_empty()) {
        features.push(Feature::Tools);
    }
    if said.choices.iter().any(|choice| !choice.thinking.is_empty()) {
        features.push(Feature::Thinking);
    }
    features
}

fn judge(client: Format, written: &str, said: &kit::semantics::Answer, names: &[String]) -> Verdict {
    let Ok(body) = serde_json::from_str::<Value>(written) else {
        return Verdict::Wrong("what is written is no JSON".to_owned());
    };
    if let Err(error) = valid::reply(client, &body) {
        return Verdict::Wrong(format!("invalid: {error}"));
    }
    let model = if client == Format::Gemini { &body["modelVersion"] } else { &body["model"] };
    if client != Format::Converse && model != ALIAS {
        return Verdict::Wrong(format!("the model is not the alias | {model}"));
    }
    if let Some(name) = names.iter().find(|name| written.contains(name.as_str())) {
        return Verdict::Wrong(format!("the caller sees a name of the provider's | {name}"));
    }
    compare::answers(client, said, &kit::whole(client, &body))
}

#[test]
fn a_whole_answer_says_the_same_in_every_format() {
    let (mut count, mut none) = (0, std::collections::BTreeMap::<_, usize>::new());
    for (_, format, body) in replies() {
        match body {
            Ok(_) => count += 1,
            Err(why) => *none.entry((format, why)).or_default() += 1,
        }
    }
    let tally = tally();
    tally.print("whole answers", count);
    none.iter()
        .for_each(|((format, why), count)| println!("   left out {count:>4}  {}: {why}", format.as_str()));
    assert!(count >= 3000, "the corpus has more answers than {count}");
    tally.hold("whole answers");
}
