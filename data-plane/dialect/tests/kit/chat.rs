//! Chat completions, as 24 vendors speak them.

use serde_json::Value;

use super::semantics::{Answer, Choice, Stop, Tokens, arguments, count, items, text};

pub fn whole(body: &Value) -> Answer {
    let choices = items(&body["choices"]).map(|choice| {
        let message = &choice["message"];
        let mut made = Choice::default();
        spoken(message, &mut made);
        for call in items(&message["tool_calls"]) {
            made.calls.push(called(call));
        }
        if let Some(name) = message["function_call"]["name"].as_str().filter(|name| !name.is_empty()) {
            let given = &message["function_call"]["arguments"];
            made.calls.push((name.to_owned(), arguments(text(given))));
        }
        made.stop = Some(stop(&choice["finish_reason"]));
        settled(made).settle()
    });
    let mut choices: Vec<Choice> = choices.collect();
    choices.iter_mut().for_each(|choice| beside(choice, body));
    Answer { choices, usage: usage(&body["usage"]) }
}

pub fn streamed(events: &[Value]) -> Answer {
    let mut answer = Answer::default();
    let mut calls: Vec<Vec<Call>> = Vec::new();
    for event in events {
        for usage_of in [&event["usage"], &event["x_groq"]["usage"]] {
            if usage_of.is_object() {
                answer.usage = usage(usage_of);
            }
        }
        for choice in items(&event["choices"]) {
            let index = choice["index"].as_u64().and_then(|index| usize::try_from(index).ok()).unwrap_or(0);
            while answer.choices.len() <= index {
                answer.choices.push(Choice::default());
                calls.push(Vec::new());
            }
            let delta = &choice["delta"];
            spoken(delta, &mut answer.choices[index]);
            for piece in items(&delta["tool_calls"]) {
                take(&mut calls[index], piece);
            }
            if !choice["finish_reason"].is_null() {
                answer.choices[index].stop = Some(stop(&choice["finish_reason"]));
            }
        }
    }
    let sources =
        events.iter().rev().find(|event| event["citations"].is_array() || event["search_results"].is_array());
    for (choice, calls) in answer.choices.iter_mut().zip(calls) {
        sources.iter().for_each(|event| beside(choice, event));
        choice.calls = calls.into_iter().map(|call| (call.name, arguments(&call.given))).collect();
        *choice = settled(std::mem::take(choice)).settle();
    }
    answer
}

/// Vendors that search unasked say beside the answer what they found, if not in it.
fn beside(choice: &mut Choice, body: &Value) {
    if choice.cited.is_empty() {
        items(&body["citations"]).for_each(|url| choice.cite(url));
    }
    if choice.cited.is_empty() {
        items(&body["search_results"]).for_each(|result| choice.cite(&result["url"]));
    }
}

/// A call that comes in pieces.
#[derive(Debug, Default)]
struct Call {
    index: Option<u64>,
    id: String,
    name: String,
    given: String,
}

/// A piece belongs to the last call of its index, unless it brings another id; without an index it is a call of its own if it
/// brings a name, and belongs to the last one if it does not.
fn take(calls: &mut Vec<Call>, piece: &Value) {
    let index = piece["index"].as_u64();
    let id = text(&piece["id"]);
    let inner = if piece["custom"].is_object() { &piece["custom"] } else { &piece["function"] };
    let name = text(&inner["name"]);
    let same = |call: &&mut Call| match index {
        Some(_) => call.index == index && (id.is_empty() || call.id.is_empty() || call.id == id),
        None => name.is_empty() || (!id.is_empty() && call.id == id),
    };
    let place = calls.iter_mut().rev().find(same);
    let call = match place {
        Some(call) => call,
        None => {
            calls.push(Call { index, ..Call::default() });
            calls.last_mut().expect("one was pushed")
        }
    };
    if call.id.is_empty() {
        id.clone_into(&mut call.id);
    }
    if call.name.is_empty() {
        name.clone_into(&mut call.name);
    }
    match &inner["arguments"] {
        Value::Object(given) => call.given = Value::Object(given.clone()).to_string(),
        given => call.given.push_str(text(given)),
    }
    call.given.push_str(text(&inner["input"]));
}

