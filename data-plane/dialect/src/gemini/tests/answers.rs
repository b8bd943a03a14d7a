//! Answers and streams of Google's, read.

use super::json;
use crate::Format;
use crate::StreamFault;
use crate::ir::{Accumulator, Block, Event, Reply, StopReason};
use crate::translate;

fn whole(body: &str) -> Reply {
    translate::read_reply(Format::Gemini, body.as_bytes()).unwrap()
}

fn stream(chunks: &[&str]) -> Accumulator {
    let text: String = chunks.iter().map(|chunk| format!("data: {chunk}\r\n\r\n")).collect();
    let one = translate::read_stream(Format::Gemini, [text.as_bytes()]).unwrap();
    let bytes = translate::read_stream(Format::Gemini, text.as_bytes().chunks(1)).unwrap();
    assert_eq!(format!("{one:?}"), format!("{bytes:?}"));
    one
}

const ONE_CALL: &str = r#"{"candidates":[{"content":{"role":"model","parts":[{"functionCall":{"name":"a","args":{"x": 1.0}},"thoughtSignature":"c2ln"}]}}],"responseId":"r"}"#;
const END: &str = r#"{"candidates":[{"content":{"role":"model","parts":[{"text":""}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":10,"cachedContentTokenCount":4,"candidatesTokenCount":3,"thoughtsTokenCount":5,"toolUsePromptTokenCount":7,"totalTokenCount":25,"promptTokensDetails":[{"modality":"TEXT","tokenCount":8},{"modality":"AUDIO","tokenCount":2}]},"responseId":"r"}"#;

#[test]
fn bug_12_a_call_makes_the_stop_even_where_the_reason_comes_later() {
    let reply = stream(&[ONE_CALL, END]).into_reply();
    assert_eq!(reply.choices[0].stop.reason, StopReason::ToolUse);
    assert_eq!(reply.choices[0].stop.native, None);
    assert_eq!(reply.choices[0].blocks.len(), 1, "an empty text is no block");
    let both =
        r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"a"}}]},"finishReason":"STOP"}]}"#;
    assert_eq!(whole(both).choices[0].stop.reason, StopReason::ToolUse);
    // What broke is not a call that ended of itself.
    let broke = both.replace("STOP", "MALFORMED_FUNCTION_CALL");
    assert_eq!(whole(&broke).choices[0].stop.reason, StopReason::Failed);
    // A reason on two chunks, with text behind the first, is one stop behind all of it.
    let text = r#"{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}]}"#;
    let reply = stream(&[text, text]).into_reply();
    assert!(matches!(&reply.choices[0].blocks[..], [Block::Text { text, .. }] if text == "aa"));
}

#[test]
fn usage_keeps_googles_identity() {
    let usage = stream(&[ONE_CALL, END]).into_reply().usage.unwrap();
    assert_eq!((usage.input, usage.cache_read, usage.output, usage.reasoning), (13, 4, 8, 5));
    assert_eq!((usage.total(), usage.input_audio), (25, 2));
}

