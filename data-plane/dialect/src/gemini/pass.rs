//! Within the format: what of an answer changes on its way, and where its texts stand.

use std::collections::BTreeMap;
use std::ops::Range;

use breakwater_common::guard::{Channel, Part};
use bytes::BytesMut;

use super::answer::Counts;
use crate::Ending;
use crate::codec::Caller;
use crate::ir::Usage;
use crate::json::{self, Edits, Place};
use crate::pass::texts::{self, Step, TooDeep};
use crate::pass::vendors;
use crate::pass::{Chunk, ChunkText, EventReader, Members, Passing, Read, add_whole_texts, error_code};

/// Gemini's generateContent.
#[derive(Debug)]
pub(crate) struct Gemini;

impl Passing for Gemini {
    fn members(&self) -> &'static Members {
        &Members {
            texts: &["systemInstruction", "system_instruction", "contents"],
            required: &["contents"],
            turns: &[],
            stream_options: false,
        }
    }

    fn answers<'a>(&self, root: Place<'a>) -> Option<Vec<Place<'a>>> {
        if let Some(candidates) = root.get("candidates").filter(Place::is_array) {
            return Some(candidates.elements().collect());
        }
        // A prompt that was filtered has no candidates at all.
        let empty = root.get("promptFeedback").is_some() || root.get("usageMetadata").is_some();
        empty.then(Vec::new)
    }

    fn head_edits(&self, root: Place<'_>, caller: &Caller) -> Edits {
        head_edits(root, caller)
    }

    fn blocked(&self, root: Place<'_>) -> Vec<(Range<usize>, String)> {
        let candidates = root.get("candidates").filter(Place::is_array);
        let write = |candidates: Place<'_>| {
            let count = candidates.elements().count();
            let written: Vec<_> = (0..count).map(blocked_candidate).collect();
            (candidates.range(), format!("[{}]", written.join(",")))
        };
        candidates.map(write).into_iter().collect()
    }

    fn usage(&self, root: Place<'_>) -> Option<Usage> {
        root.get("usageMetadata").and_then(read_usage)
    }

    fn events(&self, caller: &Caller, guarded: bool) -> Box<dyn EventReader> {
        Box::new(Reader {
            caller: caller.clone(),
            guarded,
            candidates: BTreeMap::new(),
            filtered: false,
            counts: Counts::default(),
        })
    }
}

