//! A message of a provider, whole or a piece of one, taken apart into a choice's blocks.

use serde_json::value::RawValue;

use super::sealed::{MISTRAL, Sealed};
use super::weave::{Fragment, Weave};
use super::wire::{self, Call, Message};
use super::{carry, cite};
use crate::ir::Event;
use crate::json::Place;

/// Who says a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    /// The provider answers.
    Provider,
    /// The caller gives back what it once got, with seals that [`super::carry`] wrote.
    Caller,
}

/// Takes a message. `reply` is the vendor's name of the answer.
pub(super) fn take(
    message: &Message<'_>,
    from: From,
    reply: &str,
    weave: &mut Weave,
    events: &mut Vec<Event>,
) {
    thinking(message, from, weave, events);
    content(message, weave, events);
    if from == From::Provider {
        cite::annotations(message.annotations).into_iter().for_each(|cited| weave.cite(cited, events));
    }
    weave.refusal(&wire::text(message.refusal), events);
    let mut signature = google_signature(wire::place(message.extra_content));
    if let Some(signed) = signature.take_if(|_| has_text(message)) {
        weave.text_signature(&signed, events);
    }
    for call in message.tool_calls.iter().flatten() {
        tool(call, signature.take(), reply, weave, events);
    }
    legacy_call(message, signature.take_if(|_| message.function_call.is_some()), reply, weave, events);
    if let Some(signed) = signature {
        weave.text_signature(&signed, events);
    }
    for image in wire::place(message.images).iter().flat_map(Place::elements) {
        weave.foreign("image_url", image.source(), events);
    }
    // An answer in sound, or a caller's word for one that it had. Snowflake sends one without anything in it.
    if let Some(audio) = wire::place(message.audio) {
        let key = if from == From::Provider { "data" } else { "id" };
        if audio.get(key).and_then(|said| said.as_str()).is_some_and(|said| !said.is_empty()) {
            weave.foreign("audio", audio.source(), events);
        }
    }
}

fn has_text(message: &Message<'_>) -> bool {
    message.content.is_some_and(|content| content.get().len() > 2)
}

/// Gemini's signature in an `extra_content`: as Gemini writes it where it speaks this format
/// (`google.thought_signature`), or as this gateway wrote it for a caller.
pub(super) fn google_signature(extra: Option<Place<'_>>) -> Option<String> {
    let extra = extra?;
    if let Some(carried) = carry::read_extra(extra) {
        return Some(carried);
    }
    let signature = extra.get("google")?.get("thought_signature")?.as_str()?;
    (!signature.is_empty()).then(|| signature.into_owned())
}

fn content(message: &Message<'_>, weave: &mut Weave, events: &mut Vec<Event>) {
    let Some(content) = message.content else { return };
    let source = content.get();
    if !source.starts_with('[') {
        weave.text(&wire::text_or_source(Some(content)), events);
        return;
    }
    for part in Place::root(source).elements() {
        if let Some(text) = part.as_str() {
            weave.text(&text, events);
            continue;
        }
        let kind = part.get("type").and_then(|kind| kind.as_str()).unwrap_or_default();
        let text = |key: &str| part.get(key).and_then(|text| text.as_str()).unwrap_or_default();
        match &*kind {
            "text" | "output_text" => weave.text(&text("text"), events),
            "refusal" => weave.refusal(&text("refusal"), events),
            "thinking" => mistral_thinking(part, weave, events),
            _ => weave.foreign(&kind, part.source(), events),
        }
    }
}

/// Mistral's thinking: a list of texts, or a text; a signature at its end.
fn mistral_thinking(part: Place<'_>, weave: &mut Weave, events: &mut Vec<Event>) {
    let Some(thinking) = part.get("thinking") else { return };
    if let Some(text) = thinking.as_str() {
        weave.thinking(&text, true, events);
    }
    for text in thinking.elements().filter_map(|piece| piece.get("text")?.as_str()) {
        weave.thinking(&text, true, events);
    }
    let signature = part.get("signature").and_then(|signature| signature.as_str()).unwrap_or_default();
    if !signature.is_empty() {
        let sealed =
            Sealed { encrypted: false, format: MISTRAL.to_owned(), id: String::new(), data: &signature };
        weave.seal(sealed.to_text(), events);
    }
}

