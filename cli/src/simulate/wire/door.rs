//! Which call a path means. Prefixes do not matter (`/v1`, `/openai/v1`), except that an Azure deployment is read.

use http::Method;

use super::super::Dialect;

/// A call that is spoken here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Door {
    /// What is spoken.
    pub(in super::super) speech: Speech,
    /// The model that the path names.
    pub(in super::super) model: Option<String>,
    /// The path names an Azure deployment.
    pub(in super::super) azure: bool,
    /// The path asks for a stream.
    pub(in super::super) stream: bool,
    /// The stream is to be one JSON array.
    pub(in super::super) array: bool,
}

/// What is spoken at a door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Speech {
    /// OpenAI's chat completions, and those of who speaks alike.
    Chat,
    /// OpenAI's legacy completions.
    Completions,
    /// OpenAI's responses.
    Responses,
    /// OpenAI's embeddings.
    Embeddings,
    /// Anthropic's messages.
    Messages,
    /// Anthropic's count of tokens.
    CountTokens,
    /// Gemini's content.
    Gemini,
    /// Bedrock's Converse.
    Converse,
    /// Ollama's own chat.
    OllamaChat,
    /// The models.
    Models,
    /// One model.
    Model(String),
}

impl Speech {
    /// Whether a model answers: only such calls meet faults, scripts and recordings.
    pub(in super::super) fn is_call(&self) -> bool {
        !matches!(self, Self::Models | Self::Model(_))
    }
}

impl Door {
    /// Reads a path; none if nothing of the dialect is there.
    pub(in super::super) fn of(dialect: Dialect, path: &str, query: Option<&str>) -> Option<Self> {
        let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        let plain = |speech| Some(Self { speech, model: None, azure: false, stream: false, array: false });
        match (dialect, segments.as_slice()) {
            (Dialect::Anthropic, [.., "messages"]) => plain(Speech::Messages),
            (Dialect::Anthropic, [.., "messages", "count_tokens"]) => plain(Speech::CountTokens),
            (Dialect::Gemini, [.., "models", call]) if call.contains(':') => Self::gemini(call, query),
            (Dialect::Bedrock, [.., "model", model, call @ ("converse" | "converse-stream")]) => Some(Self {
                speech: Speech::Converse,
                model: Some(unescaped(model)),
                azure: false,
                stream: *call == "converse-stream",
                array: false,
            }),
            (Dialect::Ollama, [.., "api", "chat"]) => plain(Speech::OllamaChat),
            (Dialect::Bedrock, _) => None,
            (_, [.., "models"]) => plain(Speech::Models),
            (_, [.., "models", id]) => plain(Speech::Model((*id).to_owned())),
            (Dialect::OpenAi | Dialect::Mistral | Dialect::Ollama, _) => Self::openai(dialect, &segments),
            (Dialect::Anthropic | Dialect::Gemini, _) => None,
        }
    }

    fn gemini(call: &str, query: Option<&str>) -> Option<Self> {
        let (model, method) = call.split_once(':')?;
        let stream = match method {
            "generateContent" => false,
            "streamGenerateContent" => true,
            _ => return None,
        };
        let events = query.is_some_and(|query| query.split('&').any(|pair| pair == "alt=sse"));
        let model = Some(unescaped(model));
        Some(Self { speech: Speech::Gemini, model, azure: false, stream, array: stream && !events })
    }

    fn openai(dialect: Dialect, segments: &[&str]) -> Option<Self> {
        let speech = match (dialect, segments) {
            (_, [.., "chat", "completions"]) => Speech::Chat,
            (_, [.., "embeddings"]) => Speech::Embeddings,
            (Dialect::OpenAi | Dialect::Ollama, [.., "completions"]) => Speech::Completions,
            (Dialect::OpenAi, [.., "responses"]) => Speech::Responses,
            _ => return None,
        };
        let place = segments.iter().position(|segment| *segment == "deployments");
        let deployment = place.and_then(|at| segments.get(at + 1)).map(|name| unescaped(name));
        let azure = deployment.is_some();
        Some(Self { speech, model: deployment, azure, stream: false, array: false })
    }

    /// Whether the method is the door's.
    pub(in super::super) fn takes(&self, method: &Method) -> bool {
        *method == if self.speech.is_call() { Method::POST } else { Method::GET }
    }
}

/// Undoes percent escapes; what is none stays.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = after.get(..2).filter(|_| *first == b'%');
        let byte = escaped.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_doors() {
        let check = |dialect, path: &str, expect: Option<(Speech, Option<&str>, bool, bool)>| {
            let (path, query) =
                path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
            let door = Door::of(dialect, path, query);
            let found = door
                .as_ref()
                .map(|door| (door.speech.clone(), door.model.as_deref(), door.stream, door.array));
            assert_eq!(found, expect, "{path}");
        };
        let chat = |model| Some((Speech::Chat, model, false, false));
        check(Dialect::OpenAi, "/v1/chat/completions", chat(None));
        check(Dialect::OpenAi, "/openai/deployments/prod%20a/chat/completions", chat(Some("prod a")));
        check(Dialect::OpenAi, "/v1/completions", Some((Speech::Completions, None, false, false)));
        check(
            Dialect::OpenAi,
            "/v1/models/gpt-4o",
            Some((Speech::Model("gpt-4o".to_owned()), None, false, false)),
        );
        check(Dialect::OpenAi, "/v1/messages", None);
        check(Dialect::Mistral, "/v1/chat/completions", chat(None));
        check(Dialect::Mistral, "/v1/responses", None);
        check(Dialect::Anthropic, "/v1/messages", Some((Speech::Messages, None, false, false)));
        check(Dialect::Anthropic, "/v1/chat/completions", None);
        let gemini = |stream, array| Some((Speech::Gemini, Some("g-1"), stream, array));
        check(Dialect::Gemini, "/v1beta/models/g-1:generateContent", gemini(false, false));
        check(Dialect::Gemini, "/v1beta/models/g-1:streamGenerateContent?alt=sse", gemini(true, false));
        check(Dialect::Gemini, "/v1beta/models/g-1:streamGenerateContent", gemini(true, true));
        check(Dialect::Gemini, "/v1beta/models/g-1:other", None);
        let converse = |stream| Some((Speech::Converse, Some("us.claude:0"), stream, false));
        check(Dialect::Bedrock, "/model/us.claude%3A0/converse", converse(false));
        check(Dialect::Bedrock, "/model/us.claude%3A0/converse-stream", converse(true));
        check(Dialect::Ollama, "/api/chat", Some((Speech::OllamaChat, None, false, false)));
        check(Dialect::Ollama, "/v1/chat/completions", chat(None));
    }
}
