//! Upstreams of four formats that replay recordings: what is asked decides which.

use std::collections::BTreeMap;

use breakwater_tests::corpus::recordings;
use breakwater_tests::upstream::{Asked, Ending, Script, ScriptedLlm};
use bytes::Bytes;
use serde_json::{Value, json};

use crate::truth::{frames, sse, truth};

/// Format, type of the provider, what its base address ends with, and the recordings of the scenes: text, streamed text,
/// calls, streamed calls. Chosen for parallel calls, text before calls, and signatures.
const FORMATS: [(&str, &str, &str, [&str; 4]); 4] = [
    ("chat", "openai_compatible", "/v1", ["0f2c3f390356", "0125dc1cfb46", "431c680797b2", "e2fee3bc64be"]),
    ("messages", "anthropic", "", ["593419bd4788", "8dad7ebefac8", "ebfeb21b4246", "fc85457a4b9a"]),
    ("gemini", "gemini", "/v1beta", ["96d0507782e3", "28c9b092de36", "ae9433ed976a", "94c115a801bf"]),
    ("converse", "bedrock", "", ["70a630fed994", "c1e4b9442ec8", "4055a2d0d2a3", "edc7ab647aa3"]),
];
/// The scenes, in the order of the recordings.
const SCENES: [&str; 4] = ["text", "text_stream", "tools", "tools_stream"];

/// An upstream, and what its recordings say.
pub struct Upstream {
    /// Its format.
    pub format: &'static str,
    /// What its recordings say, by scene.
    pub truths: Value,
    /// The provider for it.
    pub provider: Value,
    /// The server.
    pub llm: ScriptedLlm,
}

/// Starts all of them.
pub async fn start() -> Vec<Upstream> {
    let wanted: Vec<&str> = FORMATS.iter().flat_map(|format| format.3).collect();
    let found = recordings(|recording| {
        recording["id"].as_str().is_some_and(|id| wanted.contains(&id))
            && recording["response"]["status"] == 200
    });
    let mut upstreams = Vec::new();
    for (format, kind, ending, ids) in FORMATS {
        let (mut truths, mut scripts) = (json!({}), BTreeMap::new());
        for (scene, id) in SCENES.into_iter().zip(ids) {
            let recording = found.iter().find(|recording| recording["id"] == id);
            let (script, said) =
                replay(format, recording.unwrap_or_else(|| panic!("{id} is not in the corpus")));
            truths[scene] = said;
            scripts.insert(scene, script);
        }
        let llm = ScriptedLlm::start(move |asked| play(format, &scripts, asked)).await;
        let provider = json!({"provider": {"name": format, "spec": {
            "type": kind, "base_url": format!("http://{}{ending}", llm.addr()),
            "credentials": [{"name": "main", "api_key": "sk-test"}],
            "circuit_breaker": {"threshold": 1000, "open_ttl": "100ms", "failure_ratio": "0%"},
        }}});
        upstreams.push(Upstream { format, truths, provider, llm });
    }
    upstreams
}

/// The recorded answer, and what it says.
fn replay(format: &str, recording: &Value) -> (Script, Value) {
    let response = &recording["response"];
    match (&response["body"], response["body_kind"].as_str()) {
        (Value::String(packed), Some("base64")) => {
            let bytes = base64(packed);
            let said = truth(format, &frames(&bytes));
            let mut script = Script::events(pieces(&bytes), Ending::Complete);
            script.headers = vec![("content-type".into(), "application/vnd.amazon.eventstream".into())];
            (script, said)
        }
        (Value::String(text), _) => {
            (Script::events(pieces(text.as_bytes()), Ending::Complete), truth(format, &sse(text)))
        }
        (body, _) => (Script::json(200, body.to_string()), truth(format, std::slice::from_ref(body))),
    }
}

/// Pieces of an awkward size: frames come cut.
fn pieces(bytes: &[u8]) -> Vec<Bytes> {
    bytes.chunks(97).map(Bytes::copy_from_slice).collect()
}

fn base64(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut out, mut bits, mut held) = (Vec::new(), 0, 0_u32);
    for sign in text.bytes().filter_map(|byte| ALPHABET.iter().position(|sign| *sign == byte)) {
        held = held << 6 | u32::try_from(sign).expect("below 64");
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push(u8::try_from(held >> bits & 0xff).expect("eight bits"));
        }
    }
    out
}

/// What this upstream answers: an error if told so, the text after results of tools, calls if tools are offered, else the text.
fn play(format: &str, scripts: &BTreeMap<&str, Script>, asked: &Asked) -> Script {
    let body = String::from_utf8_lossy(&asked.body);
    let (path, streamed) = match format {
        "chat" => ("/v1/chat/completions", body.contains("\"stream\":true")),
        "messages" => ("/v1/messages", body.contains("\"stream\":true")),
        "gemini" => ("/v1beta/models/", asked.target.contains(":streamGenerateContent")),
        _ => ("/model/", asked.target.ends_with("/converse-stream")),
    };
    if !asked.target.starts_with(path) {
        return refusal(format, &format!("asked at {}", asked.target));
    }
    if body.contains("#refuse") {
        return refusal(format, "this is refused");
    }
    let results = body.matches("result number ").count();
    let calls = match format {
        "chat" => body.matches("\"tool_call_id\"").count(),
        "messages" => body.matches("\"tool_result\"").count(),
        "gemini" => body.matches("\"functionResponse\"").count(),
        _ => body.matches("\"toolResult\"").count(),
    };
    let scene = match (results, calls) {
        (0, 0) if body.contains("Call the tools.") => "tools",
        (0, 0) => "text",
        (results, calls) if results == calls && in_order(&body, results) => "text",
        _ => return refusal(format, &format!("{results} results for {calls} calls: {body}")),
    };
    scripts[format!("{scene}{}", if streamed { "_stream" } else { "" }).as_str()].clone()
}

/// Each result is there, once, and in the order of the calls.
fn in_order(body: &str, results: usize) -> bool {
    let place = |index: usize| body.find(&format!("result number {index} of the tools"));
    let places: Vec<Option<usize>> = (0..results).map(place).collect();
    places.iter().all(Option::is_some) && places.is_sorted()
}

fn refusal(format: &str, why: &str) -> Script {
    let body = match format {
        "chat" => {
            json!({"error": {"message": why, "type": "invalid_request_error", "param": null, "code": "invalid_value"}})
        }
        "messages" => {
            json!({"type": "error", "error": {"type": "invalid_request_error", "message": why}, "request_id": "req_1"})
        }
        "gemini" => json!({"error": {"code": 400, "message": why, "status": "INVALID_ARGUMENT"}}),
        _ => json!({ "message": why }),
    };
    let mut script = Script::json(400, body.to_string());
    if format == "converse" {
        script.headers.push(("x-amzn-errortype".into(), "ValidationException".into()));
    }
    script
}
