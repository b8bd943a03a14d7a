//! An answer that comes whole.

use std::ops::Range;
use std::sync::Arc;

use breakwater_common::guard::{CompiledGuards, Evaluation, Finding, Side};
use breakwater_common::resource::Action;
use bytes::Bytes;

use super::{Passing, texts};
use crate::codec::{Caller, Garbage};
use crate::ir::Usage;
use crate::json::{self, Place};

/// An answer, ready for the caller.
#[derive(Debug)]
pub struct Reply {
    /// The body; its length may differ from the upstream's `Content-Length`.
    pub body: Bytes,
    /// Tokens, if the upstream said them.
    pub usage: Option<Usage>,
    /// The guardrail that blocked; the body then holds nothing of the answer and says so in the format's way.
    pub blocked: Option<Finding>,
    /// Everything that guardrails found.
    pub findings: Vec<Finding>,
}

/// Rewrites one whole answer of a successful status.
pub(crate) fn rewrite_reply(
    format: &dyn Passing,
    caller: &Caller,
    guards: Option<&Arc<CompiledGuards>>,
    body: &Bytes,
) -> Result<Reply, Garbage> {
    let text = json::check(body).map_err(|_| Garbage)?;
    let root = Place::root(text);
    let answers = format.answers(root).ok_or(Garbage)?;
    let mut edits = format.head_edits(root, caller);
    let mut judged = Judged::default();
    if let Some(guards) = guards.filter(|guards| guards.inspects(Side::Output)) {
        judged.judge(guards, &answers)?;
    }
    let replaced = if judged.blocked.is_some() { format.blocked(root) } else { judged.masks };
    for (place, with) in replaced {
        edits.replace(place, with);
    }
    let usage = format.usage(root);
    let body = if edits.is_empty() { body.clone() } else { Bytes::from(edits.apply(text)) };
    Ok(Reply { body, usage, blocked: judged.blocked, findings: judged.findings })
}

/// What guardrails say about the choices.
#[derive(Debug, Default)]
struct Judged {
    masks: Vec<(Range<usize>, String)>,
    blocked: Option<Finding>,
    findings: Vec<Finding>,
}

impl Judged {
    fn judge(&mut self, guards: &CompiledGuards, answers: &[Place<'_>]) -> Result<(), Garbage> {
        for choice in answers {
            let mut masked = false;
            for found in texts::find(*choice).map_err(|_| Garbage)? {
                let judged = found.kind.judge(guards, Side::Output, &found.text);
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
                    self.masks.push((found.place.range(), found.kind.written(&text)));
                    masked = true;
                }
            }
            if masked {
                let logprobs = texts::logprobs(*choice).into_iter();
                self.masks.extend(logprobs.map(|(place, with)| (place, with.to_owned())));
            }
        }
        Ok(())
    }
}
