//! The conversation as Ollama's messages: each has one text, its images beside it, and its tool calls.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::Format;
use crate::ir::{Block, Media, Refused, Request, Role, Source, ToolIdShape, Turn, tool_id};

/// One message.
#[derive(Debug, Default, Serialize)]
pub(super) struct Message<'a> {
    role: &'static str,
    content: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    thinking: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    images: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<Call<'a>>,
    #[serde(skip_serializing_if = "str::is_empty")]
    tool_name: &'a str,
    #[serde(skip_serializing_if = "String::is_empty")]
    tool_call_id: String,
}

#[derive(Debug, Serialize)]
struct Call<'a> {
    id: String,
    function: Function<'a>,
}

#[derive(Debug, Serialize)]
struct Function<'a> {
    name: &'a str,
    arguments: Arguments<'a>,
}

/// Arguments: an object, always. What is none stands in one, so that the model sees what it wrote.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Arguments<'a> {
    Json(&'a RawValue),
    None {},
    Text { input: &'a str },
}

impl<'a> Arguments<'a> {
    fn of(input: &'a str, custom: bool) -> Self {
        if input.trim().is_empty() && !custom {
            return Self::None {};
        }
        match serde_json::from_str::<&RawValue>(input) {
            Ok(json) if !custom && json.get().starts_with('{') => Self::Json(json),
            Ok(_) | Err(_) => Self::Text { input },
        }
    }
}

/// Writes all messages.
pub(super) fn messages(request: &Request) -> Result<Vec<Message<'_>>, Refused> {
    let mut written = Vec::new();
    // Templates of many models take one system message, the first.
    let mut system = Message { role: "system", ..Message::default() };
    for block in &request.system {
        system.add(block, "system")?;
    }
    system.finish(&mut written);
    let names = called(request);
    for (index, turn) in request.turns.iter().enumerate() {
        let param = format!("messages[{index}]");
        match turn.role {
            Role::User => user(&names, turn, &param, &mut written)?,
            Role::Assistant => one("assistant", turn, &param, &mut written)?,
            Role::System => one("system", turn, &param, &mut written)?,
        }
    }
    Ok(written)
}

fn one<'a>(
    role: &'static str,
    turn: &'a Turn,
    param: &str,
    written: &mut Vec<Message<'a>>,
) -> Result<(), Refused> {
    let mut message = Message { role, ..Message::default() };
    for block in &turn.blocks {
        message.add(block, param)?;
    }
    message.finish(written);
    Ok(())
}

/// Tool results are messages of their own, and what else was said comes after them.
fn user<'a>(
    names: &BTreeMap<&'a str, &'a str>,
    turn: &'a Turn,
    param: &str,
    written: &mut Vec<Message<'a>>,
) -> Result<(), Refused> {
    let mut said = Message { role: "user", ..Message::default() };
    for block in &turn.blocks {
        let Block::ToolResult { id, name, content, .. } = block else {
            said.add(block, param)?;
            continue;
        };
        let mut result = Message { role: "tool", ..Message::default() };
        for block in content {
            // Templates show a model no images of a tool.
            let shown = if matches!(block, Block::Media { .. }) { &mut said } else { &mut result };
            shown.add(block, param)?;
        }
        result.tool_name = if name.is_empty() { names.get(id.as_str()).unwrap_or(&"") } else { name };
        result.tool_call_id = name_of(id);
        written.push(result);
    }
    said.finish(written);
    Ok(())
}

impl<'a> Message<'a> {
    fn add(&mut self, block: &'a Block, param: &str) -> Result<(), Refused> {
        match block {
            Block::Text { text, .. } | Block::Refusal { text } => join(&mut self.content, text),
            // Ollama signs nothing, and takes back what a model of its own thought. What others signed stays with them.
            Block::Thinking { text, signature: None, signed_by: None | Some(Format::Ollama), .. } => {
                join(&mut self.thinking, text);
            }
            Block::Thinking { .. } | Block::RedactedThinking { .. } => {}
            Block::ToolUse { id, name, input, custom, .. } => {
                let function = Function { name, arguments: Arguments::of(input, *custom) };
                self.tool_calls.push(Call { id: name_of(id), function });
            }
            Block::Media { media: Media::Image, source: Source::Base64 { data, .. }, .. } => {
                self.images.push(data);
            }
            Block::Media { source: Source::Text(text), name, .. } => {
                join(&mut self.content, name);
                join(&mut self.content, text);
            }
            Block::Media { media, .. } => return Err(media_refused(*media, param)),
            Block::ToolResult { .. } | Block::Foreign { .. } => {
                return Err(Refused::no_equivalent(format!("{param}.content")));
            }
        }
        Ok(())
    }

    /// A message that says nothing is none.
    fn finish(self, written: &mut Vec<Self>) {
        let says = !self.content.is_empty()
            || !self.thinking.is_empty()
            || !self.images.is_empty()
            || !self.tool_calls.is_empty();
        if says {
            written.push(self);
        }
    }
}

fn media_refused(media: Media, param: &str) -> Refused {
    let reason = match media {
        Media::Image => "must hold its images in base64 for this model: its provider fetches none",
        Media::Audio | Media::Video | Media::Document => {
            "holds a piece that is neither text nor image, which this model does not take"
        }
    };
    Refused { param: format!("{param}.content"), reason: reason.to_owned() }
}

fn join(all: &mut String, more: &str) {
    if !all.is_empty() && !more.is_empty() {
        all.push_str("\n\n");
    }
    all.push_str(more);
}

fn name_of(id: &str) -> String {
    tool_id(id, ToolIdShape::OpenAi, "call_")
}

/// Returns the names of the tools that were called, by the calls' ids.
fn called(request: &Request) -> BTreeMap<&str, &str> {
    let blocks = request.turns.iter().flat_map(|turn| &turn.blocks);
    let calls = blocks.filter_map(|block| {
        if let Block::ToolUse { id, name, .. } = block { Some((id.as_str(), name.as_str())) } else { None }
    });
    calls.collect()
}
