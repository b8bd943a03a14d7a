//! A short way for the chunks of a stream that are like one that was read ([`crate::mould`]): only the piece of one text is
//! another, and it goes where that one went.

use std::borrow::Cow;
use std::ops::Range;

use serde_json::value::RawValue;

use super::message;
use super::weave::{Fragment, Weave};
use super::wire::{self, Chunk, Leaf, Message};
use crate::ir::Event;
use crate::json::Place;
use crate::mould::{Hole, Mould, Recent};
use crate::sse;

/// The chunks of one stream that the next may be like.
#[derive(Debug, Default)]
pub(super) struct Alike(Recent<Known>);

/// A chunk that was read.
#[derive(Debug, PartialEq, Eq)]
struct Known {
    mould: Mould,
    /// Which of the holes holds the piece; what the others hold is not read.
    hole: usize,
    choice: u32,
    goes: Goes,
}

/// Where a piece goes.
#[derive(Debug, PartialEq, Eq)]
enum Goes {
    Text,
    Thinking,
    /// To the arguments of a tool call, as [`Fragment`] names it.
    Input {
        index: Option<u32>,
        id: String,
        name: String,
    },
}

/// The piece of a chunk that was not read.
#[derive(Debug)]
pub(super) struct Piece<'a> {
    /// Its choice.
    pub(super) choice: u32,
    /// Where the chunk ends.
    pub(super) end: usize,
    goes: &'a Goes,
    text: Cow<'a, str>,
}

impl Alike {
    /// Keeps a chunk that was read, if all that it says is one piece.
    pub(super) fn keep(&mut self, frame: &sse::Frame, chunk: &Chunk<'_>) {
        let known = frame
            .data()
            .and_then(|data| std::str::from_utf8(data).ok())
            .and_then(|text| Known::new(frame, Place::root(text), chunk));
        known.into_iter().for_each(|known| self.0.keep(known));
    }

    /// Returns the piece of the chunk that begins at a place of the bytes, if the chunk is like one that was read.
    pub(super) fn piece<'a>(&'a mut self, bytes: &'a [u8], start: usize) -> Option<Piece<'a>> {
        let (known, (end, text)) = self.0.find(|known| known.fit(bytes, start))?;
        Some(Piece { choice: known.choice, end, goes: &known.goes, text })
    }
}

impl Piece<'_> {
    /// Takes it into the choice's blocks. `reply` is the vendor's name of the answer.
    pub(super) fn take(&self, reply: &str, weave: &mut Weave, events: &mut Vec<Event>) {
        match self.goes {
            Goes::Text => weave.text(&self.text, events),
            Goes::Thinking => weave.thinking(&self.text, false, events),
            Goes::Input { index, id, name } => {
                let fragment = Fragment { index: *index, id, name, input: &self.text, ..Fragment::default() };
                weave.tool(&fragment, reply, events);
            }
        }
    }
}

impl Known {
    fn new(frame: &sse::Frame, root: Place<'_>, chunk: &Chunk<'_>) -> Option<Self> {
        let [choice] = chunk.choices.as_deref()? else { return None };
        let quiet = chunk.usage.is_none()
            && chunk.x_groq.is_none()
            && wire::text(choice.finish_reason).is_empty()
            && message::logprobs(choice.logprobs).is_none();
        let (place, goes) = piece(choice.delta.as_ref().filter(|_| quiet)?)?;
        let delta = root.get("choices")?.elements().next()?.get("delta")?;
        let piece = place(delta)?.range();
        let mut holes: Vec<(Range<usize>, Hole)> = vec![(piece.clone(), Hole::Text)];
        // What OpenAI and Mistral pad with.
        let padding = root.members().filter(|member| matches!(&*member.key, "obfuscation" | "p"));
        let padding = padding.filter(|member| member.value.is_string());
        holes.extend(padding.map(|member| (member.value.range(), Hole::Text)));
        holes.sort_by_key(|(place, _)| place.start);
        let hole = holes.iter().position(|(place, _)| *place == piece)?;
        let (mould, _) = Mould::new(frame, &holes)?;
        Some(Self { mould, hole, choice: wire::number(choice.index).unwrap_or_default(), goes })
    }

    /// Returns where the chunk ends and its piece, if it is like this one.
    fn fit<'a>(&self, bytes: &'a [u8], start: usize) -> Option<(usize, Cow<'a, str>)> {
        let mut holes = 0..;
        let mut piece = None;
        let fit = self.mould.fit(bytes, start, |part| {
            if holes.next() == Some(self.hole) {
                piece = Some(part.contents);
            }
        })?;
        let Range { start, end } = piece?;
        let quoted = std::str::from_utf8(bytes.get(start.checked_sub(1)?..=end)?).ok()?;
        Some((fit.end, Place::root(quoted).as_str()?))
    }
}

/// Finds a piece's place in the delta.
type InDelta = for<'a> fn(Place<'a>) -> Option<Place<'a>>;

/// Returns the one piece that a delta holds, by its place and where it goes; none if it says anything else.
fn piece(delta: &Message<'_>) -> Option<(InDelta, Goes)> {
    let others = [delta.refusal, delta.reasoning_details, delta.extra_content, delta.images, delta.audio];
    if delta.function_call.is_some() || !others.into_iter().all(is_nothing) {
        return None;
    }
    let texts: [(Leaf<'_>, InDelta, Goes); 3] = [
        (delta.content, |delta| delta.get("content"), Goes::Text),
        (delta.reasoning_content, |delta| delta.get("reasoning_content"), Goes::Thinking),
        (delta.reasoning, |delta| delta.get("reasoning"), Goes::Thinking),
    ];
    let mut said = texts.into_iter().filter(|(leaf, ..)| !is_nothing(*leaf));
    match (said.next(), said.next(), delta.tool_calls.as_deref().unwrap_or_default()) {
        (Some((leaf, place, goes)), None, []) if is_text(leaf) => Some((place, goes)),
        (None, None, [call]) => {
            let function = call.function.as_ref().filter(|function| is_text(function.arguments))?;
            if call.custom.is_some() || !is_nothing(call.extra_content) {
                return None;
            }
            let goes = Goes::Input {
                index: wire::number(call.index),
                id: wire::text(call.id).into_owned(),
                name: wire::text(function.name).into_owned(),
            };
            let arguments: InDelta =
                |delta| delta.get("tool_calls")?.elements().next()?.get("function")?.get("arguments");
            Some((arguments, goes))
        }
        _ => None,
    }
}

/// Whether a leaf says nothing, whatever it is of.
fn is_nothing(leaf: Leaf<'_>) -> bool {
    matches!(leaf.map(RawValue::get), None | Some("\"\"" | "[]"))
}

fn is_text(leaf: Leaf<'_>) -> bool {
    leaf.is_some_and(|leaf| leaf.get().starts_with('"'))
}
