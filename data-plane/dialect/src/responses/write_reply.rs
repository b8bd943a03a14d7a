//! A whole answer for a caller: what a stream of it would add up to, so the stream's writer writes it and keeps silent about
//! the way there.

use bytes::BytesMut;

use super::write_stream::Writer;
use crate::codec::{Caller, StreamWriter};
use crate::ir::{At, Block, Choice, Delta, Event, Opening, Reply};

pub(super) fn write(reply: &Reply, caller: &Caller) -> String {
    let mut writer = Writer::silent(caller.clone());
    let mut nothing = BytesMut::new();
    // The format knows one answer.
    let none = Choice::default();
    let choice = reply.choices.first().unwrap_or(&none);
    let mut logprobs = choice.logprobs.clone();
    for (index, block) in (0..).zip(&choice.blocks) {
        let Some((opening, mut deltas)) = events(block) else { continue };
        if opening == Opening::Text {
            deltas.extend(logprobs.take().map(Delta::Logprobs));
            let cited = choice.citations.iter().filter(|(block, _)| *block == index);
            deltas.extend(cited.map(|(_, cited)| Delta::Citation(cited.clone())));
        }
        let at = At { choice: 0, block: index };
        writer.write(&Event::Open(at, opening), &mut nothing);
        for delta in deltas {
            writer.write(&Event::Delta(at, delta), &mut nothing);
        }
        writer.write(&Event::Close(at), &mut nothing);
    }
    writer.write(&Event::Stop(0, choice.stop.clone()), &mut nothing);
    if let Some(usage) = reply.usage {
        writer.write(&Event::Usage(usage), &mut nothing);
    }
    writer.response()
}

/// Returns how a block opens and goes on; none for what an answer of this format cannot hold.
fn events(block: &Block) -> Option<(Opening, Vec<Delta>)> {
    let said = |text: &String| if text.is_empty() { None } else { Some(Delta::Text(text.clone())) };
    let signed = |signature: &Option<String>| signature.clone().map(Delta::Signature);
    match block.clone() {
        Block::Text { text, signature, .. } => {
            Some((Opening::Text, said(&text).into_iter().chain(signed(&signature)).collect()))
        }
        Block::Refusal { text } => Some((Opening::Refusal, said(&text).into_iter().collect())),
        Block::Thinking { text, signature, signed_by, id } => {
            let deltas = said(&text).into_iter().chain(signed(&signature)).collect();
            Some((Opening::Thinking { signed_by, id }, deltas))
        }
        Block::RedactedThinking { data, signed_by } => {
            Some((Opening::RedactedThinking { data, signed_by }, Vec::new()))
        }
        Block::ToolUse { id, name, input, signature, custom, .. } => {
            Some((Opening::ToolUse { id, name, signature, custom }, vec![Delta::Input(input)]))
        }
        Block::Foreign { format, kind, json } => {
            Some((Opening::Foreign { format, kind, json: json.get().to_owned() }, Vec::new()))
        }
        Block::Media { media, source, .. } => Some((Opening::Media { media, source }, Vec::new())),
        Block::ToolResult { .. } => None,
    }
}
