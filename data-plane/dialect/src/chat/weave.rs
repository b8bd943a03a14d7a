//! One choice's pieces, put into the order of [`crate::ir::Event`]: blocks that do not overlap.
//!
//! Vendors of this format number tool calls and may send their fragments in any order. The block at the front is alive: what
//! belongs to it is passed on at once. What belongs to others waits until the front one is whole, which for a tool call
//! means that its arguments are a whole JSON value.

use std::collections::VecDeque;

use super::scan::Scan;
use crate::Format;
use crate::ir::{At, Citation, Delta, Event, Opening, ToolIdShape, digest_id};

/// The state of one choice.
#[derive(Debug)]
pub(super) struct Weave {
    choice: u32,
    /// The number of the next block to open.
    next: u32,
    /// The first is alive once it has a number.
    blocks: VecDeque<Building>,
    calls: Vec<Known>,
    refused: bool,
    cited: bool,
}

/// A block on its way.
#[derive(Debug)]
struct Building {
    kind: Kind,
    opening: Opening,
    /// Its number, once it was opened.
    at: Option<At>,
    /// What came before it was opened.
    held: Vec<Delta>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Refusal,
    Thinking {
        signed: bool,
        sealed: bool,
    },
    /// The place in `calls`.
    Tool(usize),
    Foreign,
}

/// A tool call that was seen.
#[derive(Debug)]
struct Known {
    index: Option<u32>,
    /// As the vendor says it.
    id: String,
    scan: Scan,
    /// Its block is closed: nothing can be added.
    closed: bool,
}

/// A piece of a tool call.
#[derive(Debug, Default)]
pub(super) struct Fragment<'a> {
    /// The vendor's number of the call.
    pub(super) index: Option<u32>,
    /// Its name for the call; may be empty.
    pub(super) id: &'a str,
    /// The tool; may be empty.
    pub(super) name: &'a str,
    /// The next of the arguments.
    pub(super) input: &'a str,
    /// Gemini's signature.
    pub(super) signature: Option<&'a str>,
    /// The arguments are a text.
    pub(super) custom: bool,
}

impl Weave {
    /// Makes the state of a choice.
    pub(super) fn new(choice: u32) -> Self {
        Self { choice, next: 0, blocks: VecDeque::new(), calls: Vec::new(), refused: false, cited: false }
    }

    /// Whether a tool was called.
    pub(super) fn called(&self) -> bool {
        !self.calls.is_empty()
    }

    /// Whether a call of another number than this was seen.
    pub(super) fn has_call_besides(&self, index: u32) -> bool {
        self.calls.iter().any(|known| known.index != Some(index))
    }

    /// Whether the model refused in words.
    pub(super) fn refused(&self) -> bool {
        self.refused
    }

    /// Takes text. Nothing is no text: vendors put `""` between the fragments of a call.
    pub(super) fn text(&mut self, text: &str, events: &mut Vec<Event>) {
        if !text.is_empty() {
            self.extend(Kind::Text, || Opening::Text, Delta::Text(text.to_owned()), events);
        }
    }

    /// Takes what the text at hand cites.
    pub(super) fn cite(&mut self, citation: Citation, events: &mut Vec<Event>) {
        self.cited = true;
        self.extend(Kind::Text, || Opening::Text, Delta::Citation(citation), events);
    }

    /// Takes what stands beside the answer, unless its text said what it cites.
    pub(super) fn sources(&mut self, sources: &[Citation], events: &mut Vec<Event>) {
        if !self.cited {
            sources.iter().for_each(|source| self.cite(source.clone(), events));
        }
    }

    /// Takes words of refusal.
    pub(super) fn refusal(&mut self, text: &str, events: &mut Vec<Event>) {
        if !text.is_empty() {
            self.refused = true;
            self.extend(Kind::Refusal, || Opening::Refusal, Delta::Text(text.to_owned()), events);
        }
    }

