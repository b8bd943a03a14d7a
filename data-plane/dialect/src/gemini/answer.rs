//! An answer as it comes, whole or in chunks: every chunk is the same object, of which each holds some.

use std::borrow::Cow;

use super::form::{Object, compact, list};
use super::stops;
use crate::ir::{
    At, Citation, Delta, Event, Media, Opening, Source, Stop, StopReason, ToolIdShape, Usage, digest_id,
};
use crate::json::Place;
use crate::{Format, StreamFault};

/// Answers beyond the bound of the format (`candidateCount` is at most 8) are not read.
const CHOICES_MAX: usize = 128;

/// The kinds of block that may go on in the next chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Thinking,
}

/// One answer so far.
#[derive(Debug, Default)]
struct Choice {
    open: Option<Kind>,
    /// Blocks that began.
    blocks: u32,
    called: bool,
    finish: Option<String>,
    /// Addresses that were cited: chunks repeat them.
    cited: Vec<String>,
}

/// What was read so far.
#[derive(Debug, Default)]
pub(super) struct Answer {
    started: bool,
    over: bool,
    id: String,
    calls: u32,
    choices: Vec<Choice>,
    counts: Counts,
    blocked: Option<String>,
}

/// Google's counts; what a chunk does not say stays as an earlier one said it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    said: bool,
    prompt: u64,
    cached: u64,
    tools: u64,
    candidates: u64,
    thoughts: u64,
    input_audio: u64,
    output_audio: u64,
}

/// What a part holds.
#[derive(Default)]
struct Part<'a> {
    text: Option<Cow<'a, str>>,
    thought: bool,
    signature: Option<Cow<'a, str>>,
    kind: Option<(Cow<'a, str>, Place<'a>)>,
}

impl Answer {
    /// Takes the next chunk. Returns whether it is one: it has at least one of the members that make it so.
    pub(super) fn take(&mut self, chunk: Place<'_>, events: &mut Vec<Event>) -> Result<bool, StreamFault> {
        if let Some(error) = chunk.get("error") {
            return Err(StreamFault::Upstream { code: super::error::code(error) });
        }
        if !std::mem::replace(&mut self.started, true) {
            events.push(Event::Start);
        }
        let before = self.counts;
        let mut is_one = false;
        for member in chunk.members().filter(|member| !member.value.is_null()) {
            match &*member.key {
                "responseId" if self.id.is_empty() => {
                    self.id = member.value.as_str().unwrap_or_default().into_owned();
                }
                "promptFeedback" => {
                    is_one = true;
                    let reason = member.value.get("blockReason").and_then(stops::word);
                    self.blocked = reason.map(Cow::into_owned).or(self.blocked.take());
                }
                "usageMetadata" => self.counts.take(member.value),
                _ => {}
            }
        }
        // Ids of calls are made of the answer's, which may stand behind the candidates.
        if let Some(candidates) = chunk.get("candidates").filter(Place::is_array) {
            is_one = true;
            for candidate in candidates.elements() {
                self.candidate(candidate, events);
            }
        }
        if self.counts.said && self.counts != before {
            events.push(Event::Usage(self.counts.usage()));
        }
        Ok(is_one)
    }

    /// Ends what ended. Reasons are held until here, because content may follow the chunk that says one, and several
    /// chunks may say one (bug 12).
    pub(super) fn finish(&mut self, events: &mut Vec<Event>) {
        if std::mem::replace(&mut self.over, true) {
            return;
        }
        if let Some(reason) = self.blocked.take()
            && self.choices.is_empty()
        {
            let stop = Stop { reason: StopReason::Filtered, native: Some(reason), sequence: None };
            events.push(Event::Stop(0, stop));
        }
        for index in 0..self.choices.len() {
            let number = u32::try_from(index).unwrap_or(u32::MAX);
            self.close(index, events);
            if let Some(choice) = self.choices.get_mut(index)
                && let Some(word) = choice.finish.take()
            {
                events.push(Event::Stop(number, stops::read(&word, choice.called)));
            }
        }
    }

    fn candidate(&mut self, candidate: Place<'_>, events: &mut Vec<Event>) {
        let number = candidate.get("index").and_then(|index| index.as_u32()).unwrap_or_default();
        let Some(index) = usize::try_from(number).ok().filter(|index| *index < CHOICES_MAX) else { return };
        if self.choices.len() <= index {
            self.choices.resize_with(index + 1, Choice::default);
        }
        for member in candidate.members() {
            match &*member.key {
                "content" => {
                    let parts = member.value.get("parts");
                    for part in parts.iter().flat_map(Place::elements) {
                        self.part(index, part, events);
                    }
                }
                "finishReason" => {
                    if let (Some(choice), Some(word)) =
                        (self.choices.get_mut(index), stops::word(member.value))
                    {
                        choice.finish = Some(word.into_owned());
                    }
                }
                "groundingMetadata" => self.grounding(index, member.value, events),
                "logprobsResult" => {
                    let entries = logprobs(member.value);
                    if entries != "[]" {
                        events.push(Event::Delta(self.at(index), Delta::Logprobs(entries)));
                    }
                }
                _ => {}
            }
        }
    }

