//! Where text stands in messages and choices: in every string, except those that are known to hold none.
//!
//! The list is of what is left out, not of what is read: a field that a vendor adds tomorrow is read too.

use crate::json::Place;

/// Keys whose values are no text: identifiers, words of the format, bytes in base64, signatures.
const OPAQUE: &[&str] = &[
    "bytes",
    "cachePoint",
    "cache_control",
    "cache_creation",
    "call_id",
    "channel",
    "content_filter_results",
    "data",
    "detail",
    "encrypted_content",
    "expires_at",
    "fileUri",
    "file_data",
    "file_id",
    "file_uri",
    "finishReason",
    "finish_reason",
    "format",
    "id",
    "index",
    "item_id",
    "logprobs",
    "media_type",
    "mimeType",
    "mime_type",
    "name",
    "native_finish_reason",
    "obfuscation",
    "object",
    "prompt_cache_breakpoint",
    "redactedContent",
    "role",
    "signature",
    "status",
    "stopReason",
    "stop_reason",
    "thoughtSignature",
    "thought_signature",
    "token_ids",
    "toolUseId",
    "tool_call_id",
    "tool_use_id",
    "type",
    "usage",
];

/// Keys whose objects are the caller's or the model's own data (arguments and results of tools): nothing below them is a word
/// of the format.
const FREE: &[&str] = &["args", "arguments", "input", "json", "response"];

/// Depth below a message at which text is still read. The format's own needs six.
const DEPTH_MAX: usize = 32;

/// A step on the way to a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// A member of an object.
    Key(String),
    /// An element of an array: its `index` member if it has one, else its position.
    Index(u32),
}

/// A text.
#[derive(Debug)]
pub(crate) struct Found<'a> {
    pub(crate) place: Place<'a>,
    pub(crate) path: Vec<Step>,
    pub(crate) text: String,
}

impl Found<'_> {
    /// Whether it is the arguments of a tool call: JSON in a string.
    pub(crate) fn is_arguments(&self) -> bool {
        matches!(self.path.last(), Some(Step::Key(key)) if key == "arguments" || key == "input")
    }

    /// Returns the path as text, for messages and for telling texts apart.
    pub(crate) fn path(&self) -> String {
        let mut path = String::new();
        for step in &self.path {
            match step {
                Step::Key(key) if path.is_empty() => path.push_str(key),
                Step::Key(key) => {
                    path.push('.');
                    path.push_str(key);
                }
                Step::Index(index) => path.push_str(&format!("[{index}]")),
            }
        }
        path
    }
}

/// A nest that is deeper than the bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooDeep;

/// Finds the texts of a value, in order.
pub(crate) fn find<'a>(root: Place<'a>) -> Result<Vec<Found<'a>>, TooDeep> {
    let mut found = Vec::new();
    let mut path = Vec::new();
    walk(root, false, &mut path, &mut found)?;
    Ok(found)
}

fn walk<'a>(
    place: Place<'a>,
    free: bool,
    path: &mut Vec<Step>,
    found: &mut Vec<Found<'a>>,
) -> Result<(), TooDeep> {
    if path.len() > DEPTH_MAX {
        return Err(TooDeep);
    }
    if let Some(text) = place.as_str() {
        // An image or a file written into its URL.
        if !text.starts_with("data:") {
            found.push(Found { place, path: path.clone(), text: text.into_owned() });
        }
    } else if place.is_object() {
        for member in place.members().filter(|member| free || !OPAQUE.contains(&&*member.key)) {
            let free = free || (FREE.contains(&&*member.key) && member.value.is_object());
            path.push(Step::Key(member.key.into_owned()));
            walk(member.value, free, path, found)?;
            path.pop();
        }
    } else {
        for (position, element) in (0..).zip(place.elements()) {
            let index = if element.is_object() {
                element.get("index").and_then(|index| index.as_u32())
            } else {
                None
            };
            path.push(Step::Index(index.unwrap_or(position)));
            walk(element, free, path, found)?;
            path.pop();
        }
    }
    Ok(())
}
