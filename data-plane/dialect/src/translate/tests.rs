//! What no recording shows in a stream.

use serde_json::{Value, json};

use super::*;
use crate::ir::{Block, Choice, Media, Source, Stop, StopReason};

const PICTURE: &str = "iVBORw0KGgo=";

/// Returns what a caller gets of a stream of Gemini's, and of the same answer whole.
fn both(client: Format, stream: &str) -> (Vec<u8>, String) {
    let caller = Caller { alias: "alias".to_owned(), id: "0123".to_owned(), ..Caller::default() };
    let mut crossing = Crossing::new(Format::Gemini, client, &caller).unwrap();
    let mut out = BytesMut::new();
    for byte in stream.as_bytes().chunks(7) {
        crossing.push(byte, &mut out).unwrap();
    }
    crossing.finish(&mut out);
    assert_eq!(crossing.over(), Some(Ending::Completed), "{client:?}");
    let whole = read_stream(Format::Gemini, [stream.as_bytes()]).unwrap().into_reply();
    (out.to_vec(), write_reply(client, &whole, &caller))
}

#[test]
fn a_streamed_picture_is_the_one_of_the_whole_answer() {
    let chunk = |parts: Value, finish: Value| {
        let candidate =
            json!({"content": {"parts": parts, "role": "model"}, "finishReason": finish, "index": 0});
        format!("data: {}\r\n\r\n", json!({ "candidates": [candidate] }))
    };
    let picture = json!({"inlineData": {"mimeType": "image/png", "data": PICTURE}});
    let stream = [
        chunk(json!([{"text": "Here"}]), Value::Null),
        chunk(json!([picture]), Value::Null),
        chunk(json!([{"text": "it is"}]), json!("STOP")),
    ]
    .concat();
    for client in [Format::Chat, Format::Responses, Format::Converse] {
        let (streamed, whole) = both(client, &stream);
        let streamed = String::from_utf8_lossy(&streamed);
        assert!(whole.contains(PICTURE), "{client:?} {whole}");
        assert!(streamed.contains(PICTURE), "{client:?} {streamed}");
        assert!(!streamed.contains("[image]"), "{client:?}");
    }
    // An answer of this format has no pictures: both ways it is the text alone.
    let (streamed, whole) = both(Format::Messages, &stream);
    assert!(!whole.contains(PICTURE) && !String::from_utf8_lossy(&streamed).contains(PICTURE));
}

#[test]
fn a_whole_picture_is_streamed_as_one() {
    let source = Source::Base64 { media_type: "image/png".to_owned(), data: PICTURE.to_owned() };
    let picture =
        Block::Media { media: Media::Image, source, name: String::new(), detail: None, cache: None };
    let choice = Choice { blocks: vec![picture], ..Choice::default() };
    let reply = Reply { choices: vec![choice], usage: None };
    for client in [Format::Chat, Format::Responses, Format::Gemini, Format::Converse] {
        let stream = write_reply_as_stream(client, &reply, &Caller::default()).unwrap();
        assert!(String::from_utf8_lossy(&stream).contains(PICTURE), "{client:?}");
    }
}

#[test]
fn a_text_for_a_tool_is_the_same_object_in_every_format() {
    let text = "{\"a\": 1}\n*** Patch \"x\" ";
    let call = Block::ToolUse {
        id: "call_1".to_owned(),
        name: "patch".to_owned(),
        input: text.to_owned(),
        signature: None,
        custom: true,
        cache: None,
    };
    let stop = Stop { reason: StopReason::ToolUse, ..Stop::default() };
    let reply =
        Reply { choices: vec![Choice { blocks: vec![call], stop, ..Choice::default() }], usage: None };
    for (client, place) in [
        (Format::Messages, "/content/0/input"),
        (Format::Gemini, "/candidates/0/content/parts/0/functionCall/args"),
        (Format::Converse, "/output/message/content/0/toolUse/input"),
    ] {
        let caller = Caller::default();
        let whole: Value = serde_json::from_str(&write_reply(client, &reply, &caller)).unwrap();
        assert_eq!(whole.pointer(place), Some(&json!({ "input": text })), "{client:?}");
        let stream = write_reply_as_stream(client, &reply, &caller).unwrap();
        let back = read_stream(client, [&*stream]).unwrap().into_reply();
        let given = back.choices[0].blocks.iter().find_map(|block| {
            let Block::ToolUse { input, .. } = block else { return None };
            serde_json::from_str::<Value>(input).ok()
        });
        assert_eq!(given, Some(json!({ "input": text })), "{client:?}");
    }
}

