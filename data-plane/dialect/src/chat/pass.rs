//! Within the format: what of an answer changes on its way, and where its texts stand.

use std::collections::BTreeMap;
use std::ops::Range;

use breakwater_common::guard::{Channel, Part};
use bytes::BytesMut;

use super::{pass_ends, usage};
use crate::Ending;
use crate::codec::Caller;
use crate::ir::Usage;
use crate::json::{self, Edits, Member, Place};
use crate::pass::texts::{self, Found, Kind, Step};
use crate::pass::vendors;
use crate::pass::{Chunk, ChunkText, EventReader, Hole, Members, Passing, Read, add_whole_texts, error_code};

/// Members of an answer that hold no text of it (padding among them), or are looked at for themselves.
const HEAD_FIELDS: &[&str] = &[
    "choices",
    "created",
    "id",
    "model",
    "moderation",
    "object",
    "obfuscation",
    "p",
    "prompt_filter_results",
    "provider",
    "service_tier",
    "system_fingerprint",
    "usage",
    "x_groq",
];
/// The reason that the format has for an answer that was blocked.
pub(super) const CONTENT_FILTER: &str = "content_filter";
/// Index that stands for the arguments of the one call of the old `function_call`.
const FUNCTION_CALL: u32 = u32::MAX;
/// The format's last event.
const DONE: &[u8] = b"[DONE]";

/// Chat completions.
#[derive(Debug)]
pub(crate) struct Chat;

impl Passing for Chat {
    fn members(&self) -> &'static Members {
        &Members {
            texts: &["messages", "prediction"],
            required: &["messages"],
            turns: &["messages"],
            stream_options: true,
        }
    }

    fn answers<'a>(&self, root: Place<'a>) -> Option<Vec<Place<'a>>> {
        let mut answers: Vec<_> = root.get("choices").filter(Place::is_array)?.elements().collect();
        if answers.is_empty() {
            // An answer without a choice is none: another provider may give one.
            return None;
        }
        answers.extend(beside(root).map(|member| member.value));
        Some(answers)
    }

    fn head_edits(&self, root: Place<'_>, caller: &Caller) -> Edits {
        whole_edits(root, caller, Shape::Chat)
    }

    fn blocked(&self, root: Place<'_>) -> Vec<(Range<usize>, String)> {
        let choices = root.get("choices").filter(Place::is_array);
        blocked(root, choices.map(|choices| (choices.range(), blocked_choices(choices))))
    }

    fn usage(&self, root: Place<'_>) -> Option<Usage> {
        root.get("usage").and_then(usage::read)
    }

    fn events(&self, caller: &Caller, guarded: bool) -> Box<dyn EventReader> {
        Box::new(Reader::new(caller, guarded, Shape::Chat))
    }
}

/// The legacy completions: the same frame, with `text` in each choice.
#[derive(Debug)]
pub(crate) struct Completions;

impl Passing for Completions {
    fn members(&self) -> &'static Members {
        &Members { texts: &["prompt", "suffix"], required: &["prompt"], turns: &[], stream_options: true }
    }

    fn answers<'a>(&self, root: Place<'a>) -> Option<Vec<Place<'a>>> {
        Chat.answers(root)
    }

    fn head_edits(&self, root: Place<'_>, caller: &Caller) -> Edits {
        whole_edits(root, caller, Shape::Legacy)
    }

    fn blocked(&self, root: Place<'_>) -> Vec<(Range<usize>, String)> {
        let write = |choices: Place<'_>| {
            let count = choices.elements().count();
            let written = (0..count).map(|index| {
                format!(r#"{{"index":{index},"text":"","logprobs":null,"finish_reason":"{CONTENT_FILTER}"}}"#)
            });
            (choices.range(), format!("[{}]", written.collect::<Vec<_>>().join(",")))
        };
        blocked(root, root.get("choices").filter(Place::is_array).map(write))
    }

    fn usage(&self, root: Place<'_>) -> Option<Usage> {
        Chat.usage(root)
    }

    fn events(&self, caller: &Caller, guarded: bool) -> Box<dyn EventReader> {
        Box::new(Reader::new(caller, guarded, Shape::Legacy))
    }
}

