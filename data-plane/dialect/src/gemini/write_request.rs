//! Writes a request for a provider. What stays the same from turn to turn stands first, the conversation last, so that
//! Google's own cache finds the same beginning (bug 1).

use super::form::{Object, list};
use super::models::Model;
use super::write_config::{generation_config, tool_config, tools};
use super::write_contents::Conversation;
use crate::codec::{Target, Written};
use crate::ir::{Dropped, Refused, Request, is_harmless};

/// Members of Google's own requests that [`Request::rest`] brings back under their names.
const OWN: &[&str] = &["safetySettings", "cachedContent", "labels", "modelArmorConfig"];

/// What is being written, and what of it was left out.
#[derive(Debug)]
pub(super) struct Writing {
    pub(super) model: Model,
    pub(super) dropped: Vec<Dropped>,
}

impl Writing {
    /// Notes that a member was left out, once.
    pub(super) fn drop(&mut self, member: &str) {
        if self.dropped.iter().all(|dropped| dropped != member) {
            self.dropped.push(member.to_owned());
        }
    }
}

pub(crate) fn write_request(request: &Request, target: &Target) -> Result<Written, Refused> {
    let mut writing = Writing { model: Model::of(&target.model), dropped: Vec::new() };
    let mut conversation = Conversation::new(writing.model);
    conversation.system(&request.system)?;
    for (index, turn) in request.turns.iter().enumerate() {
        conversation.turn(index, turn)?;
    }
    let (system, contents) = conversation.end();

    let mut body = Object::new();
    if !system.is_empty() {
        body.raw("systemInstruction", Object::new().raw("parts", list(&system)).end());
    }
    let tools = tools(request, &mut writing)?;
    if !tools.is_empty() {
        body.raw("tools", list(&tools));
    }
    let config = tool_config(request, &mut writing);
    if !config.is_empty() {
        body.raw("toolConfig", config);
    }
    for (name, json) in &request.rest {
        if OWN.contains(&name.as_str()) {
            body.raw(name, json.get());
        }
    }
    let config = generation_config(request, &mut writing);
    if !config.is_empty() {
        body.raw("generationConfig", config);
    }
    match request.service_tier.as_deref() {
        Some(tier @ ("flex" | "priority" | "standard")) => {
            body.text("serviceTier", tier);
        }
        Some("auto" | "default") | None => {}
        Some(_) => writing.drop("service_tier"),
    }
    body.raw("contents", list(&contents));
    rest(request, &mut writing)?;
    if has_cache_marks(request) {
        // Google finds by itself what can be cached.
        writing.drop("cache_control");
    }
    Ok(Written { body: body.end(), dropped: writing.dropped })
}

/// Drops what changes nothing, and refuses what would.
fn rest(request: &Request, writing: &mut Writing) -> Result<(), Refused> {
    for (name, there) in [
        ("user", request.user.is_some()),
        ("metadata", !request.metadata.is_empty()),
        ("prompt_cache_key", request.prompt_cache_key.is_some()),
        ("verbosity", request.verbosity.is_some()),
        // There is no switch for it.
        ("parallel_tool_calls", request.parallel_tools == Some(false)),
    ] {
        if there {
            writing.drop(name);
        }
    }
    for (name, json) in &request.rest {
        let own = OWN.contains(&name.as_str())
            || name.starts_with("generationConfig.")
            || name.starts_with("toolConfig.");
        let asks_nothing = matches!(json.get(), "null" | "false" | "{}" | "[]" | "\"\"" | r#"["text"]"#);
        if own || asks_nothing {
            continue;
        }
        if !is_harmless(name) {
            return Err(Refused::no_equivalent(name));
        }
        writing.drop(name);
    }
    Ok(())
}

fn has_cache_marks(request: &Request) -> bool {
    use crate::ir::Block;
    let marked = |block: &Block| match block {
        Block::Text { cache, .. }
        | Block::ToolUse { cache, .. }
        | Block::ToolResult { cache, .. }
        | Block::Media { cache, .. } => cache.is_some(),
        Block::Thinking { .. }
        | Block::RedactedThinking { .. }
        | Block::Refusal { .. }
        | Block::Foreign { .. } => false,
    };
    request.system.iter().any(marked)
        || request.tools.iter().any(|tool| tool.cache.is_some())
        || request.turns.iter().any(|turn| turn.blocks.iter().any(marked))
}
