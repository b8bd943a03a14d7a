//! What stands in the bodies that this room writes.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::ir::{Cache, Json};

/// A content block.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Out<'a> {
    Text {
        text: Cow<'a, str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheControl>,
    },
    Image {
        source: OutSource<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheControl>,
    },
    Document {
        source: OutSource<'a>,
        #[serde(skip_serializing_if = "str::is_empty")]
        title: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheControl>,
    },
    Thinking {
        thinking: Cow<'a, str>,
        signature: String,
    },
    RedactedThinking {
        data: String,
    },
    ToolUse {
        id: String,
        name: &'a str,
        input: Json,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheControl>,
    },
    ToolResult {
        tool_use_id: String,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        content: Vec<Out<'a>>,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        is_error: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheControl>,
    },
    #[serde(untagged)]
    Foreign(&'a RawValue),
}

/// Where the bytes of an image or a document are.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum OutSource<'a> {
    Base64 { media_type: Cow<'a, str>, data: Cow<'a, str> },
    Text { media_type: &'static str, data: Cow<'a, str> },
    Url { url: &'a str },
}

/// A mark up to which the prompt is cached.
#[derive(Debug, Serialize)]
pub(super) struct CacheControl {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<&'static str>,
}

impl From<Cache> for CacheControl {
    fn from(cache: Cache) -> Self {
        Self { r#type: "ephemeral", ttl: (cache == Cache::OneHour).then_some("1h") }
    }
}

/// Returns the arguments of a tool call as an object in source: `{}` for none (bug 25). What is no object, because a model
/// was cut off or wrote nonsense, goes under the name that Anthropic proposes for it.
pub(super) fn arguments(input: &str) -> Json {
    let object = |source: String| RawValue::from_string(source).ok();
    let input = input.trim();
    let whole = if input.is_empty() || input == "null" {
        object("{}".to_owned())
    } else {
        object(input.to_owned()).filter(|json| json.get().starts_with('{'))
    };
    whole
        .or_else(|| object(format!("{{\"INVALID_JSON\":{}}}", crate::json::quote(input))))
        .unwrap_or_else(|| RawValue::NULL.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bug_25_arguments_are_an_object_always() {
        for (input, expected) in [
            ("", "{}"),
            (" ", "{}"),
            ("null", "{}"),
            (r#"{"a": 1.0}"#, r#"{"a": 1.0}"#),
            ("[1]", r#"{"INVALID_JSON":"[1]"}"#),
            (r#"{"a":"#, r#"{"INVALID_JSON":"{\"a\":"}"#),
        ] {
            assert_eq!(arguments(input).get(), expected);
        }
    }
}
