//! Replays recorded interactions: a request whose body was recorded gets the recorded answer, byte for byte.
//!
//! A recording is one JSON a line, `{"request": {"body_kind": "json", "body": {...}}, "response": {"status", "headers",
//! "body_kind", "body"}}`; other fields may stand beside them. Bodies are compared as JSON without `model`,
//! `stream_options` and `metadata`, since a proxy writes these anew; the order of keys does not matter. A body that was
//! recorded several times gets its answers in turn: those to the request's model, or all if it was recorded with others.
//! A line that names its `endpoint` must name one that is spoken here; other lines are skipped.

use std::{
    collections::BTreeMap,
    io::BufRead,
    sync::atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

/// Endpoints of recordings that are of this wire format.
const ENDPOINTS: [&str; 2] = ["chat.completions", "embeddings"];
/// Keys of a body that a proxy may write anew.
const IGNORED_KEYS: [&str; 3] = ["model", "stream_options", "metadata"];
/// Headers that belong to the recorded connection, not to the answer.
const CONNECTION_HEADERS: [&str; 6] =
    ["connection", "content-encoding", "content-length", "date", "keep-alive", "transfer-encoding"];

/// Why a recording could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The file cannot be read.
    #[error("cannot read the recording: {0}")]
    Io(#[from] std::io::Error),
    /// A line is not a recorded interaction.
    #[error("line {line} of the recording is not a recorded interaction: {source}")]
    Line {
        /// From 1.
        line: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// Not one interaction could be used.
    #[error(
        "the recording has no interaction with a JSON request and a response; is it jsonl, not compressed?"
    )]
    Empty,
}

/// A recorded answer.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The status.
    pub status: u16,
    /// Headers, without those of the connection.
    pub headers: Vec<(String, String)>,
    /// The body as recorded: JSON as it stands in the line, other bodies as their text.
    pub body: Bytes,
}

/// Recorded answers by request body.
#[derive(Debug, Default)]
pub struct Replay {
    answers: BTreeMap<Key, Turns>,
    interactions: usize,
    skipped: usize,
}

/// Hash of a body, and the model; none for answers to any model.
type Key = (Vec<u8>, Option<String>);

#[derive(Debug, Default)]
struct Turns {
    next: AtomicUsize,
    answers: Vec<Recorded>,
}

#[derive(Deserialize)]
struct Line<'a> {
    endpoint: Option<String>,
    request: LineRequest,
    #[serde(borrow)]
    response: Option<LineResponse<'a>>,
}

#[derive(Deserialize)]
struct LineRequest {
    #[serde(default)]
    body_kind: String,
    #[serde(default)]
    body: Value,
}

#[derive(Deserialize)]
struct LineResponse<'a> {
    status: u16,
    #[serde(default)]
    headers: Vec<(String, String)>,
    #[serde(default)]
    body_kind: String,
    #[serde(borrow)]
    body: Option<&'a RawValue>,
}

impl Replay {
    /// Reads a recording. Lines of another format, without a JSON request or without a response are skipped and counted.
    pub fn load(mut lines: impl BufRead) -> Result<Self, ReplayError> {
        let mut replay = Self::default();
        let mut text = String::new();
        let mut number = 0;
        loop {
            text.clear();
            if lines.read_line(&mut text)? == 0 {
                break;
            }
            number += 1;
            if !text.trim().is_empty() {
                replay.add(&text).map_err(|source| ReplayError::Line { line: number, source })?;
            }
        }
        if replay.interactions == 0 { Err(ReplayError::Empty) } else { Ok(replay) }
    }

    fn add(&mut self, text: &str) -> Result<(), serde_json::Error> {
        let line: Line<'_> = serde_json::from_str(text)?;
        let spoken = line.endpoint.is_none_or(|endpoint| ENDPOINTS.contains(&endpoint.as_str()));
        let usable = spoken && line.request.body_kind == "json";
        let Some(response) = line.response.filter(|_| usable) else {
            self.skipped += 1;
            return Ok(());
        };
        let body = match (response.body_kind.as_str(), response.body) {
            ("text", Some(raw)) => Bytes::from(serde_json::from_str::<String>(raw.get())?),
            ("json", Some(raw)) => Bytes::copy_from_slice(raw.get().as_bytes()),
            _ => Bytes::new(),
        };
        let keep = |name: &String| !CONNECTION_HEADERS.contains(&name.to_ascii_lowercase().as_str());
        let headers = response.headers.into_iter().filter(|(name, _)| keep(name)).collect();
        let answer = Recorded { status: response.status, headers, body };
        let hash = canonical(&line.request.body);
        for model in [Some(model_of(&line.request.body)), None] {
            self.answers.entry((hash.clone(), model)).or_default().answers.push(answer.clone());
        }
        self.interactions += 1;
        Ok(())
    }

