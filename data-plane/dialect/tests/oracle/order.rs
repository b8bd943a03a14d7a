//! Whether a written stream is well-formed: what must come first, what last, and what may not overlap.

use breakwater_dialect::Format;
use serde_json::Value;

use crate::crossing::{ALIAS, is_error};
use crate::kit::frames::Frame;
use crate::kit::semantics::{count, items, text};
use crate::kit::{responses, says_stop};

/// Whether a stream ended as a whole answer does, as its caller sees it.
pub fn ended_clean(format: Format, frames: &[Frame]) -> bool {
    let events = || frames.iter().filter_map(|frame| frame.event.as_ref());
    if events().any(|event| is_error(format, event)) {
        return false;
    }
    match format {
        Format::Chat => {
            frames.iter().any(|frame| frame.done) || events().any(|event| says_stop(format, event))
        }
        Format::Messages => events().any(|event| event["type"] == "message_stop"),
        _ => events().any(|event| says_stop(format, event)),
    }
}

/// What a caller of chat completions is told of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usage {
    /// It asked, and the provider says them.
    Told,
    /// It asked, and the provider does not say them.
    Unknown,
    /// It did not ask.
    Unasked,
}

/// Checks a stream that ended clean.
pub fn check(format: Format, frames: &[Frame], usage: Usage) -> Result<(), String> {
    let events: Vec<&Value> = frames.iter().filter_map(|frame| frame.event.as_ref()).collect();
    if events.iter().any(|event| is_error(format, event)) {
        return Err("an error comes in it".to_owned());
    }
    match format {
        Format::Chat => chat(frames, &events, usage),
        Format::Responses => responses(frames, &events),
        Format::Messages => messages(frames, &events),
        Format::Gemini => gemini(&events, usage),
        Format::Converse => converse(&events),
        Format::Ollama
        | Format::Completions
        | Format::Embeddings
        | Format::Moderations
        | Format::CountTokens => Err("nobody asks in this format".to_owned()),
    }
}

fn ensure(held: bool, broken: &str) -> Result<(), String> {
    if held { Ok(()) } else { Err(broken.to_owned()) }
}

fn chat(frames: &[Frame], events: &[&Value], usage: Usage) -> Result<(), String> {
    ensure(frames.last().is_some_and(|frame| frame.done), "[DONE] is not last")?;
    ensure(frames.iter().filter(|frame| frame.done).count() == 1, "[DONE] comes twice")?;
    let first = events.first().ok_or("no chunk")?;
    ensure(first["choices"][0]["delta"]["role"] == "assistant", "the first chunk has no role")?;
    for event in events {
        ensure(event["id"] == first["id"], "chunks have several ids")?;
        ensure(event["model"] == ALIAS, "the model is not the alias")?;
    }
    let (bare, mut chunks): (Vec<&Value>, Vec<&Value>) =
        events.iter().partition(|event| items(&event["choices"]).len() == 0);
    ensure(
        bare.len() == usize::from(usage == Usage::Told) || (usage == Usage::Unknown && bare.len() == 1),
        "chunks without choices are not as many as were asked for",
    )?;
    if usage != Usage::Unasked {
        let told = events.last().is_some_and(|last| last["usage"].is_object());
        ensure(told || usage == Usage::Unknown, "usage does not come last")?;
        ensure(
            chunks.iter().all(|chunk| chunk.get("usage").is_some_and(Value::is_null)),
            "usage is not null before the end",
        )?;
    } else {
        ensure(events.iter().all(|event| event["usage"].is_null()), "usage comes and was not asked for")?;
    }
    chunks.reverse();
    let mut over = Vec::new();
    let mut calls = Vec::new();
    while let Some(chunk) = chunks.pop() {
        for choice in items(&chunk["choices"]) {
            let index = count(&choice["index"]);
            ensure(!over.contains(&index), "something comes after finish_reason")?;
            ensure(choice.get("finish_reason").is_some(), "finish_reason is missing")?;
            if !choice["finish_reason"].is_null() {
                over.push(index);
            }
            for piece in items(&choice["delta"]["tool_calls"]) {
                let key = (index, count(&piece["index"]));
                let begins = piece["id"].is_string() && piece["type"].is_string();
                ensure(begins != calls.contains(&key), "id and type of a call come not once and first")?;
                if begins {
                    let before = calls.iter().filter(|call| call.0 == index).count() as u64;
                    ensure(key.1 == before, "indices of calls do not rise from 0")?;
                    calls.push(key);
                }
            }
        }
    }
    ensure(!over.is_empty(), "finish_reason never comes")
}

