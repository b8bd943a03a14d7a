//! Where text stands in messages and choices: in every string, except those that are known to hold none.
//!
//! The list is of what is left out, not of what is read: a field that a vendor adds tomorrow is read too.

use crate::json::Place;

/// Keys whose values are no text: identifiers, words of the format, bytes in base64, signatures.
const OPAQUE: &[&str] = &[
    "cache_control",
    "call_id",
    "channel",
    "content_filter_results",
    "data",
    "detail",
    "encrypted_content",
    "expires_at",
    "file_data",
    "file_id",
    "finish_reason",
    "format",
    "id",
    "index",
    "logprobs",
    "name",
    "native_finish_reason",
    "object",
    "prompt_cache_breakpoint",
    "role",
    "signature",
    "status",
    "stop_reason",
    "thought_signature",
    "token_ids",
    "tool_call_id",
    "type",
];

/// Depth below a message at which text is still read. The format's own needs six.
const DEPTH_MAX: usize = 32;

/// A step on the way to a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// A member of an object.
    Key(String),
    /// An element of an array: its `index` member if it has one, else its position.
    Index(u32),
}

/// A text.
#[derive(Debug)]
pub(super) struct Found<'a> {
    pub(super) place: Place<'a>,
    pub(super) path: Vec<Step>,
    pub(super) text: String,
}

impl Found<'_> {
    /// Whether it is the arguments of a tool call: JSON in a string.
    pub(super) fn is_arguments(&self) -> bool {
        matches!(self.path.last(), Some(Step::Key(key)) if key == "arguments" || key == "input")
    }

    /// Returns the path as text, for messages and for telling texts apart.
    pub(super) fn path(&self) -> String {
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
pub(super) struct TooDeep;

/// Finds the texts of a value, in order.
pub(super) fn find<'a>(root: Place<'a>) -> Result<Vec<Found<'a>>, TooDeep> {
    let mut found = Vec::new();
    let mut path = Vec::new();
    walk(root, &mut path, &mut found)?;
    Ok(found)
}

fn walk<'a>(place: Place<'a>, path: &mut Vec<Step>, found: &mut Vec<Found<'a>>) -> Result<(), TooDeep> {
    if path.len() > DEPTH_MAX {
        return Err(TooDeep);
    }
    if let Some(text) = place.as_str() {
        // An image or a file written into its URL.
        if !text.starts_with("data:") {
            found.push(Found { place, path: path.clone(), text: text.into_owned() });
        }
    } else if place.is_object() {
        for member in place.members().filter(|member| !OPAQUE.contains(&&*member.key)) {
            path.push(Step::Key(member.key.into_owned()));
            walk(member.value, path, found)?;
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
            walk(element, path, found)?;
            path.pop();
        }
    }
    Ok(())
}
