//! Legacy completions of a provider that has none: an answer has the members of OpenAI's own, and a stream its chunks.

use std::sync::Arc;

use breakwater_dialect::codec::Caller;
use breakwater_dialect::ir::{Block, Choice, Reply, Stop, StopReason, Usage};
use breakwater_dialect::translate::Crossing;
use breakwater_dialect::{Ending, Format, translate};
use bytes::BytesMut;
use serde_json::Value;

use crate::recordings;

#[test]
fn a_written_answer_has_the_shape_of_a_recorded_one() {
    let mut count = 0;
    for recording in recordings("completions") {
        let answer = &recording["response"]["body"];
        if answer["object"] != "text_completion" {
            continue;
        }
        let request =
            translate::read_request(Format::Completions, &recording["request"]["body"].to_string()).unwrap();
        assert_eq!(request.max_tokens, recording["request"]["body"]["max_tokens"].as_u64());
        let said = &answer["choices"][0];
        let reason = if said["finish_reason"] == "length" { StopReason::Length } else { StopReason::End };
        let reply = Reply {
            choices: vec![Choice {
                blocks: vec![Block::text(said["text"].as_str().unwrap())],
                stop: Stop { reason, ..Stop::default() },
                logprobs: None,
                citations: Vec::new(),
            }],
            usage: Some(Usage {
                input: answer["usage"]["prompt_tokens"].as_u64().unwrap(),
                output: answer["usage"]["completion_tokens"].as_u64().unwrap(),
                ..Usage::default()
            }),
        };
        let caller = Caller {
            reveal_provider: false,
            alias: answer["model"].as_str().unwrap().into(),
            id: answer["id"].as_str().unwrap().trim_start_matches("cmpl-").into(),
            created: answer["created"].as_u64().unwrap(),
            include_usage: false,
            gemini_array: false,
            request: Arc::new(request),
        };
        let written: Value =
            serde_json::from_str(&translate::write_reply(Format::Completions, &reply, &caller)).unwrap();
        assert_eq!(&written, answer);
        count += 1;
    }
    println!("{count} answers");
    assert_eq!(count, 2);
}

fn caller(include_usage: bool) -> Caller {
    Caller {
        reveal_provider: false,
        alias: "old".into(),
        id: "7".into(),
        created: 9,
        include_usage,
        gemini_array: false,
        request: Arc::default(),
    }
}

const STREAM: &str = concat!(
    r#"{"message":{"role":"assistant","thinking":"hm"},"done":false}"#,
    "\n",
    r#"{"message":{"role":"assistant","content":"Hi"},"done":false}"#,
    "\n",
    r#"{"message":{"role":"assistant","content":" you"},"done":false}"#,
    "\n",
    r#"{"message":{"role":"assistant","content":""},"done":true,"done_reason":"length","prompt_eval_count":1,"eval_count":2}"#,
    "\n",
);

fn crossed(stream: &str, include_usage: bool, pieces: usize) -> (String, Option<Ending>) {
    let mut crossing = Crossing::new(Format::Ollama, Format::Completions, &caller(include_usage)).unwrap();
    let mut out = BytesMut::new();
    for piece in stream.as_bytes().chunks(pieces) {
        crossing.push(piece, &mut out).unwrap();
    }
    crossing.finish(&mut out);
    (String::from_utf8(out.to_vec()).unwrap(), crossing.over())
}

#[test]
fn a_stream_is_chunks_of_text_and_a_marker() {
    let chunk = |text: &str, reason: &str, usage: &str| {
        format!(
            "data: {{\"id\":\"cmpl-7\",\"object\":\"text_completion\",\"created\":9,\"model\":\"old\",\"choices\":[{{\"text\":\"{text}\",\"index\":0,\"logprobs\":null,\"finish_reason\":{reason}}}]{usage}}}\n\n"
        )
    };
    let plain = [
        chunk("Hi", "null", ""),
        chunk(" you", "null", ""),
        chunk("", "\"length\"", ""),
        "data: [DONE]\n\n".into(),
    ];
    for pieces in [1, 5, usize::MAX] {
        assert_eq!(crossed(STREAM, false, pieces), (plain.concat(), Some(Ending::Completed)));
    }
    let null = ",\"usage\":null";
    let last = "data: {\"id\":\"cmpl-7\",\"object\":\"text_completion\",\"created\":9,\"model\":\"old\",\"choices\":[],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2,\"total_tokens\":3}}\n\n";
    let asked = [
        chunk("Hi", "null", null),
        chunk(" you", "null", null),
        chunk("", "\"length\"", null),
        last.into(),
        "data: [DONE]\n\n".into(),
    ];
    assert_eq!(crossed(STREAM, true, 64).0, asked.concat());
}

#[test]
fn a_stream_that_breaks_off_says_so() {
    let cut = STREAM.lines().take(2).map(|line| format!("{line}\n")).collect::<String>();
    let (written, over) = crossed(&cut, true, 7);
    assert_eq!(over, Some(Ending::Cut));
    assert!(written.contains("\"code\":\"upstream_cut\"") && !written.contains("[DONE]"));
    let failed = format!("{cut}{{\"error\":\"boom\"}}\n");
    let (written, over) = crossed(&failed, false, 7);
    assert_eq!(over, Some(Ending::UpstreamError));
    assert!(written.contains("\"code\":\"upstream_error\"") && !written.contains("boom"));
}
