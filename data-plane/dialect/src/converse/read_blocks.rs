//! Blocks, read: those of a caller's request and those of Bedrock's answers are the same.

use crate::Format;
use crate::ir::{Block, Cache, Media, Refused, Source};

use super::field::{Field, json, refused};
use super::signature::{Carried, carried, carried_redacted};
use super::words::media_type_of;

/// Who wrote the blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    /// A caller: signatures may be those of other formats' providers.
    Caller,
    /// Bedrock.
    Bedrock,
}

/// Reads blocks in order. A cache point becomes a mark on the block before it.
pub(super) fn blocks(list: &Field<'_>, from: From) -> Result<Vec<Block>, Refused> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut of_call = None;
    for field in list.list()? {
        let (key, value) = field.only()?;
        match &*key {
            "cachePoint" => mark(blocks.last_mut(), cache(&value)?),
            "text" => blocks.push(Block::text(value.text()?)),
            "reasoningContent" => match thought(&value, from)? {
                Thought::Block(block) => blocks.push(block),
                Thought::OfNextCall(signature) => of_call = Some(signature),
            },
            "toolUse" => {
                let mut call = call(&field, &value)?;
                if let Block::ToolUse { signature, .. } = &mut call {
                    *signature = of_call.take();
                }
                blocks.push(call);
            }
            "toolResult" if from == From::Caller && value.get("type").is_none() => {
                blocks.push(result(&value)?)
            }
            "guardContent" => blocks.push(guarded(&field, &value)?),
            "citationsContent" => blocks.push(Block::text(cited(&value)?)),
            "document" => {
                // What the caller says about a document is text beside it.
                blocks.extend(value.text_of("context")?.map(Block::text));
                blocks.push(media(Media::Document, &value)?);
            }
            key => blocks.push(match media_kind(key) {
                Some(kind) => media(kind, &value)?,
                None => foreign(key, &field)?,
            }),
        }
    }
    Ok(blocks)
}

/// Reads the blocks of a system prompt: text and cache points.
pub(super) fn system(list: &Field<'_>) -> Result<Vec<Block>, Refused> {
    let mut blocks: Vec<Block> = Vec::new();
    for field in list.list()? {
        let (key, value) = field.only()?;
        match &*key {
            "text" => blocks.push(Block::text(value.text()?)),
            "cachePoint" => mark(blocks.last_mut(), cache(&value)?),
            "guardContent" => {
                let Some(text) = value.get("text") else { return Err(refused(field.path(), "must be text")) };
                blocks.push(Block::text(text.need("text")?.text()?));
            }
            _ => return Err(refused(field.path(), "must be text or a cache point")),
        }
    }
    Ok(blocks)
}

/// Reads a cache point.
pub(super) fn cache(point: &Field<'_>) -> Result<Cache, Refused> {
    Ok(match point.text_of("ttl")?.as_deref() {
        Some("1h") => Cache::OneHour,
        Some(_) | None => Cache::Default,
    })
}

fn mark(last: Option<&mut Block>, point: Cache) {
    match last {
        Some(
            Block::Text { cache, .. }
            | Block::ToolUse { cache, .. }
            | Block::ToolResult { cache, .. }
            | Block::Media { cache, .. },
        ) => *cache = Some(point),
        // Nothing stands before it, or nothing that is cached by itself.
        Some(
            Block::Thinking { .. }
            | Block::RedactedThinking { .. }
            | Block::Refusal { .. }
            | Block::Foreign { .. },
        )
        | None => {}
    }
}

enum Thought {
    Block(Block),
    OfNextCall(String),
}

