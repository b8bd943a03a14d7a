//! Parts of a message for a provider.

use super::object::Object;
use crate::Format;
use crate::ir::{Block, Cache, Media, Refused, Source};
use crate::json::quote;
use crate::quirks::{Documents, Quirks};

/// Joins the texts of blocks.
pub(super) fn joined(blocks: &[&Block], between: &str) -> String {
    let texts: Vec<&str> = blocks.iter().filter_map(|block| said(block)).collect();
    texts.join(between)
}

fn said(block: &Block) -> Option<&str> {
    match block {
        Block::Text { text, .. } | Block::Refusal { text } => Some(text),
        Block::Media { source: Source::Text(text), .. } => Some(text),
        Block::Media { .. }
        | Block::Thinking { .. }
        | Block::RedactedThinking { .. }
        | Block::ToolUse { .. }
        | Block::ToolResult { .. }
        | Block::Foreign { .. } => None,
    }
}

/// Writes a message's content: a text where there is nothing but one, which every vendor takes, else a list of parts.
pub(super) fn content(blocks: &[&Block], path: &str, quirks: &Quirks) -> Result<String, Refused> {
    let marked = |block: &&Block| quirks.cache_control && matches!(block, Block::Text { cache: Some(_), .. });
    let plain = blocks.iter().all(|block| said(block).is_some());
    if plain && (blocks.len() <= 1 || !quirks.text_lists) && !blocks.iter().any(marked) {
        return Ok(quote(&joined(blocks, "\n\n")));
    }
    let mut parts = Vec::with_capacity(blocks.len());
    for (index, block) in blocks.iter().enumerate() {
        let path = || format!("{path}.content[{index}]");
        parts.push(part(block, quirks).ok_or_else(|| Refused::no_equivalent(path()))?);
    }
    Ok(format!("[{}]", parts.join(",")))
}

fn part(block: &Block, quirks: &Quirks) -> Option<String> {
    if let Some(text) = said(block) {
        let mut part = Object::default();
        part.text("type", "text");
        part.text("text", text);
        if let Block::Text { cache: Some(cache), .. } = block
            && quirks.cache_control
        {
            let ttl = if *cache == Cache::OneHour { r#","ttl":"1h""# } else { "" };
            part.raw("cache_control", &format!(r#"{{"type":"ephemeral"{ttl}}}"#));
        }
        return Some(part.finish());
    }
    match block {
        Block::Media { media, source, name, detail, .. } => match media {
            Media::Image => image(source, detail.as_deref()),
            Media::Audio => audio(source),
            Media::Video => {
                address(source).filter(|_| quirks.video).map(|url| wrapped("video_url", &url, None))
            }
            Media::Document => document(source, name, quirks),
        },
        Block::Foreign { format: Format::Chat, json, .. } => Some(json.get().to_owned()),
        Block::Foreign { .. }
        | Block::Text { .. }
        | Block::Refusal { .. }
        | Block::Thinking { .. }
        | Block::RedactedThinking { .. }
        | Block::ToolUse { .. }
        | Block::ToolResult { .. } => None,
    }
}

/// The address of a piece: the bytes themselves, if they are here.
fn address(source: &Source) -> Option<String> {
    match source {
        Source::Base64 { media_type, data } => Some(format!("data:{media_type};base64,{data}")),
        Source::Url { url, .. } => Some(url.clone()),
        Source::Text(_) | Source::File { .. } => None,
    }
}

fn wrapped(kind: &str, url: &str, detail: Option<&str>) -> String {
    let mut inner = Object::default();
    inner.text("url", url);
    inner.maybe("detail", detail.map(quote));
    format!(r#"{{"type":"{kind}","{kind}":{}}}"#, inner.finish())
}

fn image(source: &Source, detail: Option<&str>) -> Option<String> {
    Some(wrapped("image_url", &address(source)?, detail))
}

/// This format knows two kinds of sound, and only as bytes.
fn audio(source: &Source) -> Option<String> {
    let Source::Base64 { media_type, data } = source else { return None };
    let format = match media_type.as_str() {
        "audio/mpeg" | "audio/mp3" => "mp3",
        "audio/wav" | "audio/x-wav" | "audio/wave" | "audio/vnd.wave" => "wav",
        _ => return None,
    };
    let data = quote(data);
    Some(format!(r#"{{"type":"input_audio","input_audio":{{"data":{data},"format":"{format}"}}}}"#))
}

fn document(source: &Source, name: &str, quirks: &Quirks) -> Option<String> {
    let named = if name.is_empty() { "document.pdf" } else { name };
    let url = address(source);
    let mut inner = Object::default();
    match (quirks.documents, source) {
        (Documents::None, _) | (Documents::File, Source::Url { .. }) => return None,
        (Documents::Url, _) => {
            return Some(format!(r#"{{"type":"document_url","document_url":{}}}"#, quote(&url?)));
        }
        (Documents::File | Documents::FileOrUrl, Source::File { id, .. }) => inner.text("file_id", id),
        (Documents::File | Documents::FileOrUrl, _) => {
            inner.text("filename", named);
            inner.text("file_data", &url?);
        }
    }
    Some(format!(r#"{{"type":"file","file":{}}}"#, inner.finish()))
}
