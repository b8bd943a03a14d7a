//! Which of our paths is asked for (source of the callers' forms: llm-api.md §1.1, recorded requests of real clients).

use breakwater_dialect::Format;
use breakwater_dialect::pass::Asked;
use http::{Method, Uri};

use super::Door;
use crate::call::State;
use crate::fault::Fault;

/// What stands behind a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// `/`: clients look whether somebody is there.
    Root,
    /// `/api/health/ping`.
    Ping,
    /// `/healthz`.
    Healthz,
    /// `/readyz`.
    Readyz,
    /// `/metrics`.
    Metrics,
    /// A call.
    Call(Door),
}

const GET: &str = "GET, HEAD";

/// Finds what stands behind a path. Errors: nothing, or not for this method.
pub(super) fn find(method: &Method, uri: &Uri) -> Result<Found, Fault> {
    if let Some(state) = state(method, uri) {
        return Ok(Found::Call(Door::State(state)));
    }
    let (found, allow) = of_path(uri.path(), uri.query().unwrap_or_default()).ok_or(Fault::UnknownPath)?;
    if allow.split(", ").any(|allowed| allowed == method.as_str()) {
        Ok(found)
    } else {
        Err(Fault::MethodNotAllowed { allow })
    }
}

/// Reads a call about something that a provider keeps (source: openai-openapi 2.3.0).
fn state(method: &Method, uri: &Uri) -> Option<State> {
    let path = uri.path();
    let below = ["/openai/v1/", "/v1/", "/openai/"].iter().find_map(|root| path.strip_prefix(root))?;
    let segments: Vec<&str> = below.split('/').collect();
    let known = match (method.as_str(), segments.as_slice()) {
        ("GET", ["chat", "completions"]) => true,
        ("GET" | "POST" | "DELETE", ["chat", "completions", id])
        | ("GET", ["chat", "completions", id, "messages"])
        | ("POST", ["responses", id, "cancel"])
        | ("GET", ["responses", id, "input_items"])
        | ("GET" | "DELETE", ["responses", id])
        | ("DELETE", ["models", id]) => !id.is_empty(),
        ("POST", ["responses", "input_tokens" | "compact"]) => true,
        _ => false,
    };
    // A key in the URL is no part of what is asked: it must not reach the provider.
    let pairs = uri.query().unwrap_or_default().split('&').filter(|pair| !pair.starts_with("key="));
    let query = pairs.collect::<Vec<_>>().join("&");
    let query = if query.is_empty() { query } else { format!("?{query}") };
    let safe = |segment: &&str| is_name(&percent_decoded(segment));
    (known && segments.iter().all(safe))
        .then(|| State { method: method.clone(), target: format!("{below}{query}") })
}

/// Whether a segment, decoded, stays one: dots lead out of a path, also where a server decodes an escaped slash, or decodes
/// twice.
fn is_name(segment: &str) -> bool {
    !segment.starts_with('.') && !segment.contains(|c: char| c.is_control() || "/\\%?#".contains(c))
}

fn of_path(path: &str, query: &str) -> Option<(Found, &'static str)> {
    let probe = match path {
        "/" => Found::Root,
        "/api/health/ping" => Found::Ping,
        "/healthz" => Found::Healthz,
        "/readyz" => Found::Readyz,
        "/metrics" => Found::Metrics,
        _ => return call(path, query),
    };
    Some((probe, GET))
}

