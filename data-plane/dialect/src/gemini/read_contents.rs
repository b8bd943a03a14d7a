//! Reads `contents` and `systemInstruction`.

use super::calls::Calls;
use super::fields::{boolean, field, fields, items, object, text, wrong};
use super::form::compact;
use super::signature;
use crate::Format;
use crate::ir::{Block, Media, Refused, Role, Source, Turn};
use crate::json::Place;

/// Reads what stands before the conversation: a text, a content, or parts.
pub(super) fn system(value: Place<'_>) -> Result<Vec<Block>, Refused> {
    const AT: &str = "systemInstruction";
    let parts = if value.is_object() { field(value, "parts").unwrap_or(value) } else { value };
    let mut blocks = Vec::new();
    for (index, part) in items(parts).into_iter().enumerate() {
        let at = format!("{AT}.parts[{index}]");
        let said = if part.is_string() { Some(part) } else { field(part, "text") };
        match said {
            Some(said) => blocks.push(Block::text(text(said, &at)?)),
            None if !part.is_object() => return Err(wrong(at, "must be a part")),
            None if fields(part).next().is_none() => {}
            None => return Err(wrong(at, "must be a text")),
        }
    }
    Ok(blocks)
}

/// Reads the conversation. Contents of the model that follow each other are one turn: its SDKs keep each chunk of a stream
/// as a content of its own.
pub(super) fn contents(value: Place<'_>) -> Result<Vec<Turn>, Refused> {
    let mut turns: Vec<Turn> = Vec::new();
    let mut calls = Calls::default();
    for (index, content) in items(value).into_iter().enumerate() {
        let at = format!("contents[{index}]");
        let mut role = Role::User;
        let mut parts = content;
        if content.is_object() && (field(content, "parts").is_some() || field(content, "role").is_some()) {
            role = match field(content, "role") {
                Some(role) => read_role(role, &format!("{at}.role"))?,
                None => Role::User,
            };
            let Some(found) = field(content, "parts") else { continue };
            parts = found;
        }
        let mut turn = match turns.pop() {
            Some(turn) if role == Role::Assistant && turn.role == role => turn,
            other => {
                turns.extend(other);
                Turn { role, blocks: Vec::new() }
            }
        };
        for (index, part) in items(parts).into_iter().enumerate() {
            read_part(part, &format!("{at}.parts[{index}]"), role, &mut calls, &mut turn.blocks)?;
        }
        turns.push(turn);
    }
    turns.retain(|turn| !turn.blocks.is_empty());
    Ok(turns)
}

fn read_role(role: Place<'_>, at: &str) -> Result<Role, Refused> {
    match text(role, at)?.as_str() {
        "user" | "function" | "tool" | "" => Ok(Role::User),
        "model" | "assistant" => Ok(Role::Assistant),
        "system" => Ok(Role::System),
        _ => Err(wrong(at, "must be user or model")),
    }
}

/// What a part says, before it is known what it is.
#[derive(Default)]
struct Part<'a> {
    text: Option<Place<'a>>,
    thought: bool,
    signature: Option<String>,
    /// The member that tells the kind.
    kind: Option<(String, Place<'a>)>,
    /// Members that change what the part means, such as `videoMetadata`.
    more: bool,
}

