//! Guardrails on a text that comes in pieces.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::compile::{CompiledGuards, Judged};
use super::detect::Text;
use super::json;
use super::scan::{self, Piece, Scan};
use super::verdict::{Finding, Side};
use crate::limits::{STREAM_CHANNELS_MAX, TOOL_ARGUMENTS_BYTES_MAX};
use crate::resource::Action;

/// Bytes of a channel's text, already given out, that are kept before they are moved away in one go.
const SPENT_BYTES_MAX: usize = 512;

/// Which text of a stream a piece belongs to. Each is judged for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Channel {
    /// Index of the choice.
    pub choice: u32,
    /// Which text of the choice.
    pub part: Part,
}

/// Which text of a choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The answer.
    Content,
    /// Why there is none.
    Refusal,
    /// What the model thought.
    Reasoning,
    /// The arguments of the tool call of this index: JSON, held whole, because a client acts on it.
    ToolArguments(u32),
    /// Another text that the dialect numbers.
    Other(u32),
}

/// What may leave after a piece.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Step {
    /// This text, which may be empty.
    Release(String),
    /// Nothing any more, on no channel: the stream ends here.
    Block(Finding),
}

/// What became of the next bytes of a channel, for who keeps the text itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Passage {
    /// So many bytes leave as they are.
    Keep(usize),
    /// So many bytes leave as this text; empty for the later parts of one mask.
    Replace(usize, Cow<'static, str>),
}

/// What may leave after a piece, as passages over the text that was pushed. Those before a block leave too.
#[derive(Debug, Default)]
#[must_use]
pub struct Passages {
    /// In order; together with what is still held they cover all that was pushed.
    pub passages: Vec<Passage>,
    /// The stream ends behind the passages.
    pub blocked: Option<Finding>,
}

/// Judges the texts of one stream of the output side. What it lets go does not depend on how the texts were cut.
#[derive(Debug)]
pub struct StreamGuard {
    guards: Arc<CompiledGuards>,
    channels: BTreeMap<Channel, Held>,
    found: Vec<Finding>,
    blocked: Option<Finding>,
    /// Channels that were opened and finished, so that a stream cannot open new ones for ever.
    opened: usize,
}

/// One channel.
#[derive(Debug)]
enum Held {
    /// The end of its text that is still needed.
    Text { scan: Scan, tail: String, given: usize },
    /// All of it.
    Whole(String),
}

impl StreamGuard {
    /// Makes the guard of one stream.
    #[must_use]
    pub fn new(guards: Arc<CompiledGuards>) -> Self {
        Self { guards, channels: BTreeMap::new(), found: Vec::new(), blocked: None, opened: 0 }
    }

    /// Takes the next piece of a channel and returns what may leave.
    pub fn push(&mut self, channel: Channel, text: &str) -> Step {
        self.step(channel, text, false)
    }

    /// Ends a channel and returns what was still held.
    pub fn finish(&mut self, channel: Channel) -> Step {
        self.step(channel, "", true)
    }

