//! Recordings of real traffic, and what they say: read by its own eyes, never by the crate under test.

pub mod asked;
pub mod chat;
pub mod converse;
pub mod frames;
pub mod gemini;
pub mod messages;
pub mod ollama;
pub mod recordings;
pub mod responses;
pub mod semantics;

use breakwater_dialect::Format;
use serde_json::Value;

use self::semantics::Answer;

/// What a whole answer says.
pub fn whole(format: Format, body: &Value) -> Answer {
    match format {
        Format::Chat => chat::whole(body),
        Format::Responses => responses::whole(body),
        Format::Messages => messages::whole(body),
        Format::Gemini => gemini::whole(body),
        Format::Converse => converse::whole(body),
        Format::Ollama => ollama::whole(body),
        Format::Completions | Format::Embeddings | Format::Moderations | Format::CountTokens => unmet(),
    }
}

/// What the events of a stream say, put together.
pub fn streamed(format: Format, events: &[Value]) -> Answer {
    match format {
        Format::Chat => chat::streamed(events),
        Format::Responses => responses::streamed(events),
        Format::Messages => messages::streamed(events),
        Format::Gemini => gemini::streamed(events),
        Format::Converse => converse::streamed(events),
        Format::Ollama => ollama::streamed(events),
        Format::Completions | Format::Embeddings | Format::Moderations | Format::CountTokens => unmet(),
    }
}

/// Whether this event of a stream says why the answer ended: what breaks off before it is no answer.
pub fn says_stop(format: Format, event: &Value) -> bool {
    match format {
        Format::Chat => event["choices"]
            .as_array()
            .is_some_and(|all| all.iter().any(|one| !one["finish_reason"].is_null())),
        Format::Responses => matches!(
            event["type"].as_str(),
            Some("response.completed" | "response.incomplete" | "response.failed")
        ),
        Format::Messages => !event["delta"]["stop_reason"].is_null(),
        Format::Gemini => {
            !event["candidates"][0]["finishReason"].is_null() || event["promptFeedback"].is_object()
        }
        Format::Converse => event.get("messageStop").is_some(),
        Format::Ollama => event["done"] == true,
        Format::Completions | Format::Embeddings | Format::Moderations | Format::CountTokens => unmet(),
    }
}

/// Legacy completions have neither blocks nor tools: their room's own tests judge them.
fn unmet() -> ! {
    panic!("no recording is of legacy completions")
}
