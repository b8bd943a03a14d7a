//! The short way reads what the long way reads, over every recorded stream and over streams with a wrong byte.

use super::super::corpus;
use super::*;
use crate::ir::Delta;

/// What is read at some size of pieces.
fn read(mut reader: Reader, stream: &[u8], size: usize, each: impl Fn(&mut Reader)) -> String {
    let mut events = Vec::new();
    for piece in stream.chunks(size) {
        if let Err(fault) = reader.push(piece, &mut events) {
            return format!("{fault:?} {events:?}");
        }
        each(&mut reader);
    }
    let end = reader.finish(&mut events);
    format!("{end:?} {events:?}")
}

fn short(stream: &[u8], size: usize) -> String {
    read(Reader::default(), stream, size, |_| ())
}

/// A byte brings one chunk at most, and what could be like it is forgotten before the next.
fn long(stream: &[u8]) -> String {
    read(Reader::default(), stream, 1, |reader| reader.alike = Alike::default())
}

fn streams() -> Vec<(String, Vec<u8>)> {
    let recorded = corpus::recordings().into_iter().filter(|call| call.stream.is_some());
    recorded.map(|call| (call.id.clone(), call.text().as_bytes().to_vec())).collect()
}

#[test]
fn every_recorded_stream_is_read_the_same_both_ways() {
    let streams = streams();
    for (id, stream) in &streams {
        let long = long(stream);
        for size in [usize::MAX, 4096, 301, 17] {
            assert!(short(stream, size) == long, "{id} in pieces of {size}:\n{long}");
        }
    }
    assert!(streams.len() > 100, "{}", streams.len());
}

/// One byte of a stream is another: the short way must not overlook what the long way sees.
#[test]
fn a_stream_with_a_wrong_byte_is_read_the_same_both_ways() {
    let mut state = 7_u64;
    let mut chance = |bound: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % bound.max(1)
    };
    let mut count = 0;
    for (id, stream) in streams().iter().filter(|(_, stream)| (2000..20_000).contains(&stream.len())) {
        for _ in 0..6 {
            let mut bytes = stream.clone();
            let at = chance(bytes.len());
            bytes[at] = b"\"\\{}[],:\n\r x0\x01\xffnu"[chance(17)];
            assert_eq!(short(&bytes, usize::MAX), long(&bytes), "{id} at {at}");
            count += 1;
        }
    }
    assert!(count > 200, "{count}");
}

#[test]
fn pieces_of_a_text_of_thinking_and_of_arguments_go_the_short_way() {
    let chunk = |delta: &str, padding: &str| {
        format!(
            "data: {{\"id\":\"c\",\"choices\":[{{\"index\":0,\"delta\":{{{delta}}},\"finish_reason\":null}}],\"p\":\"{padding}\"}}\n\n"
        )
    };
    let call = r#""tool_calls":[{"index":0,"id":"i","function":{"name":"f","arguments":""}}]"#;
    for (opening, delta) in [
        ("", r#""content":"@""#),
        ("", r#""content":"","reasoning_content":"@""#),
        (call, r#""content":null,"tool_calls":[{"index":0,"function":{"arguments":"@"}}]"#),
    ] {
        let mut reader = Reader::default();
        let mut events = Vec::new();
        for delta in [opening, &delta.replace('@', "one")] {
            reader.push(chunk(delta, "ab").as_bytes(), &mut events).unwrap();
        }
        for (source, text) in [("two", "two"), ("", ""), ("\\u00e9\\n{é", "é\n{é")] {
            let bytes = chunk(&delta.replace('@', source), "abcdefghi");
            let mut events = Vec::new();
            assert!(reader.read_alike(bytes.as_bytes(), &mut events).is_empty(), "{delta} {source}");
            let said: String = events
                .iter()
                .map(|event| {
                    let Event::Delta(_, Delta::Text(text) | Delta::Input(text)) = event else {
                        panic!("{delta} {event:?}")
                    };
                    text.as_str()
                })
                .collect();
            assert_eq!(said, text, "{delta}");
        }
        for odd in ["a\\x", "a\u{1}", "a\\u12", "a\"", "a\nb"] {
            let bytes = chunk(&delta.replace('@', odd), "");
            assert!(!reader.read_alike(bytes.as_bytes(), &mut Vec::new()).is_empty(), "{delta} {odd}");
        }
    }
}