fn read_part(
    place: Place<'_>,
    at: &str,
    role: Role,
    calls: &mut Calls,
    blocks: &mut Vec<Block>,
) -> Result<(), Refused> {
    if place.is_string() {
        blocks.push(Block::text(text(place, at)?));
        return Ok(());
    }
    object(place, at)?;
    let mut part = Part::default();
    for (key, value) in fields(place) {
        let at = format!("{at}.{key}");
        match &*key {
            "text" => part.text = Some(value),
            "thought" => part.thought = boolean(value, &at)?,
            "thoughtSignature" => part.signature = Some(text(value, &at)?),
            "videoMetadata" => part.more = true,
            // How finely to look, and notes of the caller to itself.
            "mediaResolution" | "partMetadata" => {}
            _ => part.kind = Some((key.into_owned(), value)),
        }
    }
    let foreign = |kind: &str| Block::Foreign {
        format: Format::Gemini,
        kind: kind.to_owned(),
        json: super::fields::json(compact(place.source())),
    };
    let block = match part.kind {
        Some((kind, value)) => {
            let at = format!("{at}.{kind}");
            match kind.as_str() {
                "inlineData" | "fileData" if !part.more => media(&kind, value, &at)?,
                "functionCall" => call(value, &at, part.signature.and_then(signature::unpack_own), calls)?,
                "functionResponse" => result(value, &at, calls)?,
                _ => foreign(&kind),
            }
        }
        None => {
            let said = part.text.map(|said| text(said, at)).transpose()?.unwrap_or_default();
            if part.thought {
                signature::unpack(said, part.signature)
            } else {
                let signature = part.signature.and_then(signature::unpack_own);
                Block::Text { text: said, cache: None, signature }
            }
        }
    };
    if role == Role::Assistant {
        append(blocks, block)
    } else {
        blocks.push(block)
    }
    Ok(())
}

/// Appends what the model said. Pieces of one text, and of one thought, come together again, up to a signature.
fn append(blocks: &mut Vec<Block>, block: Block) {
    match (blocks.last_mut(), block) {
        (
            Some(Block::Text { text, signature: signature @ None, .. }),
            Block::Text { text: more, signature: end, .. },
        ) => {
            text.push_str(&more);
            *signature = end;
        }
        (
            Some(Block::Thinking { text, signature: signature @ None, signed_by, id }),
            Block::Thinking { text: more, signature: end, signed_by: signer, id: name },
        ) => {
            text.push_str(&more);
            (*signature, *signed_by, *id) = (end, signer, name);
        }
        (_, Block::Text { text, signature: None, .. }) if text.is_empty() => {}
        (_, block) => blocks.push(block),
    }
}

fn call(value: Place<'_>, at: &str, signature: Option<String>, calls: &mut Calls) -> Result<Block, Refused> {
    object(value, at)?;
    let (mut id, mut name, mut input) = (String::new(), None, "{}".to_owned());
    for (key, value) in fields(value) {
        match &*key {
            "id" => id = text(value, &format!("{at}.id"))?,
            "name" => name = Some(text(value, &format!("{at}.name"))?),
            "args" => {
                object(value, &format!("{at}.args"))?;
                input = compact(value.source());
            }
            _ => {}
        }
    }
    let name = name.ok_or_else(|| wrong(format!("{at}.name"), "is missing"))?;
    let id = calls.call(id, &name);
    Ok(Block::ToolUse { id, name, input, signature, custom: false, cache: None })
}

fn result(value: Place<'_>, at: &str, calls: &mut Calls) -> Result<Block, Refused> {
    object(value, at)?;
    let (mut id, mut name) = (String::new(), None);
    let (mut content, mut is_error) = (Vec::new(), false);
    for (key, value) in fields(value) {
        let at = format!("{at}.{key}");
        match &*key {
            "id" => id = text(value, &at)?,
            "name" => name = Some(text(value, &at)?),
            "response" => {
                object(value, &at)?;
                let (said, failed) = outcome(value);
                is_error = failed;
                content.insert(0, Block::text(said));
            }
            "parts" => {
                for part in items(value) {
                    for (kind, value) in fields(part).filter(|(_, value)| value.is_object()) {
                        content.push(media(&kind, value, &at)?);
                    }
                }
            }
            _ => {}
        }
    }
    let name = name.ok_or_else(|| wrong(format!("{at}.name"), "is missing"))?;
    let id = calls.result(id, &name);
    Ok(Block::ToolResult { id, name, content, is_error, cache: None })
}