    /// Takes thinking. `signed`: a seal may follow.
    pub(super) fn thinking(&mut self, text: &str, signed: bool, events: &mut Vec<Event>) {
        if text.is_empty() {
            return;
        }
        // Text without the word of a signer goes on with what is at hand.
        let signed = signed || self.last_is(Kind::Thinking { signed: true, sealed: false });
        let kind = Kind::Thinking { signed, sealed: false };
        self.extend(kind, || thinking(signed), Delta::Text(text.to_owned()), events);
    }

    /// Takes the seal of the thinking at hand, or of thinking that nobody sees.
    pub(super) fn seal(&mut self, sealed: String, events: &mut Vec<Event>) {
        let kind = Kind::Thinking { signed: true, sealed: false };
        self.extend(kind, || thinking(true), Delta::Signature(sealed), events);
        if let Some(last) = self.blocks.back_mut() {
            last.kind = Kind::Thinking { signed: true, sealed: true };
        }
    }

    /// Takes a signature of text: of the text at hand, else of an empty one.
    pub(super) fn text_signature(&mut self, signature: &str, events: &mut Vec<Event>) {
        self.extend(Kind::Text, || Opening::Text, Delta::Signature(signature.to_owned()), events);
    }

    /// Takes a block that only this format understands.
    pub(super) fn foreign(&mut self, kind: &str, json: &str, events: &mut Vec<Event>) {
        let opening = Opening::Foreign { format: Format::Chat, kind: kind.to_owned(), json: json.to_owned() };
        self.blocks.push_back(Building { kind: Kind::Foreign, opening, at: None, held: Vec::new() });
        self.advance(false, "", events);
    }

    /// Takes the entries of `logprobs.content` for what just came.
    pub(super) fn logprobs(&mut self, entries: &str, events: &mut Vec<Event>) {
        let at = self.blocks.front().and_then(|block| block.at);
        let at = at.unwrap_or(At { choice: self.choice, block: self.next });
        events.push(Event::Delta(at, Delta::Logprobs(entries.to_owned())));
    }

    /// Takes a piece of a tool call. `reply` is the vendor's name of the answer, of which the name of a call is made that
    /// has none.
    pub(super) fn tool(&mut self, fragment: &Fragment<'_>, reply: &str, events: &mut Vec<Event>) {
        let Some(call) = self.call(fragment) else { return };
        let Some(known) = self.calls.get_mut(call) else { return };
        if known.closed {
            return;
        }
        if known.id.is_empty() {
            fragment.id.clone_into(&mut known.id);
        }
        known.scan.take(fragment.input);
        let id = known.id.clone();
        let Some(block) = self.blocks.iter_mut().rev().find(|block| block.kind == Kind::Tool(call)) else {
            return;
        };
        if let Opening::ToolUse { id: said, name, .. } = &mut block.opening {
            *said = id;
            if name.is_empty() {
                fragment.name.clone_into(name);
            }
        }
        for delta in [
            fragment.signature.map(|signature| Delta::Signature(signature.to_owned())),
            (!fragment.input.is_empty()).then(|| Delta::Input(fragment.input.to_owned())),
        ]
        .into_iter()
        .flatten()
        {
            put(block, delta, events);
        }
        self.advance(false, reply, events);
    }

    /// Closes all blocks: the choice is over.
    pub(super) fn close(&mut self, reply: &str, events: &mut Vec<Event>) {
        self.advance(true, reply, events);
    }

    fn last_is(&self, kind: Kind) -> bool {
        self.blocks.back().is_some_and(|block| block.kind == kind)
    }

    fn extend(
        &mut self,
        kind: Kind,
        opening: impl FnOnce() -> Opening,
        delta: Delta,
        events: &mut Vec<Event>,
    ) {
        if !self.last_is(kind) {
            self.blocks.push_back(Building { kind, opening: opening(), at: None, held: Vec::new() });
        }
        if let Some(block) = self.blocks.back_mut() {
            put(block, delta, events);
        }
        self.advance(false, "", events);
    }

