//! Every recorded answer of chat completions, read; and written for a caller.

#![allow(clippy::wildcard_enum_match_arm, reason = "a test looks at some kinds of blocks")]

use std::collections::BTreeMap;

use serde_json::Value;

use super::corpus::{Recording, recordings};
use crate::ir::{Block, Reply, StopReason, Usage};
use crate::{ErrorClass, Format, StreamFault, chat, translate};

/// What an answer says, in the simplest terms.
#[derive(Debug, Default, PartialEq)]
struct Said {
    text: String,
    thinking: String,
    refusal: String,
    calls: Vec<(String, Value)>,
    seals: usize,
}

fn said(reply: &Reply, choice: usize) -> Said {
    let mut said = Said::default();
    for block in &reply.choices[choice].blocks {
        match block {
            Block::Text { text, .. } => said.text += text,
            Block::Thinking { text, signature, .. } => {
                said.thinking += text;
                said.seals += usize::from(signature.is_some());
            }
            Block::Refusal { text } => said.refusal += text,
            Block::ToolUse { name, input, .. } => said.calls.push((name.clone(), arguments(input))),
            _ => {}
        }
    }
    said
}

/// Arguments that are JSON, by their value.
fn arguments(input: &str) -> Value {
    let input = if input.is_empty() { "{}" } else { input };
    serde_json::from_str(input).unwrap_or_else(|_| Value::from(input))
}

/// Adds a message, or a piece of one, read in the plainest way: the other reader of this test.
fn add(message: &Value, said: &mut Said, raw: &mut BTreeMap<u64, (String, String)>) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match &message["content"] {
        Value::Array(parts) => {
            for part in parts {
                said.text += &text(&part["text"]);
                for thought in part["thinking"].as_array().into_iter().flatten() {
                    said.thinking += &text(&thought["text"]);
                }
            }
        }
        Value::Object(object) => said.text += &Value::from(object.clone()).to_string(),
        other => said.text += &text(other),
    }
    said.refusal += &text(&message["refusal"]);
    let details = message["reasoning_details"].as_array().cloned().unwrap_or_default();
    let seals = |detail: &&Value| !text(&detail["signature"]).is_empty() || !text(&detail["data"]).is_empty();
    said.seals += details.iter().filter(seals).count();
    let told: String =
        details.iter().map(|detail| text(&detail["text"]) + &text(&detail["summary"])).collect();
    let plain = [&message["reasoning_content"], &message["reasoning"]]
        .map(text)
        .into_iter()
        .find(|text| !text.is_empty());
    said.thinking += &if told.is_empty() { plain.unwrap_or_default() } else { told };
    for (place, call) in message["tool_calls"].as_array().into_iter().flatten().enumerate() {
        let index = call["index"].as_u64().unwrap_or(place as u64);
        let entry = raw.entry(index).or_default();
        if entry.0.is_empty() {
            entry.0 = text(&call["function"]["name"]);
        }
        entry.1 += &text(&call["function"]["arguments"]);
    }
    let old = &message["function_call"];
    if !text(&old["name"]).is_empty() {
        raw.insert(0, (text(&old["name"]), text(&old["arguments"])));
    }
}

fn finish(mut said: Said, raw: BTreeMap<u64, (String, String)>) -> Said {
    said.calls = raw.into_values().map(|(name, input)| (name, arguments(&input))).collect();
    said
}

/// What a vendor's total says is what we count, apart from vendors whose total leaves the cache out.
fn total_fits(usage: &Value, read: Usage) -> bool {
    let Some(total) = usage["total_tokens"].as_u64() else { return true };
    let outside = usage["prompt_tokens"].as_u64().is_some_and(|prompt| prompt < read.cache_read);
    total == if outside { read.total() - read.cache_read } else { read.total() }
}

fn events(recording: &Recording) -> Vec<Value> {
    let text = recording.text().replace("\r\n", "\n");
    text.lines()
        .filter_map(|line| line.strip_prefix("data:"))
        .filter_map(|data| serde_json::from_str(data.trim()).ok())
        .collect()
}

#[test]
fn every_whole_answer_is_read() {
    let mut read = 0;
    let mut odd = Vec::new();
    for recording in recordings().iter().filter(|recording| recording.is_ok() && recording.stream.is_none()) {
        let body = &recording.response.body;
        let Ok(reply) = chat::read_reply(&body.to_string()) else {
            odd.push(format!("{} {}", recording.provider, recording.id));
            assert!(body["choices"].as_array().is_none(), "{} {}", recording.id, body);
            continue;
        };
        read += 1;
        let choices = body["choices"].as_array().unwrap();
        assert_eq!(choices.len(), reply.choices.len());
        for (place, choice) in choices.iter().enumerate() {
            let (mut plain, mut raw) = (Said::default(), BTreeMap::new());
            add(&choice["message"], &mut plain, &mut raw);
            let got = said(&reply, place);
            assert_eq!(got, finish(plain, raw), "{} {}", recording.provider, recording.id);
            let stop = reply.choices[place].stop.reason;
            assert_eq!(stop == StopReason::ToolUse, !got.calls.is_empty(), "{}", recording.id);
        }
        if let Some(usage) = reply.usage {
            assert!(total_fits(&body["usage"], usage), "{} {usage:?} {}", recording.id, body["usage"]);
        }
    }
    eprintln_counts(&format!("{read} whole answers read, not answers at all: {odd:?}"));
    assert!(read >= 1300 && odd.len() <= 4, "{read} {odd:?}");
}

