//! Writes `contents` and `systemInstruction`.

use super::form::{Object, compact, list};
use super::models::Model;
use super::read_contents::{by_ending, is_googles};
use super::signature;
use crate::Format;
use crate::ir::{Block, Media, Refused, Role, Source, ToolIdShape, Turn, text_argument, tool_id};

/// One content. Results stand before all else, because they must follow their calls at once.
#[derive(Debug)]
struct Content {
    role: &'static str,
    results: Vec<String>,
    parts: Vec<String>,
    /// A call stands in it: only the first of several must be signed.
    called: bool,
}

/// A conversation that is being written.
#[derive(Debug)]
pub(super) struct Conversation {
    model: Model,
    system: Vec<String>,
    contents: Vec<Content>,
    /// Ids and names of the calls so far.
    calls: Vec<(String, String)>,
}

impl Conversation {
    pub(super) fn new(model: Model) -> Self {
        Self { model, system: Vec::new(), contents: Vec::new(), calls: Vec::new() }
    }

    /// Returns the parts of the instruction, and the contents.
    pub(super) fn end(self) -> (Vec<String>, Vec<String>) {
        let written = |role: &str, parts: &[String]| {
            let mut content = Object::new();
            content.text("role", role).raw("parts", list(parts)).end()
        };
        let contents = self.contents.into_iter().filter_map(|content| {
            let parts: Vec<_> = content.results.into_iter().chain(content.parts).collect();
            (!parts.is_empty()).then(|| written(content.role, &parts))
        });
        let contents: Vec<_> = contents.collect();
        if contents.is_empty() && !self.system.is_empty() {
            // Google answers no request without contents: the instruction alone is what is asked.
            return (Vec::new(), vec![written("user", &self.system)]);
        }
        (self.system, contents)
    }

    pub(super) fn system(&mut self, blocks: &[Block]) -> Result<(), Refused> {
        for (index, block) in blocks.iter().enumerate() {
            let Block::Text { text, .. } = block else {
                return Err(Refused::no_equivalent(format!("system[{index}]")));
            };
            if !text.trim().is_empty() {
                self.system.push(text_part(text));
            }
        }
        Ok(())
    }

    pub(super) fn turn(&mut self, index: usize, turn: &Turn) -> Result<(), Refused> {
        // An instruction before anything was said is one for the whole; a later one keeps its place, as the caller's word.
        if turn.role == Role::System && self.contents.is_empty() {
            return self.system(&turn.blocks);
        }
        let role = if turn.role == Role::Assistant { "model" } else { "user" };
        if self.contents.last().is_none_or(|content| content.role != role) {
            self.contents.push(Content { role, results: Vec::new(), parts: Vec::new(), called: false });
        }
        let mut blocks = turn.blocks.iter().enumerate().peekable();
        // A signature that its own block did not carry here: some callers have a place for it on thoughts alone.
        let mut signature: Option<&str> = None;
        while let Some((place, block)) = blocks.next() {
            let at = || format!("messages[{index}].content[{place}]");
            let next = blocks.peek().map(|(_, block)| *block);
            match block {
                Block::Text { text, signature, .. } => self.text(text, signature.as_deref()),
                Block::Refusal { text } => self.text(text, None),
                Block::Thinking {
                    text, signature: Some(signed), signed_by: Some(Format::Gemini), ..
                } => {
                    if matches!(next, Some(Block::ToolUse { signature: None, .. })) {
                        signature = Some(signed);
                        self.thought(text, None);
                    } else {
                        self.thought(text, Some(signed));
                    }
                }
                // What another signed, or nobody, is no proof here.
                Block::Thinking { .. } | Block::RedactedThinking { .. } => {}
                Block::ToolUse { id, name, input, signature: own, custom, .. } => {
                    let signature = own.as_deref().or(signature.take());
                    self.call(id, name, input, *custom, signature);
                }
                Block::ToolResult { id, name, content, is_error, .. } => {
                    self.result((id, name), content, *is_error, &at())?;
                }
                Block::Media { media, source, .. } => {
                    let part = media_part(*media, source, &at())?;
                    self.push(part);
                }
                Block::Foreign { format: Format::Gemini, json, .. } => self.push(json.get().to_owned()),
                Block::Foreign { .. } => return Err(Refused::no_equivalent(at())),
            }
        }
        Ok(())
    }

    fn push(&mut self, part: String) {
        if let Some(content) = self.contents.last_mut() {
            content.parts.push(part);
        }
    }

    /// Blank text says nothing, and Google refuses it (bug 26) unless it is signed.
    fn text(&mut self, text: &str, signature: Option<&str>) {
        match signature {
            None if text.trim().is_empty() => {}
            None => self.push(text_part(text)),
            Some(signature) => {
                self.push(Object::new().text("text", text).text("thoughtSignature", signature).end());
            }
        }
    }

    /// A thought. A signature without a text was one on an empty text, not on a thought: recorded thoughts are never signed.
    fn thought(&mut self, text: &str, signature: Option<&str>) {
        let mut part = Object::new();
        part.text("text", text);
        if !text.is_empty() {
            part.plain("thought", true);
        } else if signature.is_none() {
            return;
        }
        if let Some(signature) = signature {
            part.text("thoughtSignature", signature);
        }
        self.push(part.end());
    }

