use super::*;
use crate::ir::{Block, StopReason, Usage};

/// A stream as it would be written for a caller.
fn rewritten(events: &[Event]) -> Bytes {
    let (mut writer, mut out) = (super::super::stream_writer(&caller()).unwrap(), BytesMut::new());
    events.iter().for_each(|event| writer.write(event, &mut out));
    writer.complete(&mut out);
    out.freeze()
}

/// What an answer says, without the names of calls, and without what a caller does not get.
fn said(whole: &Accumulator) -> (Vec<String>, StopReason, Option<Usage>) {
    let choice = &whole.reply().choices[0];
    let mut blocks = Vec::new();
    for block in &choice.blocks {
        blocks.push(match block {
            Block::Text { text, .. } if text.is_empty() => continue,
            Block::Foreign { .. } => continue,
            Block::Text { text, .. } => format!("text {text}"),
            Block::Thinking { text, signature, .. } => format!("thinking {text} {signature:?}"),
            Block::RedactedThinking { data, .. } => format!("redacted {data}"),
            Block::ToolUse { name, input, .. } => {
                format!("call {name} {}", if input.is_empty() { "{}" } else { input })
            }
            Block::ToolResult { .. } | Block::Media { .. } | Block::Refusal { .. } => panic!("{block:?}"),
        });
    }
    (blocks, choice.stop.reason, whole.reply().usage)
}

#[test]
fn bug_10_an_exception_is_a_fault_and_never_an_end() {
    for (message_type, kind) in [
        (MessageType::Exception, "throttlingException"),
        (MessageType::Exception, "modelStreamErrorException"),
        (MessageType::Error, "InternalError"),
    ] {
        let mut bytes = BytesMut::from(
            &stream(&[
                ("messageStart", r#"{"role":"assistant"}"#),
                ("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"text":"a"}}"#),
            ])[..],
        );
        write(message_type, kind, r#"{"message":"no"}"#, &mut bytes);
        for piece in [1, bytes.len()] {
            let (events, fault) = events(&bytes, piece);
            assert_eq!(fault, Some(StreamFault::Upstream { code: kind.to_owned() }));
            assert!(!events.iter().any(|event| matches!(event, Event::Stop(..) | Event::End)));
        }
    }
}

#[test]
fn bug_10_a_broken_checksum_is_garbage() {
    let mut bytes = stream(&[("messageStart", r#"{"role":"assistant"}"#)]).to_vec();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    assert_eq!(events(&bytes, 1), (Vec::new(), Some(StreamFault::Garbage)));
}

#[test]
fn a_stream_may_end_behind_its_stop_but_not_before() {
    let whole = [
        ("messageStart", r#"{"role":"assistant"}"#),
        ("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"text":"a"}}"#),
        ("contentBlockStop", r#"{"contentBlockIndex":0}"#),
        ("messageStop", r#"{"stopReason":"end_turn"}"#),
        ("metadata", r#"{"usage":{"inputTokens":1,"outputTokens":2,"totalTokens":3}}"#),
    ];
    for (len, is_whole) in [(3, false), (4, true), (5, true)] {
        let bytes = stream(&whole[..len]);
        for cut in [0, 3] {
            // A message cut in the middle does not count as come.
            let is_whole = is_whole && !(len == 4 && cut > 0);
            let (events, fault) = events(&bytes[..bytes.len() - cut], 2);
            assert_eq!(fault, None);
            assert_eq!(accumulated(&events).is_whole(), is_whole, "{len} {cut}");
        }
    }
}

#[test]
fn what_is_new_is_passed_over() {
    let bytes = stream(&[
        ("messageStart", r#"{"role":"assistant","p":"abc","new":{"a":[1]}}"#),
        ("somethingNew", r#"{"contentBlockIndex":0}"#),
        ("contentBlockStart", r#"{"contentBlockIndex":0,"start":{"hologram":{"format":"x"}}}"#),
        ("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"hologram":"x"}}"#),
        ("contentBlockStop", r#"{"contentBlockIndex":0}"#),
        ("contentBlockDelta", r#"{"contentBlockIndex":4,"delta":{"text":"a"},"p":"abcd"}"#),
        ("contentBlockDelta", r#"{"contentBlockIndex":4,"delta":{"hologram":"x"}}"#),
        ("contentBlockStop", r#"{"contentBlockIndex":4}"#),
        ("messageStop", r#"{"stopReason":"tired"}"#),
    ]);
    let (events, fault) = events(&bytes, 3);
    assert_eq!(fault, None);
    let whole = accumulated(&events);
    assert_eq!(said(&whole).0, ["text a"]);
    assert_eq!(whole.reply().choices[0].stop.native.as_deref(), Some("tired"));
}

#[test]
fn bug_25_a_call_without_arguments_has_an_empty_object() {
    let bytes = stream(&[
        ("messageStart", r#"{"role":"assistant"}"#),
        (
            "contentBlockStart",
            r#"{"contentBlockIndex":0,"start":{"toolUse":{"toolUseId":"a","name":"now"}}}"#,
        ),
        ("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"toolUse":{"input":""}}}"#),
        ("contentBlockStop", r#"{"contentBlockIndex":0}"#),
        ("messageStop", r#"{"stopReason":"end_turn"}"#),
    ]);
    let read = events(&bytes, 1).0;
    assert_eq!(accumulated(&read).reply().choices[0].stop.reason, StopReason::ToolUse, "bug 11 too");
    let again = rewritten(&read);
    assert!(again.windows(10).any(|window| window == br#"input":"{}"#));
    assert_eq!(said(&accumulated(&events(&again, 1).0)).0, ["call now {}"]);
}

#[test]
fn redacted_thinking_in_pieces_is_joined() {
    let delta = |data: &str| {
        format!(r#"{{"contentBlockIndex":0,"delta":{{"reasoningContent":{{"redactedContent":"{data}"}}}}}}"#)
    };
    let bytes = stream(&[("contentBlockDelta", &delta("YQ==")), ("contentBlockDelta", &delta("Yg=="))]);
    let mut read = events(&bytes, 1).0;
    assert_eq!(read, [Event::Start]);
    read =
        events(&[&bytes[..], &stream(&[("contentBlockStop", r#"{"contentBlockIndex":0}"#)])].concat(), 1).0;
    assert_eq!(said(&accumulated(&read)).0, ["redacted YWI="]);
}

#[test]
fn a_broken_answer_ends_with_an_exception() {
    for (ending, kind) in [
        (crate::Ending::Cut, "modelStreamErrorException"),
        (crate::Ending::UpstreamError, "internalServerException"),
    ] {
        let (mut writer, mut out) = (super::super::stream_writer(&caller()).unwrap(), BytesMut::new());
        writer.write(&Event::Start, &mut out);
        writer.fail(ending, &mut out);
        let frames = frames(&out);
        assert_eq!((frames[1].message_type, &*frames[1].kind), (MessageType::Exception, kind));
    }
    let (mut writer, mut out) = (super::super::stream_writer(&caller()).unwrap(), BytesMut::new());
    writer.fail(crate::Ending::Blocked, &mut out);
    let frames = frames(&out);
    assert_eq!(frames[1].payload(), br#"{"stopReason":"guardrail_intervened"}"#);
}
