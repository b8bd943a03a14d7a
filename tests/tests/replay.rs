//! Recorded traffic of real clients and real providers, through the proxy: what reaches the upstream is what was recorded, what
//! reaches the client is what was recorded, apart from the alias and what the contract hides. Prints a table of counts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use breakwater_tests::caller::Answer;
use breakwater_tests::cluster::Cluster;
use breakwater_tests::corpus::recordings;
use breakwater_tests::manifests::tenant;
use breakwater_tests::upstream::{Asked, Ending, Script, ScriptedLlm};
use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

/// How a streamed answer is cut into pieces on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Chunking {
    Whole,
    PerEvent,
    /// Sizes 1 to 97 by a fixed seed.
    Random,
    OneByte,
}

fn chunks(text: &str, chunking: Chunking) -> Vec<Bytes> {
    let bytes = text.as_bytes();
    match chunking {
        Chunking::Whole => vec![Bytes::copy_from_slice(bytes)],
        Chunking::PerEvent => {
            text.split_inclusive("\n\n").map(|event| Bytes::copy_from_slice(event.as_bytes())).collect()
        }
        Chunking::OneByte => bytes.iter().map(|byte| Bytes::copy_from_slice(&[*byte])).collect(),
        Chunking::Random => {
            let (mut rest, mut seed, mut out) = (bytes, 0x9e37_79b9_u32, Vec::new());
            while !rest.is_empty() {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let (piece, after) = rest.split_at(rest.len().min(1 + (seed >> 16) as usize % 97));
                out.push(Bytes::copy_from_slice(piece));
                rest = after;
            }
            out
        }
    }
}

/// The recorded answer as a script.
fn script(recording: &Value, chunking: Chunking) -> Script {
    let response = &recording["response"];
    let status = u16::try_from(response["status"].as_u64().expect("a status")).expect("a small number");
    let mut script = match &response["body"] {
        Value::String(text) => Script::events(chunks(text, chunking), Ending::Complete),
        body => Script::json(status, body.to_string()),
    };
    script.status = status;
    // What the vendor's servers add; none of it may reach the caller.
    for (name, value) in
        [("openai-organization", "org-1"), ("x-ms-region", "eu"), ("server", "vendor"), ("cf-ray", "1")]
    {
        script.headers.push((name.into(), value.into()));
    }
    script
}

/// What the caller must get: the recorded bytes, with the alias for the model, without what names a vendor.
fn expected(recording: &Value, alias: &str, id: &str) -> String {
    let asked = asked_for_usage(recording);
    match &recording["response"]["body"] {
        Value::String(text) => {
            let mut out = String::new();
            for event in text.split_inclusive("\n\n") {
                match serde_json::from_str::<Value>(
                    event.strip_prefix("data: ").unwrap_or_default().trim_end(),
                ) {
                    Ok(json) if !asked && json["choices"] == json!([]) && json["usage"].is_object() => {}
                    Ok(json) if asked => out.push_str(&with_alias(event, &json, alias, id)),
                    Ok(json) => {
                        out.push_str(&with_alias(event, &json, alias, id).replacen(",\"usage\":null", "", 1))
                    }
                    Err(_) => out.push_str(event),
                }
            }
            out
        }
        body => {
            let mut body = body.clone();
            if let Some(model) = body.get_mut("model") {
                *model = json!(alias);
            }
            let text = own(&body.to_string(), &body, id);
            without_judges(&text, &body, alias)
        }
    }
}

/// Whether the caller asked for usage. If not, the proxy asks for itself, and takes out of the stream what that adds.
fn asked_for_usage(recording: &Value) -> bool {
    recording.pointer("/request/body/stream_options/include_usage") == Some(&json!(true))
}

/// Members of answers by which OpenAI and Azure are known; the same of choices, and of usage (source: the recordings).
const VENDORS: [&str; 5] =
    ["provider", "system_fingerprint", "x_groq", "prompt_filter_results", "latency_checkpoint"];
