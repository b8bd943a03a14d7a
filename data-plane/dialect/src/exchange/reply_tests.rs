use breakwater_common::resource::{Guardrail, GuardrailCheck, Mode, PiiEntity, Policy, Sides};

use super::test_kit::exchange;
use super::*;
use breakwater_common::resource::Action;

const ANSWER: &str = r#"{"id":"chatcmpl-0123","object":"chat.completion","created":1,"model":"gpt-4o-2024","provider":"Acme",
 "choices":[{"index":0,"message":{"role":"assistant","content":"mail a@b.com","refusal":null},"logprobs":{"content":[]},"finish_reason":"stop"},
 {"index":1,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"call_ab","type":"function","function":{"name":"f","arguments":"{\"q\":\"AKIAIOSFODNN7EXAMPLE\"}"}}]},"logprobs":null,"finish_reason":"tool_calls"}],
 "usage":{"prompt_tokens":5,"completion_tokens":7,"total_tokens":12,"prompt_tokens_details":{"cached_tokens":3}}}"#;

fn guards(secrets: Action) -> Option<Arc<CompiledGuards>> {
    let guardrail = |name: &str, check, action| Guardrail {
        name: name.to_owned(),
        check,
        sides: Sides { input: false, output: true },
        action,
        fail_open: false,
    };
    let guardrails = vec![
        guardrail("pii", GuardrailCheck::Pii(PiiEntity::ALL.to_vec()), Action::Redact),
        guardrail("secrets", GuardrailCheck::Secrets, secrets),
    ];
    let policy = Policy { mode: Mode::Enforce, guardrails };
    Some(Arc::new(CompiledGuards::compile(&[("p", &policy)]).unwrap()))
}

fn rewrite(guards: Option<Arc<CompiledGuards>>, body: &str) -> Result<Reply, Garbage> {
    exchange("prod-chat", guards, true).reply(&Bytes::copy_from_slice(body.as_bytes()))
}