    /// Finds the call that a fragment belongs to, or makes it.
    fn call(&mut self, fragment: &Fragment<'_>) -> Option<usize> {
        let Fragment { index, id, name, .. } = *fragment;
        let found = match index {
            Some(_) => self.calls.iter().rposition(|known| known.index == index),
            None if !id.is_empty() => self.calls.iter().rposition(|known| known.id == id),
            None if !name.is_empty() => None,
            None => self.calls.len().checked_sub(1),
        };
        if let Some(known) = found.and_then(|found| self.calls.get(found)) {
            // Some repeat the name and the id on every fragment (llama-cpp-python), some number every call 0. A name with
            // another id, or with none after the arguments were whole, is another call.
            let another = !name.is_empty()
                && if id.is_empty() || known.id.is_empty() {
                    known.scan.is_whole() && !fragment.input.is_empty()
                } else {
                    id != known.id
                };
            if !another {
                return found;
            }
        } else if id.is_empty() && name.is_empty() {
            // A number that was never introduced.
            return self.calls.len().checked_sub(1);
        }
        let call = self.calls.len();
        let scan = if fragment.custom { Scan::whole() } else { Scan::default() };
        self.calls.push(Known { index, id: id.to_owned(), scan, closed: false });
        let opening = Opening::ToolUse {
            id: id.to_owned(),
            name: name.to_owned(),
            signature: None,
            custom: fragment.custom,
        };
        self.blocks.push_back(Building { kind: Kind::Tool(call), opening, at: None, held: Vec::new() });
        Some(call)
    }

    /// Opens what can be opened and closes what is whole; with `all`, everything.
    fn advance(&mut self, all: bool, reply: &str, events: &mut Vec<Event>) {
        loop {
            let more = self.blocks.len() > 1;
            let Some(block) = self.blocks.front_mut() else { return };
            let known = match block.kind {
                Kind::Tool(call) => self.calls.get_mut(call).map(|known| (call, known)),
                Kind::Text | Kind::Refusal | Kind::Thinking { .. } | Kind::Foreign => None,
            };
            let at = match block.at {
                Some(at) => at,
                None => {
                    let at = At { choice: self.choice, block: self.next };
                    if let (Opening::ToolUse { id, name, .. }, Some((call, _))) = (&mut block.opening, &known)
                    {
                        if name.is_empty() && !all {
                            return;
                        }
                        if id.is_empty() {
                            let made = format!("{reply}:{}:{call}:{name}", self.choice);
                            *id = digest_id(&made, ToolIdShape::OpenAi, "call_");
                        }
                    }
                    self.next = self.next.saturating_add(1);
                    open(block, at, events);
                    at
                }
            };
            let whole = known.as_ref().is_none_or(|(_, known)| known.scan.is_whole());
            if !(all || more && whole) {
                return;
            }
            if let Some((_, known)) = known {
                known.closed = true;
            }
            events.push(Event::Close(at));
            self.blocks.pop_front();
        }
    }
}

fn thinking(signed: bool) -> Opening {
    Opening::Thinking { signed_by: signed.then_some(Format::Chat), id: String::new() }
}

/// Passes a delta on if the block is alive, else keeps it.
fn put(block: &mut Building, delta: Delta, events: &mut Vec<Event>) {
    if let Some(at) = block.at {
        events.push(Event::Delta(at, delta));
        return;
    }
    match (&mut block.opening, delta, block.held.last_mut()) {
        (Opening::ToolUse { signature, .. }, Delta::Signature(more), _) => {
            *signature = Some(more);
        }
        (_, Delta::Text(more), Some(Delta::Text(held)))
        | (_, Delta::Input(more), Some(Delta::Input(held))) => held.push_str(&more),
        (_, delta, _) => block.held.push(delta),
    }
}

fn open(block: &mut Building, at: At, events: &mut Vec<Event>) {
    block.at = Some(at);
    events.push(Event::Open(at, block.opening.clone()));
    events.extend(block.held.drain(..).map(|delta| Event::Delta(at, delta)));
}
