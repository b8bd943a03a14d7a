//! Where text stands in messages and choices: in every string, except those that are known to hold none.
//!
//! The list is of what is left out, not of what is read: a field that a vendor adds tomorrow is read too.

use std::ops::Range;

use breakwater_common::guard::{CompiledGuards, Evaluation, Side};

use crate::json::{self, Place};

/// Keys whose values are no text: identifiers, words of the format, signatures. Those of [`FILES`] are none if they hold what
/// files hold.
const OPAQUE: &[&str] = &[
    "cachePoint",
    "cache_control",
    "cache_creation",
    "call_id",
    "channel",
    "content_filter_results",
    "detail",
    "encrypted_content",
    "expires_at",
    "fileUri",
    "file_id",
    "file_uri",
    "finishReason",
    "finish_reason",
    "format",
    "id",
    "index",
    "item_id",
    "logprobs",
    "logprobsResult",
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

/// Keys under which bytes stand in base64. What is something else is read: a document may be written there as it is.
const FILES: &[&str] = &["bytes", "data", "file_data"];

/// Keys whose values are the caller's or the model's own data (arguments and results of tools): nothing below them is a word
/// of the format, and numbers and names of members say as much as texts do.
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

/// How a text is written, and so how it is judged and what may stand in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A string for people.
    Prose,
    /// JSON in a string: arguments of a tool call.
    Quoted,
    /// JSON itself, as the format has it for arguments and results of tools.
    Source,
}

impl Kind {
    /// Lets guardrails judge a whole text.
    pub(crate) fn judge(self, guards: &CompiledGuards, side: Side, text: &str) -> Evaluation {
        match self {
            Self::Prose => guards.evaluate(side, text),
            Self::Quoted | Self::Source => guards.evaluate_json(side, text),
        }
    }

    /// Writes what stands in the text's place.
    pub(crate) fn written(self, text: &str) -> String {
        match self {
            Self::Prose | Self::Quoted => json::quote(text),
            Self::Source => text.to_owned(),
        }
    }
}

/// A text.
#[derive(Debug)]
pub(crate) struct Found<'a> {
    pub(crate) place: Place<'a>,
    pub(crate) path: Vec<Step>,
    pub(crate) text: String,
    pub(crate) kind: Kind,
}

impl Found<'_> {
    /// Whether it is the arguments of a tool call.
    pub(crate) fn is_arguments(&self) -> bool {
        self.kind != Kind::Prose
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
    walk(root, &mut path, &mut found)?;
    Ok(found)
}

/// Returns the log probabilities of a value, with what goes there when a text beside them is masked: they repeat it token by
/// token.
pub(crate) fn logprobs(root: Place<'_>) -> Vec<(Range<usize>, &'static str)> {
    let mut found = Vec::new();
    let mut open = vec![root];
    while let Some(place) = open.pop() {
        for member in place.members().filter(|member| !FREE.contains(&&*member.key)) {
            let value = member.value;
            match &*member.key {
                "logprobs" | "logprobsResult" if value.is_object() => found.push((value.range(), "null")),
                "logprobs" if value.is_array() => found.push((value.range(), "[]")),
                _ => open.push(value),
            }
        }
        open.extend(place.elements());
    }
    found
}

fn walk<'a>(place: Place<'a>, path: &mut Vec<Step>, found: &mut Vec<Found<'a>>) -> Result<(), TooDeep> {
    if path.len() > DEPTH_MAX {
        return Err(TooDeep);
    }
    if let Some(text) = place.as_str() {
        let key = match path.last() {
            Some(Step::Key(key)) => key.as_str(),
            Some(Step::Index(_)) | None => "",
        };
        if !is_file(key, &text) {
            let kind = if matches!(key, "arguments" | "input") { Kind::Quoted } else { Kind::Prose };
            found.push(Found { place, path: path.clone(), text: text.into_owned(), kind });
        }
    } else if place.is_object() {
        for member in place.members() {
            let (key, value) = (&*member.key, member.value);
            if OPAQUE.contains(&key) && !(key == "name" && is_named(place)) {
                continue;
            }
            let at_once = if FREE.contains(&key) && !value.is_string() && !value.is_null() {
                Some((value.source().to_owned(), Kind::Source))
            } else if FILES.contains(&key) && is_plain(place) {
                value.as_str().map(|text| (text.into_owned(), Kind::Prose))
            } else {
                None
            };
            path.push(Step::Key(member.key.into_owned()));
            match at_once {
                Some((text, kind)) => found.push(Found { place: value, path: path.clone(), text, kind }),
                None => walk(value, path, found)?,
            }
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

/// Whether an object's name is that of a speaker or of a document, which models read, and not that of a tool.
fn is_named(object: Place<'_>) -> bool {
    object.get("role").is_some() || object.get("source").is_some()
}

/// Whether an object says that its data is text as it is (Anthropic's documents).
fn is_plain(object: Place<'_>) -> bool {
    object.get("type").and_then(|kind| kind.as_str()).is_some_and(|kind| kind == "text")
}

/// Whether a string is a file, written in base64 or into its URL, and no text.
fn is_file(key: &str, text: &str) -> bool {
    let is_file = FILES.contains(&key);
    match text.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,")) {
        Some((_, bytes)) => (is_file || is_url(key)) && is_base64(bytes),
        None => is_file && is_base64(text),
    }
}

fn is_url(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["url", "uri", "image"].iter().any(|word| key.ends_with(word))
}

fn is_base64(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=-_\r\n".contains(&byte))
}
