//! A call.

use serde_json::value::RawValue;

use super::Namespaces;
use crate::Format;

/// JSON as it stood in the source.
pub type Json = Box<RawValue>;

/// A call, whatever its format.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// What stands before the conversation: system and developer messages, in order. Text blocks.
    pub system: Vec<Block>,
    /// The conversation. Turns of one role may follow each other; a writer whose format forbids that merges them.
    pub turns: Vec<Turn>,
    /// What the model may call.
    pub tools: Vec<Tool>,
    /// Which of the tools stand together for their caller.
    pub namespaces: Namespaces,
    /// Where each tool stood in what the caller sent (`tools[4].tools[0]`); none if in the same order.
    pub tool_places: Vec<String>,
    /// Whether it must.
    pub tool_choice: Option<ToolChoice>,
    /// Several calls at once; `None`: not said.
    pub parallel_tools: Option<bool>,
    /// Bound of the answer, in tokens, reasoning included.
    pub max_tokens: Option<u64>,
    /// Sampling; as the caller's format says them, which is the same everywhere (0 to 2, 0 to 1, a count).
    pub temperature: Option<serde_json::Number>,
    /// See `temperature`.
    pub top_p: Option<serde_json::Number>,
    /// See `temperature`.
    pub top_k: Option<u64>,
    /// See `temperature`.
    pub frequency_penalty: Option<serde_json::Number>,
    /// See `temperature`.
    pub presence_penalty: Option<serde_json::Number>,
    /// See `temperature`.
    pub seed: Option<i64>,
    /// Texts that end the answer.
    pub stop: Vec<String>,
    /// Answers wanted; `None` is one.
    pub choices: Option<u32>,
    /// The form of the answer.
    pub response_format: Option<ResponseFormat>,
    /// How much the model thinks.
    pub reasoning: Option<Reasoning>,
    /// How many words: `low`, `medium`, `high`.
    pub verbosity: Option<String>,
    /// The answer is to be a stream.
    pub stream: bool,
    /// Who the end user is, for the provider's abuse checks.
    pub user: Option<String>,
    /// Free pairs of the caller.
    pub metadata: Vec<(String, String)>,
    /// Steers the provider's prompt cache.
    pub prompt_cache_key: Option<String>,
    /// What the caller wants to pay for, in the caller's words.
    pub service_tier: Option<String>,
    /// Log probabilities of tokens: `Some(n)` asks for the `n` most likely beside each.
    pub logprobs: Option<u32>,
    /// The caller of chat completions speaks of `functions`, not of `tools`: it looks for calls in `function_call`.
    pub legacy_functions: bool,
    /// Members of the caller's request that this form does not say: name and source. A writer refuses those that would
    /// change the answer, and drops the others with a note; see [`Dropped`].
    pub rest: Vec<(String, Json)>,
}

/// What one side says before the other does.
#[derive(Debug, Clone)]
pub struct Turn {
    /// Who.
    pub role: Role,
    /// What, in order.
    pub blocks: Vec<Block>,
}

/// Who says a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The caller. Tool results stand here too.
    User,
    /// The model.
    Assistant,
    /// An instruction in the middle of the conversation.
    System,
}

/// A piece of a turn or of an answer.
#[derive(Debug, Clone)]
pub enum Block {
    /// Text.
    Text {
        /// It.
        text: String,
        /// The prompt up to here is to be cached.
        cache: Option<Cache>,
        /// Gemini hangs signatures on text too.
        signature: Option<String>,
    },
    /// What the model thought. The signature is the provider's, opaque and byte-exact; without it the text is no proof and
    /// the provider refuses it in a later call. Text may be empty with a signature (omitted thinking).
    Thinking {
        /// It, or a summary of it.
        text: String,
        /// Anthropic `signature`, Bedrock `signature`, Responses `encrypted_content`, Gemini `thoughtSignature`.
        signature: Option<String>,
        /// The format whose provider signed: only that one takes it back.
        signed_by: Option<Format>,
        /// The provider's name of the block (Responses `rs_...`); empty if it has none.
        id: String,
    },
    /// Thinking that the provider shows to nobody.
    RedactedThinking {
        /// Opaque.
        data: String,
        /// See `Thinking`.
        signed_by: Option<Format>,
    },
    /// The model calls a tool.
    ToolUse {
        /// Ties the result to the call. Empty if the provider gives none: the reader then makes one (see [`super::tool_id`]).
        id: String,
        /// The tool.
        name: String,
        /// The arguments: a JSON object in source, `{}` if there are none. For [`ToolKind::Custom`] a plain text.
        input: String,
        /// Gemini's `thoughtSignature` on the call.
        signature: Option<String>,
        /// The tool takes text, not JSON.
        custom: bool,
        /// The prompt up to here is to be cached.
        cache: Option<Cache>,
    },
    /// What a tool gave. Stands in a user turn.
    ToolResult {
        /// The call's id.
        id: String,
        /// The tool's name; empty where the format does not say it (a writer that needs it looks for the call).
        name: String,
        /// Text, images, documents.
        content: Vec<Block>,
        /// The tool failed.
        is_error: bool,
        /// The prompt up to here is to be cached.
        cache: Option<Cache>,
    },
    /// A picture, a sound, a film or a document.
    Media {
        /// Of which kind.
        media: Media,
        /// Where its bytes are.
        source: Source,
        /// A document's name; empty if it has none.
        name: String,
        /// OpenAI's `detail` of an image.
        detail: Option<String>,
        /// The prompt up to here is to be cached.
        cache: Option<Cache>,
    },
    /// The model says that it will not.
    Refusal {
        /// In these words.
        text: String,
    },
    /// A block that only its own format understands: a server-side tool's call or result, something new. Written back in
    /// that format, refused in every other.
    Foreign {
        /// Whose it is.
        format: Format,
        /// Its `type`.
        kind: String,
        /// All of it.
        json: Json,
    },
}

