//! Gemini and Vertex.

use serde_json::{Map, Value};

use super::semantics::{Answer, Choice, Stop, Tokens, arguments, count, items, text};

pub fn whole(body: &Value) -> Answer {
    streamed(std::slice::from_ref(body))
}

pub fn streamed(events: &[Value]) -> Answer {
    let mut answer = Answer::default();
    let mut blocked = false;
    let mut counts = Map::new();
    for event in events {
        if event["usageMetadata"].is_object() {
            // Counts grow; one that a later event leaves out stays as it was.
            let fields = event["usageMetadata"].as_object().into_iter().flatten();
            counts.extend(fields.map(|(key, value)| (key.clone(), value.clone())));
        }
        blocked |= event["promptFeedback"]["blockReason"].is_string();
        for (place, candidate) in items(&event["candidates"]).enumerate() {
            let index = candidate["index"].as_u64().and_then(|index| usize::try_from(index).ok());
            let index = index.unwrap_or(place);
            answer.choices.resize_with(answer.choices.len().max(index + 1), Choice::default);
            let choice = &mut answer.choices[index];
            items(&candidate["content"]["parts"]).for_each(|part| take(choice, part));
            let chunks = items(&candidate["groundingMetadata"]["groundingChunks"]);
            chunks.for_each(|chunk| choice.cite(&chunk["web"]["uri"]));
            choice.stop = stop(&candidate["finishReason"]).or(choice.stop);
        }
    }
    if answer.choices.is_empty() && blocked {
        answer.choices.push(Choice { stop: Some(Stop::Filtered), ..Choice::default() });
    }
    answer.usage = usage(&Value::Object(counts));
    answer.choices = answer.choices.into_iter().map(Choice::settle).collect();
    answer
}

fn take(choice: &mut Choice, part: &Value) {
    if part["thought"] == true {
        choice.thinking.push_str(text(&part["text"]));
    } else {
        choice.text.push_str(text(&part["text"]));
    }
    let call = &part["functionCall"];
    if call.is_object() {
        let given = if call["args"].is_null() { arguments("") } else { call["args"].clone() };
        choice.calls.push((text(&call["name"]).to_owned(), given));
    }
}

/// Words; some recordings have the numbers of the protocol buffer.
fn stop(word: &Value) -> Option<Stop> {
    const FILTERED: [&str; 12] = [
        "SAFETY",
        "RECITATION",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "MODEL_ARMOR",
        "IMAGE_SAFETY",
        "IMAGE_PROHIBITED_CONTENT",
        "IMAGE_RECITATION",
        "IMAGE_OTHER",
        "NO_IMAGE",
        "LANGUAGE",
    ];
    const FAILED: [&str; 6] = [
        "MALFORMED_FUNCTION_CALL",
        "UNEXPECTED_TOOL_CALL",
        "MISSING_THOUGHT_SIGNATURE",
        "OTHER",
        "MALFORMED_RESPONSE",
        "TOO_MANY_TOOL_CALLS",
    ];
    Some(match word {
        Value::Number(number) if number.as_u64() == Some(2) => Stop::Length,
        Value::Number(_) => Stop::End,
        Value::String(word) if word == "MAX_TOKENS" => Stop::Length,
        Value::String(word) if FILTERED.contains(&word.as_str()) => Stop::Filtered,
        Value::String(word) if FAILED.contains(&word.as_str()) => Stop::Failed,
        Value::String(_) => Stop::End,
        _ => return None,
    })
}

/// Thoughts are beside the candidates, what a tool read is beside the prompt.
fn usage(usage: &Value) -> Tokens {
    let reasoning = count(&usage["thoughtsTokenCount"]);
    Tokens {
        prompt: count(&usage["promptTokenCount"]) + count(&usage["toolUsePromptTokenCount"]),
        output: count(&usage["candidatesTokenCount"]) + reasoning,
        cached: count(&usage["cachedContentTokenCount"]),
        reasoning,
    }
}
