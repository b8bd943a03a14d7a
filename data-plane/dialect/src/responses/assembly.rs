//! Items of an answer made into events, whatever the server sends of them: pieces, whole texts, or only the item when it is
//! done. Each text is given once.
//!
//! Blocks may not overlap, but items do: a server may say that reasoning is done when the message is written already. So
//! text gives way when another item goes on (its rest, if any comes, makes a block of its own), and a call whose arguments
//! are not complete makes the others wait, because its arguments cannot be torn.

use std::collections::VecDeque;

use super::item::{Kind, Part, Piece, SIGNER, Whole, plain};
use crate::ir::{At, Delta, Event, Opening, Stop, Usage};
use crate::{Format, json};

/// What the server says of an item.
#[derive(Debug)]
pub(super) enum What {
    /// It begins.
    Begin(Kind),
    /// More of a text.
    Piece(Piece),
    /// All of a text.
    Full(Piece),
    /// All of it.
    End(Whole),
}

/// By what the server names an item: index, id, both or nothing.
#[derive(Debug, Default, Clone)]
pub(super) struct Name {
    pub(super) index: Option<u32>,
    pub(super) id: String,
}

/// Makes events of items.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    started: bool,
    items: Vec<Item>,
    open: Option<Open>,
    blocks: u32,
    held: VecDeque<(usize, What)>,
    /// A tool was called.
    pub(super) called: bool,
    /// The model refused.
    pub(super) refused: bool,
}

#[derive(Debug)]
struct Item {
    name: Name,
    kind: Kind,
    /// Parts that were given, in whole or not.
    parts: Vec<Part>,
    /// The block of a call, or of reasoning, was opened.
    opened: bool,
    /// Arguments of a call whose name is not known yet.
    early: String,
    ended: bool,
}

/// The block that is open.
#[derive(Debug)]
struct Open {
    item: usize,
    part: Part,
    /// The part's text so far.
    text: String,
    logprobs: bool,
    /// How many citations were given.
    cited: usize,
}

impl Assembly {
    pub(super) fn start(&mut self, events: &mut Vec<Event>) {
        if !self.started {
            self.started = true;
            events.push(Event::Start);
        }
    }

    /// Takes what the server says of an item.
    pub(super) fn take(&mut self, name: &Name, what: What, events: &mut Vec<Event>) {
        self.start(events);
        let item = self.find(name, &what);
        self.step(item, what, events);
    }

    /// Ends the answer. `output` is what the server says that all of it is; it fills what was not said before.
    pub(super) fn finish(
        &mut self,
        output: impl Iterator<Item = Whole>,
        stop: impl FnOnce(&Self) -> Stop,
        usage: Option<Usage>,
        events: &mut Vec<Event>,
    ) {
        self.start(events);
        for (position, whole) in output.enumerate() {
            if self.items.get(position).is_none_or(|item| !item.ended) {
                if self.items.len() <= position {
                    self.items.push(Item::new(Name::default(), whole.kind.clone()));
                }
                self.step(position, What::End(whole), events);
            }
        }
        self.close(events);
        while let Some((item, what)) = self.held.pop_front() {
            self.now(item, what, events);
        }
        self.close(events);
        events.push(Event::Stop(0, stop(self)));
        events.extend(usage.map(Event::Usage));
        events.push(Event::End);
    }

    /// Returns the item of a name; one that is not known yet is added.
    fn find(&mut self, name: &Name, what: &What) -> usize {
        let by_index = || self.items.iter().position(|item| item.name.index == name.index);
        let by_id = || self.items.iter().position(|item| item.name.id == name.id);
        let found = if name.index.is_some() { by_index() } else { None };
        let found = found.or_else(|| if name.id.is_empty() { None } else { by_id() });
        // Without any name it can only be the last.
        let nameless = name.index.is_none() && name.id.is_empty() && !matches!(what, What::Begin(_));
        let found = found.or_else(|| self.items.len().checked_sub(1).filter(|_| nameless));
        found.unwrap_or_else(|| {
            let kind = match what {
                What::Begin(kind) => kind.clone(),
                What::End(whole) => whole.kind.clone(),
                What::Piece(piece) | What::Full(piece) => piece.part.kind(),
            };
            self.items.push(Item::new(name.clone(), kind));
            self.items.len() - 1
        })
    }

    fn step(&mut self, item: usize, what: What, events: &mut Vec<Event>) {
        if self.must_wait(item) {
            self.held.push_back((item, what));
            return;
        }
        self.now(item, what, events);
        while let Some((item, _)) = self.held.front() {
            if self.must_wait(*item) {
                return;
            }
            if let Some((item, what)) = self.held.pop_front() {
                self.now(item, what, events);
            }
        }
    }

