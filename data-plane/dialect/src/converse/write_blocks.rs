//! The conversation, written for Bedrock.

use std::borrow::Cow;
use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::value::RawValue;

use crate::Format;
use crate::ir::{Block, Cache, Dropped, Media, Refused, Request, Role, Source, ToolIdShape, tool_id};

use super::family::{CachePlace, Family};
use super::field::refused;
use super::wire::{Bytes, Message, Piece, Thought};
use super::words::{format_of, known_format};
use super::write_reply::of_text;

/// Stands where Bedrock demands a text and the caller has none: beside a document, and where there is no message at all.
/// Recorded as accepted by Claude, Nova and others.
const FILLER: &str = ".";
/// What a tool gave that gave nothing: an empty text is refused.
const NOTHING: &str = "(empty)";
/// Characters of a document's name.
const NAME_CHARS_MAX: usize = 200;

/// Writes the blocks of one request.
#[derive(Debug)]
pub(super) struct Blocks {
    family: Family,
    /// Names of documents so far: Bedrock takes none twice.
    names: BTreeSet<String>,
    /// A cache point was left out.
    uncached: bool,
    /// Media in answers of the model is refused by Bedrock.
    role: Role,
}

impl Blocks {
    pub(super) fn new(family: Family) -> Self {
        Self { family, names: BTreeSet::new(), uncached: false, role: Role::User }
    }

    /// Notes what was left out.
    pub(super) fn dropped(&self, dropped: &mut Vec<Dropped>) {
        if self.uncached {
            dropped.push("cache_control".to_owned());
        }
    }

