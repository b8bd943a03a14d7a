//! Listings of models: the aliases that the tenant may use, in the form that the caller's clients read.

use breakwater_dialect::Format;
use http::StatusCode;
use serde_json::{Value, json};

use super::{Pinned, json};
use crate::call::Reply;
use crate::fault::Fault;

/// Lists all.
pub(super) fn list(pinned: &Pinned, format: Format) -> Reply {
    let aliases = pinned.ruleset.aliases_of(&pinned.holder.tenant);
    let data: Vec<Value> = aliases.iter().map(|alias| model(alias, format)).collect();
    let listed = match format {
        Format::Messages => json!({
            "data": data, "has_more": false, "first_id": aliases.first(), "last_id": aliases.last(),
        }),
        Format::Gemini => json!({ "models": data }),
        _ => json!({ "object": "list", "data": data }),
    };
    json(StatusCode::OK, &listed)
}

/// Shows one. Errors: the alias does not exist or the tenant may not use it, told alike.
pub(super) fn get(pinned: &Pinned, id: &str, format: Format) -> Result<Reply, Fault> {
    let aliases = pinned.ruleset.aliases_of(&pinned.holder.tenant);
    match aliases.into_iter().find(|alias| *alias == id) {
        Some(alias) => Ok(json(StatusCode::OK, &model(alias, format))),
        None => Err(super::decode::model_not_found(id)),
    }
}

/// What clients require and an alias has not (when it was made, how long its context is) is said as nothing.
fn model(alias: &str, format: Format) -> Value {
    match format {
        Format::Messages => json!({
            "type": "model", "id": alias, "display_name": alias, "created_at": "1970-01-01T00:00:00Z",
        }),
        Format::Gemini => json!({
            "name": format!("models/{alias}"), "displayName": alias,
            "supportedGenerationMethods": ["generateContent", "streamGenerateContent"],
        }),
        _ => json!({ "id": alias, "object": "model", "created": 0, "owned_by": "breakwater" }),
    }
}