/// Which of the two that share the frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Chat completions.
    Chat,
    /// Legacy completions.
    Legacy,
}

impl Shape {
    /// The id of an answer: this call's own, whoever answered.
    pub(super) fn id(self, caller: &Caller) -> String {
        match self {
            Self::Chat => super::answer_id(caller),
            Self::Legacy => format!("cmpl-{}", caller.id),
        }
    }
}

/// Reads chunks of one stream.
#[derive(Debug)]
struct Reader {
    shape: Shape,
    caller: Caller,
    guarded: bool,
    /// Numbers of texts that the format does not name, by their place in the delta.
    others: BTreeMap<String, u32>,
    /// Choices that the caller saw, and whether it saw them end.
    choices: BTreeMap<u32, bool>,
}

impl EventReader for Reader {
    fn read(&mut self, name: &str, data: &[u8]) -> Read {
        if data.trim_ascii() == DONE {
            return Read::Chunk(Box::new(Chunk { last: true, bearing: true, ..Chunk::default() }));
        }
        match json::check_members(data) {
            Ok((root, members)) => self.read_chunk(root, &members),
            Err(_) if name == "error" => Read::Error(String::new()),
            Err(_) => Read::Garbage,
        }
    }

    fn gave(&mut self, chunk: &Chunk) {
        for (index, ends) in &chunk.choices {
            *self.choices.entry(*index).or_default() |= ends;
        }
    }

    fn holes(&self, root: Place<'_>) -> Vec<(Range<usize>, Hole)> {
        let mut places = Vec::new();
        for member in root.members() {
            match &*member.key {
                // What OpenAI and Mistral pad with.
                "obfuscation" | "p" => places.push(member.value),
                "choices" => member.value.elements().for_each(|choice| add_pieces(choice, &mut places)),
                _ => {}
            }
        }
        places.into_iter().filter(Place::is_string).map(|place| (place.range(), Hole::Text)).collect()
    }

    fn is_whole(&self) -> bool {
        !self.choices.is_empty() && self.choices.values().all(|ended| *ended)
    }

    fn blocked(&mut self, out: &mut BytesMut) {
        // A caller who got nothing yet gets the end of the first choice.
        let none = self.choices.is_empty().then_some(0);
        let open = self.choices.iter().filter(|(_, ended)| !**ended).map(|(index, _)| *index);
        pass_ends::blocked(&self.caller, self.shape, open.chain(none), out);
    }

    fn complete(&mut self, out: &mut BytesMut) {
        out.extend_from_slice(pass_ends::END);
    }

    fn failed(&mut self, ending: Ending, out: &mut BytesMut) {
        pass_ends::failed(ending, out);
    }
}

impl Reader {
    fn new(caller: &Caller, guarded: bool, shape: Shape) -> Self {
        Self { shape, caller: caller.clone(), guarded, others: BTreeMap::new(), choices: BTreeMap::new() }
    }

