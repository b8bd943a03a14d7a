//! What holds in every format: a stream says what the plain answer says, with the same tokens, and every piece is JSON.

use serde_json::{Value, json};

use super::super::answer::Body;
use super::*;

const DIALECTS: [(Dialect, &str, &str); 8] = [
    (Dialect::OpenAi, "/v1/chat/completions", "/v1/chat/completions"),
    (Dialect::OpenAi, "/v1/completions", "/v1/completions"),
    (Dialect::OpenAi, "/v1/responses", "/v1/responses"),
    (Dialect::Mistral, "/v1/chat/completions", "/v1/chat/completions"),
    (Dialect::Anthropic, "/v1/messages", "/v1/messages"),
    (Dialect::Gemini, "/v1beta/models/m:generateContent", "/v1beta/models/m:streamGenerateContent?alt=sse"),
    (Dialect::Bedrock, "/model/m/converse", "/model/m/converse-stream"),
    (Dialect::Ollama, "/api/chat", "/api/chat"),
];

/// One request with what every format needs of it.
fn request(prompt: &str, stream: bool) -> Value {
    let schema = json!({"type": "object", "properties": {"city": {"type": "string"}}});
    json!({
        "model": "m", "stream": stream, "max_tokens": 100, "stream_options": {"include_usage": true},
        "messages": [{"role": "user", "content": [{"type": "text", "text": prompt}]}],
        "contents": [{"role": "user", "parts": [{"text": prompt}]}], "input": prompt, "prompt": prompt,
        "tools": [{"name": "get_weather", "parameters": schema, "input_schema": schema,
            "function": {"name": "get_weather", "parameters": schema},
            "functionDeclarations": [{"name": "get_weather", "parameters": schema}]}],
        "toolConfig": {"tools": [{"toolSpec": {"name": "get_weather", "inputSchema": {"json": schema}}}]},
    })
}

fn ask(dialect: Dialect, target: &str, prompt: &str, stream: bool) -> Answer {
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    let door = Door::of(dialect, path, query).unwrap();
    let answer = answer(
        dialect,
        &door,
        request(prompt, stream).to_string().as_bytes(),
        &Stamp { number: 1, created: 7 },
    );
    assert_eq!((answer.status, answer.is_stream()), (200, stream), "{target}: {answer:?}");
    answer
}

/// The JSON values of an answer.
fn values(answer: &Answer) -> Vec<Value> {
    match &answer.body {
        Body::Whole(bytes) => vec![serde_json::from_slice(bytes).unwrap()],
        Body::Events(_, events) => {
            let said = events.iter().filter(|event| event.part != Part::Ping && event.data != "[DONE]");
            said.map(|event| serde_json::from_slice(&event.data).unwrap()).collect()
        }
    }
}

/// All strings below keys of a name, in order.
fn below(value: &Value, keys: &[&str], found: &mut Vec<Value>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                if keys.contains(&key.as_str()) && !value.is_object() && !value.is_array() && !value.is_null()
                {
                    found.push(value.clone());
                } else {
                    below(value, keys, found);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| below(item, keys, found)),
        _ => {}
    }
}

#[test]
fn a_stream_says_what_the_plain_answer_says() {
    for (dialect, plain, streamed) in DIALECTS {
        let said = |answer: &Answer| {
            let events = match &answer.body {
                Body::Whole(_) => values(answer),
                Body::Events(_, events) => {
                    let content = events.iter().filter(|event| event.part == Part::Content);
                    content.map(|event| serde_json::from_slice(&event.data).unwrap()).collect()
                }
            };
            let mut texts = Vec::new();
            events.iter().for_each(|event| below(event, &["text", "content", "delta"], &mut texts));
            texts.iter().map(|text| text.as_str().unwrap()).collect::<String>()
        };
        let whole = ask(dialect, plain, "#say four words of truth", false);
        let stream = ask(dialect, streamed, "#say four words of truth", true);
        assert_eq!(said(&whole), "four words of truth", "{plain}");
        assert_eq!(said(&stream), "four words of truth", "{streamed}");
    }
}

#[test]
fn a_stream_counts_what_the_plain_answer_counts() {
    const INPUT: [&str; 5] =
        ["prompt_tokens", "input_tokens", "promptTokenCount", "inputTokens", "prompt_eval_count"];
    const OUTPUT: [&str; 5] =
        ["completion_tokens", "output_tokens", "candidatesTokenCount", "outputTokens", "eval_count"];
    for (dialect, plain, streamed) in DIALECTS {
        let last = |answer: &Answer, keys: &[&str]| {
            let mut found = Vec::new();
            values(answer).iter().for_each(|value| below(value, keys, &mut found));
            found.last().and_then(Value::as_u64).unwrap()
        };
        let (whole, stream) =
            (ask(dialect, plain, "#words=9", false), ask(dialect, streamed, "#words=9", true));
        assert!(last(&whole, &INPUT) > 0, "{plain}");
        assert_eq!(last(&whole, &INPUT), last(&stream, &INPUT), "{plain}");
        assert_eq!((last(&whole, &OUTPUT), last(&stream, &OUTPUT)), (9, 9), "{plain}");
    }
}

#[test]
fn tools_are_called_in_every_format_that_has_them() {
    for (dialect, plain, streamed) in DIALECTS.iter().filter(|(_, path, _)| *path != "/v1/completions") {
        for (target, stream) in [(plain, false), (streamed, true)] {
            let answer = ask(*dialect, target, "the weather in Paris, please #calls=2", stream);
            let text = values(&answer).iter().map(ToString::to_string).collect::<String>();
            assert!(text.contains("get_weather") && text.contains("Paris"), "{target}: {text}");
            if let Body::Events(_, events) = &answer.body {
                assert!(events.iter().any(|event| matches!(event.part, Part::Call(_))), "{target}");
            }
        }
    }
}

#[test]
fn errors_are_in_the_words_of_the_format() {
    let check = |dialect, status, place: &str, word: &str| {
        let answer = error(dialect, status, None, "no");
        let body = &values(&answer)[0];
        assert_eq!((answer.status, body.pointer(place).unwrap()), (status, &json!(word)), "{dialect}");
    };
    check(Dialect::OpenAi, 429, "/error/code", "rate_limit_exceeded");
    check(Dialect::Mistral, 401, "/detail", "no");
    check(Dialect::Anthropic, 529, "/error/type", "overloaded_error");
    check(Dialect::Gemini, 503, "/error/status", "UNAVAILABLE");
    check(Dialect::Ollama, 500, "/error", "no");
    check(Dialect::Bedrock, 429, "/message", "no");
    let bedrock = error(Dialect::Bedrock, 429, None, "no").all_headers();
    assert!(bedrock.contains(&("x-amzn-errortype".to_owned(), "ThrottlingException".to_owned())));
}
