use breakwater_common::resource::{Action, Guardrail, GuardrailCheck, Mode, PiiEntity, Policy, Sides};

use super::test_kit::{exchange, stream_rewriter};
use super::*;
use crate::json;
use breakwater_common::guard::{CompiledGuards, Finding};
use std::sync::Arc;

fn guards(pii: Action, secrets: Action) -> Option<Arc<CompiledGuards>> {
    let guardrail = |name: &str, check, action| Guardrail {
        name: name.to_owned(),
        check,
        sides: Sides { input: false, output: true },
        action,
        fail_open: false,
    };
    let guardrails = vec![
        guardrail("pii", GuardrailCheck::Pii(PiiEntity::ALL.to_vec()), pii),
        guardrail("secrets", GuardrailCheck::Secrets, secrets),
    ];
    let policy = Policy { mode: Mode::Enforce, guardrails };
    Some(Arc::new(CompiledGuards::compile(&[("p", &policy)]).unwrap()))
}

fn guarded() -> Option<Arc<CompiledGuards>> {
    guards(Action::Redact, Action::Block)
}

/// One choice's delta as an event.
fn delta(index: u32, delta: &str) -> String {
    event(&format!(r#"[{{"index":{index},"delta":{delta},"logprobs":null,"finish_reason":null}}]"#))
}

fn content(text: &str) -> String {
    delta(0, &format!(r#"{{"content":{}}}"#, json::quote(text)))
}

fn event(choices: &str) -> String {
    format!(
        "data: {{\"id\":\"chatcmpl-0123\",\"object\":\"chat.completion.chunk\",\"created\":7,\"model\":\"gpt-4o-x\",\"choices\":{choices}}}\n\n"
    )
}

fn stop(index: u32) -> String {
    event(&format!(r#"[{{"index":{index},"delta":{{}},"logprobs":null,"finish_reason":"stop"}}]"#))
}

const DONE: &str = "data: [DONE]\n\n";

#[derive(Debug, PartialEq)]
struct Seen {
    text: String,
    ending: Ending,
    findings: Vec<Finding>,
    usage: Option<Usage>,
}

fn play(mut rewriter: AnswerStream, pieces: &[&[u8]]) -> Result<Seen, StreamFault> {
    let mut bytes = Vec::new();
    for piece in pieces {
        let step = rewriter.push(piece)?;
        bytes.extend_from_slice(&step.bytes);
    }
    let end = rewriter.finish();
    bytes.extend_from_slice(&end.bytes);
    let text = String::from_utf8(bytes).unwrap();
    Ok(Seen { text, ending: end.ending, findings: end.findings, usage: end.usage })
}

/// Plays a stream whole, by events, by several sizes and byte by byte: what the caller sees must not differ.
#[track_caller]
fn run(guards: &Option<Arc<CompiledGuards>>, asked: bool, stream: &str) -> Result<Seen, StreamFault> {
    let rewriter = || stream_rewriter("prod-chat", guards.clone(), asked);
    let whole = play(rewriter(), &[stream.as_bytes()]);
    for size in [1, 2, 3, 7, 64, 199] {
        let pieces: Vec<&[u8]> = stream.as_bytes().chunks(size).collect();
        assert_eq!(play(rewriter(), &pieces), whole, "{size} bytes at a time");
    }
    let events: Vec<&[u8]> = stream.split_inclusive("\n\n").map(str::as_bytes).collect();
    assert_eq!(play(rewriter(), &events), whole, "event by event");
    whole
}

fn aliased(stream: &str) -> String {
    stream.replace("gpt-4o-x", "prod-chat")
}

/// The contents of one choice, joined.
fn read(text: &str, choice: u64) -> String {
    let mut read = String::new();
    for data in text.split("\n\n").filter_map(|event| event.strip_prefix("data: ")) {
        let Ok(value) = serde_json::from_str::<serde_json::Value>(data) else { continue };
        for one in value["choices"].as_array().into_iter().flatten().filter(|one| one["index"] == choice) {
            read.push_str(one["delta"]["content"].as_str().unwrap_or_default());
        }
    }
    read
}

#[test]
fn a_clean_stream_passes_byte_for_byte_but_for_the_model() {
    let stream = [
        ": ping\n\n".to_owned(),
        event(r#"[],"prompt_filter_results":[{"prompt_index":0}]"#),
        delta(0, r#"{"role":"assistant","content":"","refusal":null}"#),
        content("Hello"),
        content(" wor\u{e9}"),
        content("ld 2024. \u{1f600}"),
        content(" a@"),
        delta(0, r#"{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"f","arguments":""}}]}"#),
        delta(0, r#"{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":"}}]}"#),
        delta(0, r#"{"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]}"#),
        stop(0),
        DONE.to_owned(),
    ]
    .concat();
    let expected =
        |stream: &str| aliased(stream).replace(r#","prompt_filter_results":[{"prompt_index":0}]"#, "");
    for guards in [None, guarded()] {
        let seen = run(&guards, false, &stream).unwrap();
        assert_eq!(seen.text, expected(&stream));
        assert_eq!(seen.ending, Ending::Completed);
    }
    let crlf = stream.replace('\n', "\r\n");
    assert_eq!(run(&guarded(), false, &crlf).unwrap().text, expected(&crlf));
}

#[test]
fn what_spreads_over_events_is_masked() {
    let stream = [
        content("mail jo"),
        content("hn@ex"),
        content("ample."),
        content("com, ok"),
        stop(0),
        DONE.to_owned(),
    ]
    .concat();
    let seen = run(&guarded(), false, &stream).unwrap();
    assert_eq!(read(&seen.text, 0), "mail [EMAIL], ok");
    assert_eq!((seen.ending, seen.findings.len()), (Ending::Completed, 1));
    assert!(seen.text.ends_with(DONE));
}

#[test]
fn choices_are_judged_each_for_itself() {
    let say = |index, text: &str| delta(index, &format!(r#"{{"content":{}}}"#, json::quote(text)));
    let stream = [
        say(0, "a"),
        say(1, "x 41111111"),
        say(0, "@b.com "),
        say(1, "11111111 y"),
        stop(0),
        stop(1),
        DONE.to_owned(),
    ]
    .concat();
    let seen = run(&guarded(), false, &stream).unwrap();
    assert_eq!(
        (read(&seen.text, 0).as_str(), read(&seen.text, 1).as_str()),
        ("[EMAIL] ", "x [CREDIT_CARD] y")
    );
}

#[test]
fn a_block_ends_every_open_choice() {
    let stream = [
        delta(1, r#"{"content":"done"}"#),
        stop(1),
        content("the key is AK"),
        content("IAIOSFODNN7EXAMPLE. more"),
        content(" text"),
        DONE.to_owned(),
    ]
    .concat();
    let seen = run(&guarded(), false, &stream).unwrap();
    assert_eq!(seen.ending, Ending::Blocked);
    assert_eq!(read(&seen.text, 0), "the key is ");
    assert!(!seen.text.contains("AK"), "{}", seen.text);
    assert_eq!(seen.text.matches("content_filter").count(), 1);
    assert!(seen.text.contains(
        r#""id":"chatcmpl-0123","object":"chat.completion.chunk","created":7,"model":"prod-chat""#
    ));
    assert!(seen.text.ends_with(DONE));
}

#[test]
fn arguments_of_tools_are_judged_whole() {
    let call = |arguments: &str| {
        delta(
            0,
            &format!(
                r#"{{"tool_calls":[{{"index":0,"function":{{"arguments":{}}}}}]}}"#,
                json::quote(arguments)
            ),
        )
    };
    let stream = [call(r#"{"to":"a@"#), call(r#"b.com","n":1}"#), stop(0), DONE.to_owned()].concat();
    let seen = run(&guarded(), false, &stream).unwrap();
    assert!(seen.text.contains(r#""arguments":"{\"to\":\"[EMAIL]\",\"n\":1}""#), "{}", seen.text);
    assert!(!seen.text.contains("a@"));
    let stream = [call(r#"{"k":"AKIAIOSFOD"#), call(r#"NN7EXAMPLE"}"#), stop(0), DONE.to_owned()].concat();
    let seen = run(&guarded(), false, &stream).unwrap();
    assert_eq!((seen.ending, seen.text.matches("arguments").count()), (Ending::Blocked, 0));
}

#[test]
fn usage_is_hidden_from_who_did_not_ask() {
    let usage = event("[]").replace(
        "\"choices\":[]",
        r#""choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}"#,
    );
    let null = |event: &str| event.replace("}\n\n", ",\"usage\":null}\n\n");
    let answer = [content("hi "), stop(0)].concat();
    let stream = [null(&content("hi ")), null(&stop(0)), usage, DONE.to_owned()].concat();
    let hidden = run(&None, false, &stream).unwrap();
    assert_eq!(hidden.text, aliased(&format!("{answer}{DONE}")));
    assert_eq!(hidden.usage.unwrap().total(), 7);
    assert_eq!(run(&guarded(), true, &stream).unwrap().text, aliased(&stream));
}

#[test]
fn a_stream_without_its_end_marker_gets_one() {
    let stream = [content("hi"), stop(0)].concat();
    let seen = run(&guarded(), false, &stream).unwrap();
    assert_eq!((seen.text, seen.ending), (aliased(&format!("{stream}{DONE}")), Ending::Completed));
    let open = stream.trim_end();
    assert_eq!(run(&None, false, open).unwrap().text, aliased(&format!("{stream}{DONE}")));
}

#[test]
fn a_cut_ends_with_an_error_and_no_marker() {
    let seen = run(&guarded(), false, &[content("it is hal"), content("f a@b.c")].concat()).unwrap();
    assert_eq!(seen.ending, Ending::Cut);
    assert_eq!(read(&seen.text, 0), "it is half a@b.c");
    assert!(seen.text.contains("upstream_cut") && !seen.text.contains("[DONE]"));
}

#[test]
fn an_error_before_the_first_content_is_a_fault() {
    let role = delta(0, r#"{"role":"assistant","content":""}"#);
    let error = "data: {\"error\":{\"message\":\"Acme is full\",\"type\":\"server_error\",\"code\":\"overloaded\"}}\n\n";
    let fault = run(&guarded(), false, &format!("{role}{error}")).unwrap_err();
    assert_eq!(fault, StreamFault::Upstream { code: "overloaded".to_owned() });
    assert_eq!(run(&None, false, "data: nonsense\n\n").unwrap_err(), StreamFault::Garbage);
    assert_eq!(run(&None, false, "data: {\"x\":1}\n\n").unwrap_err(), StreamFault::Garbage);
    assert_eq!(run(&None, false, DONE).unwrap_err(), StreamFault::Empty);
    let late = run(&None, false, &format!("{}{error}{}", content("hi"), content("more"))).unwrap();
    assert_eq!(late.ending, Ending::UpstreamError);
    assert!(
        late.text.contains("upstream_error") && !late.text.contains("Acme") && !late.text.contains("more")
    );
}

#[test]
fn an_answer_that_is_empty_is_a_fault_in_every_format() {
    for client in [Format::Chat, Format::Messages, Format::Responses, Format::Gemini, Format::Converse] {
        for guards in [None, guarded()] {
            let crossing = Exchange { client, ..exchange("m", guards, false) };
            let fault = crossing.stream().unwrap().push(DONE.as_bytes()).unwrap_err();
            assert_eq!(fault, StreamFault::Empty, "{client:?}");
        }
    }
}

#[test]
fn the_first_content_is_said_once() {
    let mut rewriter = stream_rewriter("m", guarded(), false);
    let mut first = |event: &str| rewriter.push(event.as_bytes()).unwrap().first_content;
    assert!(!first(&delta(0, r#"{"role":"assistant","content":""}"#)));
    assert!(!first(&content("Hello")), "the open word is held");
    assert!(first(&content(" world")));
    assert!(!first(&content(" again")));
}

#[test]
fn a_guarded_word_leaves_one_event_late() {
    let mut rewriter = stream_rewriter("m", guarded(), false);
    let mut push = |text: &str| {
        String::from_utf8(rewriter.push(content(text).as_bytes()).unwrap().bytes.to_vec()).unwrap()
    };
    assert_eq!(push("One"), "");
    assert_eq!(read(&push(" two"), 0), "One");
    assert_eq!(read(&push(" three, "), 0), " two three, ");
}

#[test]
fn vendors_and_repeated_answers_are_taken_out() {
    let stream = content("x ")
        .replace("\"created\":7", "\"created\":7,\"provider\":\"Acme\",\"x_groq\":{\"id\":\"r\"}");
    let seen = run(&None, false, &[&*stream, &stop(0), DONE].concat()).unwrap();
    assert_eq!(seen.text, aliased(&[content("x "), stop(0), DONE.to_owned()].concat()));
    let repeated = event(
        r#"[{"index":0,"message":{"content":"so far a@b.com"},"delta":{"content":"x "},"finish_reason":null}]"#,
    );
    let seen = run(&guarded(), false, &[&*repeated, &stop(0), DONE].concat()).unwrap();
    assert!(!seen.text.contains("so far") && read(&seen.text, 0) == "x ");
}

#[test]
fn a_masked_event_loses_its_logprobs() {
    let chunk = event(
        r#"[{"index":0,"delta":{"content":"a@b.com "},"logprobs":{"content":[{"token":"a@b.com"}]},"finish_reason":null}]"#,
    );
    let seen = run(&guarded(), false, &[&*chunk, &stop(0), DONE].concat()).unwrap();
    assert!(!seen.text.contains("a@b.com"), "{}", seen.text);
}

#[test]
fn a_chunk_of_moderation_names_no_model() {
    let stream = content("hi").replace(
        r#""choices""#,
        r#""moderation":{"input":{"model":"omni-moderation","results":[]},"output":{"model":"omni-moderation"}},"choices""#,
    );
    let mut rewriter = stream_rewriter("m", None, false);
    let bytes = rewriter.push(stream.as_bytes()).unwrap().bytes;
    let expect = stream.replace("omni-moderation", "m").replace("gpt-4o-x", "m");
    assert_eq!(bytes, expect);
}
