//! A streamed answer: what a reader of one format gives and a writer of another takes.
//!
//! Readers keep this order: `Start` once and first; for each block `Open`, `Delta`s, `Close`, where blocks of one choice do
//! not overlap and their numbers rise from 0; `Stop` once for each choice, after its blocks; `Usage` any number of times,
//! each replacing what was said before; `End` once, when the format's own last event came. A stream without `End` whose
//! choices all stopped is whole; one with a choice that did not stop is cut.

use super::{Block, Choice, Citation, Media, Reply, Source, Stop, Usage};
use crate::Format;

/// One thing that happens in a streamed answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// It begins.
    Start,
    /// A block begins.
    Open(At, Opening),
    /// A block goes on.
    Delta(At, Delta),
    /// A block ends.
    Close(At),
    /// A choice ends.
    Stop(u32, Stop),
    /// Tokens so far; the last counts.
    Usage(Usage),
    /// The format's own last event.
    End,
}

/// Where an event belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct At {
    /// The choice, from 0.
    pub choice: u32,
    /// The block within the choice, from 0.
    pub block: u32,
}

/// What begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opening {
    /// Text.
    Text,
    /// Thinking.
    Thinking {
        /// See [`Block::Thinking`].
        signed_by: Option<Format>,
        /// See [`Block::Thinking`].
        id: String,
    },
    /// Thinking that nobody sees; all of it.
    RedactedThinking {
        /// See [`Block::RedactedThinking`].
        data: String,
        /// See [`Block::RedactedThinking`].
        signed_by: Option<Format>,
    },
    /// A tool call. Its arguments come as [`Delta::Input`]; none at all mean `{}`.
    ToolUse {
        /// See [`Block::ToolUse`].
        id: String,
        /// See [`Block::ToolUse`].
        name: String,
        /// See [`Block::ToolUse`].
        signature: Option<String>,
        /// See [`Block::ToolUse`].
        custom: bool,
    },
    /// A refusal.
    Refusal,
    /// A picture or a sound that the model made; all of it.
    Media {
        /// See [`Block::Media`].
        media: Media,
        /// See [`Block::Media`].
        source: Source,
    },
    /// A block of one format; all of it.
    Foreign {
        /// See [`Block::Foreign`].
        format: Format,
        /// See [`Block::Foreign`].
        kind: String,
        /// Source.
        json: String,
    },
}

/// How a block goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delta {
    /// Text of a text, thinking or refusal block.
    Text(String),
    /// The next piece of a tool call's arguments: JSON in source, cut anywhere.
    Input(String),
    /// The signature of a thinking or text block, whole or the next piece.
    Signature(String),
    /// The entries of OpenAI's `logprobs.content` for what just came, in source.
    Logprobs(String),
    /// What a text block cites.
    Citation(Citation),
}

/// Puts a streamed answer together.
#[derive(Debug, Default)]
pub struct Accumulator {
    reply: Reply,
    stopped: Vec<u32>,
}

impl Accumulator {
    /// Takes the next event.
    pub fn take(&mut self, event: &Event) {
        match event {
            Event::Start | Event::Close(_) | Event::End => {}
            Event::Open(at, opening) => {
                let block = open(opening);
                if let Some(choice) = self.choice(at.choice) {
                    choice.blocks.push(block);
                }
            }
            Event::Delta(at, delta) => {
                let index = usize::try_from(at.block).unwrap_or(usize::MAX);
                if let Some(choice) = self.choice(at.choice) {
                    if let Delta::Logprobs(entries) = delta {
                        extend_list(&mut choice.logprobs, entries);
                    } else if let Delta::Citation(citation) = delta {
                        choice.citations.push((at.block, citation.clone()));
                    } else if let Some(block) = choice.blocks.get_mut(index) {
                        extend(block, delta);
                    }
                }
            }
            Event::Stop(choice, stop) => {
                self.stopped.push(*choice);
                if let Some(choice) = self.choice(*choice) {
                    choice.stop = stop.clone();
                }
            }
            Event::Usage(usage) => self.reply.usage = Some(*usage),
        }
    }

    /// Returns the answer so far.
    #[must_use]
    pub fn reply(&self) -> &Reply {
        &self.reply
    }

    /// Whether there are choices and all of them ended.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let choices = u32::try_from(self.reply.choices.len()).unwrap_or(u32::MAX);
        choices > 0 && (0..choices).all(|choice| self.stopped.contains(&choice))
    }

    /// Returns the answer.
    #[must_use]
    pub fn into_reply(self) -> Reply {
        self.reply
    }

    /// Choices beyond the bound of any format are not kept.
    fn choice(&mut self, index: u32) -> Option<&mut Choice> {
        const CHOICES_MAX: usize = 128;
        let index = usize::try_from(index).ok().filter(|index| *index < CHOICES_MAX)?;
        if self.reply.choices.len() <= index {
            self.reply.choices.resize_with(index + 1, Choice::default);
        }
        self.reply.choices.get_mut(index)
    }
}

fn open(opening: &Opening) -> Block {
    match opening.clone() {
        Opening::Text => Block::text(""),
        Opening::Thinking { signed_by, id } => {
            Block::Thinking { text: String::new(), signature: None, signed_by, id }
        }
        Opening::RedactedThinking { data, signed_by } => Block::RedactedThinking { data, signed_by },
        Opening::ToolUse { id, name, signature, custom } => {
            Block::ToolUse { id, name, input: String::new(), signature, custom, cache: None }
        }
        Opening::Refusal => Block::Refusal { text: String::new() },
        Opening::Media { media, source } => {
            Block::Media { media, source, name: String::new(), detail: None, cache: None }
        }
        Opening::Foreign { format, kind, json } => match serde_json::value::RawValue::from_string(json) {
            Ok(json) => Block::Foreign { format, kind, json },
            Err(_) => Block::text(""),
        },
    }
}

fn extend(block: &mut Block, delta: &Delta) {
    match (block, delta) {
        (
            Block::Text { text, .. } | Block::Thinking { text, .. } | Block::Refusal { text },
            Delta::Text(more),
        ) => text.push_str(more),
        (Block::ToolUse { input, .. }, Delta::Input(more)) => input.push_str(more),
        (
            Block::Text { signature, .. }
            | Block::Thinking { signature, .. }
            | Block::ToolUse { signature, .. },
            Delta::Signature(more),
        ) => signature.get_or_insert_default().push_str(more),
        _ => {}
    }
}

/// Appends the entries of one JSON array in source to another.
fn extend_list(list: &mut Option<String>, entries: &str) {
    let inner = entries.trim().trim_start_matches('[').trim_end_matches(']');
    match list {
        None => *list = Some(format!("[{inner}]")),
        Some(list) => {
            let _closing = list.pop();
            if list.len() > 1 && !inner.is_empty() {
                list.push(',');
            }
            list.push_str(inner);
            list.push(']');
        }
    }
}