    /// Reads a chunk. Its members are looked for one after another, so they are not walked over for each.
    fn read_chunk(&mut self, root: Place<'_>, members: &[Member<'_>]) -> Read {
        if let Some(error) = find(members, "error").filter(|error| !error.is_null()) {
            return Read::Error(error_code(error));
        }
        let Some(choices) = find(members, "choices").filter(Place::is_array) else { return Read::Garbage };
        let usage = find(members, "usage");
        let asked_usage = self.caller.include_usage;
        // Said because this proxy asked for usage.
        let unasked = !asked_usage && usage.is_some_and(|usage| usage.is_null());
        let mut edits = value_edits(members, &self.caller, self.shape);
        edits.remove_listed(&root, members, |member| {
            vendors::of_root(member, self.caller.reveal_provider)
                || (unasked && member.key == "usage" && member.value.is_null())
        });
        let mut chunk = Chunk { edits, ..Chunk::default() };
        // Groq says it in a member of its own, which goes.
        let vendors = || find(members, "x_groq").and_then(|vendor| vendor.get("usage"));
        chunk.usage = usage.and_then(usage::read).or_else(|| vendors().and_then(usage::read));
        for (position, choice) in (0..).zip(choices.elements()) {
            if self.read_choice(position, choice, &mut chunk).is_err() {
                return Read::Garbage;
            }
        }
        for member in beside(root).filter(|_| self.guarded) {
            if add_whole_texts(member.value, u32::MAX, &mut chunk).is_err() {
                return Read::Garbage;
            }
        }
        let empty = chunk.choices.is_empty();
        chunk.unasked = !asked_usage && empty && usage.is_some_and(|usage| usage.is_object());
        chunk.bearing |= empty || chunk.usage.is_some();
        Read::Chunk(Box::new(chunk))
    }

    fn read_choice(
        &mut self,
        position: u32,
        choice: Place<'_>,
        chunk: &mut Chunk,
    ) -> Result<(), texts::TooDeep> {
        let members: Vec<_> = choice.members().collect();
        let index = find(&members, "index").and_then(|index| index.as_u32()).unwrap_or(position);
        let ends = find(&members, "finish_reason").is_some_and(|reason| reason.is_string());
        chunk.choices.push((index, ends));
        chunk.begins = true;
        if let Some(logprobs) = find(&members, "logprobs").filter(|logprobs| !logprobs.is_null()) {
            chunk.logprobs.push((index, logprobs.range(), "null"));
        }
        let delta = find(&members, "delta");
        // Some repeat the whole answer so far in each chunk, beside the delta.
        let repeats = self.guarded && delta.is_some();
        chunk.edits.remove_listed(&choice, &members, |member| {
            repeats && member.key == "message" || vendors::of_choice(member, self.caller.reveal_provider)
        });
        let pieces: Vec<_> = delta.iter().flat_map(Place::members).collect();
        let calls =
            |key: &str| find(&pieces, key).is_some_and(|calls| !calls.is_null() && calls.source() != "[]");
        let tools = calls("tool_calls") || calls("function_call");
        let role = find(&pieces, "role").is_some();
        chunk.bearing |= ends || role || tools;
        chunk.visible |= ends || tools;
        if !self.guarded {
            // Seen often; a whole walk over the delta is only for guards.
            chunk.visible |= find(&members, "text").is_some_and(|text| text.source().len() > 2);
            chunk.visible |= pieces.iter().any(|member| {
                !member.value.is_null()
                    && member.key != "role"
                    && member.value.source() != "\"\""
                    && member.value.source() != "[]"
            });
            return Ok(());
        }
        for found in texts::find(choice)? {
            if matches!(found.path.first(), Some(Step::Key(key)) if key == "message") && delta.is_some() {
                continue;
            }
            chunk.visible |= !found.text.is_empty();
            let channel = Channel { choice: index, part: self.part(&found) };
            chunk.texts.push(ChunkText {
                channel,
                at: found.place.range(),
                // Arguments that are JSON itself come at once, however the format would have them.
                whole: found.kind == Kind::Source,
                kind: found.kind,
                text: found.text,
            });
        }
        Ok(())
    }

    /// Tells which text of a choice this one goes on.
    fn part(&mut self, found: &Found<'_>) -> Part {
        let key = |at: usize| match found.path.get(at) {
            Some(Step::Key(key)) => key.as_str(),
            Some(Step::Index(_)) | None => "",
        };
        match (key(0), key(1), found.path.get(2)) {
            ("delta", "content", _) | ("text", ..) => Part::Content,
            ("delta", "refusal", None) => Part::Refusal,
            ("delta", "reasoning_content", None) => Part::Reasoning,
            ("delta", "tool_calls", Some(Step::Index(index))) if found.is_arguments() => {
                Part::ToolArguments(*index)
            }
            ("delta", "function_call", _) if found.is_arguments() => Part::ToolArguments(FUNCTION_CALL),
            _ => {
                let next = u32::try_from(self.others.len()).unwrap_or(u32::MAX);
                Part::Other(*self.others.entry(found.path()).or_insert(next))
            }
        }
    }
}

