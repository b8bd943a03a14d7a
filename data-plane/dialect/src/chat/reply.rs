//! An answer that comes whole.

use std::sync::Arc;

use breakwater_common::guard::{CompiledGuards, Evaluation, Finding, Side};
use breakwater_common::resource::Action;
use bytes::Bytes;

use super::{VENDOR_FIELDS, read_usage, texts};
use crate::Usage;
use crate::json::{self, Edits, Place};

/// The reason that the format has for an answer that was blocked.
pub(super) const CONTENT_FILTER: &str = "content_filter";

/// Rewrites whole answers of one call.
#[derive(Debug)]
pub struct ReplyRewriter {
    alias: String,
    guards: Option<Arc<CompiledGuards>>,
    reveal_provider: bool,
}

/// An answer, ready for the caller.
#[derive(Debug)]
pub struct Reply {
    /// The body; its length may differ from the upstream's `Content-Length`.
    pub body: Bytes,
    /// Tokens, if the upstream said them.
    pub usage: Option<Usage>,
    /// The guardrail that blocked; the body then has empty choices with `finish_reason` `content_filter`.
    pub blocked: Option<Finding>,
    /// Everything that guardrails found.
    pub findings: Vec<Finding>,
    /// Why each choice ended, in order, as the body now says it.
    pub finish_reasons: Vec<String>,
}

/// The upstream's body is not a chat completion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the upstream's answer is not a chat completion in JSON")]
pub struct Garbage;

impl ReplyRewriter {
    /// Makes the rewriter of one call. The caller sees `alias` as the model; without guards no text is read.
    #[must_use]
    pub fn new(alias: &str, guards: Option<Arc<CompiledGuards>>) -> Self {
        let guards = guards.filter(|guards| guards.inspects(Side::Output));
        Self { alias: alias.to_owned(), guards, reveal_provider: false }
    }

    /// Keeps the fields that name a vendor if the route says so.
    #[must_use]
    pub fn reveal_provider(mut self, reveal: bool) -> Self {
        self.reveal_provider = reveal;
        self
    }

    /// Rewrites one answer of a successful status.
    ///
    /// # Errors
    ///
    /// The body is not the format.
    pub fn rewrite(&self, body: &Bytes) -> Result<Reply, Garbage> {
        let text = json::check(body).map_err(|_| Garbage)?;
        let root = Place::root(text);
        let choices = root.get("choices").filter(Place::is_array).ok_or(Garbage)?;
        let mut edits = head_edits(root, &self.alias, self.reveal_provider);
        let mut judged = Judged::default();
        if let Some(guards) = &self.guards {
            judged.judge(guards, choices)?;
        }
        let reasons = choices.elements().map(|choice| {
            let reason = choice.get("finish_reason").and_then(|reason| reason.as_str());
            reason.map(|reason| reason.into_owned()).unwrap_or_default()
        });
        let finish_reasons: Vec<String> = if judged.blocked.is_some() {
            edits.replace(choices.range(), blocked_choices(choices));
            reasons.map(|_| CONTENT_FILTER.to_owned()).collect()
        } else {
            for (place, with) in judged.masks {
                edits.replace(place, with);
            }
            reasons.collect()
        };
        let body = if edits.is_empty() { body.clone() } else { Bytes::from(edits.apply(text)) };
        let usage = root.get("usage").and_then(read_usage);
        Ok(Reply { body, usage, blocked: judged.blocked, findings: judged.findings, finish_reasons })
    }
}

/// The edits of an answer's or a chunk's own members: the alias, and what names the vendor.
pub(super) fn head_edits(root: Place<'_>, alias: &str, reveal_provider: bool) -> Edits {
    let mut edits = Edits::default();
    let mut hide = |model: Place<'_>| {
        if model.as_str().is_none_or(|model| model != alias) {
            edits.replace(model.range(), json::quote(alias));
        }
    };
    for member in root.members() {
        match &*member.key {
            "model" => hide(member.value),
            "moderation" => moderation_models(member.value).for_each(&mut hide),
            _ => {}
        }
    }
    if !reveal_provider {
        edits.remove_members(&root, |member| VENDOR_FIELDS.contains(&&*member.key));
    }
    edits
}

/// Returns where an answer's moderation says which of the vendor's models judged: for each side and each of its results.
fn moderation_models(moderation: Place<'_>) -> impl Iterator<Item = Place<'_>> {
    let sides = moderation.members().filter(|side| side.key == "input" || side.key == "output");
    let judged = sides.flat_map(|side| {
        let results = side.value.get("results").filter(Place::is_array);
        std::iter::once(side.value).chain(results.into_iter().flat_map(|results| results.elements()))
    });
    judged.filter_map(|judged| judged.get("model"))
}

/// What guardrails say about the choices.
#[derive(Debug, Default)]
struct Judged {
    masks: Vec<(std::ops::Range<usize>, String)>,
    blocked: Option<Finding>,
    findings: Vec<Finding>,
}

impl Judged {
    fn judge(&mut self, guards: &CompiledGuards, choices: Place<'_>) -> Result<(), Garbage> {
        for choice in choices.elements() {
            let mut masked = false;
            for found in texts::find(choice).map_err(|_| Garbage)? {
                let judged = if found.is_arguments() {
                    guards.evaluate_json(Side::Output, &found.text)
                } else {
                    guards.evaluate(Side::Output, &found.text)
                };
                if judged.action == Action::Block {
                    self.blocked = judged.block().cloned();
                }
                let Evaluation { redacted, findings, .. } = judged;
                for finding in findings {
                    finding.add_to(&mut self.findings);
                }
                if self.blocked.is_some() {
                    return Ok(());
                }
                if let Some(text) = redacted {
                    self.masks.push((found.place.range(), json::quote(&text)));
                    masked = true;
                }
            }
            // The tokens of what was masked stand there too.
            let logprobs = choice.get("logprobs").filter(|logprobs| masked && !logprobs.is_null());
            self.masks.extend(logprobs.map(|logprobs| (logprobs.range(), "null".to_owned())));
        }
        Ok(())
    }
}

/// Writes the choices of an answer that was blocked.
fn blocked_choices(choices: Place<'_>) -> String {
    let written = (0..).zip(choices.elements()).map(|(position, choice)| {
        let index: u32 = choice.get("index").and_then(|index| index.as_u32()).unwrap_or(position);
        format!(
            r#"{{"index":{index},"message":{{"role":"assistant","content":null,"refusal":null}},"logprobs":null,"finish_reason":"{CONTENT_FILTER}"}}"#
        )
    });
    format!("[{}]", written.collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests;
