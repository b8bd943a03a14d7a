//! Writes a whole answer for a caller, and the pieces that a stream is made of too.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::form::{Object, list};
use super::write_contents::arguments;
use super::{signature, stops};
use crate::Format;
use crate::codec::Caller;
use crate::ir::{Block, Choice, Citation, Reply, Source, Stop, ToolIdShape, Usage, digest_id};
use crate::json::quote;

pub(crate) fn write_reply(reply: &Reply, caller: &Caller) -> String {
    let candidates = reply.choices.iter().zip(0..).map(|(choice, index)| {
        let parts: Vec<_> = choice.blocks.iter().filter_map(part).collect();
        let cited = choice.citations.iter().map(|(_, cited)| cited);
        let end = End { stop: &choice.stop, grounding: grounding(cited) };
        candidate(index, &parts, Some(&end), logprobs(choice).as_deref())
    });
    // Google's answers always say their tokens; its SDKs do not expect one that does not.
    response(&list(candidates), Some(&reply.usage.unwrap_or_default()), caller)
}

/// Writes a response: a whole answer is one, and so is each chunk of a stream.
pub(super) fn response(candidates: &str, usage: Option<&Usage>, caller: &Caller) -> String {
    let mut response = Object::new();
    response.raw("candidates", candidates);
    if let Some(usage) = usage {
        response.raw("usageMetadata", usage_metadata(usage));
    }
    response.text("modelVersion", &caller.alias).text("responseId", &caller.id).end()
}

/// What is said at the end of an answer.
#[derive(Debug)]
pub(super) struct End<'a> {
    pub(super) stop: &'a Stop,
    /// See [`grounding`].
    pub(super) grounding: Option<String>,
}

/// Writes the pages that an answer cites, as Google's search would; none if there are none.
pub(super) fn grounding<'a>(citations: impl Iterator<Item = &'a Citation>) -> Option<String> {
    let web = |cited: &Citation| {
        let web = Object::new().text("uri", &cited.url).text("title", &cited.title).end();
        Object::new().raw("web", web).end()
    };
    let chunks: Vec<_> = citations.map(web).collect();
    (!chunks.is_empty()).then(|| Object::new().raw("groundingChunks", list(chunks)).end())
}

