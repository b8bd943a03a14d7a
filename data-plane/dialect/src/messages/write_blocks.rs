//! Writes content blocks for a provider.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::field::wrong;
use super::wire::{CacheControl, Out, OutSource, arguments};
use crate::Format;
use crate::ir::{Block, Cache, Media, Refused, Role, Source, ToolIdShape, text_argument, tool_id};

/// The provider takes this many marks of cache in one request; the first ones go, because each covers what stands before it.
pub(super) const CACHE_MARKS_MAX: usize = 4;

/// Writes blocks, and counts how many marks of cache must still go.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    pub(super) surplus: usize,
}

impl Blocks {
    /// Writes a mark of cache.
    pub(super) fn mark(&mut self, cache: Option<Cache>) -> Option<CacheControl> {
        let cache = cache?;
        if self.surplus > 0 {
            self.surplus -= 1;
            return None;
        }
        Some(cache.into())
    }

    /// Writes a block of a turn; none if there is nothing in it that the provider takes: a blank text (bug 26), thinking
    /// that another provider signed or nobody.
    pub(super) fn block<'a>(
        &mut self,
        block: &'a Block,
        role: Role,
        param: &str,
    ) -> Result<Option<Out<'a>>, Refused> {
        Ok(Some(match block {
            Block::Text { text, .. } | Block::Refusal { text } if text.trim().is_empty() => return Ok(None),
            Block::Text { text, cache, .. } => {
                Out::Text { text: Cow::from(text), cache_control: self.mark(*cache) }
            }
            Block::Refusal { text } => Out::Text { text: Cow::from(text), cache_control: None },
            Block::Thinking { .. } | Block::RedactedThinking { .. } if !is_own_thinking(block) => {
                return Ok(None);
            }
            Block::Thinking { text, signature, .. } => {
                Out::Thinking { thinking: Cow::from(text), signature: signature.clone().unwrap_or_default() }
            }
            Block::RedactedThinking { data, .. } => Out::RedactedThinking { data: data.clone() },
            Block::ToolUse { id, name, input, custom, cache, .. } => Out::ToolUse {
                id: own_tool_id(id),
                name,
                input: if *custom { arguments(&text_argument(input)) } else { arguments(input) },
                cache_control: self.mark(*cache),
            },
            Block::ToolResult { id, content, is_error, cache, .. } => Out::ToolResult {
                tool_use_id: own_tool_id(id),
                content: self.results(content, param)?,
                is_error: *is_error,
                cache_control: self.mark(*cache),
            },
            // The model's own pictures are not taken back.
            Block::Media { .. } if role == Role::Assistant => return Err(Refused::no_equivalent(param)),
            Block::Media { media, source, name, cache, .. } => {
                self.media(*media, source, name, *cache, param)?
            }
            Block::Foreign { format: Format::Messages, json, .. } => Out::Foreign(json),
            Block::Foreign { .. } => return Err(Refused::no_equivalent(param)),
        }))
    }

    fn results<'a>(&mut self, content: &'a [Block], param: &str) -> Result<Vec<Out<'a>>, Refused> {
        let mut written = Vec::new();
        for (at, block) in content.iter().enumerate() {
            written.extend(self.block(block, Role::User, &format!("{param}.content[{at}]"))?);
        }
        Ok(written)
    }

    fn media<'a>(
        &mut self,
        media: Media,
        source: &'a Source,
        name: &'a str,
        cache: Option<Cache>,
        param: &str,
    ) -> Result<Out<'a>, Refused> {
        match media {
            Media::Image => Ok(Out::Image { source: image(source, param)?, cache_control: self.mark(cache) }),
            Media::Document => {
                let source = document(source, param)?;
                Ok(Out::Document { source, title: name, cache_control: self.mark(cache) })
            }
            Media::Audio | Media::Video => Err(Refused::no_equivalent(param)),
        }
    }
}

/// Whether it is thinking that Anthropic signed: only that can be sent back.
pub(super) fn is_own_thinking(block: &Block) -> bool {
    match block {
        Block::Thinking { signature, signed_by, .. } => {
            signature.is_some() && *signed_by == Some(Format::Messages)
        }
        Block::RedactedThinking { signed_by, .. } => *signed_by == Some(Format::Messages),
        Block::Text { .. }
        | Block::ToolUse { .. }
        | Block::ToolResult { .. }
        | Block::Media { .. }
        | Block::Refusal { .. }
        | Block::Foreign { .. } => false,
    }
}

fn own_tool_id(id: &str) -> String {
    tool_id(id, ToolIdShape::Word, "toolu_")
}

fn image<'a>(source: &'a Source, param: &str) -> Result<OutSource<'a>, Refused> {
    let (media_type, data) = match source {
        Source::Base64 { media_type, data } => (media_type.as_str(), data.as_str()),
        Source::Url { url, .. } => match data_url(url) {
            Some(parts) => parts,
            None => return Ok(OutSource::Url { url }),
        },
        Source::File { .. } | Source::Text(_) => return Err(Refused::no_equivalent(param)),
    };
    let media_type = match media_type {
        "image/jpg" => "image/jpeg",
        "image/jpeg" | "image/png" | "image/gif" | "image/webp" => media_type,
        _ => return Err(wrong(param, "is an image of a type that this model does not take")),
    };
    Ok(OutSource::Base64 { media_type: Cow::from(media_type), data: Cow::from(data) })
}

/// Documents are PDFs, or plain text in whatever type of text it came.
fn document<'a>(source: &'a Source, param: &str) -> Result<OutSource<'a>, Refused> {
    let plain = |data: Cow<'a, str>| OutSource::Text { media_type: "text/plain", data };
    let (media_type, data) = match source {
        Source::Base64 { media_type, data } => (media_type.as_str(), data.as_str()),
        Source::Text(text) => return Ok(plain(Cow::from(text))),
        Source::Url { url, .. } => match data_url(url) {
            Some(parts) => parts,
            None => return Ok(OutSource::Url { url }),
        },
        Source::File { .. } => return Err(Refused::no_equivalent(param)),
    };
    if media_type == "application/pdf" {
        return Ok(OutSource::Base64 { media_type: Cow::from(media_type), data: Cow::from(data) });
    }
    let is_text = media_type.starts_with("text/")
        || matches!(media_type, "application/json" | "application/xml" | "application/yaml");
    let decoded = STANDARD.decode(data).ok().filter(|_| is_text).and_then(|it| String::from_utf8(it).ok());
    match decoded {
        Some(text) => Ok(plain(Cow::from(text))),
        None => Err(wrong(param, "is a document of a type that this model does not take")),
    }
}

/// Returns media type and base64 data of a `data:` address.
fn data_url(url: &str) -> Option<(&str, &str)> {
    let (head, data) = url.strip_prefix("data:")?.split_once(',')?;
    let media_type = head.strip_suffix(";base64")?;
    Some((media_type.split(';').next().unwrap_or(media_type), data))
}