    /// Returns everything found so far, on all channels.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        self.found.clone()
    }

    /// Returns the channels that are not finished.
    #[must_use]
    pub fn open_channels(&self) -> Vec<Channel> {
        self.channels.keys().copied().collect()
    }

    fn step(&mut self, channel: Channel, text: &str, last: bool) -> Step {
        let held = match self.channels.get(&channel) {
            Some(Held::Text { tail, given, .. }) => tail.get(*given..).unwrap_or_default(),
            Some(Held::Whole(whole)) => whole,
            None => "",
        };
        let source = format!("{held}{text}");
        let Passages { passages, blocked } = self.pass(channel, text, last);
        if let Some(finding) = blocked {
            return Step::Block(finding);
        }
        let mut released = String::new();
        let mut at = 0;
        for passage in passages {
            match passage {
                Passage::Keep(len) => {
                    released.push_str(source.get(at..at + len).unwrap_or_default());
                    at += len;
                }
                Passage::Replace(len, with) => {
                    released.push_str(&with);
                    at += len;
                }
            }
        }
        Step::Release(released)
    }

    /// Takes the next piece of a channel, and its end if it is the last.
    pub fn pass(&mut self, channel: Channel, text: &str, last: bool) -> Passages {
        if self.blocked.is_some() {
            return Passages { passages: Vec::new(), blocked: self.blocked.clone() };
        }
        if !self.guards.inspects(Side::Output) {
            return Passages { passages: vec![Passage::Keep(text.len())], blocked: None };
        }
        let Some(mut held) = self.open(channel) else { return self.overrun("channels", text.len()) };
        let passages = match &mut held {
            Held::Text { scan, tail, given } => {
                let (tail, given) = (tail, given);
                tail.push_str(text);
                self.pass_text(scan, tail, given, last)
            }
            Held::Whole(whole) => {
                if whole.len() + text.len() > TOOL_ARGUMENTS_BYTES_MAX {
                    let len = whole.len() + text.len();
                    return self.overrun("tool_arguments_bytes", len);
                }
                whole.push_str(text);
                if last { self.pass_whole(whole) } else { Passages::default() }
            }
        };
        if !last {
            self.channels.insert(channel, held);
        }
        self.blocked.clone_from(&passages.blocked);
        passages
    }

    /// Takes the state of a channel, new if it is; none beyond the bound.
    fn open(&mut self, channel: Channel) -> Option<Held> {
        if let Some(held) = self.channels.remove(&channel) {
            return Some(held);
        }
        if self.opened >= STREAM_CHANNELS_MAX {
            return None;
        }
        self.opened += 1;
        Some(match channel.part {
            Part::ToolArguments(_) => Held::Whole(String::new()),
            Part::Content | Part::Refusal | Part::Reasoning | Part::Other(_) => {
                Held::Text { scan: Scan::new(self.guards.side(Side::Output)), tail: String::new(), given: 0 }
            }
        })
    }

    fn pass_text(&mut self, scan: &mut Scan, tail: &mut String, given: &mut usize, last: bool) -> Passages {
        let side = self.guards.side(Side::Output);
        let mut pieces = Vec::new();
        let text = Text { bytes: tail.as_bytes(), whole: last };
        let blocked = scan.run(side, &text, &mut self.found, &mut pieces);
        *given += pieces.iter().map(|piece| piece.len).sum::<usize>();
        let spent = tail.floor_char_boundary(scan.spent());
        if spent > SPENT_BYTES_MAX {
            tail.drain(..spent);
            scan.shift(spent);
            *given -= spent;
        }
        Passages { passages: pieces.into_iter().map(passage).collect(), blocked }
    }

    fn pass_whole(&mut self, whole: &str) -> Passages {
        let judged = json::evaluate(self.guards.side(Side::Output), whole, &mut self.found);
        let (passages, blocked) = match judged {
            Judged::Kept => (vec![Passage::Keep(whole.len())], None),
            Judged::Masked(masked) => (vec![Passage::Replace(whole.len(), Cow::Owned(masked))], None),
            Judged::Blocked(finding) => (Vec::new(), Some(finding)),
        };
        Passages { passages, blocked }
    }

    /// A bound is reached, so the guardrails cannot decide: the strongest that is closed ends the stream.
    fn overrun(&mut self, category: &'static str, len: usize) -> Passages {
        let side = self.guards.side(Side::Output);
        for rule in &side.rules {
            let finding = scan::note(rule, category, true, &mut self.found);
            if finding.enforced && finding.action >= Action::Redact {
                self.blocked.get_or_insert(finding);
            }
        }
        let passages = if self.blocked.is_none() { vec![Passage::Keep(len)] } else { Vec::new() };
        Passages { passages, blocked: self.blocked.clone() }
    }
}

fn passage(piece: Piece) -> Passage {
    match piece.masked {
        None => Passage::Keep(piece.len),
        Some(placeholder) => Passage::Replace(piece.len, Cow::Borrowed(placeholder)),
    }
}
