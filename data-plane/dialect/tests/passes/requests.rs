//! Every recorded request, written for an upstream of its own format.

use breakwater_dialect::Format;
use breakwater_dialect::codec::Target;
use breakwater_dialect::embeddings::EmbeddingsFormat;
use breakwater_dialect::exchange;
use breakwater_dialect::pass::Asked;
use breakwater_dialect::quirks::PLAIN;
use bytes::Bytes;
use serde_json::Value;

use crate::corpus::{Call, calls};
use crate::edit::{find, set};
use crate::expected::quoted;
use crate::tally::{Tally, difference};

const UPSTREAM: &str = "upstream-model";

/// What the upstream must get: the recorded bytes with its own model, and a question for usage if the stream lacks one.
fn expected(format: Format, text: &str) -> String {
    if matches!(format, Format::Gemini | Format::Converse) {
        // Some of Google's clients repeat the path's model in the body.
        return set(text, &["model"], &quoted(&format!("models/{UPSTREAM}")));
    }
    let model = quoted(UPSTREAM);
    let value: Value = serde_json::from_str(text).expect("JSON");
    let text = if value.get("model").is_some() {
        set(text, &["model"], &model)
    } else {
        text.replacen('{', &format!("{{\"model\":{model},"), 1)
    };
    if !matches!(format, Format::Chat | Format::Completions) || value["stream"] != true {
        return text;
    }
    match &value["stream_options"] {
        Value::Null if value.get("stream_options").is_some() => {
            set(&text, &["stream_options"], r#"{"include_usage":true}"#)
        }
        Value::Null => set(&text, &["stream"], r#"true,"stream_options":{"include_usage":true}"#),
        options if options.get("include_usage").is_some() => {
            set(&text, &["stream_options", "include_usage"], "true")
        }
        options => {
            let mut text = text;
            let inside = find(&text, &["stream_options"])[0].start + 1;
            let comma = if options.as_object().is_some_and(|all| all.is_empty()) { "" } else { "," };
            text.insert_str(inside, &format!("\"include_usage\":true{comma}"));
            text
        }
    }
}

fn outcome(call: &Call, text: &str) -> Result<String, String> {
    let value: Value = serde_json::from_str(text).expect("JSON");
    if !value.is_object() {
        return Ok("no object: a body that its test cut off".to_owned());
    }
    // The path says the model where the body does not, and whether it streams where the format has no word for it.
    let in_path = matches!(call.format, Format::Gemini | Format::Converse);
    let model = if in_path || value.get("model").is_none() {
        Some(call.model.clone().unwrap_or_else(|| "path-model".to_owned()))
    } else {
        None
    };
    let asked = Asked { format: call.format, model, stream: in_path.then_some(call.stream) };
    let body = Bytes::copy_from_slice(text.as_bytes());
    let request = match exchange::parse(asked, &body) {
        Ok(request) => request,
        Err(why) if call.provider == "portkey" => {
            return Ok(format!("refused, a template that only Portkey has: {why}"));
        }
        Err(why) => return Err(format!("refused: {why}")),
    };
    let target = Target {
        format: call.format,
        model: UPSTREAM.to_owned(),
        max_output_tokens: None,
        embeddings: Some(EmbeddingsFormat::OpenAi),
        quirks: &PLAIN,
        reasons: None,
    };
    let prepared = exchange::prepare(&request, &[], &target).map_err(|why| format!("{why:?}"))?;
    let wanted = expected(call.format, text);
    if prepared.body != wanted.as_bytes() {
        return Err(difference(&prepared.body, wanted.as_bytes()));
    }
    Ok("every byte but the model's name and the question for usage".to_owned())
}

#[test]
fn a_request_keeps_every_byte_but_the_model() {
    let mut tally = Tally::default();
    for call in calls() {
        let outcome = match &call.request {
            Some(text) => outcome(call, text),
            None => Ok("no request was recorded".to_owned()),
        };
        tally.count(call.format.as_str(), &call.provider, &call.file, outcome);
    }
    tally.hold(
        "requests",
        &[
            ("every byte but the model's name and the question for usage", 4530),
            ("no request was recorded", 246),
            ("refused, a template that only Portkey has: prompt: is missing", 2),
        ],
    );
}
