//! The recordings of this format, for tests.

use serde_json::Value;

/// A recorded call.
#[derive(Debug, serde::Deserialize)]
pub(super) struct Recording {
    pub(super) id: String,
    pub(super) provider: String,
    pub(super) endpoint: String,
    pub(super) stream: Option<String>,
    pub(super) request: Asked,
    pub(super) response: Answered,
}

#[derive(Debug, serde::Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    pub(super) body: Value,
}

#[derive(Debug, serde::Deserialize)]
pub(super) struct Answered {
    pub(super) status: u16,
    #[serde(default)]
    pub(super) body: Value,
}

fn shared(path: &str) -> Vec<u8> {
    let root = option_env!("BREAKWATER_SHARED")
        .map_or_else(|| format!("{}/../../../shared", env!("CARGO_MANIFEST_DIR")), ToOwned::to_owned);
    let path = format!("{root}/corpus/{path}");
    #[allow(clippy::disallowed_methods, reason = "tests read recordings")]
    std::fs::read(&path).unwrap_or_else(|error| panic!("the corpus is needed at {path}: {error}"))
}

/// Returns the recordings of chat completions.
pub(super) fn recordings() -> Vec<Recording> {
    let text = zstd::decode_all(shared("recordings.jsonl.zst").as_slice()).expect("zstd");
    String::from_utf8(text)
        .expect("text")
        .lines()
        .filter(|line| line.contains(r#""chat.completions""#))
        .map(|line| serde_json::from_str::<Recording>(line).expect("a recording"))
        .filter(|recording| recording.endpoint == "chat.completions")
        .collect()
}

impl Recording {
    pub(super) fn is_ok(&self) -> bool {
        self.response.status == 200
    }

    pub(super) fn text(&self) -> &str {
        self.response.body.as_str().unwrap_or_default()
    }
}
