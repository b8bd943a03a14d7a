//! The recordings of formats that pass, with the text of their bodies.

use std::sync::OnceLock;

use base64::Engine;
use breakwater_dialect::Format;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::kit::recordings::shared;

/// One recorded call.
#[derive(Debug)]
pub struct Call {
    pub file: String,
    pub provider: String,
    pub format: Format,
    pub model: Option<String>,
    /// The caller asked for a stream.
    pub stream: bool,
    /// The text of the request's body; none if only the answer was kept.
    pub request: Option<String>,
    pub status: u16,
    pub answer: Answer,
}

/// What was answered.
#[derive(Debug)]
pub enum Answer {
    /// The text of a JSON body.
    Whole(String),
    /// The bytes of a stream.
    Stream(Vec<u8>),
    /// Gemini's stream as one array: the texts of its elements.
    Array(Vec<String>),
    /// Neither: empty, or a page.
    Other,
}

#[derive(Deserialize)]
struct Line<'a> {
    file: String,
    provider: String,
    endpoint: String,
    model: Option<String>,
    stream: Option<String>,
    #[serde(borrow)]
    request: Request<'a>,
    #[serde(borrow)]
    response: Response<'a>,
}

#[derive(Deserialize)]
struct Request<'a> {
    body_kind: String,
    #[serde(borrow)]
    body: &'a RawValue,
}

#[derive(Deserialize)]
struct Response<'a> {
    status: u16,
    body_kind: String,
    #[serde(borrow)]
    body: &'a RawValue,
}

fn format(endpoint: &str) -> Option<Format> {
    Some(match endpoint {
        "chat.completions" => Format::Chat,
        "completions" => Format::Completions,
        "responses" => Format::Responses,
        "messages" => Format::Messages,
        "messages.count_tokens" => Format::CountTokens,
        "generateContent" | "streamGenerateContent" => Format::Gemini,
        "converse" | "converseStream" => Format::Converse,
        "embeddings" => Format::Embeddings,
        "moderations" => Format::Moderations,
        _ => return None,
    })
}

/// All of them, in the order of the corpus.
pub fn calls() -> &'static [Call] {
    static CALLS: OnceLock<Vec<Call>> = OnceLock::new();
    CALLS.get_or_init(|| {
        let packed = std::fs::read(shared().join("corpus/recordings.jsonl.zst")).expect("the corpus");
        let plain = String::from_utf8(zstd::decode_all(packed.as_slice()).expect("zstd")).expect("UTF-8");
        plain.lines().filter_map(read).collect()
    })
}

fn read(line: &str) -> Option<Call> {
    let line: Line<'_> = serde_json::from_str(line).expect("JSON lines");
    let format = format(&line.endpoint)?;
    let request = (line.request.body_kind == "json").then(|| line.request.body.get().to_owned());
    let body = line.response.body.get();
    let streamed = line.stream.is_some();
    let answer = match line.response.body_kind.as_str() {
        "base64" if streamed => {
            let text: String = serde_json::from_str(body).expect("a text");
            Answer::Stream(base64::engine::general_purpose::STANDARD.decode(text).expect("base64"))
        }
        "text" if streamed => Answer::Stream(serde_json::from_str::<String>(body).expect("a text").into()),
        "json" if body.starts_with('[') && format == Format::Gemini => {
            let elements: Vec<&RawValue> = serde_json::from_str(body).expect("an array");
            Answer::Array(elements.into_iter().map(|one| one.get().to_owned()).collect())
        }
        "json" => Answer::Whole(body.to_owned()),
        _ => Answer::Other,
    };
    Some(Call {
        file: line.file,
        provider: line.provider,
        format,
        model: line.model,
        stream: streamed || line.endpoint.starts_with("stream") || line.endpoint.ends_with("Stream"),
        request,
        status: line.response.status,
        answer,
    })
}