fn called(call: &Value) -> (String, Value) {
    let function = &call["function"];
    if text(&function["name"]).is_empty() && call["custom"].is_object() {
        return (text(&call["custom"]["name"]).to_owned(), call["custom"]["input"].clone());
    }
    let given = match &function["arguments"] {
        Value::Object(given) => Value::Object(given.clone()),
        given => arguments(text(given)),
    };
    (text(&function["name"]).to_owned(), given)
}

/// Text, refusal and thinking of a message or a delta.
fn spoken(message: &Value, choice: &mut Choice) {
    match &message["content"] {
        Value::String(content) => choice.text.push_str(content),
        Value::Array(parts) => parts.iter().for_each(|part| spoken_part(part, choice)),
        // Snowflake gives the object itself where JSON was asked for.
        object @ Value::Object(_) => choice.text.push_str(&object.to_string()),
        _ => {}
    }
    choice.refusal.push_str(text(&message["refusal"]));
    let said = ["reasoning_content", "reasoning"].map(|key| text(&message[key]));
    choice.thinking.push_str(said.into_iter().find(|said| !said.is_empty()).unwrap_or_default());
    items(&message["annotations"]).for_each(|cited| choice.cite(&cited["url_citation"]["url"]));
    for detail in items(&message["reasoning_details"]) {
        choice.details.push_str(text(&detail["text"]));
        choice.details.push_str(text(&detail["summary"]));
    }
}

fn spoken_part(part: &Value, choice: &mut Choice) {
    match text(&part["type"]) {
        "thinking" => {
            items(&part["thinking"]).for_each(|piece| choice.thinking.push_str(text(&piece["text"])))
        }
        "refusal" => choice.refusal.push_str(text(&part["refusal"])),
        _ => choice.text.push_str(text(&part["text"])),
    }
}

/// The details of reasoning repeat it, with what must be carried back; some have nothing else.
fn settled(mut choice: Choice) -> Choice {
    let details = std::mem::take(&mut choice.details);
    if choice.thinking.is_empty() {
        choice.thinking = details;
    }
    if !choice.refusal.is_empty() && choice.stop == Some(Stop::End) {
        choice.stop = Some(Stop::Filtered);
    }
    choice
}

fn stop(word: &Value) -> Stop {
    match text(word) {
        "length" | "model_length" => Stop::Length,
        "tool_calls" | "function_call" => Stop::Tool,
        "content_filter" => Stop::Filtered,
        "error" => Stop::Failed,
        _ => Stop::End,
    }
}

/// OpenAI's sums hold what is cached and what is thought. Others say some of it apart, which their total tells: Grok thought,
/// Gemini thought without a count of its own, Voxtral sound. Where more is cached than read, it is said apart (Grok at Azure,
/// Magistral). Mistral and DeepSeek have a name of their own for what is cached.
fn usage(usage: &Value) -> Tokens {
    let read = count(&usage["prompt_tokens"]);
    let written = count(&usage["completion_tokens"]);
    let sound = count(&usage["prompt_tokens_details"]["audio_tokens"]);
    let mut reasoning = count(&usage["completion_tokens_details"]["reasoning_tokens"]);
    let cached = [
        &usage["prompt_tokens_details"]["cached_tokens"],
        &usage["num_cached_tokens"],
        &usage["prompt_cache_hit_tokens"],
    ];
    let cached = cached.into_iter().map(count).find(|cached| *cached > 0).unwrap_or_default();
    let mut tokens = Tokens { prompt: read, output: written, cached, reasoning };
    match count(&usage["total_tokens"]).saturating_sub(read + written) {
        0 => {}
        apart if apart == sound => tokens.prompt += sound,
        apart if reasoning == 0 || apart == reasoning => {
            reasoning = apart;
            tokens.output += reasoning;
        }
        _ => {}
    }
    if cached > read {
        tokens.prompt += cached;
    }
    Tokens { reasoning, ..tokens }
}