const OF_CHOICES: [&str; 5] = [
    "content_filter_results",
    "content_filter_result",
    "content_filter_raw",
    "content_filter_offsets",
    "native_finish_reason",
];
const OF_USAGE: [&str; 6] =
    ["latency_checkpoint", "num_sources_used", "cost", "cost_in_usd_ticks", "cost_details", "is_byok"];

fn members<'a>(object: &'a Value, keys: &'a [&'a str]) -> impl Iterator<Item = &'a str> {
    keys.iter().copied().filter(|key| object.get(*key).is_some())
}

/// The text without the first member of a name, and without its comma.
fn without_member(text: &str, key: &str) -> String {
    let name = format!("\"{key}\":");
    let Some(start) = text.find(&name) else { return text.to_owned() };
    let mut value = serde_json::Deserializer::from_str(&text[start + name.len()..]).into_iter::<Value>();
    let _read = value.next().expect("a member has a value").expect("the recording is JSON");
    let end = start + name.len() + value.byte_offset();
    match text[..start].trim_end().strip_suffix(',') {
        Some(before) => format!("{before}{}", &text[end..]),
        None => format!("{}{}", &text[..start], text[end..].trim_start_matches(',').trim_start()),
    }
}

/// The text with the call's own id, and without the fields by which a vendor is known: the contract hides both.
fn own(text: &str, answer: &Value, id: &str) -> String {
    let mut text = text.to_owned();
    if let Some(recorded) = answer.get("id") {
        for colon in [":", ": "] {
            text = text.replacen(&format!("\"id\"{colon}{recorded}"), &format!("\"id\"{colon}\"{id}\""), 1);
        }
    }
    let choices = answer["choices"].as_array().into_iter().flatten();
    let of_choices = choices.flat_map(|choice| members(choice, &OF_CHOICES));
    let of_usage = members(&answer["usage"], &OF_USAGE);
    members(answer, &VENDORS)
        .chain(of_usage)
        .chain(of_choices)
        .fold(text, |text, key| without_member(&text, key))
}

fn with_alias(line: &str, event: &Value, alias: &str, id: &str) -> String {
    let Some(model) = event.get("model").and_then(Value::as_str) else { return line.to_owned() };
    let line = &without_judges(&own(line, event, id), event, alias);
    for colon in ["\"model\":", "\"model\": "] {
        let recorded = format!("{colon}\"{model}\"");
        if line.contains(&recorded) {
            return line.replacen(&recorded, &format!("{colon}\"{alias}\""), 1);
        }
    }
    panic!("the recording names its model: {line}");
}

/// The text with the alias for the models that a moderated answer says it was judged by, for each side and each result.
fn without_judges(text: &str, answer: &Value, alias: &str) -> String {
    let sides = ["input", "output"].into_iter().filter_map(|side| answer.get("moderation")?.get(side));
    let judged = sides.flat_map(|side| {
        let results = side.get("results").and_then(Value::as_array);
        std::iter::once(side).chain(results.into_iter().flatten())
    });
    judged.filter_map(|judged| judged.get("model")?.as_str()).fold(text.to_owned(), |text, judge| {
        text.replace(&format!("\"model\":\"{judge}\""), &format!("\"model\":\"{alias}\""))
    })
}

/// The request that the upstream must see: the recorded one, but for `model` and an injected `stream_options`.
fn same_request(recording: &Value, asked: &Asked) -> Result<(), String> {
    let recorded = &recording["request"]["body"];
    let mut seen: Value =
        serde_json::from_slice(&asked.body).map_err(|error| format!("upstream got no JSON: {error}"))?;
    if recorded.get("stream_options").is_none() {
        seen.as_object_mut().ok_or("upstream got no object")?.shift_remove("stream_options");
    }
    let mut wanted = recorded.clone();
    wanted["model"] = seen["model"].clone();
    // Text compare: the order of keys counts too, for the vendors' prompt caches.
    let (seen, wanted) = (seen.to_string(), wanted.to_string());
    if seen == wanted { Ok(()) } else { Err(format!("request differs:\n  seen   {seen}\n  wanted {wanted}")) }
}

