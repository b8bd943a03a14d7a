//! What a route means, and what is refused of it.

use std::time::Duration;

use breakwater_proto::v1;
use prost::Message;
use prost_types::value::Kind as ValueKind;

use super::decode_spec;
use super::tests::check_refused;
use crate::resource::{Condition, ConditionValue, EndpointRef, Kind, Operator, Route, RuleChain, Spec};

fn route(message: &v1::RouteSpec) -> Route {
    match decode_spec(Kind::Route, &message.encode_to_vec()) {
        Ok(Spec::Route(route)) => route,
        other => panic!("{other:?}"),
    }
}

fn named(name: &str) -> v1::EndpointRef {
    v1::EndpointRef { name: name.into(), ..Default::default() }
}

#[test]
fn a_route_s_chains_and_conditions_are_kept_in_order() {
    let text = |text: &str| prost_types::Value { kind: Some(ValueKind::StringValue(text.into())) };
    let number = prost_types::Value { kind: Some(ValueKind::NumberValue(3.0)) };
    let list = ValueKind::ListValue(prost_types::ListValue { values: vec![text("a"), number] });
    let decoded = route(&v1::RouteSpec {
        endpoint: Some(v1::EndpointRef { provider: "p".into(), model: "m".into(), ..Default::default() }),
        fallback_endpoints: vec![named("e")],
        rules: vec![
            v1::RouteRule {
                provider: "p".into(),
                fallback_providers: vec!["q".into()],
                conditions: vec![v1::Condition {
                    field: "user.team".into(),
                    operator: "in".into(),
                    value: Some(prost_types::Value { kind: Some(list) }),
                }],
                ..Default::default()
            },
            v1::RouteRule { endpoint: Some(named("e")), ..Default::default() },
        ],
        deadline: "30s".into(),
        ..Default::default()
    });
    assert_eq!(decoded.endpoint, Some(EndpointRef::Inline { provider: "p".into(), model: "m".into() }));
    assert_eq!(decoded.fallback_endpoints, [EndpointRef::Named("e".into())]);
    assert_eq!(decoded.deadline, Duration::from_secs(30));
    assert_eq!(decoded.rules[0].chain, RuleChain::Providers(vec!["p".into(), "q".into()]));
    assert_eq!(
        decoded.rules[0].conditions,
        [Condition {
            field: "user.team".into(),
            operator: Operator::In,
            value: ConditionValue::List(vec!["a".into(), "3".into()]),
        }]
    );
    assert_eq!(decoded.rules[1].chain, RuleChain::Endpoints(vec![EndpointRef::Named("e".into())]));
}

#[test]
fn an_endpoint_has_exactly_one_form() {
    let half = |provider: &str, model: &str| v1::EndpointRef {
        provider: provider.into(),
        model: model.into(),
        ..Default::default()
    };
    let message = v1::RouteSpec {
        endpoint: Some(v1::EndpointRef { name: "e".into(), ..half("p", "m") }),
        fallback_endpoints: vec![half("", ""), half("p", ""), half("", "m"), named("e")],
        ..Default::default()
    };
    check_refused(
        Kind::Route,
        &message,
        &[
            "spec.endpoint: it is given in both forms",
            "spec.fallback_endpoints[0]: it names nothing",
            "spec.fallback_endpoints[1]: an endpoint written in place needs a model",
            "spec.fallback_endpoints[2]: an endpoint written in place needs a provider",
        ],
    );
}

#[test]
fn a_rule_has_one_chain_that_begins_somewhere() {
    let providers = vec!["p".to_owned()];
    let message = v1::RouteSpec {
        aliases: vec![String::new()],
        rules: vec![
            v1::RouteRule::default(),
            v1::RouteRule { provider: "p".into(), endpoint: Some(named("e")), ..Default::default() },
            v1::RouteRule { fallback_providers: providers, ..Default::default() },
            v1::RouteRule { fallback_endpoints: vec![named("e")], ..Default::default() },
        ],
        ..Default::default()
    };
    check_refused(
        Kind::Route,
        &message,
        &[
            "spec.aliases[0]: ",
            "spec.rules[0]: its chain is empty",
            "spec.rules[1]: it names providers and endpoints",
            "spec.rules[2].provider: ",
            "spec.rules[3].endpoint: ",
        ],
    );
}

#[test]
fn a_condition_s_operator_and_value_are_of_known_sorts() {
    let condition = |operator: &str, kind| v1::Condition {
        field: "user.a".into(),
        operator: operator.into(),
        value: Some(prost_types::Value { kind: Some(kind) }),
    };
    let null = prost_types::Value { kind: Some(ValueKind::NullValue(0)) };
    let conditions = vec![
        condition("equals", ValueKind::StringValue("x".into())),
        condition("eq", ValueKind::StructValue(prost_types::Struct::default())),
        condition("in", ValueKind::ListValue(prost_types::ListValue { values: vec![null] })),
        condition("gt", ValueKind::NumberValue(f64::NAN)),
    ];
    let rule = v1::RouteRule { provider: "p".into(), conditions, ..Default::default() };
    check_refused(
        Kind::Route,
        &v1::RouteSpec { rules: vec![rule], ..Default::default() },
        &[
            "spec.rules[0].conditions[0].operator: \"equals\" is not an operator; use one of eq, ne, ",
            "spec.rules[0].conditions[1].value: it is a map",
            "spec.rules[0].conditions[2].value: a list may hold",
            "spec.rules[0].conditions[3].value: it is not a finite number",
        ],
    );
}
