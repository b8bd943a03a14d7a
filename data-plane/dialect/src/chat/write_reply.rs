//! A whole answer for a caller.

use super::{answer_id, carry, cite, stops, usage};
use crate::Format;
use crate::codec::Caller;
use crate::ir::{Block, Choice, Media, Reply, Source, ToolIdShape, characters, digest_id};
use crate::json::quote;

/// Writes one, with every member that strict clients demand.
pub(crate) fn write_reply(reply: &Reply, caller: &Caller) -> String {
    let legacy = caller.request.legacy_functions;
    let choices: Vec<String> = reply
        .choices
        .iter()
        .enumerate()
        .map(|(index, choice)| {
            let message = Message::of(choice, legacy);
            let refused = !message.refusal.is_empty();
            format!(
                r#"{{"index":{index},"message":{},"logprobs":{},"finish_reason":"{}"}}"#,
                message.write(),
                choice.logprobs.as_deref().map_or_else(|| "null".to_owned(), logprobs),
                stops::word(&choice.stop, refused, legacy),
            )
        })
        .collect();
    // OpenAI always says it, and strict clients count on it: zeros where the provider says nothing.
    let usage = usage::write(&reply.usage.unwrap_or_default());
    format!(
        r#"{{"id":{},"object":"chat.completion","created":{},"model":{},"choices":[{}],"usage":{usage}}}"#,
        quote(&answer_id(caller)),
        caller.created,
        quote(&caller.alias),
        choices.join(",")
    )
}

/// Writes `logprobs` of entries: a list of them, or the object that OpenAI puts around it.
pub(super) fn logprobs(entries: &str) -> String {
    if entries.starts_with('[') {
        format!(r#"{{"content":{entries},"refusal":null}}"#)
    } else {
        entries.to_owned()
    }
}

/// The name of a call as this format's callers know them.
pub(super) fn call_id(id: &str) -> String {
    digest_id(id, ToolIdShape::OpenAi, "call_")
}

/// A message taken apart: this format has one place for each kind of block.
#[derive(Debug, Default)]
struct Message {
    text: Option<String>,
    refusal: String,
    thinking: String,
    annotations: Vec<String>,
    details: Vec<String>,
    calls: Vec<String>,
    function_call: Option<String>,
    images: Vec<String>,
    audio: Option<String>,
    signature: Option<String>,
}

impl Message {
    fn of(choice: &Choice, legacy: bool) -> Self {
        let mut message = Self::default();
        let mut start = 0;
        for (index, block) in (0_u32..).zip(&choice.blocks) {
            if let Block::Text { text, .. } = block {
                let (length, of) = (characters(text), choice.citations.iter().filter(|(of, _)| *of == index));
                message.annotations.extend(cite::write(of.map(|(_, cited)| cited), start, length));
                start += length;
            }
            message.details.extend(carry::write(block, index));
            message.take(block, legacy);
        }
        message
    }

    fn take(&mut self, block: &Block, legacy: bool) {
        match block {
            Block::Text { text, signature, .. } => {
                self.text.get_or_insert_default().push_str(text);
                if signature.is_some() {
                    self.signature.clone_from(signature);
                }
            }
            Block::Refusal { text } => self.refusal.push_str(text),
            Block::Thinking { text, .. } => self.thinking.push_str(text),
            Block::ToolUse { name, input, custom: false, .. } if legacy => {
                let call = format!(r#"{{"name":{},"arguments":{}}}"#, quote(name), quote(given(input)));
                self.function_call.get_or_insert(call);
            }
            Block::ToolUse { id, name, input, signature, custom, .. } => {
                let (id, name) = (quote(&call_id(id)), quote(name));
                let signed = signature
                    .as_deref()
                    .map_or(String::new(), |signature| format!(",{}", carry::extra(signature)));
                let input = quote(if *custom { input } else { given(input) });
                self.calls.push(if *custom {
                    format!(r#"{{"id":{id},"type":"custom","custom":{{"name":{name},"input":{input}}}{signed}}}"#)
                } else {
                    format!(
                        r#"{{"id":{id},"type":"function","function":{{"name":{name},"arguments":{input}}}{signed}}}"#
                    )
                });
            }
            Block::Media { media: Media::Image, source, .. } => self.images.extend(image(source)),
            Block::Foreign { format: Format::Chat, kind, json } if kind == "image_url" => {
                self.images.push(json.get().to_owned());
            }
            Block::Foreign { format: Format::Chat, kind, json } if kind == "audio" => {
                self.audio = Some(json.get().to_owned());
            }
            // What a provider's own tools did is said in the text that follows; this format has no place for it.
            Block::Foreign { .. }
            | Block::Media { .. }
            | Block::RedactedThinking { .. }
            | Block::ToolResult { .. } => {}
        }
    }

    fn write(&self) -> String {
        let or_null = |text: Option<&str>| text.map_or_else(|| "null".to_owned(), quote);
        let refusal = Some(self.refusal.as_str()).filter(|refusal| !refusal.is_empty());
        let silent = refusal.is_some() || !self.calls.is_empty() || self.function_call.is_some();
        let text = self.text.as_deref().or((!silent && self.audio.is_none()).then_some(""));
        let mut message =
            format!(r#"{{"role":"assistant","content":{},"refusal":{}"#, or_null(text), or_null(refusal));
        let mut add = |name: &str, value: &str| message.push_str(&format!(r#","{name}":{value}"#));
        add("annotations", &format!("[{}]", self.annotations.join(",")));
        if !self.thinking.is_empty() {
            add("reasoning_content", &quote(&self.thinking));
        }
        for (name, list) in
            [("reasoning_details", &self.details), ("tool_calls", &self.calls), ("images", &self.images)]
        {
            if !list.is_empty() {
                add(name, &format!("[{}]", list.join(",")));
            }
        }
        for (name, value) in [("function_call", &self.function_call), ("audio", &self.audio)] {
            if let Some(value) = value {
                add(name, value);
            }
        }
        if let Some(signature) = &self.signature {
            message.push_str(&format!(",{}", carry::extra(signature)));
        }
        message.push('}');
        message
    }
}

/// Arguments that are none are an empty object.
fn given(input: &str) -> &str {
    if input.trim().is_empty() { "{}" } else { input }
}

/// A picture in OpenRouter's shape, which callers of image models know.
pub(super) fn image(source: &Source) -> Option<String> {
    let url = match source {
        Source::Base64 { media_type, data } => format!("data:{media_type};base64,{data}"),
        Source::Url { url, .. } => url.clone(),
        Source::Text(_) | Source::File { .. } => return None,
    };
    Some(format!(r#"{{"type":"image_url","image_url":{{"url":{}}}}}"#, quote(&url)))
}
