//! Counts of tokens and lists of models.

use serde_json::{Value, json};

use crate::json::{Place, check};

/// Writes the answer of `POST /v1/messages/count_tokens`.
#[must_use]
pub fn write_count(tokens: u64) -> String {
    format!("{{\"input_tokens\":{tokens}}}")
}

/// Reads the answer of `POST /v1/messages/count_tokens`.
#[must_use]
pub fn read_count(body: &str) -> Option<u64> {
    check(body.as_bytes()).ok()?;
    Place::root(body).get("input_tokens")?.source().parse().ok()
}

/// Writes one model, the answer of `GET /v1/models/ID`. All members that anthropic 2.11 knows are there: callers in other
/// languages are stricter than Python. When a model was released is not known; for that the format says 1970.
#[must_use]
pub fn write_model(alias: &str) -> Value {
    json!({
        "type": "model",
        "id": alias,
        "display_name": alias,
        "created_at": "1970-01-01T00:00:00Z",
        "lifecycle": "active",
        "line": null,
        "capabilities": null,
        "max_input_tokens": null,
        "max_tokens": null,
        "deprecated_at": null,
        "retires_at": null,
    })
}

/// Writes the answer of `GET /v1/models`: all of them on one page.
#[must_use]
pub fn write_models(aliases: &[&str]) -> Value {
    json!({
        "data": aliases.iter().map(|alias| write_model(alias)).collect::<Vec<_>>(),
        "has_more": false,
        "first_id": aliases.first(),
        "last_id": aliases.last(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_models_are_what_the_sdk_reads() {
        assert_eq!(read_count(&write_count(42)), Some(42));
        assert_eq!(read_count(r#"{"input_tokens": "42"}"#), None);
        assert_eq!(read_count("{"), None);
        let page = write_models(&["fast", "clever"]);
        assert_eq!(page["first_id"], "fast");
        assert_eq!(page["last_id"], "clever");
        assert_eq!(page["data"][1], write_model("clever"));
        // What anthropic 2.11 requires of a model.
        for member in ["id", "created_at", "display_name", "lifecycle", "type"] {
            assert!(page["data"][0][member].is_string(), "{member}");
        }
        assert_eq!(write_models(&[])["last_id"], Value::Null);
    }
}
