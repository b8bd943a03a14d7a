//! Reads content blocks: of a caller's messages and of a provider's answer.

use super::carrier::{self, Carried};
use super::field::{boolean, json, list, member, text, text_member, text_or_empty, wrong};
use crate::Format;
use crate::ir::{Block, Cache, Media, Refused, Source};
use crate::json::Place;

/// Whose blocks are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    /// A caller's: signatures of other formats stand in them (see [`carrier`]).
    Caller,
    /// A provider's.
    Provider,
}

/// Reads content: a text or a list of blocks.
pub(super) fn content(value: Place<'_>, param: &str, from: From) -> Result<Vec<Block>, Refused> {
    if let Some(text) = value.as_str() {
        return Ok(vec![Block::text(text)]);
    }
    if !value.is_array() {
        return Err(wrong(param, "must be a text or a list of blocks"));
    }
    let mut reader = Reader { blocks: Vec::new(), next: None, from };
    for (index, block) in value.elements().enumerate() {
        reader.block(block, &format!("{param}[{index}]"))?;
    }
    Ok(reader.blocks)
}

/// Reads `cache_control` of a block or a tool.
pub(super) fn cache(object: Place<'_>) -> Option<Cache> {
    let control = member(object, "cache_control").filter(Place::is_object)?;
    let hour = member(control, "ttl").and_then(|ttl| ttl.as_str()).is_some_and(|ttl| ttl == "1h");
    Some(if hour { Cache::OneHour } else { Cache::Default })
}

/// What became of a block.
enum Read {
    Block(Block),
    /// It is taken over already.
    Done,
    /// The form between has no word for it.
    Unknown,
}

struct Reader {
    blocks: Vec<Block>,
    /// The signature of the tool call that comes next.
    next: Option<String>,
    from: From,
}

impl Reader {
    fn block(&mut self, value: Place<'_>, param: &str) -> Result<(), Refused> {
        if !value.is_object() {
            return Err(wrong(param, "must be an object"));
        }
        let kind = text_member(value, "type", param)?;
        let read = match kind.as_str() {
            "text" => Read::Block(Block::Text {
                text: text_member(value, "text", param)?,
                cache: cache(value),
                signature: None,
            }),
            "thinking" => self.thinking(value, param)?,
            "redacted_thinking" => Read::Block(self.redacted(value, param)?),
            "tool_use" => Read::Block(self.tool_use(value, param)?),
            "tool_result" => Read::Block(self.tool_result(value, param)?),
            "image" => image(value, param)?,
            "document" => self.document(value, param)?,
            _ => Read::Unknown,
        };
        match read {
            Read::Block(block) => self.blocks.push(block),
            Read::Done => {}
            Read::Unknown => {
                self.blocks.push(Block::Foreign {
                    format: Format::Messages,
                    kind,
                    json: json(value, param)?,
                });
            }
        }
        Ok(())
    }

    /// Reads thinking, or the signature of the call after it, which is all that some such blocks carry.
    fn thinking(&mut self, value: Place<'_>, param: &str) -> Result<Read, Refused> {
        let thinking = text_or_empty(value, "thinking", param)?;
        let signature = text_or_empty(value, "signature", param)?;
        let (signature, signed_by) = match self.from {
            From::Provider => (Some(signature).filter(|it| !it.is_empty()), Some(Format::Messages)),
            From::Caller => match carrier::read(&signature) {
                Carried::Thinking(signature, signed_by) => (signature, signed_by),
                Carried::Next(signature) => {
                    self.next = Some(signature);
                    return Ok(Read::Done);
                }
            },
        };
        Ok(Read::Block(Block::Thinking { text: thinking, signature, signed_by, id: String::new() }))
    }

    fn redacted(&self, value: Place<'_>, param: &str) -> Result<Block, Refused> {
        let data = text_member(value, "data", param)?;
        let (data, signed_by) = match self.from {
            From::Provider => (data, Format::Messages),
            From::Caller => carrier::read_redacted(&data),
        };
        Ok(Block::RedactedThinking { data, signed_by: Some(signed_by) })
    }

    fn tool_use(&mut self, value: Place<'_>, param: &str) -> Result<Block, Refused> {
        // llama-server leaves out an empty input.
        let input = match member(value, "input") {
            Some(input) if input.is_object() => input.source().to_owned(),
            Some(_) => return Err(wrong(format!("{param}.input"), "must be an object")),
            None => "{}".to_owned(),
        };
        Ok(Block::ToolUse {
            id: text_member(value, "id", param)?,
            name: text_member(value, "name", param)?,
            input,
            signature: self.next.take(),
            custom: false,
            cache: cache(value),
        })
    }

    fn tool_result(&self, value: Place<'_>, param: &str) -> Result<Block, Refused> {
        let inner = match member(value, "content") {
            Some(inner) => content(inner, &format!("{param}.content"), self.from)?,
            None => Vec::new(),
        };
        let is_error = match member(value, "is_error") {
            Some(is_error) => boolean(is_error, &format!("{param}.is_error"))?,
            None => false,
        };
        Ok(Block::ToolResult {
            id: text_member(value, "tool_use_id", param)?,
            name: String::new(),
            content: inner,
            is_error,
            cache: cache(value),
        })
    }