    /// Whether a call of another item is open that is not complete.
    fn must_wait(&self, item: usize) -> bool {
        let Some(open) = self.open.as_ref().filter(|open| open.item != item && open.part == Part::Input)
        else {
            return false;
        };
        let custom = self.items.get(open.item).is_some_and(|item| item.is_custom());
        custom || json::check(open.text.as_bytes()).is_err()
    }

    fn now(&mut self, item: usize, what: What, events: &mut Vec<Event>) {
        match what {
            What::Begin(kind) => self.begin(item, kind, events),
            What::Piece(piece) => self.piece(item, piece, events),
            What::Full(piece) => self.full(item, piece, events),
            What::End(whole) => self.end(item, whole, events),
        }
    }

    fn begin(&mut self, at: usize, kind: Kind, events: &mut Vec<Event>) {
        let Some(item) = self.items.get_mut(at) else { return };
        if item.opened {
            return;
        }
        item.kind = kind;
        if let Kind::Call { id, name, custom } = item.kind.clone()
            && !name.is_empty()
        {
            item.opened = true;
            let early = std::mem::take(&mut item.early);
            self.called = true;
            let id = if id.is_empty() { format!("call_{at}") } else { id };
            self.open(at, Part::Input, Opening::ToolUse { id, name, signature: None, custom }, events);
            self.piece(at, plain(Part::Input, early), events);
        }
    }

    fn piece(&mut self, at: usize, piece: Piece, events: &mut Vec<Event>) {
        let Some(item) = self.items.get_mut(at) else { return };
        if piece.text.is_empty() || item.kind == Kind::Foreign {
            return;
        }
        if piece.part == Part::Input && !item.opened {
            item.early.push_str(&piece.text);
            return;
        }
        if !item.parts.contains(&piece.part) {
            item.parts.push(piece.part);
        }
        let same = self.open.as_mut().filter(|open| open.item == at && open.part.joins(piece.part));
        match same {
            Some(open) if open.part != piece.part => {
                open.part = piece.part;
                open.text.clear();
                events.push(Event::Delta(self.at(), Delta::Text("\n\n".to_owned())));
            }
            Some(_) => {}
            None => {
                let Some(opening) = self.opening(piece.part) else { return };
                self.open(at, piece.part, opening, events);
            }
        }
        let place = self.at();
        if let Some(open) = self.open.as_mut() {
            open.text.push_str(&piece.text);
            open.logprobs |= piece.logprobs.is_some();
            open.cited += piece.citations.len();
        }
        let delta = if piece.part == Part::Input { Delta::Input } else { Delta::Text };
        events.push(Event::Delta(place, delta(piece.text)));
        events.extend(piece.logprobs.map(|logprobs| Event::Delta(place, Delta::Logprobs(logprobs))));
        events.extend(piece.citations.into_iter().map(|cited| Event::Delta(place, Delta::Citation(cited))));
    }

    /// Gives what is new of a whole text. One that is not the longer form of what was given already changes nothing: what
    /// is given cannot be taken back.
    fn full(&mut self, at: usize, piece: Piece, events: &mut Vec<Event>) {
        if let Some(open) = self.open.as_mut().filter(|open| open.item == at && open.part == piece.part) {
            let place = At { choice: 0, block: self.blocks };
            let new = piece.citations.into_iter().skip(open.cited);
            let cited: Vec<_> = new.map(|cited| Event::Delta(place, Delta::Citation(cited))).collect();
            open.cited += cited.len();
            let logprobs = piece.logprobs.filter(|_| !open.logprobs);
            if let Some(rest) = piece.text.strip_prefix(open.text.as_str()).filter(|rest| !rest.is_empty()) {
                let rest = Piece { logprobs, ..plain(piece.part, rest.to_owned()) };
                self.piece(at, rest, events);
            } else if let Some(logprobs) = logprobs {
                open.logprobs = true;
                events.push(Event::Delta(place, Delta::Logprobs(logprobs)));
            }
            events.extend(cited);
            return;
        }
        let Some(item) = self.items.get_mut(at) else { return };
        if piece.part == Part::Input && !item.opened {
            item.early = piece.text;
        } else if !item.parts.contains(&piece.part) {
            self.piece(at, piece, events);
        }
    }

