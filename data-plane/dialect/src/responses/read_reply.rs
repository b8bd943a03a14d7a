//! A provider's whole answer.

use super::assembly::Assembly;
use super::item::{self, word};
use crate::codec::Garbage;
use crate::ir::{Accumulator, Event, Reply, Stop, StopReason, Usage};
use crate::json::Place;

pub(super) fn read(body: &str) -> Result<Reply, Garbage> {
    let root = Place::root(body);
    if !root.get("output").is_some_and(|output| output.is_array()) {
        return Err(Garbage);
    }
    let mut events = Vec::new();
    finish(&mut Assembly::default(), root, &mut events);
    let mut whole = Accumulator::default();
    events.iter().for_each(|event| whole.take(event));
    let mut reply = whole.into_reply();
    for block in reply.choices.iter_mut().flat_map(|choice| &mut choice.blocks) {
        if let crate::ir::Block::ToolUse { input, custom: false, .. } = block
            && input.trim().is_empty()
        {
            "{}".clone_into(input);
        }
    }
    Ok(reply)
}

/// Ends an answer with its `response` object.
pub(super) fn finish(assembly: &mut Assembly, response: Place<'_>, events: &mut Vec<Event>) {
    let output = response.get("output").into_iter().flat_map(|output| output.elements());
    let usage = response.get("usage").and_then(usage);
    assembly.finish(output.map(item::whole), |seen| stop(response, seen.called, seen.refused), usage, events);
}

/// Returns why an answer ended: a call or a refusal in it says more than its status.
fn stop(response: Place<'_>, called: bool, refused: bool) -> Stop {
    let status = word(response, "status");
    let (reason, native) = match status.as_str() {
        "incomplete" => {
            let reason = response.get("incomplete_details").map(|details| word(details, "reason"));
            match reason.unwrap_or_default().as_str() {
                // Hand-made servers say no reason; there was one reason before there were two.
                "" | "max_output_tokens" => (StopReason::Length, None),
                "content_filter" => (StopReason::Filtered, None),
                other => (StopReason::End, Some(other.to_owned())),
            }
        }
        "failed" | "cancelled" | "queued" | "in_progress" => {
            let code = response.get("error").map(|error| word(error, "code"));
            (StopReason::Failed, Some(code.filter(|code| !code.is_empty()).unwrap_or(status)))
        }
        _ => {
            let native = Some(status).filter(|status| !matches!(status.as_str(), "" | "completed"));
            (if refused { StopReason::Filtered } else { StopReason::End }, native)
        }
    };
    let reason = if called && reason == StopReason::End { StopReason::ToolUse } else { reason };
    Stop { reason, native, sequence: None }
}

/// Reads the counts: tokens from a cache stand inside those read, those of reasoning inside those written.
fn usage(usage: Place<'_>) -> Option<Usage> {
    if !usage.is_object() {
        return None;
    }
    let count = |object: Option<Place<'_>>, key: &str| -> u64 {
        object.and_then(|object| object.get(key)).and_then(|n| n.source().parse().ok()).unwrap_or_default()
    };
    let read = usage.get("input_tokens_details");
    let cache_read = count(read, "cached_tokens");
    let cache_write = count(read, "cache_write_tokens");
    let all = count(Some(usage), "input_tokens");
    Some(Usage {
        input: all.saturating_sub(cache_read).saturating_sub(cache_write),
        cache_read,
        cache_write,
        output: count(Some(usage), "output_tokens"),
        reasoning: count(usage.get("output_tokens_details"), "reasoning_tokens"),
        ..Usage::default()
    })
}