/// Reads what a tool gave. Google says that `output` holds what a tool gave and `error` why it failed, and that the object
/// is the output if it has neither; its SDKs say `result`.
fn outcome(response: Place<'_>) -> (String, bool) {
    let mut members = response.members();
    match (members.next(), members.next()) {
        (Some(only), None) if matches!(&*only.key, "result" | "output" | "error") => {
            let said = match only.value.as_str() {
                Some(said) => said.into_owned(),
                None => compact(only.value.source()),
            };
            (said, only.key == "error")
        }
        _ => (compact(response.source()), false),
    }
}

fn media(kind: &str, value: Place<'_>, at: &str) -> Result<Block, Refused> {
    object(value, at)?;
    let (mut media_type, mut name) = (None, String::new());
    let (mut data, mut url) = (None, None);
    for (key, value) in fields(value) {
        let at = format!("{at}.{key}");
        match &*key {
            "mimeType" => media_type = Some(text(value, &at)?.to_ascii_lowercase()),
            "displayName" => name = text(value, &at)?,
            "data" => data = Some(text(value, &at)?),
            "fileUri" => url = Some(text(value, &at)?),
            _ => {}
        }
    }
    let media_type = media_type.filter(|media_type| !media_type.is_empty());
    let media = kind_of(media_type.as_deref(), url.as_deref().unwrap_or_default());
    let source = match (data, url) {
        (Some(data), _) => Source::Base64 {
            media_type: media_type.ok_or_else(|| wrong(format!("{at}.mimeType"), "is missing"))?,
            data: signature::standard(&data),
        },
        (None, Some(id)) if is_googles(&id) => Source::File { id, media_type },
        (None, Some(url)) => Source::Url { url, media_type },
        (None, None) if kind == "inlineData" => return Err(wrong(format!("{at}.data"), "is missing")),
        (None, None) => return Err(wrong(format!("{at}.fileUri"), "is missing")),
    };
    Ok(Block::Media { media, source, name, detail: None, cache: None })
}

/// Whether only Google can read what stands at an address.
pub(super) fn is_googles(uri: &str) -> bool {
    uri.starts_with("gs://")
        || uri.starts_with("files/")
        || (uri.starts_with("https://generativelanguage.googleapis.com/") && uri.contains("/files/"))
}

/// Tells the kind by the media type, else by the address.
fn kind_of(media_type: Option<&str>, url: &str) -> Media {
    let by = media_type.unwrap_or_else(|| by_ending(url));
    match by.split('/').next() {
        Some("image") => Media::Image,
        Some("audio") => Media::Audio,
        Some("video") => Media::Video,
        _ => Media::Document,
    }
}

/// Guesses a media type by how an address ends; empty if it does not tell. YouTube's addresses are films.
pub(super) fn by_ending(url: &str) -> &'static str {
    const ENDINGS: &[(&str, &str)] = &[
        ("png", "image/png"),
        ("jpg", "image/jpeg"),
        ("jpeg", "image/jpeg"),
        ("webp", "image/webp"),
        ("gif", "image/gif"),
        ("heic", "image/heic"),
        ("mp3", "audio/mpeg"),
        ("wav", "audio/wav"),
        ("ogg", "audio/ogg"),
        ("flac", "audio/flac"),
        ("mp4", "video/mp4"),
        ("mov", "video/quicktime"),
        ("webm", "video/webm"),
        ("pdf", "application/pdf"),
        ("txt", "text/plain"),
        ("csv", "text/csv"),
        ("html", "text/html"),
        ("md", "text/markdown"),
    ];
    let path = url.split(['?', '#']).next().unwrap_or(url);
    let ending = path.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    if let Some((_, media_type)) = ENDINGS.iter().find(|(known, _)| *known == ending) {
        return media_type;
    }
    let film =
        ["https://youtu.be/", "https://www.youtube.com/", "https://m.youtube.com/", "https://youtube.com/"];
    if film.iter().any(|start| url.starts_with(start)) { "video/mp4" } else { "" }
}
