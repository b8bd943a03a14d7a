//! The short way writes what the long way writes, over every recorded stream and over frames that merely look alike.

use std::path::PathBuf;

use bytes::BytesMut;
use serde_json::Value;

use crate::codec::Caller;
use crate::pass::{Passing, StreamRewriter};

fn format(endpoint: &str) -> Option<&'static dyn Passing> {
    Some(match endpoint {
        "chat.completions" => &crate::chat::Chat,
        "messages" => &crate::messages::Messages,
        "responses" => &crate::responses::Responses,
        "generateContent" | "streamGenerateContent" => &crate::gemini::Gemini,
        _ => return None,
    })
}

fn caller(include_usage: bool) -> Caller {
    Caller { alias: "prod".to_owned(), id: "7".to_owned(), include_usage, ..Caller::default() }
}

/// What the caller gets at some size of pieces, with how it ended, and how many bytes went the short way.
fn play(mut rewriter: StreamRewriter, stream: &[u8], size: usize) -> String {
    let mut out = BytesMut::new();
    for piece in stream.chunks(size) {
        match rewriter.push(piece) {
            Ok(step) => out.extend_from_slice(&step.bytes),
            Err(fault) => return format!("{fault:?}"),
        }
    }
    let end = rewriter.finish();
    out.extend_from_slice(&end.bytes);
    format!("{:?} {:?} {}", end.ending, end.usage, String::from_utf8_lossy(&out))
}

#[track_caller]
fn same(format: &dyn Passing, include_usage: bool, stream: &[u8], what: &str) {
    let rewriter = || StreamRewriter::new(format, &caller(include_usage), None);
    let long = play(rewriter().reading_all(), stream, usize::MAX);
    for size in [usize::MAX, 4096, 301, 17] {
        let short = play(rewriter(), stream, size);
        assert!(short == long, "{what} in pieces of {size}:\n{short}\n{long}");
    }
}

fn streams() -> Vec<(&'static dyn Passing, String, String)> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");
    let shared = option_env!("BREAKWATER_SHARED").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    #[allow(clippy::disallowed_methods, reason = "a test reads the corpus")]
    let packed = std::fs::read(shared.join("corpus/recordings.jsonl.zst")).unwrap();
    let plain = String::from_utf8(zstd::decode_all(packed.as_slice()).unwrap()).unwrap();
    let lines = plain.lines().filter(|line| line.contains(r#""stream":"sse""#));
    let recorded = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
    recorded
        .filter_map(|line| {
            let format = format(line["endpoint"].as_str()?)?;
            let file = line["file"].as_str()?.to_owned();
            Some((format, file, line["response"]["body"].as_str()?.to_owned()))
        })
        .collect()
}

#[test]
fn every_recorded_stream_is_the_same_both_ways() {
    let streams = streams();
    for (format, file, body) in &streams {
        for include_usage in [true, false] {
            same(*format, include_usage, body.as_bytes(), file);
        }
    }
    assert!(streams.len() > 900);
}

/// One byte of a stream is another: the short way must not overlook what the long way sees.
#[test]
fn a_stream_with_a_wrong_byte_is_the_same_both_ways() {
    let mut state = 7_u64;
    let mut chance = |bound: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % bound.max(1)
    };
    let mut count = 0;
    for (format, file, body) in streams().iter().filter(|(.., body)| (2000..20_000).contains(&body.len())) {
        for _ in 0..6 {
            let mut bytes = body.clone().into_bytes();
            let at = chance(bytes.len());
            bytes[at] = b"\"\\{}[],:\n\r x0\x01\xffnu"[chance(17)];
            let rewriter = || StreamRewriter::new(*format, &caller(false), None);
            let long = play(rewriter().reading_all(), &bytes, usize::MAX);
            assert_eq!(play(rewriter(), &bytes, usize::MAX), long, "{file} at {at}");
            count += 1;
        }
    }
    assert!(count > 1000);
}

#[test]
fn most_of_a_long_stream_goes_the_short_way() {
    let frame = |text: &str| {
        format!(
            "data: {{\"id\":\"chatcmpl-1\",\"model\":\"m\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}},\"finish_reason\":null}}],\"usage\":null}}\n\n"
        )
    };
    let stream: String = ["Hi", " \\\"you\\u00e9", "", " é", "!"].map(frame).concat();
    let mut rewriter = StreamRewriter::new(&crate::chat::Chat, &caller(false), None);
    let first = rewriter.push(frame("One").as_bytes()).unwrap().bytes;
    let mut moulds = rewriter.take_moulds();
    let mut reader = crate::chat::Chat.events(&caller(false), false);
    let mut out = BytesMut::new();
    let passed = moulds.pass(stream.as_bytes(), reader.as_mut(), &mut out);
    assert_eq!(passed, stream.len());
    let one = String::from_utf8(first.to_vec()).unwrap();
    assert_eq!(out, ["Hi", " \\\"you\\u00e9", "", " é", "!"].map(|text| one.replace("One", text)).concat());
    for odd in ["a\\x", "a\u{1}", "a\\u12", "a\"", "a\nb"] {
        assert_eq!(moulds.pass(frame(odd).as_bytes(), reader.as_mut(), &mut out), 0, "{odd}");
    }
}
