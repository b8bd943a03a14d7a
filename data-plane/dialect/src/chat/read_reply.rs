//! A provider's whole answer.

use super::message::{self, From};
use super::{cite, stops, usage, weave::Weave, wire};
use crate::codec::Garbage;
use crate::ir::{Accumulator, Block, Event, Reply};

/// Reads one. It goes the way of a stream in one piece, so that whole and streamed answers mean the same.
pub(crate) fn read_reply(body: &str) -> Result<Reply, Garbage> {
    match serde_json::from_str::<wire::Whole<'_>>(body) {
        Ok(whole) => take(&whole),
        Err(_) => {
            let body = wire::with_keys_once(body).ok_or(Garbage)?;
            take(&serde_json::from_str(&body).map_err(|_| Garbage)?)
        }
    }
}

fn take(whole: &wire::Whole<'_>) -> Result<Reply, Garbage> {
    let name = wire::text(whole.id);
    let mut events = Vec::new();
    let choices = whole.choices.as_ref().filter(|choices| !choices.is_empty()).ok_or(Garbage)?;
    let sources = cite::sources(whole.citations, whole.search_results);
    for (place, choice) in choices.iter().enumerate() {
        let place = u32::try_from(place).map_err(|_| Garbage)?;
        let index = wire::number(choice.index).unwrap_or(place);
        let mut weave = Weave::new(index);
        if let Some(said) = &choice.message {
            message::take(said, From::Provider, &name, &mut weave, &mut events);
        }
        weave.sources(&sources, &mut events);
        if let Some(entries) = message::logprobs(choice.logprobs) {
            weave.logprobs(entries, &mut events);
        }
        weave.close(&name, &mut events);
        let stop = stops::read(&wire::text(choice.finish_reason), weave.called(), weave.refused());
        events.push(Event::Stop(index, stop));
    }
    if let Some(usage) = wire::place(whole.usage).and_then(usage::read) {
        events.push(Event::Usage(usage));
    }
    let mut reply = Accumulator::default();
    events.iter().for_each(|event| reply.take(event));
    let mut reply = reply.into_reply();
    for block in reply.choices.iter_mut().flat_map(|choice| &mut choice.blocks) {
        if let Block::ToolUse { input, custom: false, .. } = block {
            arguments(input);
        }
    }
    Ok(reply)
}

/// Arguments that are none: nothing at all, or null.
pub(super) fn arguments(input: &mut String) {
    if matches!(input.trim(), "" | "null") {
        "{}".clone_into(input);
    }
}