    /// Reads a document. What it is about (`context`) becomes a text before it. One that is made of parts becomes these.
    fn document(&mut self, value: Place<'_>, param: &str) -> Result<Read, Refused> {
        let Some(source) = member(value, "source").filter(Place::is_object) else {
            return Err(wrong(format!("{param}.source"), "must be an object"));
        };
        let at = format!("{param}.source");
        let context = text_or_empty(value, "context", param)?;
        let kind = text_member(source, "type", &at)?;
        let source = match kind.as_str() {
            "text" => Some(Source::Text(text_member(source, "data", &at)?)),
            "content" => match parts(source, &at, self.from)? {
                Ok(joined) => Some(Source::Text(joined)),
                Err(parts) => {
                    self.push_context(&context);
                    self.blocks.extend(parts);
                    return Ok(Read::Done);
                }
            },
            _ => plain_source(&kind, source, &at)?,
        };
        let Some(source) = source else { return Ok(Read::Unknown) };
        self.push_context(&context);
        let name = text_or_empty(value, "title", param)?;
        Ok(Read::Block(Block::Media {
            media: Media::Document,
            source,
            name,
            detail: None,
            cache: cache(value),
        }))
    }

    fn push_context(&mut self, context: &str) {
        if !context.trim().is_empty() {
            self.blocks.push(Block::text(context));
        }
    }
}

/// Reads the parts of a document: their text if all are texts, else themselves.
fn parts(source: Place<'_>, param: &str, from: From) -> Result<Result<String, Vec<Block>>, Refused> {
    let param = format!("{param}.content");
    let Some(inner) = member(source, "content") else { return Err(wrong(param, "is missing")) };
    let blocks = content(inner, &param, from)?;
    let texts: Option<Vec<&str>> = blocks
        .iter()
        .map(|block| if let Block::Text { text, .. } = block { Some(text.as_str()) } else { None })
        .collect();
    Ok(match texts {
        Some(texts) => Ok(texts.join("\n")),
        None => Err(blocks),
    })
}

fn image(value: Place<'_>, param: &str) -> Result<Read, Refused> {
    let Some(source) = member(value, "source").filter(Place::is_object) else {
        return Err(wrong(format!("{param}.source"), "must be an object"));
    };
    let at = format!("{param}.source");
    let kind = text_member(source, "type", &at)?;
    Ok(plain_source(&kind, source, &at)?.map_or(Read::Unknown, |source| {
        let (name, detail) = (String::new(), None);
        Read::Block(Block::Media { media: Media::Image, source, name, detail, cache: cache(value) })
    }))
}

/// Reads the sources that images and documents share; none if it is another.
fn plain_source(kind: &str, source: Place<'_>, param: &str) -> Result<Option<Source>, Refused> {
    Ok(match kind {
        "base64" => Some(Source::Base64 {
            media_type: text_member(source, "media_type", param)?.to_ascii_lowercase(),
            data: text_member(source, "data", param)?,
        }),
        "url" => Some(Source::Url { url: text_member(source, "url", param)?, media_type: None }),
        "file" => Some(Source::File { id: text_member(source, "file_id", param)?, media_type: None }),
        _ => None,
    })
}

/// The line by which Claude Code tells Anthropic whom to bill. It changes from call to call and would spoil the prompt cache
/// of any other provider (bug 19); only Anthropic, to whom it goes unread, can use it.
const BILLING: &str = "x-anthropic-billing-header:";

/// Reads what stands before the conversation: a text or text blocks, without blank ones and without Claude Code's billing
/// line.
pub(super) fn system(value: Place<'_>) -> Result<Vec<Block>, Refused> {
    let mut blocks = Vec::new();
    if let Some(text) = value.as_str() {
        blocks.push(Block::text(without_billing(&text)));
    } else {
        for (index, block) in list(value, "system")?.enumerate() {
            let param = format!("system[{index}]");
            if text_member(block, "type", &param)? != "text" {
                return Err(Refused::no_equivalent(param));
            }
            let text = text(
                member(block, "text").ok_or_else(|| wrong(format!("{param}.text"), "is missing"))?,
                &format!("{param}.text"),
            )?;
            blocks.push(Block::Text {
                text: without_billing(&text).to_owned(),
                cache: cache(block),
                signature: None,
            });
        }
    }
    blocks.retain(|block| !matches!(block, Block::Text { text, .. } if text.trim().is_empty()));
    Ok(blocks)
}

/// Returns the text without a first line that is the billing line.
fn without_billing(text: &str) -> &str {
    if text.trim_start().starts_with(BILLING) {
        text.trim_start().split_once('\n').map_or("", |(_, rest)| rest)
    } else {
        text
    }
}
