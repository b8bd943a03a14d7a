//! What is written: Converse's own shapes. Its unions are objects with one member, which is how serde writes an enum.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value};

use crate::ir::Cache;

/// A block of a message, of a system prompt or of a tool's result.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(super) enum Piece<'a> {
    Text(Cow<'a, str>),
    Image {
        format: &'static str,
        source: Bytes<'a>,
    },
    Document {
        format: &'static str,
        name: String,
        source: Bytes<'a>,
    },
    Video {
        format: &'static str,
        source: Bytes<'a>,
    },
    Audio {
        format: &'static str,
        source: Bytes<'a>,
    },
    ToolUse {
        tool_use_id: String,
        name: &'a str,
        input: Cow<'a, RawValue>,
    },
    ToolResult {
        tool_use_id: String,
        content: Vec<Self>,
        #[serde(skip_serializing_if = "Option::is_none")]
        status: Option<&'static str>,
    },
    ReasoningContent(Thought<'a>),
    CachePoint(CachePoint),
    /// A block that came in this format.
    #[serde(untagged)]
    Raw(&'a RawValue),
}

/// Where the bytes of a piece are.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Bytes<'a> {
    Bytes(Cow<'a, str>),
    S3Location { uri: &'a str },
}

/// Thinking.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Thought<'a> {
    ReasoningText {
        text: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        signature: Option<Cow<'a, str>>,
    },
    RedactedContent(Cow<'a, str>),
}

/// The prompt up to here is to be cached.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct CachePoint {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<&'static str>,
}

impl From<Cache> for CachePoint {
    fn from(cache: Cache) -> Self {
        let ttl = match cache {
            Cache::Default => None,
            Cache::OneHour => Some("1h"),
        };
        Self { r#type: "default", ttl }
    }
}

/// A message.
#[derive(Debug, Serialize)]
pub(super) struct Message<'a> {
    pub(super) role: &'static str,
    pub(super) content: Vec<Piece<'a>>,
}

/// What the model may call.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ToolConfig<'a> {
    pub(super) tools: Vec<Tool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tool_choice: Option<Choice<'a>>,
}

/// A tool, or the end of those that are to be cached.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(super) enum Tool<'a> {
    #[serde(rename = "toolSpec")]
    Spec {
        name: &'a str,
        #[serde(skip_serializing_if = "str::is_empty")]
        description: &'a str,
        input_schema: Schema<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        strict: Option<bool>,
    },
    CachePoint(CachePoint),
    /// A tool that came in this format.
    #[serde(untagged)]
    Raw(&'a RawValue),
}

/// A tool's schema.
#[derive(Debug, Serialize)]
pub(super) struct Schema<'a> {
    pub(super) json: Cow<'a, RawValue>,
}

/// Whether the model must call a tool. Converse has no word for "none".
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Choice<'a> {
    Auto {},
    Any {},
    Tool { name: &'a str },
}

/// Sampling and bounds.
#[derive(Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Inference<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) temperature: Option<&'a Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) top_p: Option<&'a Number>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) stop_sequences: Vec<&'a str>,
}

/// The form of the answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Output<'a> {
    pub(super) text_format: TextFormat<'a>,
}

/// JSON by a schema.
#[derive(Debug, Serialize)]
pub(super) struct TextFormat<'a> {
    pub(super) r#type: &'static str,
    pub(super) structure: Structure<'a>,
}

/// See [`TextFormat`].
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Structure<'a> {
    JsonSchema {
        /// The schema's source in a text.
        schema: &'a str,
        #[serde(skip_serializing_if = "str::is_empty")]
        name: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<&'a str>,
    },
}

/// A request. What stays the same from turn to turn stands first.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Body<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) system: Vec<Piece<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tool_config: Option<ToolConfig<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) inference_config: Option<Inference<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) output_config: Option<Output<'a>>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(super) additional_model_request_fields: Map<String, Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) additional_model_response_field_paths: Vec<&'static str>,
    pub(super) messages: Vec<Message<'a>>,
}
