//! What a provider's answer is made of, as its vendors really send it.
//!
//! Leaves are kept as source and looked at by their first byte: a number where a text belongs, a list where a text belongs
//! and a lone surrogate are all met in real traffic, and none of them may break an answer.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::json::Place;

/// One leaf, in source; `None` if it is missing or null.
pub(super) type Leaf<'a> = Option<&'a RawValue>;

/// A chunk of a stream.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Chunk<'a> {
    #[serde(borrow)]
    pub(super) id: Leaf<'a>,
    pub(super) object: Leaf<'a>,
    pub(super) choices: Option<Vec<Choice<'a>>>,
    pub(super) usage: Leaf<'a>,
    pub(super) error: Leaf<'a>,
    /// What vendors searched for unasked, in every chunk.
    pub(super) citations: Leaf<'a>,
    pub(super) search_results: Leaf<'a>,
    /// Groq hides a stream's usage here.
    pub(super) x_groq: Leaf<'a>,
}

/// A choice of a chunk.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Choice<'a> {
    #[serde(borrow)]
    pub(super) index: Leaf<'a>,
    pub(super) delta: Option<Message<'a>>,
    pub(super) logprobs: Leaf<'a>,
    /// Null and missing are told apart: Snowflake never says it.
    #[serde(deserialize_with = "present")]
    pub(super) finish_reason: Leaf<'a>,
}

/// A whole answer.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Whole<'a> {
    #[serde(borrow)]
    pub(super) id: Leaf<'a>,
    pub(super) choices: Option<Vec<WholeChoice<'a>>>,
    pub(super) usage: Leaf<'a>,
    pub(super) citations: Leaf<'a>,
    pub(super) search_results: Leaf<'a>,
}

/// A choice of a whole answer.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WholeChoice<'a> {
    #[serde(borrow)]
    pub(super) index: Leaf<'a>,
    pub(super) message: Option<Message<'a>>,
    pub(super) logprobs: Leaf<'a>,
    pub(super) finish_reason: Leaf<'a>,
}

/// A message, whole or a piece of one.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Message<'a> {
    #[serde(borrow)]
    pub(super) content: Leaf<'a>,
    pub(super) refusal: Leaf<'a>,
    pub(super) reasoning_content: Leaf<'a>,
    pub(super) reasoning: Leaf<'a>,
    pub(super) reasoning_details: Leaf<'a>,
    pub(super) tool_calls: Option<Vec<Call<'a>>>,
    pub(super) function_call: Option<Function<'a>>,
    pub(super) extra_content: Leaf<'a>,
    pub(super) images: Leaf<'a>,
    pub(super) annotations: Leaf<'a>,
    pub(super) audio: Leaf<'a>,
}

/// A tool call, whole or a piece of one.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Call<'a> {
    #[serde(borrow)]
    pub(super) index: Leaf<'a>,
    pub(super) id: Leaf<'a>,
    pub(super) function: Option<Function<'a>>,
    pub(super) custom: Option<Custom<'a>>,
    pub(super) extra_content: Leaf<'a>,
}

/// What is called.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Function<'a> {
    #[serde(borrow)]
    pub(super) name: Leaf<'a>,
    pub(super) arguments: Leaf<'a>,
}

/// What is called with a text.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Custom<'a> {
    #[serde(borrow)]
    pub(super) name: Leaf<'a>,
    pub(super) input: Leaf<'a>,
}

fn present<'de: 'a, 'a, D: Deserializer<'de>>(from: D) -> Result<Leaf<'a>, D::Error> {
    <&RawValue>::deserialize(from).map(Some)
}

/// Writes JSON anew with each key once, the last of two counting: what serde refuses and JSON allows. `None` if it is no
/// object.
pub(super) fn with_keys_once(text: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    value.is_object().then(|| value.to_string())
}

/// Returns a text; empty if it is none. A number is written out.
pub(super) fn text(leaf: Leaf<'_>) -> Cow<'_, str> {
    let Some(leaf) = leaf else { return Cow::Borrowed("") };
    let source = leaf.get();
    match source.as_bytes().first() {
        Some(b'"') => Place::root(source).as_str().unwrap_or_default(),
        Some(b'0'..=b'9' | b'-') => Cow::Borrowed(source),
        _ => Cow::Borrowed(""),
    }
}

/// Returns a text, or the source of what stands in its place: Cloudflare and Ollama send objects.
pub(super) fn text_or_source(leaf: Leaf<'_>) -> Cow<'_, str> {
    match leaf {
        Some(leaf) if leaf.get().starts_with(['{', '[']) => Cow::Borrowed(leaf.get()),
        _ => text(leaf),
    }
}

/// Returns a count.
pub(super) fn number(leaf: Leaf<'_>) -> Option<u32> {
    leaf.and_then(|leaf| leaf.get().parse().ok())
}

/// Returns a value to walk over.
pub(super) fn place(leaf: Leaf<'_>) -> Option<Place<'_>> {
    leaf.map(|leaf| Place::root(leaf.get()))
}
