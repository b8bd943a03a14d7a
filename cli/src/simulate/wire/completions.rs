//! OpenAI's legacy completions.

use serde_json::{Value, json};

use super::super::{
    answer::{Answer, Event, Framing, Part},
    ask::{Ask, text_of, tokens_of},
    model::Stop,
};
use super::{Missing, Stamp, openai, say};

/// Reads what a call asks.
pub(super) fn ask(request: &Value) -> Result<Ask, Missing> {
    let prompt = text_of(&request["prompt"]);
    if prompt.is_empty() {
        return Err(Missing("prompt"));
    }
    Ok(Ask {
        model: request["model"].as_str().ok_or(Missing("model"))?.to_owned(),
        input_tokens: tokens_of(&prompt),
        prompt,
        limit: request["max_tokens"].as_u64(),
        stream: request["stream"] == json!(true),
        usage: request.pointer("/stream_options/include_usage") == Some(&json!(true)),
        ..Ask::default()
    })
}

/// Answers.
pub(super) fn write(ask: &Ask, stamp: &Stamp) -> Answer {
    let said = say(ask);
    let stop = if said.stop == Stop::Limit { "length" } else { "stop" };
    let usage = json!({"prompt_tokens": said.input_tokens, "completion_tokens": said.output_tokens,
        "total_tokens": said.input_tokens.saturating_add(said.output_tokens)});
    let body = |choices: Value| {
        json!({"id": stamp.id("cmpl-"), "object": "text_completion", "created": stamp.created,
            "model": ask.model, "choices": choices})
    };
    let choice = |text: &str, stop: Option<&str>| json!([{"index": 0, "text": text, "logprobs": null, "finish_reason": stop}]);
    if !ask.stream {
        let mut whole = body(choice(&said.text(), Some(stop)));
        whole["usage"] = usage;
        return Answer::json(200, &whole);
    }
    let tokens = said.tokens.iter();
    let mut events: Vec<Event> =
        tokens.map(|token| Event::json("", &body(choice(token, None)), Part::Content)).collect();
    events.push(Event::json("", &body(choice("", Some(stop))), Part::Finish));
    if ask.usage {
        let mut last = body(json!([]));
        last["usage"] = usage;
        events.push(Event::json("", &last, Part::Usage));
    }
    events.push(openai::done());
    Answer::events(Framing::Sse, events)
}
