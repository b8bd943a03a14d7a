//! The corpus: loaded once, typed no more than needed.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::OnceLock;

use base64::Engine;
use breakwater_dialect::Format;
use serde_json::Value;

/// One recorded interaction.
#[derive(Debug)]
pub struct Recording {
    /// Its name: what a failing test prints.
    pub file: String,
    /// The format in which it was spoken; none for embeddings and the like.
    pub format: Option<Format>,
    /// What was asked; `null` if only the answer was kept.
    pub request: Value,
    /// The status of the answer.
    pub status: u16,
    /// What was answered.
    pub reply: Body,
}

/// The body of an answer.
#[derive(Debug)]
pub enum Body {
    /// It came whole.
    Whole(Value),
    /// It came as a stream: its bytes.
    Stream(Vec<u8>),
    /// Neither: empty, or a page.
    Other,
}

/// Every recording, in the order of the corpus.
pub fn all() -> &'static [Recording] {
    static ALL: OnceLock<Vec<Recording>> = OnceLock::new();
    ALL.get_or_init(|| {
        let path = shared().join("corpus/recordings.jsonl.zst");
        let packed = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let plain = zstd::decode_all(packed.as_slice()).expect("the corpus is zstd");
        let lines: Vec<&[u8]> = plain.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
        lines.into_iter().map(|line| read(&serde_json::from_slice(line).expect("JSON lines"))).collect()
    })
}

/// The recording of a file.
pub fn by_file(file: &str) -> Option<&'static Recording> {
    static INDEX: OnceLock<BTreeMap<&'static str, &'static Recording>> = OnceLock::new();
    let index = INDEX.get_or_init(|| all().iter().map(|one| (one.file.as_str(), one)).collect());
    index.get(file).copied()
}

/// The folder with the test data: `BREAKWATER_SHARED`, or `shared` beside the repository.
pub fn shared() -> PathBuf {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");
    let path = std::env::var_os("BREAKWATER_SHARED").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    assert!(path.is_dir(), "no test data at {}: set BREAKWATER_SHARED", path.display());
    path
}

/// A JSON file of the test data.
pub fn json(path: &str) -> Value {
    let path = shared().join(path);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).expect("test data is JSON")
}

/// The lines of a JSON-lines file of the test data.
pub fn json_lines(path: &str) -> Vec<Value> {
    let path = shared().join(path);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(|line| serde_json::from_str(line).expect("test data is JSON")).collect()
}

fn read(line: &Value) -> Recording {
    let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
    let format = match line["endpoint"].as_str().unwrap_or_default() {
        "chat.completions" => Some(Format::Chat),
        "responses" => Some(Format::Responses),
        "messages" => Some(Format::Messages),
        "generateContent" | "streamGenerateContent" => Some(Format::Gemini),
        "converse" | "converseStream" => Some(Format::Converse),
        "ollama.chat" => Some(Format::Ollama),
        _ => None,
    };
    let request = match &line["request"]["body"] {
        body @ Value::Object(_) if line["request"]["synthesized"] != true => body.clone(),
        _ => Value::Null,
    };
    Recording {
        file: text("file"),
        format,
        request,
        status: line["response"]["status"].as_u64().and_then(|status| status.try_into().ok()).unwrap_or(0),
        reply: body(format, line),
    }
}

fn body(format: Option<Format>, line: &Value) -> Body {
    let streamed = line["stream"].is_string();
    match &line["response"]["body"] {
        Value::String(text) if line["response"]["body_kind"] == "base64" && streamed => {
            let bytes = base64::engine::general_purpose::STANDARD.decode(text).expect("base64");
            Body::Stream(bytes)
        }
        Value::String(text) if line["response"]["body_kind"] == "text" && streamed => {
            Body::Stream(text.clone().into_bytes())
        }
        // Gemini streams without `alt=sse` as one array. We never ask for that: its events, as we would get them.
        Value::Array(events) if format == Some(Format::Gemini) => Body::Stream(
            events.iter().map(|event| format!("data: {event}\r\n\r\n")).collect::<String>().into(),
        ),
        body @ Value::Object(_) => Body::Whole(body.clone()),
        _ => Body::Other,
    }
}
