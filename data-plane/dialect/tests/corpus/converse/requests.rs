use breakwater_dialect::codec::Target;
use breakwater_dialect::{Format, quirks, translate};
use serde_json::{Value, json};

use super::recorded;

/// Each recorded request, read and written for the model that it was for, is the same but for what this room says it
/// changes.
#[test]
fn recorded_requests_come_back() {
    let (mut same, mut refusals, mut different) = (0, Vec::new(), Vec::new());
    for call in recorded().iter().filter(|call| call.status == 200 && call.request.is_object()) {
        let request = translate::read_request(Format::Converse, &call.request.to_string());
        let request = request.unwrap_or_else(|error| panic!("{}: {error}", call.file));
        let target = Target {
            format: Format::Converse,
            model: call.model.clone(),
            max_output_tokens: None,
            embeddings: None,
            quirks: &quirks::PLAIN,
            reasons: None,
        };
        match translate::write_request(request, &target) {
            Ok(written) => {
                let written: Value = serde_json::from_slice(&written.body).unwrap();
                match difference(&plain(&written), &plain(&call.request), "") {
                    None => same += 1,
                    Some(difference) => different.push(format!("{}: {difference}", call.file)),
                }
            }
            Err(refused) => refusals.push(refused.param),
        }
    }
    println!("{same} requests the same, refused: {refusals:?}");
    // Names with `_`, which the documentation forbids; an id with `:`; a media type in the place of a format.
    let known = ["sample 2", "functions.get_temperature:0", "video/mp4"];
    different.retain(|difference| !known.iter().any(|known| difference.contains(known)));
    assert!(different.is_empty(), "{different:#?}");
    assert!(same >= 330, "{same}");
}

/// Where two values differ, and how; no more of them than a line.
fn difference(got: &Value, want: &Value, path: &str) -> Option<String> {
    match (got, want) {
        (Value::Object(left), Value::Object(right)) => {
            let keys: std::collections::BTreeSet<_> = left.keys().chain(right.keys()).collect();
            keys.into_iter().find_map(|key| difference(&got[key], &want[key], &format!("{path}.{key}")))
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            (0..left.len()).find_map(|at| difference(&left[at], &right[at], &format!("{path}[{at}]")))
        }
        _ if got == want => None,
        _ => Some(format!("{path}: {:.200} instead of {:.200}", got.to_string(), want.to_string())),
    }
}

/// A request without what is another way to say the same.
fn plain(body: &Value) -> Value {
    let mut body = body.clone();
    let object = body.as_object_mut().unwrap();
    object.retain(|key, value| {
        let kept = [
            "messages",
            "system",
            "toolConfig",
            "inferenceConfig",
            "outputConfig",
            "additionalModelRequestFields",
        ];
        kept.contains(&key.as_str()) && *value != json!([]) && *value != json!({})
    });
    if let Some(fields) = object.get_mut("additionalModelRequestFields").and_then(Value::as_object_mut)
        && let Some(old) = fields.remove("reasoning_config")
    {
        fields.insert(if old.is_object() { "thinking" } else { "reasoning_config" }.to_owned(), old);
    }
    for tool in
        object.get_mut("toolConfig").and_then(|config| config["tools"].as_array_mut()).into_iter().flatten()
    {
        if let Some(schema) = tool.pointer_mut("/toolSpec/inputSchema/json").and_then(Value::as_object_mut) {
            schema.sort_keys();
        }
    }
    for message in object.get_mut("messages").and_then(Value::as_array_mut).into_iter().flatten() {
        let pieces = message["content"].as_array_mut().unwrap();
        pieces.retain(|piece| piece["text"].as_str().is_none_or(|text| !text.trim().is_empty()));
        for piece in pieces.iter_mut() {
            plain_piece(piece);
        }
    }
    body
}

fn plain_piece(piece: &mut Value) {
    if let Some(cited) = piece.get("citationsContent") {
        let parts = cited["content"].as_array().into_iter().flatten();
        *piece = json!({ "text": parts.filter_map(|part| part["text"].as_str()).collect::<String>() });
    }
    if let Some(result) = piece.get_mut("toolResult") {
        if result["status"] == "success" {
            result.as_object_mut().unwrap().remove("status");
        }
        for inner in result["content"].as_array_mut().unwrap() {
            if let Some(value) = inner.get("json") {
                *inner = json!({ "text": value.to_string() });
            }
        }
    }
}