fn blocked_candidate(index: usize) -> String {
    format!(r#"{{"index":{index},"content":{{"role":"model","parts":[]}},"finishReason":"SAFETY"}}"#)
}

fn head_edits(root: Place<'_>, caller: &Caller) -> Edits {
    let mut edits = Edits::default();
    vendors::remove(root, "usageMetadata", caller.reveal_provider, &mut edits);
    for member in root.members() {
        match &*member.key {
            "modelVersion" => edits.replace(member.value.range(), json::quote(&caller.alias)),
            "responseId" if !caller.reveal_provider => {
                edits.replace(member.value.range(), json::quote(&caller.id));
            }
            _ => {}
        }
    }
    edits
}

fn read_usage(usage: Place<'_>) -> Option<Usage> {
    usage.is_object().then(|| {
        let mut counts = Counts::default();
        counts.take(usage);
        counts.usage()
    })
}

/// Reads the events of one stream.
#[derive(Debug)]
struct Reader {
    caller: Caller,
    guarded: bool,
    /// Candidates that the caller saw, and whether it saw them end.
    candidates: BTreeMap<u32, bool>,
    /// The prompt was filtered: there are no candidates, and that is the answer.
    filtered: bool,
    /// Tokens so far: a chunk may leave out what another said.
    counts: Counts,
}

impl EventReader for Reader {
    fn read(&mut self, _name: &str, data: &[u8]) -> Read {
        let Ok(text) = json::check(data) else { return Read::Garbage };
        let mut root = Place::root(text);
        if root.is_array() {
            // An error may come wrapped.
            root = root.elements().next().unwrap_or(root);
        }
        if let Some(error) = root.get("error") {
            return Read::Error(error.get("status").map_or_else(|| error_code(error), |_| status(error)));
        }
        if !root.is_object() {
            return Read::Garbage;
        }
        let mut chunk = Chunk {
            edits: head_edits(root, &self.caller),
            bearing: true,
            begins: true,
            usage: self.read_counts(root),
            ..Chunk::default()
        };
        if root.get("promptFeedback").is_some_and(|feedback| feedback.get("blockReason").is_some()) {
            chunk.visible = true;
            chunk.stage = 1;
        }
        let candidates = root.get("candidates").into_iter().flat_map(|candidates| candidates.elements());
        for (position, candidate) in (0..).zip(candidates) {
            if self.candidate(position, candidate, &mut chunk).is_err() {
                return Read::Garbage;
            }
        }
        Read::Chunk(Box::new(chunk))
    }

    fn gave(&mut self, chunk: &Chunk) {
        self.filtered |= chunk.stage > 0;
        for (index, ends) in &chunk.choices {
            *self.candidates.entry(*index).or_default() |= ends;
        }
    }

    fn is_whole(&self) -> bool {
        self.filtered || (!self.candidates.is_empty() && self.candidates.values().all(|ended| *ended))
    }

    fn blocked(&mut self, out: &mut BytesMut) {
        let alias = json::quote(&self.caller.alias);
        let open = self.candidates.iter().filter(|(_, ended)| !**ended);
        let mut written: Vec<_> =
            open.map(|(index, _)| blocked_candidate(usize::try_from(*index).unwrap_or_default())).collect();
        if self.candidates.is_empty() {
            written.push(blocked_candidate(0));
        }
        let id = json::quote(&self.caller.id);
        let event = format!(
            "data: {{\"candidates\":[{}],\"modelVersion\":{alias},\"responseId\":{id}}}\r\n\r\n",
            written.join(",")
        );
        out.extend_from_slice(event.as_bytes());
    }

    /// The format has no last event.
    fn complete(&mut self, _out: &mut BytesMut) {}

    fn failed(&mut self, ending: Ending, out: &mut BytesMut) {
        let message = ending.message();
        let event = format!(
            "data: {{\"error\":{{\"code\":500,\"message\":\"{message}\",\"status\":\"INTERNAL\"}}}}\r\n\r\n"
        );
        out.extend_from_slice(event.as_bytes());
    }
}

impl Reader {
    fn read_counts(&mut self, root: Place<'_>) -> Option<Usage> {
        let usage = root.get("usageMetadata").filter(Place::is_object)?;
        self.counts.take(usage);
        Some(self.counts.usage())
    }

    fn candidate(&mut self, position: u32, candidate: Place<'_>, chunk: &mut Chunk) -> Result<(), TooDeep> {
        let index = candidate.get("index").and_then(|index| index.as_u32()).unwrap_or(position);
        let ends = candidate.get("finishReason").is_some_and(|reason| reason.is_string());
        chunk.choices.push((index, ends));
        chunk.visible |= ends;
        if self.guarded {
            add_beside(candidate, index, chunk)?;
        }
        let Some(content) = candidate.get("content") else { return Ok(()) };
        let parts: Vec<_> = content.get("parts").into_iter().flat_map(|parts| parts.elements()).collect();
        chunk.visible |= parts.iter().any(|part| part.get("text").is_none_or(|text| text.source() != "\"\""));
        if !self.guarded {
            return Ok(());
        }
        for part in parts {
            let thought = part.get("thought").and_then(|thought| thought.as_bool()).unwrap_or_default();
            for found in texts::find(part)? {
                // Text goes on from part to part; all else stands whole in its own.
                let goes_on = matches!(found.path.as_slice(), [Step::Key(key)] if key == "text");
                let named = if thought { Part::Reasoning } else { Part::Content };
                let channel =
                    Channel { choice: index, part: if goes_on { named } else { Part::Other(u32::MAX) } };
                chunk.texts.push(ChunkText {
                    channel,
                    at: found.place.range(),
                    kind: found.kind,
                    text: found.text,
                    whole: !goes_on,
                });
            }
        }
        Ok(())
    }
}

/// Adds what a candidate says beside its content: sources and citations repeat pieces of it, log probabilities all of it.
fn add_beside(candidate: Place<'_>, index: u32, chunk: &mut Chunk) -> Result<(), TooDeep> {
    let known = ["content", "finishReason", "logprobsResult"];
    for member in candidate.members().filter(|member| !known.contains(&&*member.key)) {
        add_whole_texts(member.value, index, chunk)?;
    }
    chunk.logprobs.extend(texts::logprobs(candidate).into_iter().map(|(place, with)| (index, place, with)));
    Ok(())
}

fn status(error: Place<'_>) -> String {
    let status = error.get("status").and_then(|status| status.as_str()).unwrap_or_default();
    status.chars().filter(|c| c.is_ascii_uppercase() || *c == '_').take(64).collect()
}
