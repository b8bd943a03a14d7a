//! The input of a request: a text, or items. Items of one side that follow each other are one turn, as they came from one
//! answer; each message of the user is a turn of its own, and the results of tools called together are one.

use super::carrier::{self, Carried};
use super::item::word;
use super::read_request::{json, list, object, text, wrong};
use crate::Format;
use crate::ir::{Block, Cache, Media, Refused, Request, Role, Source, Turn};
use crate::json::Place;

pub(super) fn read(input: Option<Place<'_>>, request: &mut Request) -> Result<(), Refused> {
    let Some(input) = input else { return Ok(()) };
    if let Some(text) = input.as_str() {
        request.turns.push(Turn { role: Role::User, blocks: vec![Block::text(text)] });
        return Ok(());
    }
    if !input.is_array() {
        return Err(wrong("input", "must be a text or an array"));
    }
    let mut items = Items { request, signature: None };
    for (index, item) in input.elements().enumerate() {
        let param = format!("input[{index}]");
        items.item(object(item, &param)?, &param)?;
    }
    Ok(())
}

struct Items<'a> {
    request: &'a mut Request,
    /// The signature of the next call.
    signature: Option<String>,
}

impl Items<'_> {
    fn item(&mut self, item: Place<'_>, param: &str) -> Result<(), Refused> {
        let kind = word(item, "type");
        match kind.as_str() {
            "message" => self.message(item, param),
            "" if item.get("role").is_some() => self.message(item, param),
            // The item is at the provider that wrote it.
            "item_reference" | "" => Err(Refused::no_equivalent(param)),
            "reasoning" => {
                self.reasoning(item);
                Ok(())
            }
            "function_call" | "custom_tool_call" => {
                let custom = kind == "custom_tool_call";
                let call = self.call(item, custom, param)?;
                self.say(Role::Assistant, call);
                Ok(())
            }
            "function_call_output" | "custom_tool_call_output" => {
                let result = Block::ToolResult {
                    id: member(item, "call_id", param)?,
                    name: word(item, "name"),
                    content: output(item, param)?,
                    is_error: false,
                    cache: None,
                };
                self.say(Role::User, result);
                Ok(())
            }
            _ => {
                // What the caller gives back stands on its side, all else came from the model.
                let given = kind.ends_with("_output") || kind.ends_with("_response");
                let role = if given { Role::User } else { Role::Assistant };
                self.say(role, Block::Foreign { format: Format::Responses, kind, json: json(item)? });
                Ok(())
            }
        }
    }

    fn message(&mut self, item: Place<'_>, param: &str) -> Result<(), Refused> {
        let blocks = match item.get("content") {
            Some(content) if !content.is_null() => contents(content, &format!("{param}.content"))?,
            Some(_) | None => Vec::new(),
        };
        match word(item, "role").as_str() {
            "user" => self.request.turns.push(Turn { role: Role::User, blocks }),
            "assistant" => blocks.into_iter().for_each(|block| self.say(Role::Assistant, block)),
            "system" | "developer" if self.request.turns.is_empty() => self.request.system.extend(blocks),
            "system" | "developer" => self.request.turns.push(Turn { role: Role::System, blocks }),
            _ => return Err(Refused::no_equivalent(format!("{param}.role"))),
        }
        Ok(())
    }

    fn reasoning(&mut self, item: Place<'_>) {
        let parts = ["summary", "content"].into_iter().filter_map(|key| item.get(key));
        let texts: Vec<String> =
            parts.flat_map(|parts| parts.elements()).map(|part| word(part, "text")).collect();
        let text = texts.join("\n\n");
        let content = word(item, "encrypted_content");
        let thinking = if content.is_empty() {
            Block::Thinking { text, signature: None, signed_by: None, id: word(item, "id") }
        } else {
            match carrier::read(&content) {
                Carried::Thinking(signature, format) => {
                    // A name that this gateway made says nothing to the one who signed.
                    let id = if format == Format::Responses { word(item, "id") } else { String::new() };
                    Block::Thinking { text, signature, signed_by: Some(format), id }
                }
                Carried::Redacted(data, format) => Block::RedactedThinking { data, signed_by: Some(format) },
                Carried::Next(next) => {
                    self.signature = Some(next);
                    return;
                }
                Carried::Previous(previous) => {
                    self.sign(previous);
                    return;
                }
            }
        };
        let empty = matches!(&thinking, Block::Thinking { text, signed_by: None, .. } if text.is_empty());
        if !empty {
            self.say(Role::Assistant, thinking);
        }
    }

    /// Hangs a signature on what the model said last.
    fn sign(&mut self, with: String) {
        let last = self.request.turns.last_mut().filter(|turn| turn.role == Role::Assistant);
        let last = last.and_then(|turn| turn.blocks.last_mut());
        if let Some(Block::Text { signature, .. } | Block::ToolUse { signature, .. }) = last {
            *signature = Some(with);
        }
    }

    fn call(&mut self, item: Place<'_>, custom: bool, param: &str) -> Result<Block, Refused> {
        let key = if custom { "input" } else { "arguments" };
        let input = match item.get(key) {
            Some(input) if input.is_object() => input.source().to_owned(),
            Some(_) | None => member(item, key, param)?,
        };
        let name = member(item, "name", param)?;
        let namespace = word(item, "namespace");
        Ok(Block::ToolUse {
            id: member(item, "call_id", param)?,
            name: if namespace.is_empty() { name } else { self.request.tool_of(&namespace, &name) },
            input: if !custom && input.trim().is_empty() { "{}".to_owned() } else { input },
            signature: self.signature.take(),
            custom,
            cache: None,
        })
    }

    /// Adds a block to the turn at hand if it goes on, else to a new one.
    fn say(&mut self, role: Role, block: Block) {
        let goes_on = |turn: &&mut Turn| match role {
            Role::User => turn.blocks.iter().all(|block| matches!(block, Block::ToolResult { .. })),
            Role::Assistant | Role::System => true,
        };
        let last = self.request.turns.last_mut().filter(|turn| turn.role == role).filter(goes_on);
        match last {
            Some(turn) => turn.blocks.push(block),
            None => self.request.turns.push(Turn { role, blocks: vec![block] }),
        }
    }
}