#[test]
fn what_a_text_cites_is_cited_at_its_place_in_every_format_that_can_say_it() {
    let page = |url: &str| json!({"type": "web_search_result_location", "url": url, "title": "T", "cited_text": "c", "encrypted_index": "e"});
    let text = |text: &str, cited: Value| json!({"type": "text", "text": text, "citations": cited});
    let content = json!([
        text("Grüße. ", Value::Null),
        text("Ruby 4.", json!([page("https://a"), {"type": "char_location", "document_index": 0}])),
        text(" And 5.", json!([page("https://b")])),
    ]);
    let body = json!({"content": content, "stop_reason": "end_turn"}).to_string();
    let reply = read_reply(Format::Messages, body.as_bytes()).unwrap();
    let caller = Caller::default();
    let cited =
        |at: (u32, u32), url: &str| json!({"start_index": at.0, "end_index": at.1, "title": "T", "url": url});
    let whole =
        |client: Format| serde_json::from_str::<Value>(&write_reply(client, &reply, &caller)).unwrap();
    let said: Vec<Value> = whole(Format::Chat)["choices"][0]["message"]["annotations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|annotation| annotation["url_citation"].clone())
        .collect();
    assert_eq!(said, [cited((7, 14), "https://a"), cited((14, 21), "https://b")]);
    let part = &whole(Format::Responses)["output"][0]["content"][1];
    assert_eq!(part["annotations"][0]["url"], "https://a");
    assert_eq!(
        (&part["annotations"][0]["start_index"], &part["annotations"][0]["end_index"]),
        (&json!(0), &json!(7))
    );
    let web = &whole(Format::Gemini)["candidates"][0]["groundingMetadata"]["groundingChunks"];
    assert_eq!(
        *web,
        json!([{"web": {"uri": "https://a", "title": "T"}}, {"web": {"uri": "https://b", "title": "T"}}])
    );
    // Streamed they come back as they went: places are said within the block, or within the whole text.
    for (client, places) in [
        (Format::Chat, [(0, Some((7, 14))), (0, Some((14, 21)))]),
        (Format::Responses, [(1, Some((0, 7))), (2, Some((0, 7)))]),
        (Format::Gemini, [(0, None), (0, None)]),
    ] {
        let stream = write_reply_as_stream(client, &reply, &caller).unwrap();
        let back = read_stream(client, [&*stream]).unwrap().into_reply();
        let back: Vec<_> =
            back.choices[0].citations.iter().map(|(block, cited)| (*block, cited.at)).collect();
        assert_eq!(back, places, "{client:?}");
    }
}

#[test]
fn what_a_vendor_found_unasked_is_cited_once() {
    let chunk = |content: &str, finish: Value| {
        let choice = json!({"index": 0, "delta": {"content": content}, "finish_reason": finish});
        let found = json!([{"url": "https://a", "title": "A"}]);
        format!(
            "data: {}\n\n",
            json!({"id": "x", "choices": [choice], "citations": ["https://a"], "search_results": found})
        )
    };
    let stream = [chunk("Yes", Value::Null), chunk(".", json!("stop"))].concat();
    let reply = read_stream(Format::Chat, [stream.as_bytes()]).unwrap().into_reply();
    let cited: Vec<_> = reply.choices[0]
        .citations
        .iter()
        .map(|(block, cited)| (*block, &*cited.url, &*cited.title))
        .collect();
    assert_eq!(cited, [(0, "https://a", "A")]);
}
