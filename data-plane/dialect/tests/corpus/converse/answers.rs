use breakwater_dialect::{ErrorClass, Format, translate};
use serde_json::Value;

use super::{Answer, caller, recorded};

#[test]
fn recorded_answers_are_read_and_written_again() {
    let (mut answers, mut calls, mut thoughts) = (0, 0, 0);
    for call in recorded() {
        let Answer::Whole(body) = &call.answer else { continue };
        if call.status != 200 {
            continue;
        }
        answers += 1;
        let reply = translate::read_reply(Format::Converse, body.to_string().as_bytes())
            .unwrap_or_else(|_| panic!("{}", call.file));
        if let Some(total) = body["usage"]["totalTokens"].as_u64() {
            assert_eq!(reply.usage.unwrap().total(), total, "bug 17: {}", call.file);
        }
        let written = translate::write_reply(Format::Converse, &reply, &caller());
        let written: Value = serde_json::from_str(&written).unwrap();
        assert_eq!(written["stopReason"], body["stopReason"], "{}", call.file);
        if body["usage"].is_object() {
            assert_eq!(written["usage"]["outputTokens"], body["usage"]["outputTokens"], "{}", call.file);
        }
        let (got, want) = (content(&written), content(body));
        assert_eq!(got.len(), want.len(), "{}", call.file);
        for (got, want) in got.iter().zip(&want) {
            same(got, want, &call.file);
            calls += u32::from(want.get("toolUse").is_some());
            thoughts += u32::from(want.get("reasoningContent").is_some());
        }
    }
    println!("{answers} answers, {calls} calls, {thoughts} thoughts");
    assert_eq!((answers, calls, thoughts), (319, 132, 28));
}

/// Blocks of an answer; those with nothing in them are not written again.
fn content(body: &Value) -> Vec<Value> {
    let blocks = body["output"]["message"]["content"].as_array().unwrap();
    // A source alone (`citationsContent` without `content`) says nothing.
    let empty = |block: &&Value| {
        let cited = &block["citationsContent"];
        block["text"] == "" || (cited.is_object() && cited["content"].is_null())
    };
    blocks.iter().filter(|block| !empty(block)).cloned().collect()
}

fn same(got: &Value, want: &Value, file: &str) {
    let (key, value) = want.as_object().unwrap().iter().next().unwrap();
    match key.as_str() {
        "toolUse" if value["type"] != "server_tool_use" => {
            let call = &got["toolUse"];
            assert_eq!((&call["name"], &call["input"]), (&value["name"], &value["input"]), "{file}");
            assert_ne!(call["toolUseId"], value["toolUseId"], "{file}");
        }
        "citationsContent" => {
            let parts = value["content"].as_array().unwrap().iter();
            let text: String = parts.filter_map(|part| part["text"].as_str()).collect();
            assert_eq!(got["text"], text, "{file}");
        }
        _ => assert_eq!(got, want, "{file}"),
    }
}

#[test]
fn recorded_errors_are_read() {
    let mut classes = Vec::new();
    for call in recorded().iter().filter(|call| call.status >= 400) {
        let Answer::Whole(body) = &call.answer else { panic!("{}", call.file) };
        let error = translate::read_error(Format::Converse, call.status, &body.to_string());
        assert_eq!(error.message, body["message"].as_str().unwrap());
        classes.push(error.class);
    }
    let count = |class| classes.iter().filter(|each| **each == class).count();
    println!("{} errors", classes.len());
    let counted = [ErrorClass::Authentication, ErrorClass::ContextLength, ErrorClass::NotFound].map(count);
    assert_eq!((classes.len(), counted), (16, [1, 1, 7]), "{classes:?}");
}