#[test]
fn bug_13_and_25_calls_are_told_apart_and_none_lacks_arguments() {
    let three = r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"a"}},{"functionCall":{"name":"a"}},{"functionCall":{"id":"x","name":"a","args":null}}]},"finishReason":"STOP"}],"responseId":"r1"}"#;
    let ids = |reply: &Reply| -> Vec<String> {
        let blocks = reply.choices[0].blocks.iter();
        let calls = blocks.map(|block| match block {
            Block::ToolUse { id, input, .. } => {
                assert_eq!(input, "{}");
                id.clone()
            }
            other => panic!("{other:?}"),
        });
        calls.collect()
    };
    let first = ids(&whole(three));
    assert_eq!(first.len(), 3);
    assert_eq!(first[2], "x");
    assert!(first[0] != first[1] && first.iter().take(2).all(|id| id.starts_with("call_")));
    assert_eq!(first, ids(&whole(three)), "the same answer has the same ids");
    assert_ne!(first[0], ids(&whole(&three.replace("r1", "r2")))[0], "another turn has others");
    // Google prints arrays over many lines; arguments go on as they would have come in a line.
    let spaced = r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"a","args":{ "q": "a \" b",
        "n": 1.50 }}}]}}]}"#;
    assert!(matches!(&whole(spaced).choices[0].blocks[0],
        Block::ToolUse { input, .. } if input == r#"{"q":"a \" b","n":1.50}"#));
}

#[test]
fn bug_5_signatures_hang_where_they_hung() {
    let reply = stream(&[
        r#"{"candidates":[{"content":{"parts":[{"text":"hm","thought":true}]}}]}"#,
        r#"{"candidates":[{"content":{"parts":[{"text":"A"}]}}]}"#,
        r#"{"candidates":[{"content":{"parts":[{"text":"","thoughtSignature":"c2ln"}]}}]}"#,
        r#"{"candidates":[{"content":{"parts":[{"text":"B"}]}}]}"#,
        ONE_CALL,
        END,
    ])
    .into_reply();
    let [Block::Thinking { text, signature: None, .. }, signed, plain, Block::ToolUse { signature, .. }] =
        &reply.choices[0].blocks[..]
    else {
        panic!("{reply:?}")
    };
    assert_eq!(text, "hm");
    assert!(matches!(signed, Block::Text { text, signature: Some(by), .. } if text == "A" && by == "c2ln"));
    assert!(matches!(plain, Block::Text { text, signature: None, .. } if text == "B"));
    assert_eq!(signature.as_deref(), Some("c2ln"));
}

#[test]
fn reasons_have_their_meaning_as_words_and_as_numbers() {
    for (word, reason, native) in [
        (r#""STOP""#, StopReason::End, None),
        ("1", StopReason::End, None),
        (r#""MAX_TOKENS""#, StopReason::Length, None),
        ("2", StopReason::Length, None),
        (r#""SAFETY""#, StopReason::Filtered, Some("SAFETY")),
        ("3", StopReason::Filtered, Some("SAFETY")),
        (r#""MODEL_ARMOR""#, StopReason::Filtered, Some("MODEL_ARMOR")),
        (r#""UNEXPECTED_TOOL_CALL""#, StopReason::Failed, Some("UNEXPECTED_TOOL_CALL")),
        (r#""A_NEW_WORD""#, StopReason::End, Some("A_NEW_WORD")),
        ("99", StopReason::End, Some("99")),
    ] {
        let body =
            format!(r#"{{"candidates":[{{"content":{{"parts":[{{"text":"a"}}]}},"finishReason":{word}}}]}}"#);
        let stop = whole(&body).choices[0].stop.clone();
        assert_eq!((stop.reason, stop.native.as_deref()), (reason, native), "{word}");
    }
}

#[test]
fn a_blocked_prompt_is_a_filtered_answer() {
    let body = r#"{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{"promptTokenCount":3,"totalTokenCount":3}}"#;
    for reply in [whole(body), stream(&[body]).into_reply()] {
        let stop = &reply.choices[0].stop;
        assert_eq!((stop.reason, stop.native.as_deref()), (StopReason::Filtered, Some("PROHIBITED_CONTENT")));
        assert_eq!(reply.usage.unwrap().input, 3);
    }
}

#[test]
fn bug_29_an_array_is_read_at_any_cut() {
    let array =
        format!("[{ONE_CALL}\r\n,\r\n{}\r\n]\r\n", END.replace(r#"{"text":""}"#, r#"{"text":"]}\"[{ü"}"#));
    let mut said = Vec::new();
    for size in [1, 2, 3, 7, array.len()] {
        let read = translate::read_stream(Format::Gemini, array.as_bytes().chunks(size)).unwrap();
        assert!(read.is_whole());
        said.push(format!("{:?}", read.reply()));
    }
    said.dedup();
    assert_eq!(said.len(), 1);
    assert!(said[0].contains(r#"]}\"[{ü"#), "{}", said[0]);
    assert_eq!(said[0], format!("{:?}", whole(&array)));
    // The bracket is the format's own last event.
    let mut reader = super::super::stream_reader().unwrap();
    let mut events = Vec::new();
    reader.push(array.trim_end().as_bytes(), &mut events).unwrap();
    assert_eq!(events.last(), Some(&Event::End));
    reader.finish(&mut events).unwrap();
    assert_eq!(events.iter().filter(|event| **event == Event::End).count(), 1);
    assert_eq!(events.iter().filter(|event| matches!(event, Event::Stop(..))).count(), 1);
}

#[test]
fn a_cut_stream_has_no_stop() {
    let text = format!("data: {ONE_CALL}\r\n\r\ndata: {END}");
    for len in 0..text.len() {
        let read = translate::read_stream(Format::Gemini, [&text.as_bytes()[..len]]).unwrap();
        assert!(!read.is_whole(), "{len}");
    }
    assert!(translate::read_stream(Format::Gemini, [text.as_bytes()]).unwrap().is_whole());
}

#[test]
fn bug_9_an_error_within_a_stream_is_one() {
    let error = r#"{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}"#;
    for text in [
        format!("data: {error}\r\n\r\n"),
        format!("[{error}]"),
        format!("data: [{error}]\n\n"),
        error.to_owned(),
    ] {
        let fault = translate::read_stream(Format::Gemini, text.as_bytes().chunks(1)).unwrap_err();
        assert_eq!(fault, StreamFault::Upstream { code: "UNAVAILABLE".to_owned() }, "{text}");
    }
    assert!(translate::read_reply(Format::Gemini, error.as_bytes()).is_err());
    assert!(translate::read_reply(Format::Gemini, br#"{"name":"cachedContents/x"}"#).is_err());
}

#[test]
fn what_is_new_does_not_break_and_what_is_foreign_is_kept() {
    let body = r#"{"later":1,"candidates":[{"later":[],"content":{"parts":[{"executableCode":{"code":"1"}},{"later":{"a":1}},{"text":"t"},{"inlineData":{"mimeType":"image/PNG","data":"AA=="}}]},"finishReason":"STOP","groundingMetadata":{"webSearchQueries":["q"]}}]}"#;
    let reply = whole(body);
    let blocks = &reply.choices[0].blocks;
    assert!(matches!(&blocks[0], Block::Foreign { kind, json, .. }
        if kind == "executableCode" && json.get() == r#"{"executableCode":{"code":"1"}}"#));
    assert!(matches!(&blocks[1], Block::Foreign { kind, .. } if kind == "later"));
    assert!(matches!(&blocks[3], Block::Media { source: crate::ir::Source::Base64 { media_type, .. }, .. }
        if media_type == "image/png"));
    assert_eq!(stream(&[body]).reply().choices[0].blocks.len(), 4);
}

#[test]
fn candidates_keep_their_index_and_probabilities_become_openais() {
    let body = r#"{"candidates":[{"index":1,"content":{"parts":[{"text":"b"}]},"finishReason":"STOP"},{"content":{"parts":[{"text":"a"}]},"finishReason":"MAX_TOKENS","logprobsResult":{"topCandidates":[{"candidates":[{"token":"a","tokenId":1,"logProbability":-0.5},{"token":"c","logProbability":-1}]}],"chosenCandidates":[{"token":"a","tokenId":1,"logProbability":-0.5}]}}]}"#;
    let reply = whole(body);
    let text = |index: usize| match &reply.choices[index].blocks[0] {
        Block::Text { text, .. } => text.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!((text(0).as_str(), text(1).as_str()), ("a", "b"));
    assert_eq!(reply.choices[0].stop.reason, StopReason::Length);
    let expected = json(
        r#"[{"token":"a","logprob":-0.5,"bytes":[97],"top_logprobs":[{"token":"a","logprob":-0.5,"bytes":[97]},{"token":"c","logprob":-1,"bytes":[99]}]}]"#,
    );
    assert_eq!(json(reply.choices[0].logprobs.as_deref().unwrap()), expected);
}