/// Reads what a tool gave: a text or parts.
fn output(item: Place<'_>, param: &str) -> Result<Vec<Block>, Refused> {
    let output = item.get("output").ok_or_else(|| wrong(&format!("{param}.output"), "is missing"))?;
    contents(output, &format!("{param}.output"))
}

/// Reads a text or parts.
fn contents(content: Place<'_>, param: &str) -> Result<Vec<Block>, Refused> {
    if let Some(text) = content.as_str() {
        return Ok(vec![Block::text(text)]);
    }
    if !content.is_array() {
        return Err(wrong(param, "must be a text or an array"));
    }
    let parts = list(content, param)?.enumerate();
    parts.map(|(index, place)| part(place, &format!("{param}[{index}]"))).collect()
}

fn part(part: Place<'_>, param: &str) -> Result<Block, Refused> {
    let part = object(part, param)?;
    let kind = word(part, "type");
    let breakpoint = part.get("prompt_cache_breakpoint").filter(Place::is_object);
    let cache = breakpoint.map(|_| Cache::Default);
    match kind.as_str() {
        "input_text" | "output_text" | "text" => {
            Ok(Block::Text { text: member(part, "text", param)?, cache, signature: None })
        }
        "refusal" => Ok(Block::Refusal { text: member(part, "refusal", param)? }),
        "input_image" => image(part, cache, param),
        "input_file" => file(part, cache, param),
        "input_audio" => {
            let audio = part.get("input_audio").unwrap_or(part);
            let media_type = format!("audio/{}", member(audio, "format", param)?);
            let source = Source::Base64 { media_type, data: member(audio, "data", param)? };
            Ok(Block::Media { media: Media::Audio, source, name: String::new(), detail: None, cache })
        }
        _ => Ok(Block::Foreign { format: Format::Responses, kind, json: json(part)? }),
    }
}

fn image(part: Place<'_>, cache: Option<Cache>, param: &str) -> Result<Block, Refused> {
    let url = part.get("image_url").map(|url| url.get("url").unwrap_or(url)).and_then(|url| url.as_str());
    let source = match url {
        Some(url) => located(&url),
        None => Source::File { id: member(part, "file_id", param)?, media_type: None },
    };
    let detail = Some(word(part, "detail")).filter(|detail| !detail.is_empty());
    Ok(Block::Media { media: Media::Image, source, name: String::new(), detail, cache })
}

fn file(part: Place<'_>, cache: Option<Cache>, param: &str) -> Result<Block, Refused> {
    let name = word(part, "filename");
    let (data, url) = (word(part, "file_data"), word(part, "file_url"));
    let source = if data.starts_with("data:") {
        located(&data)
    } else if !data.is_empty() {
        Source::Base64 { media_type: "application/pdf".to_owned(), data }
    } else if !url.is_empty() {
        Source::Url { url, media_type: None }
    } else {
        Source::File { id: member(part, "file_id", param)?, media_type: None }
    };
    Ok(Block::Media { media: Media::Document, source, name, detail: None, cache })
}

/// Reads an address, which may hold the bytes themselves.
fn located(url: &str) -> Source {
    let held = url.strip_prefix("data:").and_then(|rest| rest.split_once(','));
    match held.and_then(|(head, data)| Some((head.strip_suffix(";base64")?, data))) {
        Some((head, data)) => {
            let media_type = head.split(';').next().unwrap_or_default().to_ascii_lowercase();
            let media_type =
                if media_type.is_empty() { "application/octet-stream".to_owned() } else { media_type };
            Source::Base64 { media_type, data: data.to_owned() }
        }
        None => Source::Url { url: url.to_owned(), media_type: None },
    }
}

/// Reads a member that must be a text.
fn member(object: Place<'_>, key: &str, param: &str) -> Result<String, Refused> {
    let param = format!("{param}.{key}");
    object.get(key).ok_or_else(|| wrong(&param, "is missing")).and_then(|value| text(value, &param))
}