/// Why an interaction is not compared byte by byte; none if it is.
fn exception(recording: &Value) -> Option<&'static str> {
    let status = recording["response"]["status"].as_u64().unwrap_or_default();
    match status {
        401 | 403 | 429 | 500.. => {
            Some("the provider's own failure: the chain goes on, the caller gets the gateway's error")
        }
        404 => Some("the provider does not know the route's model: the operator's error, 502 to the caller"),
        400..=499 => Some("a caller's error: status and code pass, the text is scrubbed of vendor names"),
        _ => None,
    }
}

fn compare(recording: &Value, alias: &str, answer: &Answer) -> Result<&'static str, String> {
    for name in answer.headers.keys() {
        if ["openai-organization", "x-ms-region", "server", "cf-ray"].contains(&name.as_str()) {
            return Err(format!("the header {name} reached the caller"));
        }
    }
    let recorded = recording["response"]["status"].as_u64().unwrap_or_default();
    match (recorded, exception(recording)) {
        (400..=499, Some(reason)) if ![401, 403, 404, 429].contains(&recorded) => {
            let error = answer.json()["error"].clone();
            let code = |value: &Value| value.pointer("/code").map(ToString::to_string);
            let same_code = code(&error) == code(&recording["response"]["body"]["error"]);
            if u64::from(answer.status.as_u16()) == recorded && same_code && error["message"].is_string() {
                return Ok(reason);
            }
            Err(format!("{recorded} became {} {}", answer.status, answer.text()))
        }
        (404, Some(reason)) => {
            if (answer.status.as_u16(), answer.code().as_str()) == (502, "upstream_unavailable") {
                return Ok(reason);
            }
            Err(format!("404 became {} {}", answer.status, answer.text()))
        }
        (_, Some(reason)) => {
            let code = answer.code();
            if ["upstream_unavailable", "rate_limited", "no_provider_available"].contains(&code.as_str()) {
                return Ok(reason);
            }
            Err(format!("{recorded} became {} {}", answer.status, answer.text()))
        }
        (_, None) => {
            let call = answer.headers["x-breakwater-request-id"].to_str().expect("an id is ASCII");
            let call = call.trim_start_matches("bwr-");
            let wanted = expected(recording, alias, &format!("chatcmpl-{call}"));
            if u64::from(answer.status.as_u16()) == recorded && answer.body == wanted.as_bytes() {
                let whole = recording["response"]["body"]
                    .as_str()
                    .is_none_or(|text| !text.contains("\"usage\":null"));
                let unasked = !whole && !asked_for_usage(recording);
                return Ok(if unasked {
                    "byte-equal without the usage nobody asked for"
                } else {
                    "byte-equal"
                });
            }
            Err(format!("answer differs ({}): {}", answer.status, first_difference(&answer.text(), &wanted)))
        }
    }
}

/// Where two texts part, with what follows in each.
fn first_difference(got: &str, wanted: &str) -> String {
    let same = got.chars().zip(wanted.chars()).take_while(|(one, other)| one == other).count();
    let from = |text: &str| text.chars().skip(same.saturating_sub(80)).take(600).collect::<String>();
    format!("from character {same} on:\n  got    {:?}\n  wanted {:?}", from(got), from(wanted))
}

/// Names the provider and the route of an interaction: those of its vendor, or its own if the answer has its credential left
/// alone, which the next interaction would suffer from.
fn alias(index: usize, recording: &Value) -> String {
    let vendor = recording["provider"].as_str().expect("it was filtered by it");
    match recording["response"]["status"].as_u64() {
        Some(401 | 402 | 403 | 429) => format!("{vendor}-{index}"),
        _ => vendor.to_owned(),
    }
}

