//! The wire formats, spoken. They are written here a second time, from the vendors' descriptions and recordings, and share
//! nothing with what the proxy reads and writes: what both sides agree on is not the same mistake twice.

mod anthropic;
mod bedrock;
mod chat;
mod completions;
mod door;
pub(super) mod eventstream;
mod gemini;
mod ollama;
mod openai;
mod responses;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use serde_json::{Value, json};

use super::{
    Dialect,
    answer::{Answer, Event, Framing, Part},
    model::answer as say,
};

pub(super) use door::{Door, Speech};

/// Who and when, on each answer.
#[derive(Debug, Clone)]
pub(super) struct Stamp {
    /// Of the call.
    pub(super) number: u64,
    /// Seconds since 1970.
    pub(super) created: u64,
}

impl Stamp {
    /// Returns the call's id with a prefix.
    pub(super) fn id(&self, prefix: &str) -> String {
        format!("{prefix}sim{:012x}", self.number)
    }
}

/// What a call was refused for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Missing(&'static str);

/// Answers a call at a door.
pub(super) fn answer(dialect: Dialect, door: &Door, body: &[u8], stamp: &Stamp) -> Answer {
    let Ok(request) = serde_json::from_slice::<Value>(body) else {
        return error(dialect, 400, None, "We could not parse the JSON body of your request.");
    };
    let answered = match &door.speech {
        Speech::Chat => chat::ask(&request, door).map(|ask| chat::write(dialect, door, &ask, stamp)),
        Speech::Completions => completions::ask(&request).map(|ask| completions::write(&ask, stamp)),
        Speech::Responses => responses::ask(&request).map(|ask| responses::write(&ask, stamp)),
        Speech::Messages => anthropic::ask(&request).map(|ask| anthropic::write(&ask, stamp)),
        Speech::Gemini => gemini::ask(&request, door).map(|ask| gemini::write(&ask, door, stamp)),
        Speech::Converse => bedrock::ask(&request, door).map(|ask| bedrock::write(&ask)),
        Speech::OllamaChat => ollama::ask(&request).map(|ask| ollama::write(&ask)),
        Speech::CountTokens => {
            anthropic::ask(&request).map(|ask| Answer::json(200, &json!({"input_tokens": ask.input_tokens})))
        }
        Speech::Embeddings => openai::embeddings(&request, door.model.as_deref()),
        Speech::Models => Ok(openai::models(dialect)),
        Speech::Model(id) => Ok(openai::model(dialect, id)),
    };
    answered.unwrap_or_else(|Missing(field)| missing(dialect, field))
}

/// Writes an error as the format has it. `code` is the vendor's word for it, if the status alone does not say it.
pub(super) fn error(dialect: Dialect, status: u16, code: Option<&str>, message: &str) -> Answer {
    match dialect {
        Dialect::OpenAi => openai::error(status, code, message),
        Dialect::Mistral => openai::mistral_error(status, code, message),
        Dialect::Anthropic => anthropic::error(status, code, message),
        Dialect::Gemini => gemini::error(status, code, message),
        Dialect::Bedrock => bedrock::error(status, code, message),
        Dialect::Ollama => Answer::json(status, &json!({"error": message})),
    }
}

/// The event by which a stream says that it failed: overloaded, where the format has a word for it.
pub(super) fn failure(dialect: Dialect, speech: &Speech) -> Event {
    let message = "simulated fault: error event";
    let event = |name, data: &Value| Event::json(name, data, Part::Failure);
    match (dialect, speech) {
        (_, Speech::Responses) => event(
            "error",
            &json!({"type": "error", "sequence_number": 0, "error": {"type": "server_error", "code": "server_error",
                "message": message, "param": null}}),
        ),
        (Dialect::Anthropic, _) => event(
            "error",
            &json!({"type": "error", "error": {"type": "overloaded_error", "message": message}}),
        ),
        (Dialect::Gemini, _) => {
            event("", &json!({"error": {"code": 503, "message": message, "status": "UNAVAILABLE"}}))
        }
        (Dialect::Bedrock, _) => event("serviceUnavailableException", &json!({"message": message})),
        (Dialect::Ollama, Speech::OllamaChat) => event("", &json!({"error": message})),
        (Dialect::OpenAi | Dialect::Mistral | Dialect::Ollama, _) => event(
            "",
            &json!({"error": {"message": message, "type": "server_error", "param": null, "code": null}}),
        ),
    }
}

/// What keeps a stream open and says nothing.
pub(super) fn ping(framing: Framing) -> Event {
    let (name, data): (_, &'static [u8]) = match framing {
        Framing::NamedSse => ("ping", br#"{"type": "ping"}"#),
        Framing::Sse | Framing::SseCrLf => ("", b": still here\n\n"),
        Framing::Lines | Framing::AsIs => ("", b""),
        Framing::Binary => ("initial-response", b"{}"),
    };
    Event { name, data: Bytes::from_static(data), part: Part::Ping }
}

fn missing(dialect: Dialect, field: &str) -> Answer {
    match dialect {
        Dialect::OpenAi => openai::missing(field),
        Dialect::Anthropic | Dialect::Mistral | Dialect::Gemini | Dialect::Bedrock | Dialect::Ollama => {
            error(dialect, 400, None, &format!("{field}: field required"))
        }
    }
}
