//! `GET /v1/models` and `/v1/models/{id}`: the aliases that the tenant may use, as OpenAI lists models.

use http::StatusCode;
use serde_json::{Value, json};

use super::{Pinned, json};
use crate::call::Reply;
use crate::fault::Fault;

/// Lists all.
pub(super) fn list(pinned: &Pinned) -> Reply {
    let aliases = pinned.ruleset.aliases_of(&pinned.holder.tenant);
    let data: Vec<Value> = aliases.into_iter().map(model).collect();
    json(StatusCode::OK, &json!({ "object": "list", "data": data }))
}

/// Shows one. Errors: the alias does not exist or the tenant may not use it, told alike.
pub(super) fn get(pinned: &Pinned, id: &str) -> Result<Reply, Fault> {
    let aliases = pinned.ruleset.aliases_of(&pinned.holder.tenant);
    match aliases.into_iter().find(|alias| *alias == id) {
        Some(alias) => Ok(json(StatusCode::OK, &model(alias))),
        None => Err(super::decode::model_not_found(id)),
    }
}

/// `created` is required by clients and says nothing about an alias: it is always 0.
fn model(alias: &str) -> Value {
    json!({ "id": alias, "object": "model", "created": 0, "owned_by": "breakwater" })
}