    /// Takes the pages of the web that Google's search found. Where in the text each is cited is said in bytes of all its
    /// parts, which are not kept: it is not told.
    fn grounding(&mut self, index: usize, metadata: Place<'_>, events: &mut Vec<Event>) {
        let word = |web: Place<'_>, key: &str| Some(web.get(key)?.as_str()?.into_owned());
        let chunks = metadata.get("groundingChunks");
        for web in chunks.iter().flat_map(Place::elements).filter_map(|chunk| chunk.get("web")) {
            let Some(url) = word(web, "uri").filter(|url| !url.is_empty()) else { continue };
            let Some(choice) = self.choices.get_mut(index).filter(|choice| !choice.cited.contains(&url))
            else {
                continue;
            };
            choice.cited.push(url.clone());
            let at = match choice.open {
                Some(Kind::Text) => self.at(index),
                Some(Kind::Thinking) | None => self.open(index, Opening::Text, Some(Kind::Text), events),
            };
            let citation = Citation { url, title: word(web, "title").unwrap_or_default(), at: None };
            events.push(Event::Delta(at, Delta::Citation(citation)));
        }
    }

    fn part(&mut self, index: usize, place: Place<'_>, events: &mut Vec<Event>) {
        let mut part = Part::default();
        for member in place.members().filter(|member| !member.value.is_null()) {
            match &*member.key {
                "text" => part.text = member.value.as_str(),
                "thought" => part.thought = member.value.as_bool().unwrap_or_default(),
                "thoughtSignature" => part.signature = member.value.as_str(),
                "partMetadata" | "videoMetadata" | "mediaResolution" => {}
                _ => part.kind = Some((member.key, member.value)),
            }
        }
        match part.kind {
            None => self.text(index, part, events),
            Some((kind, call)) if kind == "functionCall" => {
                let signature = part.signature.map(Cow::into_owned);
                self.call(index, call, signature, events);
            }
            Some((kind, value)) => {
                let opening = made(&kind, value).unwrap_or_else(|| Opening::Foreign {
                    format: Format::Gemini,
                    kind: kind.into_owned(),
                    json: compact(place.source()),
                });
                let at = self.open(index, opening, None, events);
                events.push(Event::Close(at));
            }
        }
    }

    fn text(&mut self, index: usize, part: Part<'_>, events: &mut Vec<Event>) {
        let text = part.text.unwrap_or_default();
        // An empty text is how the last chunk says nothing (bug 14).
        if text.is_empty() && part.signature.is_none() {
            return;
        }
        let kind = if part.thought { Kind::Thinking } else { Kind::Text };
        let open = self.choices.get(index).and_then(|choice| choice.open);
        let at = if open == Some(kind) {
            self.at(index)
        } else {
            let opening = match kind {
                Kind::Text => Opening::Text,
                Kind::Thinking => Opening::Thinking { signed_by: Some(Format::Gemini), id: String::new() },
            };
            self.open(index, opening, Some(kind), events)
        };
        if !text.is_empty() {
            events.push(Event::Delta(at, Delta::Text(text.into_owned())));
        }
        if let Some(signature) = part.signature {
            // A signature is of what stands before it; what follows is another part.
            events.push(Event::Delta(at, Delta::Signature(signature.into_owned())));
            self.close(index, events);
        }
    }

    fn call(&mut self, index: usize, call: Place<'_>, signature: Option<String>, events: &mut Vec<Event>) {
        let text =
            |key: &str| call.get(key).and_then(|value| value.as_str()).unwrap_or_default().into_owned();
        let name = text("name");
        let input = call.get("args").filter(Place::is_object);
        // No arguments are no text, but none at all (bug 25).
        let input = input.map_or_else(|| "{}".to_owned(), |input| compact(input.source()));
        self.calls += 1;
        let mut id = text("id");
        if id.is_empty() {
            // Without the answer's id a later turn may call the same: then its arguments tell them apart.
            let seed =
                format!("{}/{}/{name}/{}", self.id, self.calls, if self.id.is_empty() { &input } else { "" });
            id = digest_id(&seed, ToolIdShape::OpenAi, "call_");
        }
        let at = self.open(index, Opening::ToolUse { id, name, signature, custom: false }, None, events);
        events.push(Event::Delta(at, Delta::Input(input)));
        events.push(Event::Close(at));
        if let Some(choice) = self.choices.get_mut(index) {
            choice.called = true;
        }
    }