#[test]
fn the_caller_sees_the_alias_and_no_vendor() {
    let reply = rewrite(None, ANSWER).unwrap();
    let expect = ANSWER.replace("gpt-4o-2024", "prod-chat").replace(r#","provider":"Acme""#, "");
    assert_eq!(reply.body, expect);
    let usage = reply.usage.unwrap();
    assert_eq!((usage.prompt(), usage.output, usage.cache_read), (5, 7, 3));
    let mut revealed = exchange("m", None, true);
    revealed.caller.reveal_provider = true;
    let body = revealed.reply(&Bytes::from_static(ANSWER.as_bytes())).unwrap().body;
    assert_eq!(body, ANSWER.replace("gpt-4o-2024", "m"));
}

#[test]
fn nested_names_of_models_give_way_to_the_alias_and_all_else_stays() {
    let side =
        r#"{"type":"moderation_results","model":"VENDOR","results":[{"flagged":false,"model":"VENDOR"}]}"#;
    let filters = r#""prompt_filter_results":[{"prompt_index":0,"content_filter_results":{"hate":{"filtered":false}}}]"#;
    let answer = format!(
        r#"{{"model":"VENDOR","choices":[{{"index":0,"message":{{"content":"VENDOR"}}}}],"moderation":{{"input":{side},"output":{side},"note":null}},{filters}}}"#
    );
    let upstream = answer.replace("VENDOR", "omni-moderation-2024");
    let expect = answer
        .replace(&format!(",{filters}"), "")
        .replace(r#""model":"VENDOR""#, r#""model":"prod-chat""#)
        .replace("VENDOR", "omni-moderation-2024");
    assert_eq!(rewrite(None, &upstream).unwrap().body, expect);
    for other in [r#"null"#, r#""x""#, r#"[{"model":1}]"#, r#"{"input":{"type":"error"},"output":[]}"#] {
        let odd = format!(r#"{{"model":"prod-chat","choices":[{{"index":0}}],"moderation":{other}}}"#);
        assert_eq!(rewrite(None, &odd).unwrap().body, odd);
    }
}

#[test]
fn opaque_by_alias_what_a_vendor_adds_goes_and_a_route_that_reveals_keeps_it() {
    let chat = r#"{"model":"m","choices":[{"native_finish_reason":"end_turn","index":0,"message":{"content":"x"},"seed":7}],"citations":["https://a"],"service_tier":"on_demand","usage":{"queue_time":0.1,"prompt_tokens":1,"cost":0.2},"x_groq":{"id":"req_1"}}"#;
    let expect = r#"{"model":"m","choices":[{"index":0,"message":{"content":"x"}}],"citations":["https://a"],"service_tier":"default","usage":{"prompt_tokens":1}}"#;
    let response = r#"{"object":"response","model":"m","output":[],"billing":{"payer":"d"},"usage":{"input_tokens":1,"num_sources_used":0}}"#;
    let message =
        r#"{"model":"m","content":[],"usage":{"input_tokens":1,"inference_geo":"us","output_tokens":2}}"#;
    let gemini = r#"{"candidates":[],"usageMetadata":{"promptTokenCount":1,"trafficType":"ON_DEMAND"},"createTime":"2026"}"#;
    let converse = r#"{"output":{"message":{"content":[]}},"trace":{"promptRouter":{"invokedModelId":"arn:x"},"guardrail":{}}}"#;
    for (format, came, expect) in [
        (Format::Chat, chat, expect),
        (
            Format::Responses,
            response,
            r#"{"object":"response","model":"m","output":[],"usage":{"input_tokens":1}}"#,
        ),
        (
            Format::Messages,
            message,
            r#"{"model":"m","content":[],"usage":{"input_tokens":1,"output_tokens":2}}"#,
        ),
        (Format::Gemini, gemini, r#"{"candidates":[],"usageMetadata":{"promptTokenCount":1}}"#),
        (Format::Converse, converse, r#"{"output":{"message":{"content":[]}},"trace":{"guardrail":{}}}"#),
    ] {
        let mut exchange = Exchange { client: format, provider: format, ..exchange("m", None, true) };
        let body = Bytes::from_static(came.as_bytes());
        assert_eq!(exchange.reply(&body).unwrap().body, expect, "{format:?}");
        exchange.caller.reveal_provider = true;
        assert_eq!(exchange.reply(&body).unwrap().body, came, "{format:?}");
    }
}

#[test]
fn every_choice_is_masked_and_its_logprobs_go() {
    let reply = rewrite(guards(Action::Redact), ANSWER).unwrap();
    let text = String::from_utf8(reply.body.to_vec()).unwrap();
    let expect = ANSWER
        .replace("gpt-4o-2024", "prod-chat")
        .replace(r#","provider":"Acme""#, "")
        .replace("a@b.com", "[EMAIL]")
        .replace("AKIAIOSFODNN7EXAMPLE", "[SECRET]")
        .replace(r#"{"content":[]}"#, "null");
    assert_eq!(text, expect);
    assert_eq!(reply.findings.len(), 2);
}

#[test]
fn a_block_in_any_choice_empties_all() {
    let reply = rewrite(guards(Action::Block), ANSWER).unwrap();
    assert_eq!(reply.blocked.unwrap().category, "aws_access_key");
    let body: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(body["choices"][1]["message"]["content"], serde_json::Value::Null);
    assert_eq!(body["usage"]["total_tokens"], 12);
    let text = String::from_utf8(reply.body.to_vec()).unwrap();
    assert!(!text.contains("a@b.com") && !text.contains("AKIA"));
}

#[test]
fn text_in_fields_that_are_not_known_is_read() {
    let body = r#"{"choices":[{"message":{"content":"x","new_field":[{"deep":"a@b.com"}]}}]}"#;
    assert_eq!(rewrite(guards(Action::Block), body).unwrap().body, body.replace("a@b.com", "[EMAIL]"));
}

#[test]
fn what_is_not_the_format_is_garbage() {
    for body in [
        "",
        "<html>",
        "{}",
        r#"{"choices":{}}"#,
        r#"{"choices":[]}"#,
        r#"{"error":{"message":"x"}}"#,
        r#"{"choices":["#,
    ] {
        assert_eq!(rewrite(None, body).unwrap_err(), Garbage, "{body}");
    }
}

#[test]
fn ids_and_fingerprints_of_the_vendor_give_way_to_the_calls_own() {
    let answer = r#"{"id":"gen-17809","model":"m","system_fingerprint":"fp_1","choices":[{"index":0}]}"#;
    let body = exchange("m", None, true).reply(&Bytes::from_static(answer.as_bytes())).unwrap().body;
    assert_eq!(body, r#"{"id":"chatcmpl-0123","model":"m","choices":[{"index":0}]}"#);
}