    /// Writes the system prompt.
    pub(super) fn system<'a>(&mut self, request: &'a Request) -> Result<Vec<Piece<'a>>, Refused> {
        let mut pieces = Vec::new();
        for (at, block) in request.system.iter().enumerate() {
            let Block::Text { text, cache, .. } = block else {
                return Err(refused(format!("messages[{at}].content"), "must be text"));
            };
            if !is_blank(text) {
                pieces.push(Piece::Text(text.into()));
            }
            self.cache(*cache, CachePlace::System, &mut pieces);
        }
        Ok(pieces)
    }

    /// Writes the conversation: turns of one side in one message, results of tools before anything else in it.
    pub(super) fn messages<'a>(&mut self, request: &'a Request) -> Result<Vec<Message<'a>>, Refused> {
        let mut messages: Vec<Message<'a>> = Vec::new();
        for (at, turn) in request.turns.iter().enumerate() {
            self.role = turn.role;
            let role = match turn.role {
                Role::Assistant => "assistant",
                // An instruction in the middle keeps its place: moved to the system prompt it would say something else, and
                // change what is cached.
                Role::User | Role::System => "user",
            };
            let (mut results, mut others) = (Vec::new(), Vec::new());
            for (index, block) in turn.blocks.iter().enumerate() {
                let path = format!("messages[{at}].content[{index}]");
                let pieces =
                    if matches!(block, Block::ToolResult { .. }) { &mut results } else { &mut others };
                self.block(block, &path, pieces)?;
            }
            match messages.last_mut().filter(|last| last.role == role) {
                Some(last) => {
                    let behind = last.content.iter().rposition(is_result).map_or(0, |at| at + 1);
                    let behind =
                        behind + last.content.iter().skip(behind).take_while(|p| is_cache(p)).count();
                    // Results of a later turn go behind those of an earlier one.
                    last.content.splice(behind..behind, results).for_each(drop);
                    last.content.append(&mut others);
                }
                None => {
                    results.append(&mut others);
                    messages.push(Message { role, content: results });
                }
            }
        }
        finish(messages)
    }

    fn block<'a>(
        &mut self,
        block: &'a Block,
        path: &str,
        pieces: &mut Vec<Piece<'a>>,
    ) -> Result<(), Refused> {
        let cached = match block {
            Block::Text { text, cache, .. } => {
                if !is_blank(text) {
                    pieces.push(Piece::Text(text.into()));
                }
                *cache
            }
            Block::Refusal { text } => {
                if !is_blank(text) {
                    pieces.push(Piece::Text(text.into()));
                }
                None
            }
            Block::Thinking {
                text, signature: Some(signature), signed_by: Some(Format::Converse), ..
            } => {
                let signature = Some(Cow::from(signature));
                pieces.push(Piece::ReasoningContent(Thought::ReasoningText { text, signature }));
                None
            }
            Block::RedactedThinking { data, signed_by: Some(Format::Converse) } => {
                pieces.push(Piece::ReasoningContent(Thought::RedactedContent(data.into())));
                None
            }
            // What another provider thought is no proof here, and thinking without a signature is none anywhere.
            Block::Thinking { .. } | Block::RedactedThinking { .. } => None,
            Block::ToolUse { id, name, input, custom, cache, .. } => {
                let input = if *custom { Some(of_text(input)) } else { arguments(input).map(Cow::Borrowed) };
                let input = input.ok_or_else(|| refused(path, "must have a JSON object as arguments"))?;
                let tool_use_id = id_of(id);
                pieces.push(Piece::ToolUse { tool_use_id, name, input });
                *cache
            }
            Block::ToolResult { id, content, is_error, cache, .. } => {
                let (content, inner) = self.result(content, path)?;
                let status = (*is_error && self.family.has_result_status()).then_some("error");
                pieces.push(Piece::ToolResult { tool_use_id: id_of(id), content, status });
                cache.or(inner)
            }
            Block::Media { media, source, name, cache, .. } => {
                if self.role == Role::Assistant {
                    return Err(refused(path, "must not stand in an answer of this model"));
                }
                pieces.push(self.media(*media, source, name, path)?);
                *cache
            }
            Block::Foreign { format: Format::Converse, json, .. } => {
                pieces.push(Piece::Raw(json));
                None
            }
            Block::Foreign { .. } => return Err(Refused::no_equivalent(path)),
        };
        self.cache(cached, CachePlace::Messages, pieces);
        Ok(())
    }

    /// Writes what a tool gave. Cache points within it go behind it: Converse has none there.
    fn result<'a>(
        &mut self,
        content: &'a [Block],
        path: &str,
    ) -> Result<(Vec<Piece<'a>>, Option<Cache>), Refused> {
        let (mut pieces, mut inner) = (Vec::new(), None);
        for (index, block) in content.iter().enumerate() {
            let path = format!("{path}.content[{index}]");
            match block {
                Block::Text { text, cache, .. } => {
                    inner = cache.or(inner);
                    if !is_blank(text) {
                        pieces.push(Piece::Text(text.into()));
                    }
                }
                Block::Media { media, source, name, cache, .. } => {
                    inner = cache.or(inner);
                    if *media == Media::Audio {
                        return Err(Refused::no_equivalent(path));
                    }
                    pieces.push(self.media(*media, source, name, &path)?);
                }
                Block::Foreign { format: Format::Converse, json, .. } => pieces.push(Piece::Raw(json)),
                Block::Thinking { .. }
                | Block::RedactedThinking { .. }
                | Block::ToolUse { .. }
                | Block::ToolResult { .. }
                | Block::Refusal { .. }
                | Block::Foreign { .. } => return Err(Refused::no_equivalent(path)),
            }
        }
        if pieces.is_empty() {
            pieces.push(Piece::Text(NOTHING.into()));
        }
        Ok((pieces, inner))
    }

    fn media<'a>(
        &mut self,
        media: Media,
        source: &'a Source,
        name: &str,
        path: &str,
    ) -> Result<Piece<'a>, Refused> {
        let unknown = || refused(path, "is of a media type that is not supported for this model");
        let (format, source) = match source {
            Source::Base64 { media_type, data } => {
                let format = format_of(media, media_type).or_else(|| plain_text(media, media_type));
                (format.ok_or_else(unknown)?, Bytes::Bytes(data.into()))
            }
            Source::Text(text) => ("txt", Bytes::Bytes(STANDARD.encode(text).into())),
            Source::Url { url, media_type } if url.starts_with("s3://") => {
                let by_type = media_type.as_deref().and_then(|media_type| format_of(media, media_type));
                let format = by_type.or_else(|| by_ending(media, url)).ok_or_else(unknown)?;
                (format, Bytes::S3Location { uri: url })
            }
            Source::Url { .. } => {
                return Err(refused(path, "must hold its bytes for this model, not an address"));
            }
            Source::File { .. } => {
                return Err(refused(path, "must hold its bytes for this model, not a file's id"));
            }
        };
        Ok(match media {
            Media::Image => Piece::Image { format, source },
            Media::Video => Piece::Video { format, source },
            Media::Audio => Piece::Audio { format, source },
            Media::Document => Piece::Document { format, name: self.name(name, format), source },
        })
    }

    /// Makes a document's name of the characters that Bedrock takes, and one that no other has.
    fn name(&mut self, name: &str, format: &str) -> String {
        let stem = name.strip_suffix(format).and_then(|stem| stem.strip_suffix('.')).unwrap_or(name);
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '(' | ')' | '[' | ']');
        let plain: String = stem.chars().map(|c| if fits(c) { c } else { ' ' }).collect();
        let mut plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
        // Room for a number.
        plain.truncate(NAME_CHARS_MAX - 8);
        let plain = if plain.trim().is_empty() { "document" } else { plain.trim() };
        let numbered = (2_u32..10_000).map(|number| format!("{plain} ({number})"));
        let free = std::iter::once(plain.to_owned()).chain(numbered).find(|name| !self.names.contains(name));
        let name = free.unwrap_or_else(|| plain.to_owned());
        self.names.insert(name.clone());
        name
    }

    /// Writes a cache point behind what stands there.
    fn cache<'a>(&mut self, cache: Option<Cache>, place: CachePlace, pieces: &mut Vec<Piece<'a>>) {
        let Some(wanted) = cache else { return };
        match self.family.cache(Some(wanted), place) {
            Some(cache) if pieces.last().is_some_and(|last| !is_cache(last)) => {
                pieces.push(Piece::CachePoint(cache.into()));
            }
            Some(_) => {}
            None => self.uncached = true,
        }
    }
}

