//! An answer, written for the caller.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use super::EmbeddingsFormat;
use super::vectors::{self, Vectors};
use crate::codec::Garbage;
use crate::ir::Usage;
use crate::json::{self, Edits, Place};
use crate::pass::vendors;

/// For whom an answer is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbeddingsCaller {
    /// What the caller calls the model.
    pub alias: String,
    /// The caller wants vectors in base64: numbers of 32 bits, least byte first.
    pub base64: bool,
    /// How many vectors were asked for.
    pub inputs: usize,
    /// The route keeps fields that name a vendor.
    pub reveal_provider: bool,
}

/// An answer, ready for the caller.
#[derive(Debug)]
pub struct EmbeddingsReply {
    /// The body; its length may differ from the upstream's `Content-Length`.
    pub body: Bytes,
    /// Tokens, if the upstream said them.
    pub usage: Option<Usage>,
}

/// Rewrites an answer that came in OpenAI's format: the alias, and base64 if the caller wants it and the provider gave
/// numbers. Everything else is byte for byte what came.
///
/// # Errors
///
/// The body is not the format.
pub fn rewrite_reply(body: &Bytes, caller: &EmbeddingsCaller) -> Result<EmbeddingsReply, Garbage> {
    let text = json::check(body).map_err(|_| Garbage)?;
    let root = Place::root(text);
    let data = root.get("data").filter(Place::is_array).ok_or(Garbage)?;
    let mut edits = Edits::default();
    if let Some(model) = root.get("model").filter(|model| model.as_str().is_none_or(|m| m != caller.alias)) {
        edits.replace(model.range(), json::quote(&caller.alias));
    }
    // An id is not of the format: some vendors have one, in a shape of their own.
    edits.remove_members(&root, |member| {
        vendors::of_root(member, caller.reveal_provider) || (member.key == "id" && !caller.reveal_provider)
    });
    if let Some(usage) = root.get("usage") {
        vendors::remove_from_usage(usage, caller.reveal_provider, &mut edits);
    }
    if caller.base64 {
        // One that is a text already is in base64, or in what the vendor has instead.
        let vectors = data.elements().filter_map(|one| one.get("embedding")).filter(Place::is_array);
        for vector in vectors {
            edits.replace(vector.range(), encode(vector)?);
        }
    }
    let usage = root.get("usage").filter(Place::is_object).map(|usage| {
        let prompt = usage.get("prompt_tokens").and_then(|count| count.source().parse().ok());
        Usage { input: prompt.unwrap_or_default(), ..Usage::default() }
    });
    let body = if edits.is_empty() { body.clone() } else { Bytes::from(edits.apply(text)) };
    Ok(EmbeddingsReply { body, usage })
}

/// Writes an answer of a provider in OpenAI's format. `counted` is the number of tokens that a header said (Bedrock's
/// `x-amzn-bedrock-input-token-count`), for bodies that say none.
///
/// # Errors
///
/// The body is not the format, or has not one vector for each input.
pub fn translate_reply(
    format: EmbeddingsFormat,
    body: &[u8],
    counted: Option<u64>,
    caller: &EmbeddingsCaller,
) -> Result<EmbeddingsReply, Garbage> {
    let text = json::check(body).map_err(|_| Garbage)?;
    let Vectors { vectors, tokens } = vectors::read(format, Place::root(text))?;
    if vectors.len() != caller.inputs {
        return Err(Garbage);
    }
    let mut written = String::with_capacity(text.len());
    written.push_str(r#"{"object":"list","data":["#);
    for (index, vector) in vectors.into_iter().enumerate() {
        if index > 0 {
            written.push(',');
        }
        let vector = if caller.base64 { encode(vector)? } else { numbers(vector)? };
        written.push_str(&format!(r#"{{"object":"embedding","index":{index},"embedding":{vector}}}"#));
    }
    let tokens = tokens.or(counted);
    // The format demands counts; of a provider that says none they are 0.
    let count = tokens.unwrap_or_default();
    written.push_str(&format!(
        r#"],"model":{},"usage":{{"prompt_tokens":{count},"total_tokens":{count}}}}}"#,
        json::quote(&caller.alias)
    ));
    let usage = tokens.map(|count| Usage { input: count, ..Usage::default() });
    Ok(EmbeddingsReply { body: written.into(), usage })
}

/// Writes a vector's numbers as they stand, without what spaces stand between.
fn numbers(vector: Place<'_>) -> Result<String, Garbage> {
    let mut written = String::with_capacity(vector.source().len());
    written.push('[');
    for number in vector.elements() {
        let _checked: f32 = number.source().parse().map_err(|_| Garbage)?;
        if written.len() > 1 {
            written.push(',');
        }
        written.push_str(number.source());
    }
    written.push(']');
    Ok(written)
}

/// Writes a vector in base64, quoted.
fn encode(vector: Place<'_>) -> Result<String, Garbage> {
    let mut bytes = Vec::new();
    for number in vector.elements() {
        let number: f32 = number.source().parse().map_err(|_| Garbage)?;
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    Ok(format!("\"{}\"", STANDARD.encode(bytes)))
}
