//! Thinking in requests: what goes back, and how it is asked for.

use serde_json::{Value, json};

use super::{NEW, OLD, ask, call, dropped, hello, result, said, thought, turn, write};
use crate::Format;
use crate::ir::{Block, Effort, Reasoning, Request, Role, Tool, ToolChoice, ToolKind};

#[test]
fn bug_4_thinking_goes_back_in_order_and_only_to_who_signed() {
    let own = Some(Format::Messages);
    let sealed = |data: &str, signed_by| Block::RedactedThinking { data: data.to_owned(), signed_by };
    let body = write(
        &ask(vec![
            said(Role::User, "hi"),
            turn(
                Role::Assistant,
                vec![
                    thought("one", Some("sig+/1="), own),
                    sealed("x", own),
                    sealed("y", own),
                    thought("", Some("sig2"), own),
                    thought("foreign", Some("z"), Some(Format::Gemini)),
                    thought("unsigned", None, None),
                    sealed("w", Some(Format::Converse)),
                    Block::text("done"),
                    thought("three", Some("sig3"), own),
                    call("a", "{}"),
                ],
            ),
            turn(Role::User, vec![result("a", "1")]),
        ]),
        NEW,
    );
    let expected = json!([
        {"type": "thinking", "thinking": "one", "signature": "sig+/1="},
        {"type": "redacted_thinking", "data": "x"},
        {"type": "redacted_thinking", "data": "y"},
        {"type": "thinking", "thinking": "", "signature": "sig2"},
        {"type": "text", "text": "done"},
        {"type": "thinking", "thinking": "three", "signature": "sig3"},
        {"type": "tool_use", "id": "a", "name": "look", "input": {}},
    ]);
    assert_eq!(body["messages"][1]["content"], expected);
}

#[test]
fn thinking_is_said_as_the_family_takes_it() {
    let effort = |effort| Reasoning { effort: Some(effort), ..Reasoning::default() };
    let budget =
        |tokens| Reasoning { budget_tokens: Some(tokens), enabled: Some(true), ..Reasoning::default() };
    let off = Reasoning { enabled: Some(false), ..Reasoning::default() };
    let enabled = |tokens: u64| json!({"type": "enabled", "budget_tokens": tokens});
    let adaptive = json!({"type": "adaptive"});
    let disabled = json!({"type": "disabled"});
    for (model, reasoning, max_tokens, thinking, said) in [
        (NEW, effort(Effort::XHigh), None, adaptive.clone(), json!({"effort": "high"})),
        (NEW, effort(Effort::Max), None, adaptive.clone(), json!({"effort": "max"})),
        (NEW, effort(Effort::Minimal), None, disabled.clone(), Value::Null),
        (NEW, budget(4_000), None, adaptive, json!({"effort": "medium"})),
        (NEW, off.clone(), None, disabled.clone(), Value::Null),
        (OLD, effort(Effort::None), None, disabled, Value::Null),
        (OLD, effort(Effort::Medium), None, enabled(8_192), Value::Null),
        (OLD, effort(Effort::High), Some(4_096), enabled(3_072), Value::Null),
        (OLD, budget(100), None, enabled(1_024), Value::Null),
        (OLD, budget(5_000), Some(1_500), enabled(1_024), Value::Null),
        (OLD, budget(5_000), Some(1_024), Value::Null, Value::Null),
        ("claude-opus-4-5", effort(Effort::Max), None, enabled(62_976), json!({"effort": "high"})),
        ("claude-3-5-haiku-20241022", effort(Effort::High), None, Value::Null, Value::Null),
        ("claude-fable-5", off, None, Value::Null, json!({"effort": "low"})),
    ] {
        let request = Request { reasoning: Some(reasoning.clone()), max_tokens, ..hello() };
        let body = write(&request, model);
        assert_eq!(body["thinking"], thinking, "{model} {reasoning:?}");
        assert_eq!(body["output_config"], said, "{model} {reasoning:?}");
    }
}

#[test]
fn a_budget_of_thinking_yields_to_forced_tools_and_to_loops_begun_without_it() {
    let tools = vec![Tool {
        name: "look".to_owned(),
        description: String::new(),
        kind: ToolKind::Function { schema: None, strict: None },
        cache: None,
    }];
    let reasoning = Some(Reasoning { effort: Some(Effort::High), ..Reasoning::default() });
    let forced = Request { tools, reasoning, tool_choice: Some(ToolChoice::Required), ..hello() };
    assert_eq!(write(&forced, OLD).get("thinking"), None);
    assert_eq!(dropped(&forced, OLD), ["reasoning_effort"]);
    assert_eq!(write(&forced, NEW)["thinking"], json!({"type": "adaptive"}));
    let looped = |thought: Option<Block>| {
        let blocks = thought.into_iter().chain([call("a", "{}")]).collect();
        let turns = vec![
            said(Role::User, "hi"),
            turn(Role::Assistant, blocks),
            turn(Role::User, vec![result("a", "1")]),
        ];
        write(&Request { tool_choice: None, turns, ..forced.clone() }, OLD)
    };
    assert_eq!(looped(None).get("thinking"), None);
    assert_eq!(looped(Some(thought("", Some("s"), Some(Format::Messages))))["thinking"]["type"], "enabled");
}