    /// The block at hand, or the last that was.
    fn at(&self, index: usize) -> At {
        let blocks = self.choices.get(index).map_or(0, |choice| choice.blocks);
        At { choice: u32::try_from(index).unwrap_or(u32::MAX), block: blocks.saturating_sub(1) }
    }

    fn open(&mut self, index: usize, opening: Opening, kind: Option<Kind>, events: &mut Vec<Event>) -> At {
        self.close(index, events);
        if let Some(choice) = self.choices.get_mut(index) {
            choice.open = kind;
            choice.blocks += 1;
        }
        let at = self.at(index);
        events.push(Event::Open(at, opening));
        at
    }

    fn close(&mut self, index: usize, events: &mut Vec<Event>) {
        let open = self.choices.get_mut(index).and_then(|choice| choice.open.take());
        if open.is_some() {
            events.push(Event::Close(self.at(index)));
        }
    }
}

impl Counts {
    pub(super) fn take(&mut self, usage: Place<'_>) {
        self.said |= usage.is_object();
        for member in usage.members() {
            let count = match &*member.key {
                "promptTokenCount" => &mut self.prompt,
                "cachedContentTokenCount" => &mut self.cached,
                "toolUsePromptTokenCount" => &mut self.tools,
                "candidatesTokenCount" => &mut self.candidates,
                "thoughtsTokenCount" => &mut self.thoughts,
                "promptTokensDetails" => {
                    self.input_audio = audio(member.value);
                    continue;
                }
                "candidatesTokensDetails" => {
                    self.output_audio = audio(member.value);
                    continue;
                }
                _ => continue,
            };
            if let Ok(said) = member.value.source().parse() {
                *count = said;
            }
        }
    }

    /// Google's prompt holds what came from the cache; what its own tools read and the thoughts stand beside it
    /// (total = prompt + candidates + thoughts + toolUsePrompt in 839 of 849 recorded answers, the rest cut by hand).
    pub(super) fn usage(&self) -> Usage {
        Usage {
            input: self.prompt.saturating_sub(self.cached).saturating_add(self.tools),
            cache_read: self.cached,
            output: self.candidates.saturating_add(self.thoughts),
            reasoning: self.thoughts,
            input_audio: self.input_audio,
            output_audio: self.output_audio,
            ..Usage::default()
        }
    }
}

/// A picture or a sound that the model made.
fn made(kind: &str, data: Place<'_>) -> Option<Opening> {
    if kind != "inlineData" {
        return None;
    }
    let text = |key: &str| data.get(key)?.as_str();
    let media_type = text("mimeType")?.to_ascii_lowercase();
    let media = match media_type.split('/').next()? {
        "image" => Media::Image,
        "audio" => Media::Audio,
        "video" => Media::Video,
        _ => Media::Document,
    };
    Some(Opening::Media { media, source: Source::Base64 { data: text("data")?.into_owned(), media_type } })
}

/// Sums what is sound. The kind may be a number: 4 (google.ai.generativelanguage.v1beta, `Modality`).
fn audio(details: Place<'_>) -> u64 {
    let is_audio =
        |kind: Place<'_>| kind.as_str().is_some_and(|kind| kind == "AUDIO") || kind.as_u32() == Some(4);
    let count =
        |detail: Place<'_>| detail.get("tokenCount").and_then(|count| count.source().parse::<u64>().ok());
    details
        .elements()
        .filter(|detail| detail.get("modality").is_some_and(is_audio))
        .filter_map(count)
        .fold(0, u64::saturating_add)
}

/// Writes log probabilities as OpenAI does.
fn logprobs(result: Place<'_>) -> String {
    let entry = |token: Place<'_>| {
        let text = token.get("token").and_then(|text| text.as_str()).unwrap_or_default();
        let mut entry = Object::new();
        entry
            .text("token", &text)
            .raw("logprob", token.get("logProbability").map_or("0", |value| value.source()))
            .raw("bytes", list(text.bytes().map(|byte| byte.to_string())));
        entry
    };
    let tops: Vec<_> = result.get("topCandidates").iter().flat_map(Place::elements).collect();
    let chosen: Vec<_> = result.get("chosenCandidates").iter().flat_map(Place::elements).collect();
    list(chosen.into_iter().enumerate().map(|(index, token)| {
        let top = tops.get(index).and_then(|top| top.get("candidates"));
        let top = list(top.iter().flat_map(Place::elements).map(|token| entry(token).end()));
        entry(token).raw("top_logprobs", top).end()
    }))
}
