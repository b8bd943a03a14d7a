//! Errors: `{"error":"..."}`, a sentence and nothing else (source: `StatusError` in api/types.go).

use crate::json::{self, Place};
use crate::{ErrorClass, ProviderError};

/// Reads an error body. Ollama has no codes: what its status does not tell, its sentence must.
pub(crate) fn read_error(status: u16, body: &str) -> ProviderError {
    let mut read = ProviderError::of_status(status);
    let Ok(text) = json::check(body.as_bytes()) else { return read };
    let root = Place::root(text);
    // A proxy before it, or its compatible side, may answer in OpenAI's shape.
    let error = root.get("error").unwrap_or(root);
    let word = |key: &str| error.get(key).and_then(|value| value.as_str()).map(std::borrow::Cow::into_owned);
    read.message =
        error.as_str().map(std::borrow::Cow::into_owned).or_else(|| word("message")).unwrap_or_default();
    read.kind = word("type");
    read.code = word("code");
    read.param = word("param");
    read.class = class(status, &read.message);
    read
}

/// Sentences that tell more than their status, which is 400 or 500 for them (source: server/routes.go, runner/).
fn class(status: u16, message: &str) -> ErrorClass {
    let message = message.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().all(|word| message.contains(word));
    if says(&["exceed", "context"]) {
        ErrorClass::ContextLength
    } else if says(&["server busy"]) || says(&["more system memory"]) {
        ErrorClass::Overloaded
    } else if says(&["model", "not found"]) {
        ErrorClass::NotFound
    } else {
        ErrorClass::of_status(status)
    }
}
