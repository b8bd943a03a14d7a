//! Tools in a namespace and searches that need not be used, as Codex offers them in every call: every provider takes them.

use serde_json::{Value, json};

use super::{caller, corpus, frames, request};
use crate::codec::Target;
use crate::ir::{At, Block, Choice, Delta, Event, Opening, Reply, Stop, StopReason, member_name};
use crate::{Format, translate};

const FLAT: &str = "agents__spawn";

fn offered() -> Value {
    json!({
        "input": [
            {"role": "user", "content": "go"},
            {"type": "function_call", "call_id": "c1", "name": "spawn", "namespace": "agents", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "done"},
            {"type": "function_call", "call_id": "c2", "name": "found", "namespace": "found", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c2", "output": "done"},
        ],
        "tool_choice": {"type": "function", "name": "spawn", "namespace": "agents"},
        "tools": [
            {"type": "namespace", "name": "agents", "description": "Work for others.", "tools": [
                {"type": "function", "name": "spawn", "description": "Starts one.", "parameters": {"type": "object"}},
                {"type": "function", "name": "stop"},
            ]},
            {"type": "function", "name": "spawn", "description": "another"},
        ],
    })
}

fn write(request: &Value, format: Format) -> Result<(Value, Vec<String>), String> {
    let target = Target { format, ..super::target() };
    let read =
        translate::read_request(Format::Responses, &request.to_string()).map_err(|no| no.to_string())?;
    let written = translate::write_request(read, &target).map_err(|no| no.param)?;
    Ok((serde_json::from_slice(&written.body).unwrap(), written.dropped))
}

#[test]
fn a_tool_of_a_namespace_has_one_name_for_a_provider() {
    let (body, dropped) = write(&offered(), Format::Chat).unwrap();
    let tool = |index: usize, member: &str| body["tools"][index]["function"][member].clone();
    assert_eq!([tool(0, "name"), tool(1, "name"), tool(2, "name")], [FLAT, "agents__stop", "spawn"]);
    assert_eq!(tool(0, "description"), "Starts one.\n\nOf all tools in agents: Work for others.");
    assert_eq!(body["tool_choice"]["function"]["name"], FLAT);
    let called = |message: usize| body["messages"][message]["tool_calls"][0]["function"]["name"].clone();
    // A namespace that is not offered and repeats the name is a provider's own word.
    assert_eq!([called(1), called(3)], [FLAT, "found"]);
    assert!(dropped.is_empty());
}

#[test]
fn its_caller_gets_namespace_and_name_back_whole_and_streamed() {
    let caller = caller(request(&offered()));
    let call = |name: &str| Block::ToolUse {
        id: "c3".to_owned(),
        name: name.to_owned(),
        input: "{}".to_owned(),
        signature: None,
        custom: false,
        cache: None,
    };
    let blocks = vec![call(FLAT), call("spawn")];
    let reply = Reply { choices: vec![Choice { blocks, ..Choice::default() }], usage: None };
    let whole: Value =
        serde_json::from_str(&translate::write_reply(Format::Responses, &reply, &caller)).unwrap();
    let said = |item: &Value| (item["namespace"].clone(), item["name"].clone());
    assert_eq!(said(&whole["output"][0]), (json!("agents"), json!("spawn")));
    assert_eq!(said(&whole["output"][1]), (Value::Null, json!("spawn")));
    // What was asked is repeated as it was asked.
    assert_eq!(whole["tools"][1], offered()["tools"][0]);
    assert_eq!(whole["tools"].as_array().unwrap().len(), 2);
    assert_eq!(whole["tool_choice"], offered()["tool_choice"]);

    let at = At { choice: 0, block: 0 };
    let opening =
        Opening::ToolUse { id: "c3".to_owned(), name: FLAT.to_owned(), signature: None, custom: false };
    let stop = Stop { reason: StopReason::ToolUse, ..Stop::default() };
    let events = [
        Event::Start,
        Event::Open(at, opening),
        Event::Delta(at, Delta::Input("{}".to_owned())),
        Event::Close(at),
        Event::Stop(0, stop),
        Event::End,
    ];
    let frames = frames(&caller, &events, None);
    let items: Vec<_> = frames.iter().filter(|(kind, _)| kind.starts_with("response.output_item")).collect();
    assert_eq!(items.len(), 2);
    assert!(items.iter().all(|(_, event)| said(&event["item"]) == (json!("agents"), json!("spawn"))));
}

#[test]
fn the_one_name_fits_everywhere_and_is_no_other_tools() {
    for (namespace, name) in [("n".repeat(90), "é.spawn".to_owned()), ("a.b".to_owned(), "n".repeat(300))] {
        let made = member_name(&namespace, &name);
        assert!(made.len() <= 64 && made.is_ascii() && !made.contains('.'), "{made}");
        assert_eq!(made, member_name(&namespace, &name));
        assert_ne!(made, member_name("another", &name));
    }
    let mut taken = offered();
    taken["tools"][1]["name"] = json!(FLAT);
    assert!(
        write(&taken, Format::Chat).unwrap_err().starts_with("tools[0].tools[0] has the name of another")
    );
    let mut twice = offered();
    twice["tools"][0]["tools"][1]["name"] = json!("spawn");
    assert!(
        write(&twice, Format::Chat).unwrap_err().starts_with("tools[0].tools[1] has the name of another")
    );
}

#[test]
fn a_search_that_need_not_be_used_is_left_out_with_a_note() {
    let own = json!({"type": "function", "name": "f"});
    let group = offered()["tools"][0].clone();
    for kind in ["web_search", "web_search_preview_2025_03_11"] {
        let mut call = json!({"input": "hi", "tools": [group, {"type": kind}, own], "tool_choice": "auto"});
        let (body, dropped) = write(&call, Format::Chat).unwrap();
        assert_eq!((body["tools"].as_array().unwrap().len(), dropped), (3, vec!["tools[1]".to_owned()]));
        // Its own format keeps it.
        let (body, dropped) = write(&call, Format::Responses).unwrap();
        assert_eq!((body["tools"].as_array().unwrap().len(), dropped), (4, Vec::new()));
        call["tool_choice"] = json!("required");
        assert_eq!(write(&call, Format::Chat).unwrap_err(), "tools[1]");
        let alone = json!({"input": "hi", "tools": [{"type": kind}]});
        assert_eq!(write(&alone, Format::Chat).unwrap_err(), "tools[0]");
    }
}

#[test]
fn what_is_refused_is_named_where_its_caller_put_it() {
    let mut call = offered();
    call["tools"].as_array_mut().unwrap().push(json!({"type": "file_search"}));
    assert_eq!(write(&call, Format::Chat).unwrap_err(), "tools[2]");
    call["tools"][0]["tools"][1] = json!({"type": "hologram", "name": "h"});
    assert_eq!(write(&call, Format::Messages).unwrap_err(), "tools[0].tools[1]");
}

#[test]
fn what_codex_asks_every_format_can_say() {
    let call = corpus::client("codex_001");
    for format in [Format::Chat, Format::Messages, Format::Gemini, Format::Converse, Format::Ollama] {
        let (body, dropped) = write(&call, format).unwrap();
        assert!(body.to_string().contains("multi_agent_v1__spawn_agent"), "{format:?}");
        assert!(dropped.contains(&"tools[8]".to_owned()), "{format:?} {dropped:?}");
    }
}
