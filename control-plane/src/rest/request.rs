//! A REST request as the message of its RPC: the body, then the path, then the query, then `Idempotency-Key`.

use breakwater_common::limits::{REQUEST_ID_BYTES_MAX, VIOLATIONS_MAX};
use breakwater_common::manifest::{json_from_slice, message_from_json};
use breakwater_common::violation::Violation;
use http::HeaderMap;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value};

use super::table::Binding;
use super::template::{Bindings, percent_decode};

const IDEMPOTENCY_KEY: &str = "idempotency-key";
const REQUEST_ID: &str = "request_id";

/// Builds the message. Violations name fields as the caller sees them: from the body's root.
pub(super) fn build(
    binding: &Binding,
    bound: Bindings,
    query: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<DynamicMessage, Vec<Violation>> {
    let input = binding.rpc.input();
    let mut violations = Vec::new();
    let mut json = body_json(binding, body)?;
    for (path, value) in bound {
        set(&mut json, &input, &path, &value, &mut violations);
    }
    for (path, value) in query_pairs(query, &mut violations) {
        set(&mut json, &input, &path, &value, &mut violations);
    }
    idempotency_key(&mut json, &input, headers, &mut violations);
    match message_from_json(&input, &Value::Object(json)) {
        Ok(message) if violations.is_empty() => return Ok(message),
        Ok(_) => {}
        Err(mut found) => violations.append(&mut found),
    }
    let prefix = format!("{}.", binding.body);
    for violation in &mut violations {
        if let Some(rest) = violation.field_path.strip_prefix(&prefix) {
            violation.field_path = rest.to_owned();
        }
    }
    violations.truncate(VIOLATIONS_MAX);
    Err(violations)
}

fn body_json(binding: &Binding, body: &[u8]) -> Result<Map<String, Value>, Vec<Violation>> {
    let refuse = |message: String| Err(vec![Violation::at("", message)]);
    let empty = body.iter().all(u8::is_ascii_whitespace);
    if binding.body.is_empty() && !empty {
        return refuse("this method takes no body".to_owned());
    }
    let value = if empty {
        Value::Object(Map::new())
    } else {
        match std::str::from_utf8(body) {
            Ok(_) => json_from_slice(body)?,
            Err(error) => return refuse(format!("the body is not UTF-8 from byte {}", error.valid_up_to())),
        }
    };
    match (binding.body.as_str(), value) {
        ("" | "*", Value::Object(object)) => Ok(object),
        ("" | "*", _) => refuse("the body must be a JSON object".to_owned()),
        (field, value) => Ok(Map::from_iter([(field.to_owned(), value)])),
    }
}

fn query_pairs(query: &str, violations: &mut Vec<Violation>) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        match (percent_decode(name, true), percent_decode(value, true)) {
            (Some(name), Some(value)) => pairs.push((name, value)),
            _ => violations.push(Violation::at("", "the query is not percent-encoded UTF-8")),
        }
    }
    pairs
}

fn idempotency_key(
    json: &mut Map<String, Value>,
    input: &MessageDescriptor,
    headers: &HeaderMap,
    violations: &mut Vec<Violation>,
) {
    let Some(header) = headers.get(IDEMPOTENCY_KEY) else { return };
    // Reads are idempotent by themselves: the header is legal there and means nothing.
    if input.get_field_by_name(REQUEST_ID).is_none() || input.name() == "ExplainCallRequest" {
        return;
    }
    let key = header.to_str().ok().filter(|key| !key.is_empty() && key.len() <= REQUEST_ID_BYTES_MAX);
    match key {
        Some(key) => set(json, input, REQUEST_ID, key, violations),
        None => violations.push(Violation::at(
            REQUEST_ID,
            format!("Idempotency-Key must be 1 to {REQUEST_ID_BYTES_MAX} printable characters"),
        )),
    }
}

/// Sets a field from text, by its dotted path. A field that the body says otherwise is a violation: nobody can tell
/// which was meant.
fn set(
    json: &mut Map<String, Value>,
    input: &MessageDescriptor,
    path: &str,
    text: &str,
    violations: &mut Vec<Violation>,
) {
    let (parent, name) = path.rsplit_once('.').unwrap_or(("", path));
    let mut here = json;
    let mut message = input.clone();
    for part in parent.split('.').filter(|part| !part.is_empty()) {
        let nested = message.get_field_by_name(part).and_then(|field| field.kind().as_message().cloned());
        let Some(nested) = nested else { return violations.push(unknown(path, &message)) };
        message = nested;
        let entry = here.entry(part).or_insert_with(|| Value::Object(Map::new()));
        // A body of another shape is told by the codec, with its own words.
        let Some(object) = entry.as_object_mut() else { return };
        here = object;
    }
    let Some(field) = message.get_field_by_name(name) else {
        return violations.push(unknown(path, &message));
    };
    let Some(value) = typed(&field, text) else {
        return violations.push(Violation::at(path, format!("{text:?} is not a {}", word(&field))));
    };
    if field.is_list() {
        if let Value::Array(list) = here.entry(name).or_insert_with(|| Value::Array(Vec::new())) {
            list.push(value);
        }
        return;
    }
    match here.get(name) {
        Some(said) if *said != value && !said.is_null() => {
            violations.push(Violation::at(path, "the path or the query says otherwise than the body"));
        }
        _ => {
            here.insert(name.to_owned(), value);
        }
    }
}

fn unknown(path: &str, message: &MessageDescriptor) -> Violation {
    let known: Vec<String> = message.fields().map(|field| field.name().to_owned()).collect();
    Violation::at(path, format!("unknown parameter; known are: {}", known.join(", ")))
}

fn typed(field: &FieldDescriptor, text: &str) -> Option<Value> {
    match field.kind() {
        Kind::String => Some(text.into()),
        Kind::Bool => match text {
            "true" | "" => Some(true.into()),
            "false" => Some(false.into()),
            _ => None,
        },
        Kind::Uint32 | Kind::Uint64 | Kind::Fixed32 | Kind::Fixed64 => {
            text.parse::<u64>().ok().map(Value::from)
        }
        Kind::Int32 | Kind::Int64 | Kind::Sint32 | Kind::Sint64 | Kind::Sfixed32 | Kind::Sfixed64 => {
            text.parse::<i64>().ok().map(Value::from)
        }
        Kind::Double | Kind::Float => text.parse::<f64>().ok().map(Value::from),
        Kind::Enum(_) => Some(text.into()),
        Kind::Bytes | Kind::Message(_) => None,
    }
}

fn word(field: &FieldDescriptor) -> &'static str {
    match field.kind() {
        Kind::Bool => "truth value: true or false",
        Kind::Message(_) | Kind::Bytes => "value that a path or a query can hold",
        _ => "number of this field's kind",
    }
}
