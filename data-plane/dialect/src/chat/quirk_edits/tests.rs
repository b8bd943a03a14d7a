use breakwater_common::resource::ProviderType;

use bytes::Bytes;

use super::*;
use crate::codec::Target;
use crate::pass::Asked;
use crate::quirks::{PLAIN, of_host};
use crate::{Format, exchange, json};

fn pass(host: &str, body: &str) -> String {
    let quirks = of_host(ProviderType::OpenAiCompatible, host);
    let written = edits_for_pass(quirks, Place::root(body)).apply(body);
    json::check(written.as_bytes()).unwrap_or_else(|error| panic!("{error}: {written}"));
    written
}

const FULL: &str = r#"{ "model":"m","max_completion_tokens" : 5, "seed":7,"store":true ,"user":"u",
 "stream_options":{"include_usage":true},"tool_choice":"required","messages":[{"role":"developer","content":"x\u0041"},
 {"role":"assistant","tool_calls":[{"id":"call_1","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"abcDEF123"}]},
 {"role":"tool","tool_call_id":"call_1","content":"1.0e2"}],"service_tier":"auto","unknown":[1.50]}"#;

#[test]
fn plain_openai_and_unknown_vendors_get_every_byte() {
    assert!(edits_for_pass(&PLAIN, Place::root(FULL)).is_empty());
    for host in ["api.openai.com", "me.openai.azure.com", "localhost"] {
        assert_eq!(pass(host, FULL), FULL);
    }
}

#[test]
fn what_a_vendor_refuses_is_named() {
    let named =
        |host: &str| left_out_of_pass(of_host(ProviderType::OpenAiCompatible, host), Place::root(FULL));
    assert_eq!(named("api.mistral.ai"), ["store", "user", "service_tier"]);
    assert!(named("localhost").is_empty());
}

#[test]
fn bug_7_and_28_mistral_gets_its_own_names() {
    let id = tool_id("call_1", ToolIdShape::Nine, "call_");
    let written = pass("api.mistral.ai", FULL);
    let expected = FULL
        .replace("max_completion_tokens", "max_tokens")
        .replace("\"seed\"", "\"random_seed\"")
        .replace(r#""store":true ,"user":"u","#, "")
        .replace("\n \"stream_options\":{\"include_usage\":true},", "")
        .replace("\"required\"", "\"any\"")
        .replace("developer", "system")
        .replace("call_1", &id)
        .replace(r#","service_tier":"auto""#, "");
    let simple = |text: &str| text.replace(char::is_whitespace, "");
    assert_eq!(simple(&written), simple(&expected));
    assert!(written.contains(r#""x\u0041""#) && written.contains("[1.50]"), "{written}");
    assert_eq!(pass("api.mistral.ai", &written), written, "what fits stays");
}

#[test]
fn names_are_changed_however_they_are_written() {
    assert_eq!(pass("api.mistral.ai", r#"{"se\u0065d":7}"#), r#"{"random_seed":7}"#);
    assert_eq!(pass("api.deepseek.com", r#"{"seed":7}"#), "{}");
    assert_eq!(
        pass("api.deepseek.com", r#"{"max_tokens":1,"max_completion_tokens":2,"a":3}"#),
        r#"{"max_tokens":2,"a":3}"#
    );
    assert_eq!(pass("api.groq.com", r#"{"store":true}"#), "{}");
    assert_eq!(
        pass("api.mistral.ai", r#"{"seed":null,"messages":"odd","tool_choice":{}}"#),
        r#"{"random_seed":null,"messages":"odd","tool_choice":{}}"#
    );
}

#[test]
fn what_a_vendor_wants_goes_with_what_every_call_needs() {
    let body = r#"{"model":"a","stream":true,"user":"u","stream_options":{"include_usage":false},"messages":[{"role":"user","content":"x"}]}"#;
    let without = body.replace(r#""stream_options":{"include_usage":false},"#, "");
    let prepare = |host: &str, body: &str| {
        let asked = Asked { format: Format::Chat, model: None, stream: None };
        let request = exchange::parse(asked, &Bytes::copy_from_slice(body.as_bytes())).unwrap();
        let target = Target {
            format: Format::Chat,
            model: "m".into(),
            max_output_tokens: None,
            embeddings: None,
            quirks: of_host(ProviderType::OpenAiCompatible, host),
            reasons: None,
        };
        String::from_utf8(exchange::prepare(&request, &[], &target).unwrap().body.to_vec()).unwrap()
    };
    for body in [body, &without] {
        assert_eq!(
            prepare("api.mistral.ai", body),
            r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"x"}]}"#,
            "Mistral says usage unasked and refuses to be asked"
        );
        assert!(prepare("api.groq.com", body).contains(r#""include_usage":true"#));
    }
}