fn call(path: &str, query: &str) -> Option<(Found, &'static str)> {
    let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
    let door = match segments.as_slice() {
        // Azure's v1 address is OpenAI's under another root; `/openai/responses` is what its older clients call.
        ["v1" | "openai", rest @ ..] | ["openai", "v1", rest @ ..] if openai(rest).is_some() => openai(rest)?,
        ["openai", "deployments", deployment, rest @ ..] => {
            let mut asked = openai_asked(rest)?;
            asked.model = Some(percent_decoded(deployment));
            Door::Call { asked, array: false }
        }
        ["v1", "messages"] => generation(Format::Messages),
        ["v1", "messages", "count_tokens"] => generation(Format::CountTokens),
        ["v1" | "v1beta" | "v1alpha", "models"] => Door::Models(listing(path)),
        ["v1" | "v1beta" | "v1alpha", "models", id @ ..] if !id.concat().is_empty() => {
            return Some(model(&id.join("/"), listing(path), query));
        }
        ["model", id, "converse"] if !id.is_empty() => converse(id, false),
        ["model", id, "converse-stream"] if !id.is_empty() => converse(id, true),
        _ => return None,
    };
    let allow = if matches!(door, Door::Models(_)) { "GET" } else { "POST" };
    Some((Found::Call(door), allow))
}

/// Whose form a listing has by its path alone.
fn listing(path: &str) -> Format {
    if path.starts_with("/v1/") || path.starts_with("/openai/") { Format::Chat } else { Format::Gemini }
}

fn openai(rest: &[&str]) -> Option<Door> {
    match rest {
        ["models"] => Some(Door::Models(Format::Chat)),
        rest => openai_asked(rest).map(|asked| Door::Call { asked, array: false }),
    }
}

fn openai_asked(rest: &[&str]) -> Option<Asked> {
    let format = match rest {
        ["chat", "completions"] => Format::Chat,
        ["responses"] => Format::Responses,
        ["completions"] => Format::Completions,
        ["embeddings"] => Format::Embeddings,
        ["moderations"] => Format::Moderations,
        _ => return None,
    };
    Some(Asked { format, model: None, stream: None })
}

fn generation(format: Format) -> Door {
    Door::Call { asked: Asked { format, model: None, stream: None }, array: false }
}

/// A model by its name, or Gemini's `{model}:{method}`, which stands behind the same path.
fn model(id: &str, listing: Format, query: &str) -> (Found, &'static str) {
    let gemini = |model: &str, stream: bool| {
        let asked =
            Asked { format: Format::Gemini, model: Some(percent_decoded(model)), stream: Some(stream) };
        let array = stream && !query.split('&').any(|pair| pair == "alt=sse");
        (Found::Call(Door::Call { asked, array }), "POST")
    };
    match id.rsplit_once(':') {
        Some((model, "generateContent")) => gemini(model, false),
        Some((model, "streamGenerateContent")) => gemini(model, true),
        _ => (Found::Call(Door::Model(percent_decoded(id), listing)), "GET"),
    }
}

fn converse(id: &str, stream: bool) -> Door {
    let asked = Asked { format: Format::Converse, model: Some(percent_decoded(id)), stream: Some(stream) };
    Door::Call { asked, array: false }
}