/// Writes one answer. Google's SDKs take a content without parts for a broken one (google-genai 3.4.0, `chats.py`), so
/// where there is nothing it holds an empty text, as Google's own do.
pub(super) fn candidate(
    index: u32,
    parts: &[String],
    end: Option<&End<'_>>,
    logprobs: Option<&str>,
) -> String {
    let parts = if parts.is_empty() { list([r#"{"text":""}"#]) } else { list(parts) };
    let mut candidate = Object::new();
    candidate.raw("content", Object::new().raw("parts", parts).text("role", "model").end());
    if let Some(end) = end {
        candidate.text("finishReason", stops::write(end.stop));
    }
    candidate.plain("index", index);
    if let Some(logprobs) = logprobs {
        candidate.raw("logprobsResult", logprobs);
    }
    if let Some(grounding) = end.and_then(|end| end.grounding.as_deref()) {
        candidate.raw("groundingMetadata", grounding);
    }
    candidate.end()
}

/// Writes a block; none if a caller of Gemini has no place for it.
fn part(block: &Block) -> Option<String> {
    match block {
        Block::Text { text, signature, .. } => (!text.is_empty() || signature.is_some()).then(|| {
            let signature = signature.as_deref().map(signature::pack_own);
            text_part(text, false, signature.as_deref())
        }),
        Block::Refusal { text } => Some(text_part(text, false, None)),
        Block::Thinking { text, signature, signed_by, id } => {
            thought_parts(text, signature.as_deref(), *signed_by, id)
        }
        Block::RedactedThinking { data, signed_by } => {
            signature::pack_redacted(data, *signed_by).map(|data| text_part("", true, Some(&data)))
        }
        Block::ToolUse { id, name, input, signature, custom, .. } => {
            Some(call(id, name, &arguments(input, *custom), signature.as_deref()))
        }
        Block::Media { source, .. } => media(source),
        Block::Foreign { format: Format::Gemini, json, .. } => Some(json.get().to_owned()),
        // Results and blocks of other formats: nobody could do anything with them.
        Block::ToolResult { .. } | Block::Foreign { .. } => None,
    }
}

/// Writes a picture or a sound; none for a file that only another provider knows.
pub(super) fn media(source: &Source) -> Option<String> {
    match source {
        Source::Base64 { media_type, data } => {
            let data = Object::new().text("mimeType", media_type).text("data", data).end();
            Some(Object::new().raw("inlineData", data).end())
        }
        Source::Url { url, media_type } => {
            let mut file = Object::new();
            file.text("mimeType", media_type.as_deref().unwrap_or("application/octet-stream"));
            Some(Object::new().raw("fileData", file.text("fileUri", url).end()).end())
        }
        Source::Text(_) | Source::File { .. } => None,
    }
}

fn thought_parts(text: &str, signed: Option<&str>, signed_by: Option<Format>, id: &str) -> Option<String> {
    let signed = signed.map(|signed| signature::pack(signed, signed_by, id));
    (!text.is_empty() || signed.is_some()).then(|| text_part(text, true, signed.as_deref()))
}

/// Writes a text or a thought.
pub(super) fn text_part(text: &str, thought: bool, signature: Option<&str>) -> String {
    let mut part = Object::new();
    part.text("text", text);
    if thought {
        part.plain("thought", true);
    }
    if let Some(signature) = signature {
        part.text("thoughtSignature", signature);
    }
    part.end()
}

/// Writes a call, whose arguments are an object.
pub(super) fn call(id: &str, name: &str, args: &str, signature: Option<&str>) -> String {
    let mut call = Object::new();
    if !id.is_empty() {
        call.text("id", &digest_id(id, ToolIdShape::OpenAi, "call_"));
    }
    call.text("name", name).raw("args", args);
    let mut part = Object::new();
    part.raw("functionCall", call.end());
    if let Some(signature) = signature {
        part.text("thoughtSignature", &signature::pack_own(signature));
    }
    part.end()
}

/// Writes tokens by Google's identities (llm-api.md, 1.7): the cache within the prompt, thoughts beside the candidates.
pub(super) fn usage_metadata(usage: &Usage) -> String {
    let candidates = usage.output.saturating_sub(usage.reasoning);
    let mut counts = Object::new();
    counts.plain("promptTokenCount", usage.prompt()).plain("candidatesTokenCount", candidates);
    counts.plain("totalTokenCount", usage.total());
    if usage.cache_read > 0 {
        counts.plain("cachedContentTokenCount", usage.cache_read);
    }
    if usage.reasoning > 0 {
        counts.plain("thoughtsTokenCount", usage.reasoning.min(usage.output));
    }
    counts.raw("promptTokensDetails", details(usage.prompt(), usage.input_audio));
    if usage.output_audio > 0 {
        counts.raw("candidatesTokensDetails", details(candidates, usage.output_audio));
    }
    counts.end()
}

fn details(all: u64, audio: u64) -> String {
    let of = |kind: &str, count: u64| Object::new().text("modality", kind).plain("tokenCount", count).end();
    let mut list_of = vec![of("TEXT", all.saturating_sub(audio))];
    if audio > 0 {
        list_of.push(of("AUDIO", audio));
    }
    list(list_of)
}

/// OpenAI's `logprobs.content`.
#[derive(Deserialize)]
struct Token<'a> {
    token: String,
    #[serde(borrow)]
    logprob: &'a RawValue,
    #[serde(default, borrow)]
    top_logprobs: Vec<Token<'a>>,
}

#[derive(Deserialize)]
struct Whole<'a> {
    #[serde(borrow)]
    content: Option<Vec<Token<'a>>>,
}

fn logprobs(choice: &Choice) -> Option<String> {
    logprobs_result(choice.logprobs.as_deref()?)
}

/// Writes log probabilities from OpenAI's, given as the whole object or as its entries.
pub(super) fn logprobs_result(source: &str) -> Option<String> {
    let tokens: Vec<Token<'_>> = match serde_json::from_str(source) {
        Ok(tokens) => tokens,
        Err(_) => serde_json::from_str::<Whole<'_>>(source).ok()?.content?,
    };
    let one = |token: &Token<'_>| {
        Object::new().raw("token", quote(&token.token)).raw("logProbability", token.logprob.get()).end()
    };
    let tops = tokens
        .iter()
        .map(|token| Object::new().raw("candidates", list(token.top_logprobs.iter().map(one))).end());
    let mut result = Object::new();
    if tokens.iter().any(|token| !token.top_logprobs.is_empty()) {
        result.raw("topCandidates", list(tops));
    }
    (!tokens.is_empty()).then(|| result.raw("chosenCandidates", list(tokens.iter().map(one))).end())
}