    fn end(&mut self, at: usize, whole: Whole, events: &mut Vec<Event>) {
        let Some(item) = self.items.get_mut(at).filter(|item| !item.ended) else { return };
        item.ended = true;
        if let Some((kind, json)) = whole.foreign {
            let opening = Opening::Foreign { format: Format::Responses, kind, json };
            self.open(at, Part::Input, opening, events);
            self.close(events);
            return;
        }
        if let Kind::Call { .. } = &whole.kind {
            self.begin(at, whole.kind, events);
        }
        self.pieces(at, whole.pieces, events);
        if let Some(signature) = whole.signature {
            self.sign(at, signature, events);
        }
        if self.open.as_ref().is_some_and(|open| open.item == at) {
            self.close(events);
        }
    }

    /// Gives what is new of the texts of a whole item. They are told by their order, not by their index: a server is known
    /// that counts the one part of its messages as the second (recorded from Bedrock).
    fn pieces(&mut self, at: usize, pieces: Vec<Piece>, events: &mut Vec<Event>) {
        let said = self.items.get(at).map(|item| item.parts.clone()).unwrap_or_default();
        let mut given: Vec<Part> = Vec::new();
        for piece in pieces.into_iter().filter(|piece| !piece.text.is_empty()) {
            let like = |part: &&Part| std::mem::discriminant(*part) == std::mem::discriminant(&piece.part);
            let nth = given.iter().filter(like).count();
            given.push(piece.part);
            let part = said.iter().filter(like).nth(nth).copied();
            // Beyond what was said a part must not meet the name of another.
            let part = part.unwrap_or_else(|| piece.part.after(&said));
            self.full(at, Piece { part, ..piece }, events);
        }
    }

    /// Hangs a signature on the item's thinking. If its block had to give way the signature comes too late and is lost:
    /// no server is known that signs and lets items overlap.
    fn sign(&mut self, at: usize, signature: String, events: &mut Vec<Event>) {
        let part = Part::Summary(0);
        if self.items.get(at).is_some_and(|item| !item.opened)
            && let Some(opening) = self.opening(part)
        {
            self.open(at, part, opening, events);
        }
        if self.open.as_ref().is_some_and(|open| open.item == at) {
            events.push(Event::Delta(self.at(), Delta::Signature(signature)));
        }
    }

    fn opening(&mut self, part: Part) -> Option<Opening> {
        match part {
            Part::Text(_) => Some(Opening::Text),
            Part::Refusal(_) => {
                self.refused = true;
                Some(Opening::Refusal)
            }
            Part::Summary(_) | Part::Reasoning(_) => {
                Some(Opening::Thinking { signed_by: SIGNER, id: String::new() })
            }
            // The rest of a call that is closed: it was complete.
            Part::Input => None,
        }
    }

    fn open(&mut self, at: usize, part: Part, opening: Opening, events: &mut Vec<Event>) {
        self.close(events);
        if let Some(item) = self.items.get_mut(at) {
            item.opened = true;
        }
        self.open = Some(Open { item: at, part, text: String::new(), logprobs: false, cited: 0 });
        events.push(Event::Open(self.at(), opening));
    }

    fn close(&mut self, events: &mut Vec<Event>) {
        if self.open.take().is_some() {
            events.push(Event::Close(self.at()));
            self.blocks += 1;
        }
    }

    /// Where the open block is.
    fn at(&self) -> At {
        At { choice: 0, block: self.blocks }
    }
}

impl Item {
    fn new(name: Name, kind: Kind) -> Self {
        Self { name, kind, parts: Vec::new(), opened: false, early: String::new(), ended: false }
    }

    fn is_custom(&self) -> bool {
        matches!(self.kind, Kind::Call { custom: true, .. })
    }
}

impl Part {
    /// The kind of item that has such parts.
    fn kind(self) -> Kind {
        match self {
            Self::Text(_) | Self::Refusal(_) => Kind::Message,
            Self::Summary(_) | Self::Reasoning(_) => Kind::Reasoning,
            Self::Input => Kind::Call { id: String::new(), name: String::new(), custom: false },
        }
    }

    /// Returns a part of the same kind that is none of those.
    fn after(self, said: &[Self]) -> Self {
        let mut part = self;
        while said.contains(&part) {
            part = match part {
                Self::Text(index) => Self::Text(index.wrapping_add(1)),
                Self::Refusal(index) => Self::Refusal(index.wrapping_add(1)),
                Self::Summary(index) => Self::Summary(index.wrapping_add(1)),
                Self::Reasoning(index) => Self::Reasoning(index.wrapping_add(1)),
                Self::Input => return part,
            };
        }
        part
    }

    /// Whether the other part goes on in the same block: all parts of reasoning do.
    fn joins(self, other: Self) -> bool {
        let thinking = |part| matches!(part, Self::Summary(_) | Self::Reasoning(_));
        self == other || (thinking(self) && thinking(other))
    }
}
