//! What a caller must get of a recording: its text, with the edits that are documented.

use breakwater_dialect::Format;
use serde_json::Value;

use crate::edit::{find, remove, set};
use crate::{ALIAS, ID};

/// Members that name a vendor of chat completions.
const VENDORS: [&str; 3] = ["provider", "system_fingerprint", "x_groq"];

/// A text of JSON.
pub fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

/// One whole answer, or one event's data: the same members change.
pub fn answer(format: Format, text: &str) -> String {
    let alias = quoted(ALIAS);
    match format {
        Format::Chat | Format::Completions => {
            let prefix = if format == Format::Chat { "chatcmpl" } else { "cmpl" };
            let mut text = set(text, &["model"], &alias);
            text = set(&text, &["id"], &quoted(&format!("{prefix}-{ID}")));
            for side in ["input", "output"] {
                text = set(&text, &["moderation", side, "model"], &alias);
                text = set(&text, &["moderation", side, "results", "*", "model"], &alias);
            }
            VENDORS.iter().fold(text, |text, vendor| remove(&text, vendor))
        }
        Format::Responses => {
            // A whole answer is the response; events carry it.
            let text = if find(text, &["object"]).is_empty() {
                text.to_owned()
            } else {
                set(text, &["model"], &alias)
            };
            set(&text, &["response", "model"], &alias)
        }
        Format::Messages => {
            let id = quoted(&format!("msg_{ID}"));
            if find(text, &["message"]).is_empty() {
                let whole = find(text, &["content"]).is_empty();
                return if whole {
                    text.to_owned()
                } else {
                    set(&set(text, &["model"], &alias), &["id"], &id)
                };
            }
            set(&set(text, &["message", "model"], &alias), &["message", "id"], &id)
        }
        Format::Gemini => set(&set(text, &["modelVersion"], &alias), &["responseId"], &quoted(ID)),
        Format::Embeddings => ["provider", "x_groq"]
            .iter()
            .fold(set(text, &["model"], &alias), |text, vendor| remove(&text, vendor)),
        Format::Moderations => set(&set(text, &["model"], &alias), &["id"], &quoted(ID)),
        Format::CountTokens | Format::Converse => text.to_owned(),
        Format::Ollama => panic!("Ollama's own format is only ever a provider's"),
    }
}

/// One event's data; none if the caller gets nothing of it: it is only there because the proxy asked for usage.
pub fn event(format: Format, text: &str, asked_usage: bool) -> Option<String> {
    if !matches!(format, Format::Chat | Format::Completions) {
        return Some(answer(format, text));
    }
    let value: Value = serde_json::from_str(text).expect("an event is JSON");
    let no_choices = value["choices"].as_array().is_some_and(Vec::is_empty);
    if !asked_usage && no_choices && value["usage"].is_object() {
        return None;
    }
    let mut text = answer(format, text);
    if !asked_usage && value.get("usage").is_some_and(Value::is_null) {
        text = remove(&text, "usage");
    }
    Some(text)
}
