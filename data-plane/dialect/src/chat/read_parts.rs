//! Parts of a caller's message: text, pictures, sounds, documents.

use std::borrow::Cow;

use super::read_request::{json, wrong};
use crate::Format;
use crate::ir::{Block, Cache, Media, Refused, Source};
use crate::json::Place;

/// Reads a message's content: a text, or a list of parts.
pub(super) fn blocks(content: Option<Place<'_>>, path: &str) -> Result<Vec<Block>, Refused> {
    let Some(content) = content else { return Ok(Vec::new()) };
    if let Some(text) = content.as_str() {
        return Ok(vec![Block::text(text)]);
    }
    if !content.is_array() {
        return Err(wrong(path, "must be a text or a list of parts"));
    }
    content.elements().enumerate().map(|(index, part)| block(part, &format!("{path}[{index}]"))).collect()
}

fn block(part: Place<'_>, path: &str) -> Result<Block, Refused> {
    if let Some(text) = part.as_str() {
        return Ok(Block::text(text));
    }
    let kind = part.get("type").and_then(|kind| kind.as_str());
    let kind = kind.unwrap_or_else(|| Cow::Borrowed(if part.get("text").is_some() { "text" } else { "" }));
    let cache = cache(part);
    let inner = || part.get(&kind).ok_or_else(|| wrong(format!("{path}.{kind}"), "is missing"));
    let media = |media: Media, source: Source, name: Option<String>, detail: Option<String>| Block::Media {
        media,
        source,
        name: name.unwrap_or_default(),
        detail,
        cache,
    };
    Ok(match &*kind {
        "text" | "input_text" => {
            let text = part.get("text").and_then(|text| text.as_str());
            let text = text.ok_or_else(|| wrong(format!("{path}.text"), "must be a text"))?.into_owned();
            Block::Text { text, cache, signature: None }
        }
        "image_url" => {
            let inner = inner()?;
            media(Media::Image, located(inner, path, &kind)?, None, said(inner, "detail"))
        }
        "video_url" => media(Media::Video, located(inner()?, path, &kind)?, None, None),
        // Mistral's, and Perplexity's, whose address may be the bytes themselves.
        "document_url" | "file_url" => {
            let name = said(part, "document_name").or_else(|| said(part, "file_name"));
            let mut source = located(inner()?, path, &kind)?;
            if let Source::Url { url, .. } = &source
                && !url.contains("://")
            {
                source = base64(url.clone(), name.as_deref());
            }
            media(Media::Document, source, name, None)
        }
        "input_audio" => {
            let inner = inner()?;
            let data = said(inner, "data");
            let data = data.ok_or_else(|| wrong(format!("{path}.input_audio.data"), "must be a text"))?;
            let media_type = audio_type(said(inner, "format").as_deref().unwrap_or("wav"));
            media(Media::Audio, data_url(&data).unwrap_or(Source::Base64 { media_type, data }), None, None)
        }
        "file" => {
            let (source, name) = file(inner()?, path)?;
            let kind =
                if let Source::Base64 { media_type, .. } = &source { kind_of(media_type) } else { None };
            media(kind.unwrap_or(Media::Document), source, name, None)
        }
        _ => Block::Foreign { format: Format::Chat, kind: kind.into_owned(), json: json(part) },
    })
}

fn said(object: Place<'_>, key: &str) -> Option<String> {
    Some(object.get(key)?.as_str()?.into_owned())
}

/// `cache_control` as OpenRouter and others take it from Anthropic, `prompt_cache_breakpoint` as OpenAI has it.
pub(super) fn cache(part: Place<'_>) -> Option<Cache> {
    let mark = part.get("cache_control").or_else(|| part.get("prompt_cache_breakpoint"));
    let mark = mark.filter(|mark| !mark.is_null())?;
    let hour = mark.get("ttl").and_then(|ttl| ttl.as_str()).is_some_and(|ttl| ttl == "1h");
    Some(if hour { Cache::OneHour } else { Cache::Default })
}

/// An address: a text, or an object with `url`.
fn located(inner: Place<'_>, path: &str, kind: &str) -> Result<Source, Refused> {
    let url = inner.as_str().or_else(|| inner.get("url")?.as_str());
    let url = url.ok_or_else(|| wrong(format!("{path}.{kind}.url"), "must be a text"))?;
    Ok(data_url(&url).unwrap_or_else(|| Source::Url { url: url.into_owned(), media_type: None }))
}

/// Reads `data:image/png;base64,...`.
fn data_url(url: &str) -> Option<Source> {
    let (head, data) = url.strip_prefix("data:")?.split_once(',')?;
    let head = head.strip_suffix(";base64")?;
    let media_type = head.split(';').next().unwrap_or_default().to_ascii_lowercase();
    let media_type = if media_type.is_empty() { "text/plain".to_owned() } else { media_type };
    Some(Source::Base64 { media_type, data: data.to_owned() })
}

fn file(inner: Place<'_>, path: &str) -> Result<(Source, Option<String>), Refused> {
    let name = said(inner, "filename");
    if let Some(id) = said(inner, "file_id") {
        return Ok((Source::File { id, media_type: None }, name));
    }
    let data = said(inner, "file_data");
    let data = data.ok_or_else(|| wrong(format!("{path}.file.file_data"), "must be a text"))?;
    let source = match data_url(&data) {
        Some(source) => source,
        None if data.starts_with("http://") || data.starts_with("https://") => {
            Source::Url { url: data, media_type: None }
        }
        None => base64(data, name.as_deref()),
    };
    Ok((source, name))
}

/// Bytes without their type: the name tells it.
fn base64(data: String, name: Option<&str>) -> Source {
    let ending = name.and_then(|name| name.rsplit_once('.')).map(|(_, ending)| ending.to_ascii_lowercase());
    let media_type = match ending.as_deref() {
        Some("txt" | "log") => "text/plain",
        Some("md") => "text/markdown",
        Some("csv") => "text/csv",
        Some("html" | "htm") => "text/html",
        Some("json") => "application/json",
        Some("docx") => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        Some("xlsx") => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        _ => "application/pdf",
    };
    Source::Base64 { media_type: media_type.to_owned(), data }
}

fn kind_of(media_type: &str) -> Option<Media> {
    match media_type.split('/').next()? {
        "image" => Some(Media::Image),
        "audio" => Some(Media::Audio),
        "video" => Some(Media::Video),
        _ => None,
    }
}

fn audio_type(format: &str) -> String {
    match format {
        "mp3" => "audio/mpeg".to_owned(),
        other => format!("audio/{other}"),
    }
}
