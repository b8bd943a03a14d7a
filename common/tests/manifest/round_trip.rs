//! What is printed reads back: specs through JSON and YAML, JSON through YAML, and any text at all without a panic.

use breakwater_common::manifest::{
    check_message, expand_variables, json_to_yaml, message_from_json, message_to_json, not_yet_enforced,
    parse_yaml, resource_to_json, spec_descriptor,
};
use breakwater_common::resource::Kind;
use breakwater_common::time::UnixMillis;
use breakwater_proto::{DESCRIPTORS, v1};
use proptest::prelude::*;
use prost::Message;
use prost_reflect::DynamicMessage;
use prost_types::value::Kind as AnyKind;
use serde_json::json;

use super::parse;

/// Texts that YAML, JSON and people find difficult, without control characters, which fields refuse.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,8}",
        "[ -~]{1,20}",
        "\\PC{1,12}",
        prop::sample::select(vec![
            "null",
            "~",
            "true",
            "no",
            "1",
            "1e3",
            "0x1f",
            "1:20",
            "- a",
            "a: b",
            "a #b",
            "#",
            "&a",
            "*a",
            "!t",
            "|",
            ">",
            "'",
            "\"",
            "\\",
            "%",
            "@",
            "`",
            "{}",
            "[]",
            ",",
            "?",
            ":",
            "-",
            "---",
            "...",
            "<<",
            "=",
            " a",
            "a ",
            "é",
            "日本",
            "\u{1f600}",
            "\u{feff}a",
            "\u{2028}",
            "a:b",
            "//x",
            "$0.50",
            "15%",
        ])
        .prop_map(str::to_owned),
    ]
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9][a-z0-9._-]{0,20}",
        prop::sample::select(vec!["null", "1", "1e3", "true", "0.5"]).prop_map(str::to_owned)
    ]
}

fn value() -> impl Strategy<Value = AnyKind> {
    let scalar = prop_oneof![
        text().prop_map(AnyKind::StringValue),
        any::<bool>().prop_map(AnyKind::BoolValue),
        (-1e18..1e18_f64).prop_map(AnyKind::NumberValue),
        any::<i32>().prop_map(|number| AnyKind::NumberValue(f64::from(number))),
    ];
    let list = prop::collection::vec(scalar.clone(), 0..4).prop_map(|kinds| {
        let values = kinds.into_iter().map(|kind| prost_types::Value { kind: Some(kind) }).collect();
        AnyKind::ListValue(prost_types::ListValue { values })
    });
    prop_oneof![scalar, list]
}

fn endpoint_ref() -> impl Strategy<Value = v1::EndpointRef> {
    prop_oneof![
        name().prop_map(|name| v1::EndpointRef { name, ..Default::default() }),
        (name(), text()).prop_map(|(provider, model)| v1::EndpointRef {
            provider,
            model,
            ..Default::default()
        }),
    ]
}

fn route() -> impl Strategy<Value = v1::RouteSpec> {
    let condition = (text(), value()).prop_map(|(field, value)| v1::Condition {
        field,
        operator: "eq".to_owned(),
        value: Some(prost_types::Value { kind: Some(value) }),
    });
    let rule = (endpoint_ref(), prop::collection::vec(condition, 0..3)).prop_map(|(endpoint, conditions)| {
        v1::RouteRule { endpoint: Some(endpoint), conditions, ..Default::default() }
    });
    let throttling = (prop::option::of(1..9_u32), prop::option::of(0..9_u32))
        .prop_map(|(max_rps, burst_limit)| v1::ThrottlingPolicy { max_rps, burst_limit });
    (
        prop::collection::vec(text(), 0..4),
        prop::option::of(endpoint_ref()),
        prop::collection::vec(endpoint_ref(), 0..3),
        prop::option::of(throttling),
        prop::collection::vec(rule, 0..3),
        any::<bool>(),
    )
        .prop_map(
            |(aliases, endpoint, fallback_endpoints, throttling_policy, rules, reveal_provider)| {
                v1::RouteSpec {
                    aliases,
                    endpoint,
                    fallback_endpoints,
                    throttling_policy,
                    rules,
                    reveal_provider,
                    deadline: "0.5h".to_owned(),
                    ..Default::default()
                }
            },
        )
}

