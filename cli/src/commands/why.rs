//! `why`: what became of one call, and why. Codes and counts; the proxies keep no text.

use serde_json::{Value, json};

use super::{Context, list, text};
use crate::{
    failure::Failure,
    table::{Table, card},
};

pub(super) async fn run(context: &Context, request_id: &str) -> Result<(), Failure> {
    let reply = context
        .connect()
        .await?
        .read("FleetService", "ExplainCall", &json!({"request_id": request_id}))
        .await?;
    context.output.data(&reply, || story(&reply));
    Ok(())
}

/// Tokens read and written, with those of them that are told apart; empty if the provider said none.
fn tokens(call: &Value) -> String {
    let count = |pointer| text(call, pointer);
    if count("/prompt_tokens").is_empty() {
        return String::new();
    }
    let whose = if call["usage_estimated"] == Value::Bool(true) { ", estimated here" } else { "" };
    format!(
        "{} in ({} from a cache), {} out ({} of reasoning){whose}",
        count("/prompt_tokens"),
        count("/cached_tokens"),
        count("/output_tokens"),
        count("/reasoning_tokens")
    )
}

/// US dollars, to the millionth; empty if there is no price.
fn cost(call: &Value) -> String {
    let microdollars = text(call, "/cost_microdollars").parse::<u64>();
    microdollars.map(|cost| format!("${}.{:06}", cost / 1_000_000, cost % 1_000_000)).unwrap_or_default()
}

fn story(call: &Value) -> String {
    let rule = match call["rule"].as_u64() {
        Some(rule) => format!("rule {rule} of the route"),
        None => "the route's own chain".to_owned(),
    };
    let milliseconds = |pointer| match text(call, pointer).as_str() {
        "" => String::new(),
        number => format!("{number} ms"),
    };
    let mut story = card(&[
        ("call", text(call, "/request_id")),
        ("at", text(call, "/start_time")),
        ("proxy", text(call, "/proxy")),
        ("tenant", text(call, "/tenant")),
        ("asked for", text(call, "/alias")),
        ("route", text(call, "/route")),
        ("chosen by", rule),
        ("ruleset", format!("revision {}", text(call, "/revision"))),
        ("streamed", text(call, "/stream")),
        ("answer", [text(call, "/status"), text(call, "/code")].join(" ").trim().to_owned()),
        ("refused by", text(call, "/limit")),
        ("ending", text(call, "/ending")),
        ("first byte", milliseconds("/first_byte_ms")),
        ("duration", milliseconds("/duration_ms")),
        ("tokens", tokens(call)),
        ("cost", cost(call)),
    ]);
    let attempts = list(call, "attempts");
    if !attempts.is_empty() {
        let mut table = Table::new(&["PROVIDER", "MODEL", "RESULT", "REASON", "STATUS", "MS"]);
        for attempt in attempts {
            let cells = ["/provider", "/model", "/result", "/reason", "/status", "/duration_ms"];
            table.row(cells.map(|pointer| text(attempt, pointer)));
        }
        story.push_str(&format!("\nattempts, in order:\n{}", table.render()));
    }
    let findings = list(call, "findings");
    if !findings.is_empty() {
        let mut table = Table::new(&["POLICY", "GUARDRAIL", "SIDE", "FOUND", "TIMES", "VERDICT", "ACTED ON"]);
        for finding in findings {
            let cells = ["/policy", "/guardrail", "/side", "/category", "/count", "/verdict", "/enforced"];
            table.row(cells.map(|pointer| text(finding, pointer)));
        }
        story.push_str(&format!("\nfindings of guardrails:\n{}", table.render()));
    }
    story
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_story_tells_answer_attempts_and_findings() {
        let call = json!({"request_id": "r", "alias": "assistant", "status": 200, "code": "", "revision": 4,
            "duration_ms": 12, "rule": null, "stream": true,
            "attempts": [{"provider": "a", "model": "m", "result": "failed", "reason": "status_503", "status": 503, "duration_ms": 3}],
            "findings": [{"policy": "p", "guardrail": "pii", "side": "input", "category": "email", "count": 1,
                "verdict": "redact", "enforced": true}]});
        let story = story(&call);
        for part in ["answer:     200\n", "12 ms", "the route's own chain", "status_503", "email"] {
            assert!(story.contains(part), "{part}: {story}");
        }
    }
}
