//! A whole answer, and the parts that it shares with the last line of a stream.

use crate::codec::Garbage;
use crate::ir::{Block, Choice, Reply, Stop, StopReason, ToolIdShape, Usage, digest_id};
use crate::json::Place;

/// Reads a whole answer: one message and the counts.
pub(crate) fn read_reply(body: &str) -> Result<Reply, Garbage> {
    let root = Place::root(body);
    let message = root.get("message").filter(Place::is_object).ok_or(Garbage)?;
    // A line of a stream that was asked for whole is not an answer.
    if root.get("done").and_then(|done| done.as_bool()) == Some(false) {
        return Err(Garbage);
    }
    let mut blocks = Vec::new();
    if let Some(text) = text(message, "thinking") {
        blocks.push(Block::Thinking { text, signature: None, signed_by: None, id: String::new() });
    }
    if let Some(text) = text(message, "content") {
        blocks.push(Block::text(text));
    }
    let mut called = false;
    for (index, call) in (0..).zip(calls(message)) {
        let Call { id, name, input } = Call::read(root, call, index);
        blocks.push(Block::ToolUse { id, name, input, signature: None, custom: false, cache: None });
        called = true;
    }
    let logprobs = root.get("logprobs").and_then(logprobs);
    let choice = Choice { blocks, stop: stop(root, called), logprobs, ..Choice::default() };
    Ok(Reply { choices: vec![choice], usage: usage(root) })
}

/// Returns a text of a message that is not empty.
pub(super) fn text(message: Place<'_>, key: &str) -> Option<String> {
    let text = message.get(key)?.as_str()?;
    (!text.is_empty()).then(|| text.into_owned())
}

/// Returns the tool calls of a message.
pub(super) fn calls<'a>(message: Place<'a>) -> impl Iterator<Item = Place<'a>> + use<'a> {
    message.get("tool_calls").into_iter().flat_map(|calls| calls.elements())
}

/// A tool call. Ollama gives it whole, also in a stream.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) id: String,
    pub(super) name: String,
    /// JSON in source.
    pub(super) input: String,
}

impl Call {
    /// Reads the call of that number in the answer that `root` is, or is a line of.
    pub(super) fn read(root: Place<'_>, call: Place<'_>, index: u32) -> Self {
        let function = call.get("function").unwrap_or(call);
        let name = text(function, "name").unwrap_or_default();
        let input = match function.get("arguments") {
            Some(arguments) if arguments.is_object() => arguments.source().to_owned(),
            // As OpenAI writes them: JSON in a text.
            Some(arguments) => {
                arguments.as_str().filter(|text| !text.is_empty()).unwrap_or("{}".into()).into()
            }
            None => "{}".to_owned(),
        };
        let id = text(call, "id").unwrap_or_else(|| {
            // Only Ollama from 0.13 on names its calls. The moment goes into the name, so that two turns of one conversation that
            // call the same tool have two names.
            let moment = text(root, "created_at").unwrap_or_default();
            digest_id(&format!("{moment} {index} {name} {input}"), ToolIdShape::OpenAi, "call_")
        });
        Self { id, name, input }
    }
}

/// Reads why it ended: `stop`, `length`, and `load` and `unload` for calls that say nothing.
pub(super) fn stop(root: Place<'_>, called: bool) -> Stop {
    let native = text(root, "done_reason");
    let reason = match native.as_deref() {
        Some("length") => StopReason::Length,
        _ if called => StopReason::ToolUse,
        _ => StopReason::End,
    };
    Stop { reason, native: native.filter(|word| word != "stop" && word != "length"), sequence: None }
}

/// Reads the counts. Tokens that were still in the model's cache are not counted by older versions.
pub(super) fn usage(root: Place<'_>) -> Option<Usage> {
    let count = |key: &str| root.get(key).and_then(|count| count.source().parse::<u64>().ok());
    let (input, output) = (count("prompt_eval_count"), count("eval_count"));
    (input.is_some() || output.is_some()).then(|| Usage {
        input: input.unwrap_or_default(),
        output: output.unwrap_or_default(),
        ..Usage::default()
    })
}

/// Reads log probabilities: OpenAI's entries, but for members that OpenAI demands and Ollama leaves out when empty.
pub(super) fn logprobs(entries: Place<'_>) -> Option<String> {
    let written: Vec<String> = entries.elements().map(entry).collect();
    (!written.is_empty()).then(|| format!("[{}]", written.join(",")))
}

fn entry(entry: Place<'_>) -> String {
    let alternatives = entry.get("top_logprobs").into_iter().flat_map(|list| list.elements()).map(token);
    let alternatives = alternatives.map(|members| format!("{{{members}}}")).collect::<Vec<_>>().join(",");
    format!("{{{},\"top_logprobs\":[{alternatives}]}}", token(entry))
}

fn token(entry: Place<'_>) -> String {
    let source = |key: &str, default| entry.get(key).map_or(default, |value| value.source());
    format!(
        "\"token\":{},\"logprob\":{},\"bytes\":{}",
        source("token", "\"\""),
        source("logprob", "0"),
        source("bytes", "null")
    )
}
