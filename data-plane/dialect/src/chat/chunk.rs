//! One chunk of a streamed answer, read.

use std::collections::BTreeMap;
use std::ops::Range;

use breakwater_common::guard::{Channel, Part};

use super::read_usage;
use super::reply::head_edits;
use super::texts::{self, Found, Step};
use crate::Usage;
use crate::json::{Edits, Place};

/// Index that stands for the arguments of the one call of the old `function_call`.
const FUNCTION_CALL: u32 = u32::MAX;

/// How chunks of one stream are read.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) alias: String,
    pub(super) asked_usage: bool,
    pub(super) reveal_provider: bool,
    /// Texts are looked for.
    pub(super) guarded: bool,
    /// Numbers of texts that the format does not name, by their place in the delta.
    pub(super) others: BTreeMap<String, u32>,
}

/// One chunk.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    /// What changes in any case.
    pub(super) edits: Edits,
    /// Its texts, in order; none unless the stream is guarded.
    pub(super) texts: Vec<ChunkText>,
    /// The `logprobs` of choices, by index.
    pub(super) logprobs: Vec<(u32, Range<usize>)>,
    /// Choices that it speaks of, and whether they end with it.
    pub(super) choices: Vec<(u32, bool)>,
    pub(super) usage: Option<Usage>,
    /// It is only there because this proxy asked for usage.
    pub(super) unasked: bool,
    /// A person would see something of it: text, a tool call, an end.
    pub(super) visible: bool,
    /// It says more than its texts.
    pub(super) bearing: bool,
    /// `id` and `created` as they stand.
    pub(super) id: String,
    pub(super) created: String,
}

/// One text of a chunk.
#[derive(Debug)]
pub(super) struct ChunkText {
    pub(super) channel: Channel,
    pub(super) at: Range<usize>,
    pub(super) text: String,
}

/// What an event's data is.
#[derive(Debug)]
pub(super) enum Read {
    Chunk(Box<Chunk>),
    /// An error of the upstream, with its code.
    Error(String),
    Garbage,
}

impl Reader {
    /// Reads the data of one event: checked JSON.
    pub(super) fn read(&mut self, text: &str) -> Read {
        let root = Place::root(text);
        if let Some(error) = root.get("error").filter(|error| !error.is_null()) {
            return Read::Error(error_code(error));
        }
        let Some(choices) = root.get("choices").filter(Place::is_array) else { return Read::Garbage };
        let source = |key| root.get(key).map(|value| value.source().to_owned()).unwrap_or_default();
        let mut chunk = Chunk {
            edits: head_edits(root, &self.alias, self.reveal_provider),
            id: source("id"),
            created: source("created"),
            ..Chunk::default()
        };
        let usage = root.get("usage");
        chunk.usage = usage.and_then(read_usage);
        let empty = choices.elements().next().is_none();
        if !self.asked_usage && usage.is_some_and(|usage| usage.is_null()) {
            chunk.edits = self.without_usage(root);
        }
        chunk.unasked = !self.asked_usage && empty && chunk.usage.is_some();
        chunk.bearing = empty || chunk.usage.is_some();
        for (position, choice) in (0..).zip(choices.elements()) {
            if self.read_choice(position, choice, &mut chunk).is_err() {
                return Read::Garbage;
            }
        }
        Read::Chunk(Box::new(chunk))
    }

    /// The edits of a chunk that says `"usage":null` because this proxy asked for usage.
    fn without_usage(&self, root: Place<'_>) -> Edits {
        let mut edits = head_edits(root, &self.alias, true);
        edits.remove_members(&root, |member| {
            let vendor = !self.reveal_provider && super::VENDOR_FIELDS.contains(&&*member.key);
            vendor || (member.key == "usage" && member.value.is_null())
        });
        edits
    }

    fn read_choice(
        &mut self,
        position: u32,
        choice: Place<'_>,
        chunk: &mut Chunk,
    ) -> Result<(), texts::TooDeep> {
        let index = choice.get("index").and_then(|index| index.as_u32()).unwrap_or(position);
        let ends = choice.get("finish_reason").is_some_and(|reason| reason.is_string());
        chunk.choices.push((index, ends));
        if let Some(logprobs) = choice.get("logprobs").filter(|logprobs| !logprobs.is_null()) {
            chunk.logprobs.push((index, logprobs.range()));
        }
        let delta = choice.get("delta");
        let calls = |key: &str| {
            delta
                .and_then(|delta| delta.get(key))
                .is_some_and(|calls| !calls.is_null() && calls.source() != "[]")
        };
        let tools = calls("tool_calls") || calls("function_call");
        let role = delta.is_some_and(|delta| delta.get("role").is_some());
        chunk.bearing |= ends || role || tools;
        chunk.visible |= ends || tools;
        if !self.guarded {
            // Seen often; a whole walk over the delta is only for guards.
            chunk.visible |= delta.is_some_and(|delta| {
                delta.members().any(|member| {
                    !member.value.is_null()
                        && member.key != "role"
                        && member.value.source() != "\"\""
                        && member.value.source() != "[]"
                })
            });
            return Ok(());
        }
        // Some repeat the whole answer so far in each chunk, beside the delta.
        if delta.is_some() {
            chunk.edits.remove_members(&choice, |member| member.key == "message");
        }
        for found in texts::find(choice)? {
            if matches!(found.path.first(), Some(Step::Key(key)) if key == "message") && delta.is_some() {
                continue;
            }
            chunk.visible |= !found.text.is_empty();
            let channel = Channel { choice: index, part: self.part(&found) };
            chunk.texts.push(ChunkText { channel, at: found.place.range(), text: found.text });
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
            ("delta", "content", _) => Part::Content,
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

/// Returns the code of an upstream's error, or its type; short and in plain ASCII, because it goes to traces.
fn error_code(error: Place<'_>) -> String {
    const CODE_BYTES_MAX: usize = 64;
    let code = ["code", "type"].iter().filter_map(|key| error.get(key)).find(|value| !value.is_null());
    let code = code.map(|code| code.as_str().unwrap_or_else(|| code.source().into())).unwrap_or_default();
    code.chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
        .take(CODE_BYTES_MAX)
        .collect()
}