fn provider() -> impl Strategy<Value = v1::ProviderSpec> {
    let price = prop::option::of(0.0..1e6_f64);
    let price = (price.clone(), price.clone(), price).prop_map(|(input, cached_input, output)| v1::Price {
        input,
        cached_input,
        output,
    });
    let model = (text(), prop::option::of(price), any::<bool>())
        .prop_map(|(name, price, disabled)| v1::Model { name, price, disabled, ..Default::default() });
    (prop::collection::vec(model, 0..4), text(), prop::collection::vec(text(), 0..3)).prop_map(
        |(models, deployment, tags)| v1::ProviderSpec {
            r#type: "openai".to_owned(),
            base_url: "http://127.0.0.1:1/v1".to_owned(),
            api_version: deployment,
            credentials: vec![v1::Credential { name: "main".to_owned(), api_key: "(sealed)".to_owned() }],
            models,
            tags,
            ..Default::default()
        },
    )
}

fn json_tree() -> impl Strategy<Value = serde_json::Value> {
    let any_text = prop_oneof![text(), any::<String>()];
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        (-1e9..1e9_f64).prop_map(serde_json::Value::from),
        any_text.clone().prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(serde_json::Value::from),
            prop::collection::vec((any_text.clone(), inner), 0..5)
                .prop_map(|entries| serde_json::Value::Object(entries.into_iter().collect())),
        ]
    })
}

fn assert_round_trip(kind: Kind, name: &str, spec: &[u8]) {
    let json = resource_to_json(kind, name, spec, 1, UnixMillis(1), UnixMillis(2));
    let from_json = message_from_json(&spec_descriptor(kind), &json["spec"]).unwrap();
    assert_eq!(from_json.encode_to_vec(), spec, "through JSON: {json}");
    let yaml = json_to_yaml(&json, &not_yet_enforced(kind, spec));
    let documents = parse(&yaml);
    assert_eq!((documents[0].kind, documents[0].name.as_str()), (kind, name), "{yaml}");
    assert_eq!(documents[0].spec, spec, "through YAML:\n{yaml}");
}

proptest! {
    #[test]
    fn routes_come_back(name in name(), route in route()) {
        assert_round_trip(Kind::Route, &name, &route.encode_to_vec());
    }

    #[test]
    fn providers_come_back(name in name(), provider in provider()) {
        assert_round_trip(Kind::Provider, &name, &provider.encode_to_vec());
    }

    #[test]
    fn any_json_is_the_same_as_yaml(tree in json_tree()) {
        // The reader of trees is private; a message with a free value sees the same words.
        let yaml = json_to_yaml(&tree, &[]);
        let read = yaml_to_json(&yaml);
        prop_assert_eq!(read, tree, "{}", yaml);
    }

    #[test]
    fn no_text_panics(text in "(kind: Route\nname: r\nspec:\n)?[ -~\n\t]{0,200}") {
        drop(parse_yaml(&text));
    }

    #[test]
    fn no_unicode_panics(text in any::<String>()) {
        drop(parse_yaml(&text));
        drop(expand_variables(&text, &|_| None));
    }

    #[test]
    fn no_json_panics(tree in json_tree(), wrapped in any::<bool>()) {
        for message in DESCRIPTORS.all_messages().filter(|message| message.package_name() == "breakwater.v1") {
            let field = message.fields().next().map_or("x".to_owned(), |field| field.name().to_owned());
            let json = if wrapped { json!({ field: tree.clone() }) } else { tree.clone() };
            if let Ok(message) = message_from_json(&message, &json) {
                drop(check_message(&message));
                drop(message_to_json(&message));
            }
        }
    }

    #[test]
    fn no_damage_to_a_manifest_panics(cut in 0..600_usize, paste in "[ -~\n]{0,5}", end in 0..600_usize) {
        let text = "kind: Route\nname: r\nspec:\n  aliases: [&a a, *a]\n  endpoint: {provider: p, model: m}\n  fallback_endpoints: [x]\n  sla: {failover_latency: 2000ms, min_availability: 99.9%}\n  rules:\n    - provider: azure\n      conditions:\n        - {field: user.department, operator: in, value: [legal, 5, true]}\n---\nkind: Tenant\nname: t\nspec:\n  budget: {amount: $500.00, period: 30d}\n";
        let cut = cut.min(text.len());
        let end = end.clamp(cut, text.len());
        drop(parse_yaml(&format!("{}{paste}{}", &text[..cut], &text[end..])));
    }

    #[test]
    fn no_bytes_panic_the_walks(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        for kind in Kind::ALL {
            drop(breakwater_common::manifest::check_spec(kind, "x", &bytes));
            drop(breakwater_common::manifest::references(kind, &bytes));
            drop(resource_to_json(kind, "x", &bytes, 1, UnixMillis(0), UnixMillis(0)));
        }
    }
}