/// Thinking under its many names: `reasoning_content` (DeepSeek and most), `reasoning` (Ollama, Groq, OpenRouter), and
/// `reasoning_details`, which repeat the text and carry seals.
fn thinking(message: &Message<'_>, from: From, weave: &mut Weave, events: &mut Vec<Event>) {
    let details = message.reasoning_details.filter(|details| details.get().len() > 2);
    let details: Vec<Place<'_>> = wire::place(details).iter().flat_map(Place::elements).collect();
    // What `carry` wrote is read by it.
    let carried = from == From::Caller && details.iter().any(|detail| carry::signer(*detail).is_some());
    if carried {
        return;
    }
    let told = details.iter().any(|detail| detail_text(*detail).is_some());
    if !told {
        let text = wire::text(message.reasoning_content);
        let text = if text.is_empty() { wire::text(message.reasoning) } else { text };
        weave.thinking(&text, !details.is_empty(), events);
    }
    for detail in details {
        let word = |key: &str| detail.get(key).and_then(|word| word.as_str()).unwrap_or_default();
        let format = word("format");
        if let Some(text) = detail_text(detail) {
            // Where no format is said at all, one is said at the end (`carry`).
            let signer = detail.get("format").is_none() || !format.is_empty() && format != "unknown";
            weave.thinking(&text, signer, events);
        }
        let (data, signature) = (word("data"), word("signature"));
        let (encrypted, data) = if data.is_empty() { (false, signature) } else { (true, data) };
        if !data.is_empty() {
            let sealed =
                Sealed { encrypted, format: format.into_owned(), id: word("id").into_owned(), data: &data };
            weave.seal(sealed.to_text(), events);
        }
    }
}

/// `text` of `reasoning.text`, `summary` of `reasoning.summary`.
fn detail_text(detail: Place<'_>) -> Option<std::borrow::Cow<'_, str>> {
    ["text", "summary"].into_iter().filter_map(|key| detail.get(key)?.as_str()).find(|text| !text.is_empty())
}

fn tool(call: &Call<'_>, signature: Option<String>, reply: &str, weave: &mut Weave, events: &mut Vec<Event>) {
    let signature = google_signature(wire::place(call.extra_content)).or(signature);
    let index = wire::number(call.index);
    let id = wire::text(call.id);
    let function = call.function.as_ref();
    let custom = call.custom.as_ref().filter(|_| function.is_none_or(|function| function.name.is_none()));
    let (name, input) = match (custom, function) {
        (Some(custom), _) => (wire::text(custom.name), wire::text(custom.input)),
        (None, Some(function)) => (wire::text(function.name), wire::text_or_source(function.arguments)),
        (None, None) => Default::default(),
    };
    let fragment = Fragment {
        index,
        id: &id,
        name: &name,
        input: &input,
        signature: signature.as_deref(),
        custom: custom.is_some(),
    };
    weave.tool(&fragment, reply, events);
}

/// `function_call`, deprecated since 2023. llama-cpp-python sends it beside `tool_calls`, Snowflake sends it empty.
fn legacy_call(
    message: &Message<'_>,
    signature: Option<String>,
    reply: &str,
    weave: &mut Weave,
    events: &mut Vec<Event>,
) {
    /// Its number: no vendor counts its tool calls so far.
    const ONLY: u32 = u32::MAX;
    let Some(call) = &message.function_call else { return };
    let (name, input) = (wire::text(call.name), wire::text_or_source(call.arguments));
    if name.is_empty() && input.is_empty()
        || message.tool_calls.as_ref().is_some_and(|calls| !calls.is_empty())
        || weave.has_call_besides(ONLY)
    {
        return;
    }
    let fragment = Fragment {
        index: Some(ONLY),
        id: "",
        name: &name,
        input: &input,
        signature: signature.as_deref(),
        custom: false,
    };
    weave.tool(&fragment, reply, events);
}

/// The entries of `logprobs.content`, in source; `None` if there are none.
pub(super) fn logprobs(logprobs: Option<&RawValue>) -> Option<&str> {
    let content = Place::root(logprobs?.get()).get("content")?;
    let any = content.elements().next().is_some();
    any.then(|| content.source())
}
