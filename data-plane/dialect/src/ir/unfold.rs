//! A whole answer as the events of a stream: what [`super::Accumulator`] undoes.

use super::{At, Block, Delta, Event, Opening, Reply};

/// Returns the events, in the order that the event module tells.
#[must_use]
pub fn events_of(reply: &Reply) -> Vec<Event> {
    let mut events = vec![Event::Start];
    for (index, choice) in (0..).zip(&reply.choices) {
        for (number, block) in (0..).zip(&choice.blocks) {
            let at = At { choice: index, block: number };
            open(at, block, &mut events);
            let cited = choice.citations.iter().filter(|(block, _)| *block == number);
            events.extend(cited.map(|(_, cited)| Event::Delta(at, Delta::Citation(cited.clone()))));
            events.push(Event::Close(at));
        }
        events.push(Event::Stop(index, choice.stop.clone()));
    }
    events.extend(reply.usage.map(Event::Usage));
    events.push(Event::End);
    events
}

fn open(at: At, block: &Block, events: &mut Vec<Event>) {
    let mut begin = |opening| events.push(Event::Open(at, opening));
    match block {
        Block::Text { text, signature, .. } => {
            begin(Opening::Text);
            deltas(at, text, signature.as_ref(), events);
        }
        Block::Thinking { text, signature, signed_by, id } => {
            begin(Opening::Thinking { signed_by: *signed_by, id: id.clone() });
            deltas(at, text, signature.as_ref(), events);
        }
        Block::RedactedThinking { data, signed_by } => {
            begin(Opening::RedactedThinking { data: data.clone(), signed_by: *signed_by });
        }
        Block::ToolUse { id, name, input, signature, custom, .. } => {
            begin(Opening::ToolUse {
                id: id.clone(),
                name: name.clone(),
                signature: signature.clone(),
                custom: *custom,
            });
            events.push(Event::Delta(at, Delta::Input(input.clone())));
        }
        Block::Refusal { text } => {
            begin(Opening::Refusal);
            deltas(at, text, None, events);
        }
        Block::Foreign { format, kind, json } => {
            begin(Opening::Foreign { format: *format, kind: kind.clone(), json: json.get().to_owned() })
        }
        Block::Media { media, source, .. } => {
            begin(Opening::Media { media: *media, source: source.clone() });
        }
        // No answer holds one.
        Block::ToolResult { .. } => begin(Opening::Text),
    }
}

fn deltas(at: At, text: &str, signature: Option<&String>, events: &mut Vec<Event>) {
    if !text.is_empty() {
        events.push(Event::Delta(at, Delta::Text(text.to_owned())));
    }
    events.extend(signature.map(|signature| Event::Delta(at, Delta::Signature(signature.clone()))));
}

#[cfg(test)]
mod tests {
    use super::super::{Accumulator, Choice, Stop, StopReason, Usage};
    use super::*;

    #[test]
    fn an_answer_comes_back_as_it_went() {
        let tool = Block::ToolUse {
            id: "call_1".into(),
            name: "f".into(),
            input: "{\"a\":1}".into(),
            signature: None,
            custom: false,
            cache: None,
        };
        let stop = Stop { reason: StopReason::ToolUse, ..Stop::default() };
        let choice = Choice { blocks: vec![Block::text("hi"), tool], stop, ..Choice::default() };
        let usage = Usage { input: 3, output: 4, ..Usage::default() };
        let reply = Reply { choices: vec![choice], usage: Some(usage) };
        let mut back = Accumulator::default();
        events_of(&reply).iter().for_each(|event| back.take(event));
        assert!(back.is_whole());
        assert_eq!(format!("{:?}", back.into_reply()), format!("{reply:?}"));
    }
}