/// Takes out messages with nothing in them, and adds the texts that Bedrock demands.
fn finish(messages: Vec<Message<'_>>) -> Result<Vec<Message<'_>>, Refused> {
    let mut kept: Vec<Message<'_>> = Vec::with_capacity(messages.len());
    for mut message in messages {
        if message.content.iter().all(is_cache) {
            continue;
        }
        match kept.last_mut().filter(|last| last.role == message.role) {
            Some(last) => last.content.append(&mut message.content),
            None => kept.push(message),
        }
    }
    for message in &mut kept {
        let has = |test: fn(&Piece<'_>) -> bool| message.content.iter().any(test);
        if has(|piece| matches!(piece, Piece::Document { .. }))
            && !has(|piece| matches!(piece, Piece::Text(_)))
        {
            message.content.push(Piece::Text(FILLER.into()));
        }
    }
    // An answer that the model shall go on with must not end in space.
    if let Some(Piece::Text(text)) =
        kept.last_mut().filter(|last| last.role == "assistant").and_then(|last| last.content.last_mut())
    {
        *text = text.trim_end().to_owned().into();
    }
    if kept.is_empty() {
        kept.push(Message { role: "user", content: vec![Piece::Text(FILLER.into())] });
    }
    Ok(kept)
}

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

fn is_cache(piece: &Piece<'_>) -> bool {
    matches!(piece, Piece::CachePoint(_))
}

fn is_result(piece: &Piece<'_>) -> bool {
    matches!(piece, Piece::ToolResult { .. })
}

fn id_of(id: &str) -> String {
    tool_id(id, ToolIdShape::Word, "tooluse_")
}

/// Returns a call's arguments; none at all are an empty object.
fn arguments(input: &str) -> Option<&RawValue> {
    let input = if is_blank(input) { "{}" } else { input };
    serde_json::from_str::<&RawValue>(input).ok().filter(|input| input.get().starts_with('{'))
}

/// Text of any kind is text.
fn plain_text(media: Media, media_type: &str) -> Option<&'static str> {
    let text =
        media_type.starts_with("text/") || matches!(media_type, "application/json" | "application/xml");
    (media == Media::Document && text).then_some("txt")
}

fn by_ending(media: Media, url: &str) -> Option<&'static str> {
    let (_, ending) = url.rsplit_once('.')?;
    let ending = if ending == "jpg" { "jpeg" } else { ending };
    known_format(media, ending)
}
