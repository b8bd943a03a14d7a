use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::ir::{Block, Choice, Role, Stop, StopReason, Usage};

fn caller() -> Caller {
    Caller {
        reveal_provider: false,
        alias: "old".into(),
        id: "7".into(),
        created: 9,
        include_usage: false,
        gemini_array: false,
        request: Arc::new(Request::default()),
    }
}

fn param(body: &Value) -> String {
    read_request(&body.to_string()).unwrap_err().param
}

#[test]
fn one_prompt_is_what_a_user_says() {
    for prompt in [json!("Once"), json!(["Once"])] {
        let body = json!({
            "model": "m", "prompt": prompt, "max_tokens": 5, "temperature": 0.5, "top_p": 1, "seed": -1, "n": 2, "stop": "\n",
            "frequency_penalty": 0.1, "presence_penalty": 0, "user": "u", "stream": true,
            "stream_options": {"include_usage": true}, "suffix": "", "echo": false, "best_of": 1, "logprobs": null,
            "logit_bias": {}, "custom": {"a": [1]},
        });
        let read = read_request(&body.to_string()).unwrap();
        assert_eq!(read.turns.len(), 1);
        assert_eq!(read.turns[0].role, Role::User);
        assert!(matches!(&read.turns[0].blocks[..], [Block::Text { text, .. }] if text == "Once"));
        assert_eq!(
            (read.max_tokens, read.seed, read.choices, read.stream),
            (Some(5), Some(-1), Some(2), true)
        );
        assert_eq!(read.temperature.unwrap().to_string(), "0.5");
        assert_eq!((read.stop, read.user.as_deref()), (vec!["\n".to_owned()], Some("u")));
        assert_eq!(read.rest.len(), 1);
        assert_eq!((read.rest[0].0.as_str(), read.rest[0].1.get()), ("custom", r#"{"a":[1]}"#));
    }
}

#[test]
fn what_only_a_completing_model_has_is_refused_by_its_name() {
    for (member, value) in [
        ("prompt", json!(["a", "b"])),
        ("prompt", json!([1, 2])),
        ("prompt", json!([[1, 2]])),
        ("prompt", json!("")),
        ("prompt", json!([])),
        ("prompt", json!(null)),
        ("suffix", json!("end")),
        ("echo", json!(true)),
        ("logprobs", json!(0)),
        ("best_of", json!(2)),
        ("max_tokens", json!("5")),
        ("stream", json!("yes")),
        ("stop", json!([1])),
        ("n", json!(-1)),
    ] {
        let mut body = json!({"model": "m", "prompt": "a"});
        body[member] = value;
        assert_eq!(param(&body), member, "{body}");
    }
    assert_eq!(read_request(r#"{"prompt":"a","prompt":"b"}"#).unwrap_err().param, "prompt");
}

#[test]
fn an_answer_is_its_text() {
    let thinking = Block::Thinking { text: "hm".into(), signature: None, signed_by: None, id: String::new() };
    let stop = Stop { reason: StopReason::ContextWindow, ..Stop::default() };
    let reply = Reply {
        choices: vec![
            Choice {
                blocks: vec![thinking, Block::text("Hi \"you\""), Block::text("!")],
                ..Choice::default()
            },
            Choice { blocks: vec![], stop, ..Choice::default() },
        ],
        usage: Some(Usage { input: 3, cache_read: 2, output: 4, reasoning: 1, ..Usage::default() }),
    };
    assert_eq!(
        write_reply(&reply, &caller()),
        concat!(
            r#"{"id":"cmpl-7","object":"text_completion","created":9,"model":"old","choices":["#,
            r#"{"text":"Hi \"you\"!","index":0,"logprobs":null,"finish_reason":"stop"},"#,
            r#"{"text":"","index":1,"logprobs":null,"finish_reason":"length"}],"#,
            r#""usage":{"prompt_tokens":5,"completion_tokens":4,"total_tokens":9,"prompt_tokens_details":{"cached_tokens":2},"#,
            r#""completion_tokens_details":{"reasoning_tokens":1}}}"#
        )
    );
}