fn thought(value: &Field<'_>, from: From) -> Result<Thought, Refused> {
    if let Some(data) = value.text_of("redactedContent")? {
        let (signed_by, data) = match from {
            From::Caller => carried_redacted(&data),
            From::Bedrock => (Format::Converse, data),
        };
        return Ok(Thought::Block(Block::RedactedThinking { data, signed_by: Some(signed_by) }));
    }
    let Some(value) = value.get("reasoningText") else {
        return Err(refused(value.path(), "must have `reasoningText` or `redactedContent`"));
    };
    let text = value.text_of("text")?.unwrap_or_default();
    let signature = value.text_of("signature")?.filter(|signature| !signature.is_empty());
    let (signed_by, signature) = match (from, signature) {
        (From::Caller, Some(signature)) => match carried(&signature) {
            Carried::OfNextCall(signature) => return Ok(Thought::OfNextCall(signature)),
            Carried::Own(format, signature) => (format, Some(signature)),
        },
        (_, signature) => (Format::Converse, signature),
    };
    Ok(Thought::Block(Block::Thinking { text, signature, signed_by: Some(signed_by), id: String::new() }))
}

/// Reads a call. One that Bedrock answers itself is its own affair.
fn call(field: &Field<'_>, value: &Field<'_>) -> Result<Block, Refused> {
    if value.text_of("type")?.as_deref() == Some("server_tool_use") {
        return foreign("toolUse", field);
    }
    Ok(Block::ToolUse {
        id: value.need("toolUseId")?.text()?,
        name: value.need("name")?.text()?,
        input: value.get("input").map_or("{}", |input| input.source()).to_owned(),
        signature: None,
        custom: false,
        cache: None,
    })
}

fn result(value: &Field<'_>) -> Result<Block, Refused> {
    let mut content = Vec::new();
    for field in value.get("content").map(|content| content.list()).transpose()?.unwrap_or_default() {
        let (key, piece) = field.only()?;
        content.push(match &*key {
            "text" => Block::text(piece.text()?),
            // Other formats' results are text.
            "json" => Block::text(piece.source()),
            key => match media_kind(key) {
                Some(kind) => media(kind, &piece)?,
                None => foreign(key, &field)?,
            },
        });
    }
    Ok(Block::ToolResult {
        id: value.need("toolUseId")?.text()?,
        name: String::new(),
        content,
        is_error: value.text_of("status")?.as_deref() == Some("error"),
        cache: None,
    })
}

/// Reads a piece that a guardrail is to look at: it is a piece all the same.
fn guarded(field: &Field<'_>, value: &Field<'_>) -> Result<Block, Refused> {
    if let Some(text) = value.get("text") {
        return Ok(Block::text(text.need("text")?.text()?));
    }
    match value.get("image") {
        Some(image) => media(Media::Image, &image),
        None => foreign("guardContent", field),
    }
}

/// Returns the text of an answer with its sources.
fn cited(value: &Field<'_>) -> Result<String, Refused> {
    let mut text = String::new();
    for piece in value.get("content").map(|content| content.list()).transpose()?.unwrap_or_default() {
        text.push_str(&piece.text_of("text")?.unwrap_or_default());
    }
    Ok(text)
}

fn media_kind(key: &str) -> Option<Media> {
    match key {
        "image" => Some(Media::Image),
        "video" => Some(Media::Video),
        "audio" => Some(Media::Audio),
        "document" => Some(Media::Document),
        _ => None,
    }
}

fn media(media: Media, value: &Field<'_>) -> Result<Block, Refused> {
    let format = value.text_of("format")?;
    // A document without a format is text.
    let media_type = media_type_of(media, format.as_deref().unwrap_or("txt"));
    let source = value.need("source")?;
    let source = if let Some(data) = source.text_of("bytes")? {
        Source::Base64 { media_type, data }
    } else if let Some(location) = source.get("s3Location") {
        Source::Url { url: location.need("uri")?.text()?, media_type: Some(media_type) }
    } else if let Some(text) = source.text_of("text")? {
        Source::Text(text)
    } else {
        let pieces = source.need("content")?.list()?;
        let texts: Result<Vec<_>, _> = pieces.iter().map(|piece| piece.need("text")?.text()).collect();
        Source::Text(texts?.join("\n\n"))
    };
    let name = value.text_of("name")?.unwrap_or_default();
    Ok(Block::Media { media, source, name, detail: None, cache: None })
}

fn foreign(kind: &str, field: &Field<'_>) -> Result<Block, Refused> {
    let json = json(field.source()).map_err(|()| refused(field.path(), "must be JSON"))?;
    Ok(Block::Foreign { format: Format::Converse, kind: kind.to_owned(), json })
}
