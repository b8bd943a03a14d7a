//! Reads a provider's whole answer.

use super::field::member;
use super::read_blocks::{From, content};
use super::{stop, usage};
use crate::codec::Garbage;
use crate::ir::{Block, Choice, Citation, Reply, Usage};
use crate::json::Place;

/// Reads the body of an answer of `POST /v1/messages`.
pub(crate) fn read_reply(body: &str) -> Result<Reply, Garbage> {
    let root = Place::root(body);
    let blocks = member(root, "content").filter(Place::is_array).ok_or(Garbage)?;
    let blocks = content(blocks, "content", From::Provider).map_err(|_| Garbage)?;
    let reason = member(root, "stop_reason").and_then(|reason| reason.as_str()).unwrap_or_default();
    let sequence = member(root, "stop_sequence").and_then(|it| it.as_str()).map(std::borrow::Cow::into_owned);
    let calls_tools = blocks.iter().any(|block| matches!(block, Block::ToolUse { .. }));
    let usage = member(root, "usage").filter(Place::is_object).map(|said| {
        let mut counts = Usage::default();
        usage::read(said, &mut counts);
        counts
    });
    let stop = stop::read(&reason, sequence, calls_tools);
    Ok(Reply {
        choices: vec![Choice { citations: cited(root, &blocks), blocks, stop, logprobs: None }],
        usage,
    })
}

/// Returns what texts cite, with the numbers of their blocks: each text of the body is one.
fn cited(root: Place<'_>, blocks: &[Block]) -> Vec<(u32, Citation)> {
    let texts = (0..).zip(blocks).filter(|(_, block)| matches!(block, Block::Text { .. }));
    let content = member(root, "content");
    let said = content.iter().flat_map(Place::elements);
    let said =
        said.filter(|block| member(*block, "type").and_then(|kind| kind.as_str()).as_deref() == Some("text"));
    let pairs = texts.zip(said).flat_map(|((number, _), block)| {
        let citations = member(block, "citations");
        let read: Vec<_> = citations.iter().flat_map(Place::elements).filter_map(citation).collect();
        read.into_iter().map(move |citation| (number, citation))
    });
    pairs.collect()
}

/// Reads a citation of a page on the web. Others name documents of the call, for which other formats have no place.
pub(super) fn citation(citation: Place<'_>) -> Option<Citation> {
    let word = |key: &str| member(citation, key)?.as_str().map(std::borrow::Cow::into_owned);
    word("type").filter(|kind| kind == "web_search_result_location")?;
    Some(Citation { url: word("url")?, title: word("title").unwrap_or_default(), at: None })
}