/// Decodes `%2F` and its like; what is no such escape, or no UTF-8, stays or becomes the replacement character, and then
/// names no model.
pub(super) fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = match (first, after) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)).map(|(high, low)| high * 16 + low),
            _ => None,
        };
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: Method, path: &str, expect: Result<Found, Fault>) {
        let uri: Uri = path.parse().unwrap();
        assert_eq!(find(&method, &uri), expect, "{method} {path}");
    }

    fn asks(path: &str, format: Format, model: Option<&str>, stream: Option<bool>, array: bool) {
        let asked = Asked { format, model: model.map(str::to_owned), stream };
        check(Method::POST, path, Ok(Found::Call(Door::Call { asked, array })));
    }

    #[test]
    fn paths_and_methods_lead_where_they_should() {
        check(Method::HEAD, "/", Ok(Found::Root));
        check(Method::GET, "/api/health/ping", Ok(Found::Ping));
        check(Method::GET, "/v1/models", Ok(Found::Call(Door::Models(Format::Chat))));
        check(Method::GET, "/v1beta/models", Ok(Found::Call(Door::Models(Format::Gemini))));
        check(Method::GET, "/openai/v1/models", Ok(Found::Call(Door::Models(Format::Chat))));
        let model = |id: &str| Ok(Found::Call(Door::Model(id.to_owned(), Format::Chat)));
        check(Method::GET, "/v1/models/a%2Fb", model("a/b"));
        check(Method::GET, "/v1/models/a/b", model("a/b"));
        check(Method::GET, "/v1/models/llama3:8b", model("llama3:8b"));
        check(Method::PUT, "/v1/chat/completions", Err(Fault::MethodNotAllowed { allow: "POST" }));
        check(Method::DELETE, "/v1/models", Err(Fault::MethodNotAllowed { allow: "GET" }));
        check(Method::GET, "/v1/models/", Err(Fault::UnknownPath));
        check(Method::POST, "/v1/files", Err(Fault::UnknownPath));
        check(Method::GET, "/../etc/passwd", Err(Fault::UnknownPath));
    }

    #[test]
    fn every_clients_path_is_known() {
        asks("/v1/chat/completions", Format::Chat, None, None, false);
        asks("/v1/responses", Format::Responses, None, None, false);
        asks("/v1/completions", Format::Completions, None, None, false);
        asks("/v1/embeddings", Format::Embeddings, None, None, false);
        asks("/v1/moderations", Format::Moderations, None, None, false);
        asks("/v1/messages?beta=true", Format::Messages, None, None, false);
        asks("/v1/messages/count_tokens?beta=true", Format::CountTokens, None, None, false);
        asks("/openai/v1/responses", Format::Responses, None, None, false);
        asks("/openai/responses?api-version=1", Format::Responses, None, None, false);
        asks(
            "/openai/deployments/my%20gpt/chat/completions?api-version=2024-10-21",
            Format::Chat,
            Some("my gpt"),
            None,
            false,
        );
        asks("/v1beta/models/g:generateContent", Format::Gemini, Some("g"), Some(false), false);
        asks("/v1/models/g:streamGenerateContent?alt=sse", Format::Gemini, Some("g"), Some(true), false);
        asks("/v1beta/models/g:streamGenerateContent", Format::Gemini, Some("g"), Some(true), true);
        asks("/model/us.a.b-v1%3A0/converse", Format::Converse, Some("us.a.b-v1:0"), Some(false), false);
        asks("/model/a/converse-stream", Format::Converse, Some("a"), Some(true), false);
    }

    #[test]
    fn what_a_provider_keeps_is_told_apart_and_cannot_be_left() {
        let state = |method: Method, path: &str, target: &str| {
            let state = State { method: method.clone(), target: target.to_owned() };
            check(method, path, Ok(Found::Call(Door::State(state))));
        };
        state(Method::GET, "/v1/responses/resp_1?include=x", "responses/resp_1?include=x");
        state(Method::POST, "/v1/responses/resp_1/cancel", "responses/resp_1/cancel");
        state(Method::DELETE, "/openai/v1/responses/resp_1", "responses/resp_1");
        state(Method::GET, "/v1/chat/completions?limit=1", "chat/completions?limit=1");
        state(Method::DELETE, "/v1/models/ft:1", "models/ft:1");
        state(Method::GET, "/v1/responses/resp_1?key=bw-1&stream=true", "responses/resp_1?stream=true");
        state(Method::GET, "/v1/responses/resp_1?key=bw-1", "responses/resp_1");
        check(Method::GET, "/v1/responses/..", Err(Fault::UnknownPath));
        check(Method::GET, "/v1/responses/%2e%2E/input_items", Err(Fault::UnknownPath));
        for id in [
            "..%2ffiles",
            "%2e%2e%2Ffiles",
            "a%2f..%2f..%2ffiles",
            "..%5cfiles",
            "%252e%252e",
            "a%3fb",
            "..;",
        ] {
            check(Method::GET, &format!("/v1/responses/{id}"), Err(Fault::UnknownPath));
        }
        check(Method::GET, "/v1/responses/", Err(Fault::UnknownPath));
    }

    #[test]
    fn bad_escapes_do_not_panic() {
        for text in ["%", "%2", "%zz", "a%", "%ff", "%2f%2"] {
            assert!(!percent_decoded(text).is_empty());
        }
        assert_eq!(percent_decoded("%41b%2"), "Ab%2");
    }
}