fn provider(name: &str, kind: &str, base_url: String) -> Value {
    let mut spec = json!({
        "type": kind, "base_url": base_url,
        "credentials": [{"name": "main", "api_key": "sk-test"}],
        "circuit_breaker": {"threshold": 1000, "open_ttl": "100ms", "failure_ratio": "0%"},
    });
    if kind == "azure_openai" {
        spec["api_version"] = json!("2024-10-21");
    }
    json!({"provider": {"name": name, "spec": spec}})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recorded_chat_completions_pass_unchanged() {
    let all = recordings(|recording| {
        ["openai", "azure"].contains(&recording["provider"].as_str().unwrap_or_default())
            && recording["endpoint"] == "chat.completions"
            && recording["request"]["body_kind"] == "json"
            && recording["complete"] != false
    });
    assert!(all.len() > 900, "the corpus has them: {}", all.len());
    let next: Arc<Mutex<Script>> = Arc::new(Mutex::new(Script::chat("unused")));
    let play = Arc::clone(&next);
    let llm =
        ScriptedLlm::start(move |_| play.lock().expect("no test panics while it holds this").clone()).await;
    let (mut resources, mut routes) = (Vec::new(), Vec::new());
    for name in
        all.iter().enumerate().map(|(index, recording)| alias(index, recording)).collect::<BTreeSet<_>>()
    {
        let (kind, base) = if name.starts_with("azure") { ("azure_openai", "") } else { ("openai", "/v1") };
        resources.push(provider(&name, kind, format!("http://{}{base}", llm.addr())));
        let endpoint = json!({"provider": name, "model": "upstream-model"});
        resources.push(json!({"route": {"name": name, "spec": {"endpoint": endpoint}}}));
        routes.push(name);
    }
    let routes: Vec<&str> = routes.iter().map(String::as_str).collect();
    resources.push(tenant("acme", &routes));
    let cluster = Cluster::start(resources).await;
    let caller = cluster.caller();
    let mut table: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut failures = Vec::new();
    for (index, recording) in all.iter().enumerate() {
        let alias = &alias(index, recording);
        let vendor = recording["provider"].as_str().expect("it was filtered by it");
        let streamed =
            recording["response"]["body"].is_string() && recording["response"]["body_kind"] == "text";
        let ways: &[Chunking] = if streamed {
            &[Chunking::Whole, Chunking::PerEvent, Chunking::Random, Chunking::OneByte]
        } else {
            &[Chunking::Whole]
        };
        for chunking in ways {
            *next.lock().expect("no test panics while it holds this") = script(recording, *chunking);
            let mut body = recording["request"]["body"].clone();
            body["model"] = json!(alias);
            let answer = caller.call(Method::POST, "/v1/chat/completions", body.to_string()).await;
            let asked = llm.asked().pop().expect("the upstream was asked");
            let kind =
                if streamed { format!("{vendor} streamed, {chunking:?}") } else { format!("{vendor} plain") };
            let outcome = same_request(recording, &asked).and_then(|()| compare(recording, alias, &answer));
            let row = match outcome {
                Ok(row) => row.to_owned(),
                Err(why) => {
                    failures.push(format!("{} ({kind}): {why}", recording["id"]));
                    "FAILED".to_owned()
                }
            };
            *table.entry((kind, row)).or_default() += 1;
        }
    }
    println!("{:>6}  {:<28} outcome", "count", "interactions");
    for ((kind, row), count) in &table {
        println!("{count:>6}  {kind:<28} {row}");
    }
    println!("{:>6}  recorded interactions", all.len());
    let shown: Vec<String> = failures.iter().take(5).map(|why| why.chars().take(3000).collect()).collect();
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), shown.join("\n\n"));
    cluster.shutdown().await;
}
