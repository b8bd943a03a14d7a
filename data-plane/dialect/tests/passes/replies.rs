//! Every recorded answer that came whole.

use breakwater_dialect::Format;
use breakwater_dialect::embeddings::{EmbeddingsCaller, EmbeddingsFormat};
use breakwater_dialect::exchange::{Embedded, Exchange};
use bytes::Bytes;
use serde_json::Value;

use crate::corpus::{Answer, Call, calls};
use crate::tally::{Tally, difference};
use crate::{ALIAS, exchange, expected, tokens};

/// The member without which an answer is none.
fn is_answer(format: Format, body: &Value) -> bool {
    match format {
        Format::Chat | Format::Completions => body["choices"].is_array(),
        Format::Responses => body["output"].is_array(),
        Format::Messages => body["content"].is_array(),
        Format::Gemini => {
            body["candidates"].is_array()
                || body.get("promptFeedback").is_some()
                || body.get("usageMetadata").is_some()
        }
        Format::Converse => body["output"]["message"]["content"].is_array(),
        Format::Embeddings => body["data"].is_array(),
        _ => body.is_object(),
    }
}

fn within(call: &Call) -> Exchange {
    let mut exchange = exchange(call.format, true);
    if call.format == Format::Embeddings {
        let caller =
            EmbeddingsCaller { alias: ALIAS.to_owned(), base64: false, inputs: 1, reveal_provider: false };
        exchange.embeddings = Some(Embedded { format: EmbeddingsFormat::OpenAi, caller });
    }
    exchange
}

fn outcome(call: &Call, text: &str) -> Result<String, String> {
    let value: Value = serde_json::from_str(text).expect("JSON");
    let reply = within(call).reply(&Bytes::copy_from_slice(text.as_bytes()));
    let reply = match reply {
        Ok(reply) => reply,
        Err(_) if !is_answer(call.format, &value) => {
            return Ok("no answer of its format: the next provider is asked".to_owned());
        }
        Err(why) => return Err(format!("not read: {why}")),
    };
    if !is_answer(call.format, &value) {
        return Err("taken for an answer".to_owned());
    }
    let wanted = expected::answer(call.format, text);
    if reply.body != wanted.as_bytes() {
        return Err(difference(&reply.body, wanted.as_bytes()));
    }
    let (got, wanted) =
        (reply.usage.as_ref().map(tokens::Tokens::of), tokens::whole(call.format, &call.provider, &value));
    if got != wanted {
        return Err(format!(
            "usage {got:?}, recorded {wanted:?} of {} {}",
            value["usage"], value["usageMetadata"]
        ));
    }
    // Spaces between the members are no reason for another answer.
    let pretty = serde_json::to_string_pretty(&value).expect("JSON");
    let spaced = within(call).reply(&Bytes::from(pretty.clone())).map_err(|why| why.to_string())?;
    let wanted = expected::answer(call.format, &pretty);
    if spaced.body != wanted.as_bytes() {
        return Err(format!("with spaces {}", difference(&spaced.body, wanted.as_bytes())));
    }
    Ok("the recorded bytes but for the documented edits, usage the same".to_owned())
}

#[test]
fn a_whole_answer_keeps_every_byte_but_the_documented() {
    let mut tally = Tally::default();
    for call in calls() {
        let outcome = match &call.answer {
            Answer::Stream(_) | Answer::Array(_) => continue,
            Answer::Whole(_) if call.status >= 400 => Ok("an error: no answer to pass".to_owned()),
            Answer::Other => Ok("a body that is no JSON".to_owned()),
            Answer::Whole(text) => outcome(call, text),
        };
        tally.count(call.format.as_str(), &call.provider, &call.file, outcome);
    }
    tally.hold(
        "whole answers",
        &[
            ("the recorded bytes but for the documented edits, usage the same", 3675),
            ("an error: no answer to pass", 106),
            ("no answer of its format: the next provider is asked", 9),
            ("a body that is no JSON", 4),
        ],
    );
}