impl Block {
    /// Makes a plain text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into(), cache: None, signature: None }
    }
}

/// How long a prompt's cache lives: Anthropic and Bedrock know 5 minutes and an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cache {
    /// As the provider does by default (5 minutes at Anthropic).
    Default,
    /// An hour.
    OneHour,
}

/// The kind of a piece that is no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Media {
    /// A picture.
    Image,
    /// A sound.
    Audio,
    /// A film.
    Video,
    /// A PDF, a text file, a table.
    Document,
}

/// Where the bytes of a piece are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Here, in base64, with their media type (`image/png`).
    Base64 {
        /// Media type, lower case; never empty.
        media_type: String,
        /// Standard alphabet, as it came.
        data: String,
    },
    /// A document's plain text.
    Text(String),
    /// At an address that the provider fetches.
    Url {
        /// It.
        url: String,
        /// Media type, if said.
        media_type: Option<String>,
    },
    /// A file that the provider keeps under this name: only that provider knows it.
    File {
        /// It.
        id: String,
        /// Media type, if said.
        media_type: Option<String>,
    },
}

/// Something that the model may call.
#[derive(Debug, Clone)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// What it is for; empty if not said.
    pub description: String,
    /// What kind it is.
    pub kind: ToolKind,
    /// The prompt up to here is to be cached.
    pub cache: Option<Cache>,
}

/// The kind of a tool.
#[derive(Debug, Clone)]
pub enum ToolKind {
    /// The caller runs it; its arguments are JSON.
    Function {
        /// JSON Schema of the arguments, as it came; `None` if the tool takes none.
        schema: Option<Json>,
        /// The provider must hold the arguments to the schema.
        strict: Option<bool>,
    },
    /// The caller runs it; it takes text (OpenAI `custom`).
    Custom {
        /// The grammar, in source, if there is one.
        format: Option<Json>,
    },
    /// The provider runs it, or it is of a type that only its format knows. Written back in that format, refused elsewhere.
    Foreign {
        /// Whose it is.
        format: Format,
        /// All of it.
        json: Json,
    },
}

/// Whether the model must call a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolChoice {
    /// As it likes.
    Auto,
    /// None.
    None,
    /// At least one.
    Required,
    /// This one.
    Named(String),
    /// One of these, `required` or not.
    Allowed {
        /// At least one.
        required: bool,
        /// Their names.
        names: Vec<String>,
    },
}

/// The form of an answer.
#[derive(Debug, Clone)]
pub enum ResponseFormat {
    /// Text.
    Text,
    /// Some JSON object.
    JsonObject,
    /// JSON by a schema.
    JsonSchema {
        /// Its name; empty if not said (writers that need one say `response`).
        name: String,
        /// What it is for.
        description: Option<String>,
        /// The schema, as it came.
        schema: Json,
        /// The provider must hold to it.
        strict: Option<bool>,
    },
}

/// How much a model thinks before it answers. What is `None` was not said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reasoning {
    /// Thinking as such: `Some(false)` turns it off.
    pub enabled: Option<bool>,
    /// By a word.
    pub effort: Option<Effort>,
    /// By tokens.
    pub budget_tokens: Option<u64>,
    /// The model decides how much (Anthropic `adaptive`).
    pub adaptive: bool,
    /// Show it, in whole or as a summary: Responses `summary`, Gemini `includeThoughts`, Anthropic `display`.
    pub show: Option<bool>,
}

/// Effort, in the order of their strength.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effort {
    /// No reasoning.
    None,
    /// Nearly none.
    Minimal,
    /// Little.
    Low,
    /// Some.
    Medium,
    /// Much.
    High,
    /// More.
    XHigh,
    /// All there is.
    Max,
}

impl Effort {
    const ALL: [(Self, &'static str); 7] = [
        (Self::None, "none"),
        (Self::Minimal, "minimal"),
        (Self::Low, "low"),
        (Self::Medium, "medium"),
        (Self::High, "high"),
        (Self::XHigh, "xhigh"),
        (Self::Max, "max"),
    ];

    /// Reads a word, in any case.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known)| known.eq_ignore_ascii_case(word)).map(|(effort, _)| effort)
    }

    /// Returns the word, lower case.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL.into_iter().find(|(effort, _)| *effort == self).map_or("medium", |(_, word)| word)
    }
}

/// Why a call cannot be said in another format. The caller gets 400 `unsupported_parameter` unless another candidate of the
/// chain can take the call. Never carries text of the call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{param} {reason}")]
pub struct Refused {
    /// The member of the caller's request, as the caller's format names it (`n`, `messages[3].content[1]`, `tools[0]`).
    pub param: String,
    /// Why, after the name: "has no equivalent at the provider of this model".
    pub reason: String,
}

impl Refused {
    /// Makes a refusal of something that the target format cannot say.
    #[must_use]
    pub fn no_equivalent(param: impl Into<String>) -> Self {
        Self { param: param.into(), reason: "is not supported for this model".to_owned() }
    }
}

/// A member of the caller's request that was left out because it does not change what the answer says: said in a header.
pub type Dropped = String;