#[test]
fn every_stream_is_read_the_same_in_any_pieces() {
    let (mut whole, mut cut, mut failed) = (0, Vec::new(), Vec::new());
    for recording in recordings().iter().filter(|recording| recording.is_ok() && recording.stream.is_some()) {
        let body = recording.text().as_bytes();
        let read = translate::read_stream(Format::Chat, [body]);
        for size in [1, 1000] {
            let again = translate::read_stream(Format::Chat, body.chunks(size));
            assert_eq!(format!("{read:?}"), format!("{again:?}"), "{} in pieces of {size}", recording.id);
        }
        let name = format!("{} {}", recording.provider, recording.id);
        let read = match read {
            Err(StreamFault::Upstream { code }) => {
                failed.push(format!("{name} {code}"));
                continue;
            }
            other => other.unwrap_or_else(|fault| panic!("{name}: {fault}")),
        };
        if !read.is_whole() {
            cut.push(name);
            continue;
        }
        whole += 1;
        check_stream(recording, read.reply());
    }
    eprintln_counts(&format!("{whole} streams whole, cut {cut:?}, failed {failed:?}"));
    assert!(whole >= 330 && cut.len() <= 2 && failed.len() <= 3, "{whole} {cut:?} {failed:?}");
}

fn check_stream(recording: &Recording, reply: &Reply) {
    let events = events(recording);
    for place in 0..reply.choices.len() {
        let (mut plain, mut raw) = (Said::default(), BTreeMap::new());
        let mut calls = 0;
        for choice in events.iter().flat_map(|event| event["choices"].as_array().into_iter().flatten()) {
            if choice["index"].as_u64() != Some(place as u64) {
                continue;
            }
            let mut delta = choice["delta"].clone();
            // Mistral's calls have no index, or one, and are whole.
            for call in delta["tool_calls"].as_array_mut().into_iter().flatten() {
                if call["index"].is_null() {
                    call["index"] = calls.into();
                    calls += 1;
                }
            }
            add(&delta, &mut plain, &mut raw);
        }
        let got = said(reply, place);
        assert_eq!(got, finish(plain, raw), "{} {}", recording.provider, recording.id);
    }
    let last = events.iter().rev().map(|event| &event["usage"]).find(|usage| usage.is_object());
    if let (Some(last), Some(usage)) = (last, reply.usage) {
        assert!(total_fits(last, usage), "{} {usage:?} {last}", recording.id);
    }
    assert!(last.is_none() || reply.usage.is_some(), "{}", recording.id);
}

#[test]
fn every_error_is_read() {
    let mut read = BTreeMap::<String, usize>::new();
    for recording in recordings().iter().filter(|recording| recording.response.status >= 400) {
        let body = &recording.response.body;
        let body = body.as_str().map_or_else(|| body.to_string(), ToOwned::to_owned);
        let error = chat::read_error(recording.response.status, &body);
        assert!(!error.message.is_empty() || body.is_empty(), "{body}");
        let too_long = ["context length", "too long"].iter().any(|words| error.message.contains(words));
        assert_eq!(too_long, error.class == ErrorClass::ContextLength, "{error:?}");
        assert_eq!(recording.response.status == 401, error.class == ErrorClass::Authentication, "{error:?}");
        assert_eq!(recording.response.status == 404, error.class == ErrorClass::NotFound, "{error:?}");
        *read.entry(format!("{:?}", error.class)).or_default() += 1;
    }
    eprintln_counts(&format!("errors by class: {read:?}"));
    assert!(read.values().sum::<usize>() >= 43, "{read:?}");
}

/// A message in the plainest terms: its role, its text, how many pieces that are none, its calls.
type Spoken = (String, String, usize, Vec<(String, Value)>);