/// Adds the places of a choice's pieces of text.
fn add_pieces<'a>(choice: Place<'a>, places: &mut Vec<Place<'a>>) {
    places.extend(choice.get("text"));
    let Some(delta) = choice.get("delta") else { return };
    for member in delta.members() {
        match &*member.key {
            "content" | "reasoning_content" | "reasoning" | "refusal" => places.push(member.value),
            "tool_calls" => places
                .extend(member.value.elements().filter_map(|call| call.get("function")?.get("arguments"))),
            _ => {}
        }
    }
}

/// Returns what a vendor says beside the choices: questions that the model proposes, passages of what it found.
fn beside(root: Place<'_>) -> impl Iterator<Item = Member<'_>> {
    root.members().filter(|member| !HEAD_FIELDS.contains(&&*member.key))
}

/// Makes an answer one that was blocked: other choices, and nothing beside them.
fn blocked(root: Place<'_>, choices: Option<(Range<usize>, String)>) -> Vec<(Range<usize>, String)> {
    let others = beside(root).map(|member| (member.value.range(), "null".to_owned()));
    choices.into_iter().chain(others).collect()
}

/// Returns the value of the first member of a name.
fn find<'a>(members: &[Member<'a>], key: &str) -> Option<Place<'a>> {
    members.iter().find(|member| member.key == key).map(|member| member.value)
}

/// The edits of a whole answer.
fn whole_edits(root: Place<'_>, caller: &Caller, shape: Shape) -> Edits {
    let members: Vec<_> = root.members().collect();
    let mut edits = value_edits(&members, caller, shape);
    edits.remove_listed(&root, &members, |member| vendors::of_root(member, caller.reveal_provider));
    let choices = find(&members, "choices").filter(Place::is_array);
    for choice in choices.iter().flat_map(Place::elements) {
        edits.remove_members(&choice, |member| vendors::of_choice(member, caller.reveal_provider));
    }
    edits
}

/// The edits of an answer's or a chunk's own members but for those that go: the alias, the id, a vendor's words.
fn value_edits(members: &[Member<'_>], caller: &Caller, shape: Shape) -> Edits {
    let mut edits = Edits::default();
    let mut hide = |model: Place<'_>| {
        if model.as_str().is_none_or(|model| model != caller.alias) {
            edits.replace(model.range(), json::quote(&caller.alias));
        }
    };
    for member in members {
        match &*member.key {
            "model" => hide(member.value),
            "moderation" => moderation_models(member.value).for_each(&mut hide),
            _ => {}
        }
    }
    for member in members {
        match &*member.key {
            "usage" => vendors::remove_from_usage(member.value, caller.reveal_provider, &mut edits),
            "service_tier" => vendors::rename_tier(member.value, caller.reveal_provider, &mut edits),
            _ => {}
        }
    }
    if let Some(id) = find(members, "id").filter(|_| !caller.reveal_provider) {
        edits.replace(id.range(), json::quote(&shape.id(caller)));
    }
    edits
}

/// Returns where an answer's moderation says which of the vendor's models judged: for each side and each of its results.
fn moderation_models(moderation: Place<'_>) -> impl Iterator<Item = Place<'_>> {
    let sides = moderation.members().filter(|side| side.key == "input" || side.key == "output");
    let judged = sides.flat_map(|side| {
        let results = side.value.get("results").filter(Place::is_array);
        std::iter::once(side.value).chain(results.into_iter().flat_map(|results| results.elements()))
    });
    judged.filter_map(|judged| judged.get("model"))
}

/// Writes the choices of an answer that was blocked.
fn blocked_choices(choices: Place<'_>) -> String {
    let written = (0..).zip(choices.elements()).map(|(position, choice)| {
        let index: u32 = choice.get("index").and_then(|index| index.as_u32()).unwrap_or(position);
        format!(
            r#"{{"index":{index},"message":{{"role":"assistant","content":null,"refusal":null}},"logprobs":null,"finish_reason":"{CONTENT_FILTER}"}}"#
        )
    });
    format!("[{}]", written.collect::<Vec<_>>().join(","))
}