/// An independent reading of YAML, by the events of the parser and the core schema.
fn yaml_to_json(text: &str) -> serde_json::Value {
    use saphyr_parser::{Event, Parser, ScalarStyle};
    fn node<'a>(events: &mut impl Iterator<Item = Event<'a>>, first: Event<'a>) -> serde_json::Value {
        match first {
            Event::Scalar(text, ScalarStyle::Plain, ..) => {
                // serde_json reads decimals fast, not exactly; the standard library does.
                let decimal =
                    || text.contains('.').then(|| text.parse::<f64>().ok())?.map(serde_json::Value::from);
                let other = || serde_json::from_str(&text).ok();
                decimal().or_else(other).unwrap_or_else(|| serde_json::Value::from(&*text))
            }
            Event::Scalar(text, ..) => serde_json::Value::from(&*text),
            Event::SequenceStart(..) => {
                let mut items = Vec::new();
                loop {
                    match events.next().unwrap() {
                        Event::SequenceEnd => return items.into(),
                        item => items.push(node(events, item)),
                    }
                }
            }
            Event::MappingStart(..) => {
                let mut entries = serde_json::Map::new();
                loop {
                    match events.next().unwrap() {
                        Event::MappingEnd => return entries.into(),
                        Event::Scalar(key, ..) => {
                            let value = events.next().unwrap();
                            entries.insert(key.into_owned(), node(events, value));
                        }
                        other => panic!("{other:?}"),
                    }
                }
            }
            other => panic!("{other:?}"),
        }
    }
    let mut events = Parser::new_from_str(text).map(|event| event.unwrap().0);
    let first = events.by_ref().nth(2).unwrap();
    node(&mut events, first)
}

#[test]
fn responses_print_defaults_and_specs_do_not() {
    let descriptor = DESCRIPTORS.get_message_by_name("breakwater.v1.Key").unwrap();
    let message = message_from_json(&descriptor, &json!({"id": "0", "attributes": {"b": "2", "a": "1"}, "revision": "9007199254740993", "expire_time": "2026-11-20T14:35:00+09:00"})).unwrap();
    assert_eq!(
        message_to_json(&message),
        json!({
            "id": "0", "tenant": "", "attributes": {"a": "1", "b": "2"}, "create_time": null,
            "expire_time": "2026-11-20T05:35:00.000Z", "state": "", "revision": 9_007_199_254_740_993_u64,
        })
    );
    let list = DESCRIPTORS.get_message_by_name("breakwater.v1.ListKeysResponse").unwrap();
    assert_eq!(message_to_json(&DynamicMessage::new(list)), json!({"keys": []}));
    let spec =
        v1::ProviderSpec { circuit_breaker: Some(v1::CircuitBreaker::default()), ..Default::default() };
    let spec =
        DynamicMessage::decode(spec_descriptor(Kind::Provider), spec.encode_to_vec().as_slice()).unwrap();
    assert_eq!(message_to_json(&spec), json!({"circuit_breaker": {}}));
}
