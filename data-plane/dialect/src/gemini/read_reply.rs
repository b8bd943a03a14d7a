//! Reads a provider's whole answer.

use serde::Deserialize;

use super::answer::Answer;
use crate::Format;
use crate::codec::Garbage;
use crate::ir::{Accumulator, Block, Media, Reply, Source};
use crate::json::Place;

pub(crate) fn read_reply(body: &str) -> Result<Reply, Garbage> {
    let root = Place::root(body);
    let mut answer = Answer::default();
    let mut events = Vec::new();
    // An answer to streamGenerateContent that was asked for as a whole is an array.
    let chunks = if root.is_array() { root.elements().collect() } else { vec![root] };
    let mut is_one = false;
    for chunk in chunks {
        is_one |= answer.take(chunk, &mut events).map_err(|_| Garbage)?;
    }
    if !is_one {
        return Err(Garbage);
    }
    answer.finish(&mut events);
    let mut whole = Accumulator::default();
    events.iter().for_each(|event| whole.take(event));
    let mut reply = whole.into_reply();
    for choice in &mut reply.choices {
        for block in &mut choice.blocks {
            if let Some(media) = media(block) {
                *block = media;
            }
        }
    }
    Ok(reply)
}

#[derive(Deserialize)]
struct Inline {
    #[serde(rename = "inlineData")]
    data: Blob,
}

#[derive(Deserialize)]
struct Blob {
    #[serde(rename = "mimeType")]
    media_type: String,
    data: String,
}

/// A picture or a sound that the model made: a stream has no event for it, a whole answer has a block.
fn media(block: &Block) -> Option<Block> {
    let Block::Foreign { format: Format::Gemini, kind, json } = block else { return None };
    if kind != "inlineData" {
        return None;
    }
    let Inline { data: Blob { media_type, data } } = serde_json::from_str(json.get()).ok()?;
    let media = match media_type.split('/').next()? {
        "image" => Media::Image,
        "audio" => Media::Audio,
        "video" => Media::Video,
        _ => Media::Document,
    };
    let source = Source::Base64 { media_type: media_type.to_ascii_lowercase(), data };
    Some(Block::Media { media, source, name: String::new(), detail: None, cache: None })
}