    /// Returns the next recorded answer to a body; none if it was not recorded.
    #[must_use]
    pub fn answer(&self, body: &[u8]) -> Option<&Recorded> {
        let body: Value = serde_json::from_slice(body).ok()?;
        let hash = canonical(&body);
        let of_model = self.answers.get(&(hash.clone(), Some(model_of(&body))));
        let turns = of_model.or_else(|| self.answers.get(&(hash, None)))?;
        let turn = turns.next.fetch_add(1, Ordering::Relaxed).checked_rem(turns.answers.len())?;
        turns.answers.get(turn)
    }

    /// Returns how many interactions can be replayed.
    #[must_use]
    pub fn interactions(&self) -> usize {
        self.interactions
    }

    /// Returns how many lines were of another format, or had no JSON request or no response.
    #[must_use]
    pub fn skipped(&self) -> usize {
        self.skipped
    }
}

fn model_of(body: &Value) -> String {
    body["model"].as_str().unwrap_or_default().to_owned()
}

/// Writes a body so that two bodies that mean the same are the same bytes: keys sorted, and without those that a proxy
/// may write anew. Hashed, since bodies with images are large.
fn canonical(body: &Value) -> Vec<u8> {
    let mut body = body.clone();
    if let Some(object) = body.as_object_mut() {
        object.retain(|key, _| !IGNORED_KEYS.contains(&key.as_str()));
    }
    body.sort_all_objects();
    ring::digest::digest(&ring::digest::SHA256, body.to_string().as_bytes()).as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &str = concat!(
        r#"{"request":{"body_kind":"json","body":{"model":"a","x":{"p":1,"q":2}}},"response":{"status":200,"headers":[["Content-Length","9"],["x-request-id","r1"]],"body_kind":"json","body":{ "n": 1.50 }}}"#,
        "\n",
        r#"{"request":{"body_kind":"json","body":{"model":"b","x":{"q":2,"p":1}}},"response":{"status":429,"body_kind":"text","body":"data: 1\n\n"}}"#,
        "\n\n",
        r#"{"request":{"body_kind":"empty","body":""},"response":{"status":200}}"#,
        "\n",
        r#"{"endpoint":"messages","request":{"body_kind":"json","body":{"y":1}},"response":{"status":200}}"#,
        "\n",
    );

    #[test]
    fn recorded_bodies_get_their_answers_in_turn_and_byte_for_byte() {
        let replay = Replay::load(LINES.as_bytes()).unwrap();
        assert_eq!((replay.interactions(), replay.skipped()), (2, 2));
        let ask = br#"{"x":{"q":2,"p":1},"model":"other","stream_options":{"include_usage":true}}"#;
        let first = replay.answer(ask).unwrap();
        assert_eq!(first.body, r#"{ "n": 1.50 }"#);
        assert_eq!(first.headers, [("x-request-id".to_owned(), "r1".to_owned())]);
        let second = replay.answer(ask).unwrap();
        assert_eq!((second.status, second.body.as_ref()), (429, b"data: 1\n\n".as_slice()));
        assert_eq!(replay.answer(ask).unwrap().status, 200);
        for _ in 0..2 {
            assert_eq!(replay.answer(br#"{"x":{"q":2,"p":1},"model":"b"}"#).unwrap().status, 429);
        }
        assert!(replay.answer(br#"{"x":1}"#).is_none());
        assert!(replay.answer(b"not json").is_none());
    }

    #[test]
    fn what_is_no_recording_is_refused_with_its_line() {
        let error = Replay::load("{}\n".as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with("line 1 "), "{error}");
        assert!(matches!(Replay::load("".as_bytes()), Err(ReplayError::Empty)));
    }
}