fn responses(frames: &[Frame], events: &[&Value]) -> Result<(), String> {
    ensure(!frames.iter().any(|frame| frame.done), "[DONE] comes, which this format has not")?;
    for (index, event) in events.iter().enumerate() {
        ensure(event["sequence_number"] == index as u64, "sequence_number does not rise from 0")?;
    }
    for frame in frames {
        let kind = frame.event.as_ref().map_or("", |event| text(&event["type"]));
        ensure(frame.name == kind, "the event line is not the type")?;
    }
    ensure(
        events.first().is_some_and(|first| first["type"] == "response.created"),
        "response.created is not first",
    )?;
    let last = events.last().ok_or("no event")?;
    ensure(
        matches!(text(&last["type"]), "response.completed" | "response.incomplete"),
        "the last event is no end",
    )?;
    ensure(last["response"]["model"] == ALIAS, "the model is not the alias")?;
    let of = |word: &str| events.iter().filter(|event| event["type"] == word).collect::<Vec<_>>();
    let (added, done) = (of("response.output_item.added"), of("response.output_item.done"));
    for (index, item) in added.iter().enumerate() {
        ensure(item["output_index"] == index as u64, "output_index does not rise from 0")?;
        let closed = done.iter().filter(|done| done["output_index"] == item["output_index"]).count();
        ensure(closed == 1, "an item is not closed once")?;
    }
    ensure(added.len() == done.len(), "more items are closed than opened")?;
    let parts = (of("response.content_part.added").len(), of("response.content_part.done").len());
    ensure(parts.0 == parts.1, "content parts are not all closed")?;
    let repeated: Vec<&Value> = items(&last["response"]["output"]).collect();
    let closed: Vec<&Value> = done.iter().map(|event| &event["item"]).collect();
    ensure(repeated == closed, "the last event repeats other items than came")?;
    let events: Vec<Value> = events.iter().map(|event| (*event).clone()).collect();
    let (said, refused, calls) = responses::deltas(&events);
    let whole = &responses::streamed(&events).choices[0];
    ensure(said == whole.text, "deltas of text are not the text")?;
    ensure(refused == whole.refusal, "deltas of a refusal are not the refusal")?;
    let given: Vec<&Value> = whole.calls.iter().map(|call| &call.1).collect();
    let functions = closed.iter().filter(|item| item["type"] == "function_call").count();
    let same = calls.iter().collect::<Vec<_>>() == given || functions != given.len() || calls.is_empty();
    ensure(same, "deltas of arguments are not the arguments")
}

fn messages(frames: &[Frame], events: &[&Value]) -> Result<(), String> {
    for frame in frames {
        let kind = frame.event.as_ref().map_or("", |event| text(&event["type"]));
        ensure(frame.name == kind, "the event line is not the type")?;
    }
    let events: Vec<&&Value> = events.iter().filter(|event| event["type"] != "ping").collect();
    let (mut open, mut next, mut ending) = (None, 0, 0);
    for (place, event) in events.iter().enumerate() {
        let index = event["index"].as_u64();
        match text(&event["type"]) {
            "message_start" => {
                ensure(place == 0, "message_start is not first")?;
                ensure(event["message"]["model"] == ALIAS, "the model is not the alias")?;
                ensure(items(&event["message"]["content"]).len() == 0, "message_start has content")?;
            }
            "content_block_start" => {
                ensure(open.is_none() && index == Some(next), "blocks overlap or do not rise from 0")?;
                open = index;
            }
            "content_block_delta" => {
                ensure(open.is_some() && open == index, "a delta is outside of its block")?
            }
            "content_block_stop" => {
                ensure(open.is_some() && open == index, "a block is closed that is not open")?;
                open = None;
                next += 1;
            }
            "message_delta" => {
                ensure(open.is_none(), "message_delta comes within a block")?;
                ending += 1;
            }
            "message_stop" => ensure(
                place + 1 == events.len() && ending == 1,
                "message_stop is not last, after message_delta",
            )?,
            _ => {}
        }
    }
    ensure(
        events.first().is_some_and(|first| first["type"] == "message_start"),
        "message_start is not first",
    )?;
    ensure(events.last().is_some_and(|last| last["type"] == "message_stop"), "message_stop is not last")
}

fn gemini(events: &[&Value], usage: Usage) -> Result<(), String> {
    let last = events.last().ok_or("no event")?;
    let first = &events[0]["responseId"];
    ensure(events.iter().all(|event| event["modelVersion"] == ALIAS), "the model is not the alias")?;
    ensure(events.iter().all(|event| &event["responseId"] == first), "events have several ids")?;
    let told = last["usageMetadata"].is_object();
    ensure(told || usage == Usage::Unknown, "the last event has no usage")?;
    let stop = events.iter().position(|event| says_stop(Format::Gemini, event));
    let after = events.iter().skip(stop.ok_or("finishReason never comes")? + 1);
    let mut parts = after.flat_map(|event| items(&event["candidates"])).filter(|one| one["index"] == 0);
    ensure(parts.all(|one| items(&one["content"]["parts"]).len() == 0), "something comes after finishReason")
}

fn converse(events: &[&Value]) -> Result<(), String> {
    let (mut open, mut next, mut stopped) = (None, 0, false);
    for (place, event) in events.iter().enumerate() {
        let (kind, inner) =
            event.as_object().and_then(|event| event.iter().next()).ok_or("an empty event")?;
        let index = inner["contentBlockIndex"].as_u64();
        match kind.as_str() {
            "messageStart" => ensure(place == 0, "messageStart is not first")?,
            "contentBlockStart" => {
                ensure(open.is_none() && index == Some(next), "blocks overlap or do not rise from 0")?;
                open = index;
            }
            "contentBlockDelta" => {
                // Text and reasoning have no start of their own.
                ensure(
                    open == index || (open.is_none() && index == Some(next)),
                    "a delta is outside of its block",
                )?;
                open = index;
            }
            "contentBlockStop" => {
                ensure(open.is_some() && open == index, "a block is closed that is not open")?;
                open = None;
                next += 1;
            }
            "messageStop" => {
                ensure(open.is_none() && !stopped, "messageStop comes within a block, or twice")?;
                stopped = true;
            }
            _ => ensure(stopped && place + 1 == events.len(), "metadata is not last, after messageStop")?,
        }
    }
    ensure(
        events.first().is_some_and(|first| first.get("messageStart").is_some()),
        "messageStart is not first",
    )?;
    ensure(events.last().is_some_and(|last| last.get("metadata").is_some()), "metadata is not last")
}
