//! Who may not be asked, at the moment of failing over.

use crate::kit::{Act, Rig, Upstream, eventually, two_providers};

fn failing() -> Act {
    Act::json(503, "", r#"{"error":{"message":"overloaded"}}"#)
}

/// A call whose first provider fails; returns the caller's error and what became of the second provider.
async fn failed_over(yaml: impl Fn(&str) -> String, body: serde_json::Value) -> ((u16, String), String) {
    let (first, second) = (Upstream::start().await, Upstream::start().await);
    let rig = Rig::start(&yaml(&two_providers(&first, &second))).await;
    first.script([failing()]);
    let answer = rig.caller.post(body.to_string()).await;
    let why = rig.control.why(answer.header("x-breakwater-request-id")).await;
    assert_eq!(second.requests().is_empty(), answer.status != 200, "{}", answer.text());
    for hidden in ["kumo", "sovereign", "allowed", "capability", "window"] {
        assert!(!answer.text().contains(hidden), "the caller reads {hidden}: {}", answer.text());
    }
    let second = why.attempts.last().unwrap();
    assert_eq!(second.provider, "second");
    let said = if answer.status == 200 { (200, String::new()) } else { answer.error() };
    (said, format!("{} {}", second.result, second.reason))
}

fn chat(more: &serde_json::Value) -> serde_json::Value {
    let mut body = serde_json::json!({"model": "chat", "messages": [{"role": "user", "content": "hi"}]});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

async fn check(from: &str, to: &str, more: serde_json::Value, expect: &str) {
    let change = |yaml: &str| {
        assert!(yaml.contains(from), "{from}");
        yaml.replace(from, to)
    };
    let (said, second) = failed_over(change, chat(&more)).await;
    assert_eq!(second, expect);
    let said_expected = if expect == "succeeded " { (200, "") } else { (503, "no_provider_available") };
    assert_eq!((said.0, said.1.as_str()), said_expected, "{expect}");
}

#[tokio::test]
async fn a_fallback_that_a_tenant_does_not_allow_sees_nothing() {
    let routes = "routes: [chat, alone]";
    let allow = |more: &str| format!("{routes}, {more}");
    let none = || serde_json::json!({});
    check(routes, &allow("allowed_providers: [first]"), none(), "skipped provider_not_allowed").await;
    check(routes, &allow("allowed_providers: [first, second]"), none(), "succeeded ").await;
}

#[tokio::test]
async fn a_fallback_that_cannot_do_what_the_call_needs_is_skipped() {
    let model = "{name: kumo-large}";
    let tools = serde_json::json!({"tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]});
    let cannot = "{name: kumo-large, capabilities: [vision]}";
    check(model, cannot, tools.clone(), "skipped capability_tools").await;
    check(model, "{name: kumo-large, capabilities: [tools]}", tools.clone(), "succeeded ").await;
    check(model, model, tools, "succeeded ").await;
    let window = "{name: kumo-large, context_window: 50}";
    check(model, window, serde_json::json!({"max_tokens": 50}), "skipped context_window").await;
    check(model, window, serde_json::json!({"max_tokens": 40}), "succeeded ").await;
}

#[tokio::test]
async fn a_provider_that_is_gated_or_loses_its_tag_later_opens_no_path() {
    for (tags_first, tags_second, route, after) in [
        ("", "", "", "tags: [china_gated]"),
        ("tags: [jp_sovereign]", "tags: [jp_sovereign]", "sovereignty: jp_sovereign", "tags: [jp]"),
    ] {
        let (first, second) = (Upstream::start().await, Upstream::start().await);
        let tagged = |second_tags: &str| {
            two_providers(&first, &second)
                .replacen("type: openai\n", &format!("type: openai\n  {tags_first}\n"), 1)
                .replace("type: openai_compatible\n", &format!("type: openai_compatible\n  {second_tags}\n"))
                .replace("aliases: [chat]\n", &format!("aliases: [chat]\n  {route}\n"))
        };
        let rig = Rig::start(&tagged(tags_second)).await;
        // A control plane that admits such a thing is wrong; the proxy refuses it, and keeps what it has.
        let refused = rig.control.publish(&tagged(after));
        eventually("it is refused", || async { !rig.control.nacks().is_empty() }).await;
        let nack = rig.control.nacks().remove(0);
        assert_eq!((nack.revision, nack.running_revision), (refused, refused - 1));
        assert!(format!("{:?}", nack.rejections).contains("spec.fallback_endpoints[0]"), "{nack:?}");
    }
}