/// What a conversation says.
fn asked(body: &Value) -> Vec<Spoken> {
    let mut said = Vec::new();
    for message in body["messages"].as_array().into_iter().flatten() {
        let role = message["role"].as_str().unwrap_or_default().replace("developer", "system");
        let (mut plain, mut raw) = (Said::default(), BTreeMap::new());
        let mut message = message.clone();
        let others = message["content"].as_array().map_or(0, |parts| {
            parts
                .iter()
                .filter(|part| !["text", "thinking"].contains(&part["type"].as_str().unwrap_or("text")))
                .count()
        });
        for (place, call) in message["tool_calls"].as_array_mut().into_iter().flatten().enumerate() {
            call["index"] = place.into();
        }
        add(&message, &mut plain, &mut raw);
        let said_now = finish(plain, raw);
        let text = said_now.text.replace(char::is_whitespace, "");
        said.push((role, text, others, said_now.calls));
    }
    // System messages may be joined, and an assistant's that says nothing is left out.
    said.retain(|(role, text, others, calls)| {
        role != "assistant" || !text.is_empty() || *others > 0 || !calls.is_empty()
    });
    let mut joined: Vec<Spoken> = Vec::new();
    for one in said {
        match joined.last_mut().filter(|last| last.0 == one.0 && one.0 == "system") {
            Some(last) => last.1 += &one.1,
            None => joined.push(one),
        }
    }
    joined
}

#[test]
fn every_request_that_was_taken_is_read_and_written_again() {
    let (mut same, mut refused) = (0, BTreeMap::<String, usize>::new());
    for recording in recordings().iter().filter(|recording| recording.is_ok()) {
        let body = &recording.request.body;
        if !body["messages"].is_array() {
            continue;
        }
        let request = chat::read_request(&body.to_string())
            .unwrap_or_else(|refused| panic!("{} {}: {refused}", recording.provider, recording.id));
        let target = crate::codec::Target {
            format: Format::Chat,
            model: "m".to_owned(),
            max_output_tokens: None,
            embeddings: None,
            quirks: &crate::quirks::PLAIN,
            reasons: None,
        };
        match chat::write_request(&request, &target) {
            Ok(written) => {
                let again: Value = serde_json::from_str(&written.body).expect("JSON");
                // Pictures that a tool shows move to a message of their own.
                let shows = |body: &Value| {
                    let messages = body["messages"].as_array().cloned().unwrap_or_default();
                    messages.iter().any(|message| {
                        message["role"] == "tool" && message["content"].is_array()
                            || message["role"] == "function"
                            || !message["function_call"].is_null()
                    })
                };
                if !shows(body) {
                    assert_eq!(asked(&again), asked(body), "{} {}", recording.provider, recording.id);
                }
                same += 1;
            }
            Err(why) => {
                let kind: String = why.param.chars().filter(|letter| !letter.is_ascii_digit()).collect();
                *refused.entry(kind).or_default() += 1;
            }
        }
    }
    eprintln_counts(&format!("{same} requests written again, refused for plain OpenAI: {refused:?}"));
    assert!(same >= 1540, "{same} {refused:?}");
}

#[test]
fn every_answer_is_written_and_read_again() {
    let caller = crate::codec::Caller {
        alias: "m".into(),
        id: "x".into(),
        created: 1,
        include_usage: true,
        gemini_array: false,
        reveal_provider: false,
        request: std::sync::Arc::default(),
    };
    let mut again = 0;
    for recording in recordings().iter().filter(|recording| recording.is_ok()) {
        let reply = if recording.stream.is_none() {
            let Ok(reply) = chat::read_reply(&recording.response.body.to_string()) else { continue };
            reply
        } else {
            let Ok(read) = translate::read_stream(Format::Chat, [recording.text().as_bytes()]) else {
                continue;
            };
            let mut crossing =
                translate::Crossing::new(Format::Chat, Format::Chat, &caller).expect("streams");
            let mut out = bytes::BytesMut::new();
            crossing.push(recording.text().as_bytes(), &mut out).expect("a stream");
            crossing.finish(&mut out);
            assert_eq!(crossing.over() == Some(crate::Ending::Completed), read.is_whole());
            if !read.is_whole() {
                continue;
            }
            let streamed = translate::read_stream(Format::Chat, [&out[..]]).expect("a stream");
            assert!(streamed.is_whole(), "{}", recording.id);
            compare(recording, &streamed.into_reply(), read.reply());
            read.into_reply()
        };
        let written = chat::read_reply(&chat::write_reply(&reply, &caller)).expect("an answer");
        compare(recording, &written, &reply);
        again += 1;
    }
    eprintln_counts(&format!("{again} answers written and read again"));
    assert!(again >= 1640, "{again}");
}

fn compare(recording: &Recording, again: &Reply, reply: &Reply) {
    assert_eq!(again.choices.len(), reply.choices.len(), "{}", recording.id);
    for place in 0..reply.choices.len() {
        assert_eq!(said(again, place), said(reply, place), "{} {}", recording.provider, recording.id);
        assert_eq!(again.choices[place].logprobs, reply.choices[place].logprobs, "{}", recording.id);
        let (got, want) = (again.choices[place].stop.reason, reply.choices[place].stop.reason);
        assert_eq!(got, want, "{} {}", recording.provider, recording.id);
    }
    assert_eq!(again.usage.unwrap_or_default(), reply.usage.unwrap_or_default(), "{}", recording.id);
}

fn eprintln_counts(line: &str) {
    #[allow(clippy::print_stderr, reason = "counts are the point of a corpus test")]
    {
        eprintln!("{line}");
    }
}
