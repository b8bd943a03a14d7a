//! Changes of what an answer says.

use bytes::Bytes;
use serde_json::{Value, json};

use super::super::{
    answer::{Answer, Body, Event, Part},
    fault::{Fault, Kind},
};

/// Keys before the text of each format.
const TEXT_KEYS: [&str; 3] = [r#""content":""#, r#""text":""#, r#""delta":""#];
/// Keys that say why a model stopped.
const STOP_KEYS: [&str; 5] = ["finish_reason", "finishReason", "stop_reason", "stopReason", "done_reason"];
/// Size of the events of which a large stream is made.
const LARGE_EVENT: usize = 64 * 1024;
/// More tokens than any model writes.
const ABSURD_TOKENS: u64 = 1_000_000_000_000_000;

/// Changes an answer.
pub(super) fn change(fault: &Fault, mut answer: Answer) -> Answer {
    if fault.kind == Kind::BadGzip {
        return garbled(answer);
    }
    match &mut answer.body {
        Body::Whole(bytes) => *bytes = change_whole(fault, bytes),
        Body::Events(_, events) => change_events(fault, events),
    }
    answer
}

/// Makes bytes of an answer that begin as gzip does and are nothing.
fn garbled(answer: Answer) -> Answer {
    let headers = answer.all_headers();
    let bytes: Vec<u8> = answer.chunks().concat().into_iter().map(|byte| !byte).collect();
    let body = Body::Whole(Bytes::from([b"\x1f\x8b\x08".as_slice(), &bytes].concat()));
    Answer { headers, body, ..answer }
}

fn change_whole(fault: &Fault, bytes: &Bytes) -> Bytes {
    match fault.kind {
        Kind::BadJson => bytes.slice(..bytes.len() / 2),
        Kind::BadUtf8 => in_text(bytes, &[0xff]),
        Kind::BigEvent | Kind::BigBody => in_text(bytes, &vec![b'x'; fault.size()]),
        Kind::EmptyChoices => edited(bytes, &mut empty),
        Kind::NoFinish => edited(bytes, &mut |key, value| {
            if STOP_KEYS.contains(&key) {
                *value = Value::Null;
            }
        }),
        Kind::WrongUsage => wrong_usage(bytes),
        // The others are about events.
        _ => bytes.clone(),
    }
}

fn change_events(fault: &Fault, events: &mut Vec<Event>) {
    let content = events.iter().position(|event| event.part == Part::Content);
    match fault.kind {
        Kind::BadJson => {
            if let Some(event) = events.get_mut(fault.place()) {
                event.data = event.data.slice(..event.data.len() / 2);
            }
        }
        Kind::BadUtf8 => change_at(events, content, |data| in_text(data, &[0xff])),
        Kind::BigEvent => change_at(events, content, |data| in_text(data, &vec![b'x'; fault.size()])),
        Kind::BigBody => enlarge(events, content, fault.size()),
        Kind::EmptyChoices => {
            events.retain(|event| matches!(event.part, Part::Usage | Part::End | Part::Ping))
        }
        Kind::NoFinish => events.retain(|event| event.part != Part::Finish),
        Kind::NoEnd => drop(events.pop()),
        Kind::EndTwice => events.extend(events.last().cloned()),
        Kind::AfterEnd => events.extend(content.and_then(|at| events.get(at)).cloned()),
        Kind::Repeat => {
            let last = events.len().saturating_sub(1);
            let twice = events.iter().enumerate();
            *events =
                twice.flat_map(|(at, event)| vec![event.clone(); if at == last { 1 } else { 2 }]).collect();
        }
        Kind::ToolOrder => reverse_calls(events),
        Kind::WrongUsage => {
            for event in events.iter_mut().filter(|event| event.data.first() == Some(&b'{')) {
                event.data = wrong_usage(&event.data);
            }
        }
        _ => {}
    }
}

fn change_at(events: &mut [Event], at: Option<usize>, change: impl FnOnce(&Bytes) -> Bytes) {
    if let Some(event) = at.and_then(|at| events.get_mut(at)) {
        event.data = change(&event.data);
    }
}

/// Puts content of a size into a stream, in events of an ordinary one.
fn enlarge(events: &mut Vec<Event>, content: Option<usize>, size: usize) {
    let Some((at, event)) = content.and_then(|at| Some((at, events.get(at)?.clone()))) else { return };
    let large = Event { data: in_text(&event.data, &vec![b'x'; LARGE_EVENT]), ..event };
    let many = std::iter::repeat_n(large, size.div_ceil(LARGE_EVENT));
    drop(events.splice(at..at, many));
}

/// Puts the events of the last call before those of the first.
fn reverse_calls(events: &mut [Event]) {
    let is_call = |event: &Event| matches!(event.part, Part::Call(_));
    let (Some(first), Some(last)) = (events.iter().position(is_call), events.iter().rposition(is_call))
    else {
        return;
    };
    if let Some(calls) = events.get_mut(first..=last) {
        calls.sort_by_key(|event| match event.part {
            Part::Call(index) => std::cmp::Reverse(index),
            _ => std::cmp::Reverse(0),
        });
    }
}

/// Puts bytes at the beginning of the first text.
fn in_text(bytes: &Bytes, insert: &[u8]) -> Bytes {
    let text = String::from_utf8_lossy(bytes);
    let places = TEXT_KEYS.iter().filter_map(|key| text.find(key).map(|at| at + key.len()));
    let at = places.min().unwrap_or(0);
    let (before, after) = bytes.split_at_checked(at).unwrap_or((bytes.as_ref(), &[]));
    Bytes::from([before, insert, after].concat())
}

/// Takes the content out of a whole answer of any format.
fn empty(key: &str, value: &mut Value) {
    match (key, &value) {
        ("choices" | "content" | "candidates" | "output", Value::Array(_)) => *value = json!([]),
        ("content", Value::String(_)) => *value = json!(""),
        _ => {}
    }
}

fn wrong_usage(bytes: &Bytes) -> Bytes {
    let mut counts = 0_u32;
    edited(bytes, &mut |key, value| {
        let is_count = value.is_u64()
            && ["_tokens", "Tokens", "TokenCount", "eval_count"].iter().any(|ending| key.ends_with(ending));
        if is_count {
            *value = if counts.is_multiple_of(2) { json!(-5) } else { json!(ABSURD_TOKENS) };
            counts += 1;
        }
    })
}

/// Lets `edit` change each member of each object; what is no JSON stays.
fn edited(bytes: &Bytes, edit: &mut dyn FnMut(&str, &mut Value)) -> Bytes {
    fn walk(value: &mut Value, edit: &mut dyn FnMut(&str, &mut Value)) {
        match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    edit(key, value);
                    walk(value, edit);
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| walk(item, edit)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let Ok(mut value) = serde_json::from_slice::<Value>(bytes) else { return bytes.clone() };
    walk(&mut value, edit);
    Bytes::from(value.to_string())
}