    fn call(&mut self, id: &str, name: &str, input: &str, custom: bool, signature: Option<&str>) {
        let id = written_id(id);
        let mut call = Object::new();
        if !id.is_empty() {
            call.text("id", &id);
        }
        call.text("name", name).raw("args", arguments(input, custom));
        let mut part = Object::new();
        part.raw("functionCall", call.end());
        let first = self.contents.last().is_none_or(|content| !content.called);
        match signature {
            Some(signature) => {
                part.text("thoughtSignature", signature);
            }
            None if first && self.model.signatures => {
                part.text("thoughtSignature", signature::NONE);
            }
            None => {}
        }
        self.calls.push((id, name.to_owned()));
        if let Some(content) = self.contents.last_mut() {
            content.called = true;
            content.parts.push(part.end());
        }
    }

    fn result(
        &mut self,
        (id, name): (&str, &str),
        content: &[Block],
        is_error: bool,
        at: &str,
    ) -> Result<(), Refused> {
        let id = written_id(id);
        let called = self.calls.iter().rev().find(|(call, _)| *call == id).map(|(_, name)| name.clone());
        let Some(name) = called.or_else(|| (!name.is_empty()).then(|| name.to_owned())) else {
            return Err(Refused {
                param: at.to_owned(),
                reason: "is the result of a call that is not there".to_owned(),
            });
        };
        let mut texts = Vec::new();
        let mut media = Vec::new();
        for (index, block) in content.iter().enumerate() {
            match block {
                Block::Text { text, .. } | Block::Refusal { text } => texts.push(text.as_str()),
                Block::Media { media: _, source: Source::Text(text), .. } => texts.push(text),
                Block::Media { media: kind, source, .. } => {
                    media.push(media_part(*kind, source, &format!("{at}.content[{index}]"))?);
                }
                Block::Thinking { .. }
                | Block::RedactedThinking { .. }
                | Block::ToolUse { .. }
                | Block::ToolResult { .. }
                | Block::Foreign { .. } => {
                    return Err(Refused::no_equivalent(format!("{at}.content[{index}]")));
                }
            }
        }
        let mut response = Object::new();
        if !id.is_empty() {
            response.text("id", &id);
        }
        response.text("name", &name).raw("response", outcome(&texts.join("\n"), is_error));
        if self.model.media_in_results && !media.is_empty() {
            response.raw("parts", list(&media));
        }
        let Some(content) = self.contents.last_mut() else { return Ok(()) };
        content.results.push(Object::new().raw("functionResponse", response.end()).end());
        if !self.model.media_in_results {
            content.parts.extend(media);
        }
        Ok(())
    }
}

fn text_part(text: &str) -> String {
    Object::new().text("text", text).end()
}

fn written_id(id: &str) -> String {
    if id.is_empty() { String::new() } else { tool_id(id, ToolIdShape::OpenAi, "call_") }
}

/// Writes arguments, which must be an object: what is none stands in one. No text at all means none (bug 25).
pub(super) fn arguments(input: &str, custom: bool) -> String {
    if custom {
        return text_argument(input);
    }
    let input = input.trim();
    if input.is_empty() {
        return "{}".to_owned();
    }
    if input.starts_with('{') && crate::json::check(input.as_bytes()).is_ok() {
        return compact(input);
    }
    Object::new().text("input", input).end()
}

/// Writes what a tool gave, which must be an object. Google reads `$ref` in it as the name of a part and answers 400 if
/// there is none, so such a result goes as a text (bug 24).
fn outcome(text: &str, is_error: bool) -> String {
    if is_error {
        return Object::new().text("error", text).end();
    }
    let trimmed = text.trim();
    let is_json = trimmed.starts_with(['{', '[']) && crate::json::check(trimmed.as_bytes()).is_ok();
    let refers = trimmed.contains("$ref") || trimmed.contains("\\u0024");
    if !is_json || refers {
        Object::new().text("result", text).end()
    } else if trimmed.starts_with('{') {
        compact(trimmed)
    } else {
        Object::new().raw("result", compact(trimmed)).end()
    }
}

fn media_part(media: Media, source: &Source, at: &str) -> Result<String, Refused> {
    let file = |uri: &str, media_type: &Option<String>| {
        let guessed = media_type.as_deref().unwrap_or_else(|| match by_ending(uri) {
            "" => usual(media),
            known => known,
        });
        let file = Object::new().text("mimeType", guessed).text("fileUri", uri).end();
        Object::new().raw("fileData", file).end()
    };
    Ok(match source {
        Source::Base64 { media_type, data } => {
            let data = Object::new().text("mimeType", media_type).text("data", data).end();
            Object::new().raw("inlineData", data).end()
        }
        Source::Text(text) => text_part(text),
        Source::Url { url, media_type } => file(url, media_type),
        Source::File { id, media_type } if is_googles(id) => file(id, media_type),
        // A name that another provider gave.
        Source::File { .. } => return Err(Refused::no_equivalent(at)),
    })
}

/// Vertex demands a media type: the most usual of a kind, where neither the caller nor the address says one.
fn usual(media: Media) -> &'static str {
    match media {
        Media::Image => "image/jpeg",
        Media::Audio => "audio/mpeg",
        Media::Video => "video/mp4",
        Media::Document => "application/pdf",
    }
}
