//! `RouteSpec`.

use std::time::Duration;

use breakwater_proto::v1;
use prost_types::Value;
use prost_types::value::Kind as ValueKind;

use super::{Problems, limits};
use crate::resource::{
    Condition, ConditionValue, EndpointRef, Operator, Route, RouteRule, RuleChain, quantity,
};
use crate::sla;

pub(super) fn decode(spec: v1::RouteSpec, problems: &mut Problems) -> Route {
    for (index, alias) in spec.aliases.iter().enumerate() {
        if alias.is_empty() {
            problems.add(
                format!("spec.aliases[{index}]"),
                "an alias cannot be empty; callers could not ask for it",
            );
        }
    }
    let endpoint = spec.endpoint.and_then(|message| endpoint_ref("spec.endpoint", message, problems));
    let rules = spec
        .rules
        .into_iter()
        .enumerate()
        .map(|(index, message)| rule(&format!("spec.rules[{index}]"), message, problems))
        .collect();
    Route {
        aliases: spec.aliases,
        endpoint,
        fallback_endpoints: endpoint_refs("spec.fallback_endpoints", spec.fallback_endpoints, problems),
        policies: spec.policies,
        rules,
        sovereignty: spec.sovereignty,
        reveal_provider: spec.reveal_provider,
        provider_state: spec.provider_state,
        max_price: spec.max_price.map(super::provider::price),
        limits: limits::of_route(spec.throttling_policy),
        deadline: problems.duration("spec.deadline", &spec.deadline, Route::DEADLINE_DEFAULT),
        sla: spec.sla.and_then(|message| sla(&message, problems)),
    }
}

/// Returns none if nothing is asked for.
fn sla(message: &v1::Sla, problems: &mut Problems) -> Option<sla::Settings> {
    let latency = problems.duration("spec.sla.failover_latency", &message.failover_latency, Duration::ZERO);
    let min_availability = match message.min_availability.as_str() {
        "" => None,
        text => quantity::percent(text)
            .map_err(|error| problems.add("spec.sla.min_availability", error.to_string()))
            .ok(),
    };
    let availability_window = problems.duration(
        "spec.sla.availability_window",
        &message.availability_window,
        Duration::from_secs(300),
    );
    let failover_latency = (latency > Duration::ZERO).then_some(latency);
    (failover_latency.is_some() || min_availability.is_some()).then_some(sla::Settings {
        failover_latency,
        min_availability,
        availability_window,
    })
}

/// Returns none, with a violation, if it is given in both forms, in neither, or in half of one.
pub(super) fn endpoint_ref(
    path: &str,
    message: v1::EndpointRef,
    problems: &mut Problems,
) -> Option<EndpointRef> {
    let v1::EndpointRef { name, provider, model } = message;
    let wrong = match (name.is_empty(), provider.is_empty(), model.is_empty()) {
        (false, true, true) => return Some(EndpointRef::Named(name)),
        (true, false, false) => return Some(EndpointRef::Inline { provider, model }),
        (true, true, true) => "it names nothing; write the name of an Endpoint, or provider and model",
        (true, false, true) => "an endpoint written in place needs a model beside its provider",
        (true, true, false) => "an endpoint written in place needs a provider beside its model",
        (false, _, _) => "it is given in both forms; keep the name of an Endpoint, or provider and model",
    };
    problems.add(path, wrong);
    None
}

fn endpoint_refs(path: &str, messages: Vec<v1::EndpointRef>, problems: &mut Problems) -> Vec<EndpointRef> {
    let numbered = messages.into_iter().enumerate();
    numbered.filter_map(|(index, item)| endpoint_ref(&format!("{path}[{index}]"), item, problems)).collect()
}

fn rule(path: &str, message: v1::RouteRule, problems: &mut Problems) -> RouteRule {
    let by_provider = !message.provider.is_empty() || !message.fallback_providers.is_empty();
    let by_endpoint = message.endpoint.is_some() || !message.fallback_endpoints.is_empty();
    let chain = match (by_provider, by_endpoint) {
        (true, true) => {
            problems.add(
                path,
                "it names providers and endpoints; a rule's chain is of one sort, so remove the other",
            );
            RuleChain::Providers(Vec::new())
        }
        (false, false) => {
            problems.add(path, "its chain is empty; give it a provider or an endpoint");
            RuleChain::Providers(Vec::new())
        }
        (true, false) => {
            if message.provider.is_empty() {
                let text = "fallback_providers come after a provider; name the first one here";
                problems.add(format!("{path}.provider"), text);
            }
            RuleChain::Providers([vec![message.provider], message.fallback_providers].concat())
        }
        (false, true) => {
            if message.endpoint.is_none() {
                let text = "fallback_endpoints come after an endpoint; name the first one here";
                problems.add(format!("{path}.endpoint"), text);
            }
            let first =
                message.endpoint.and_then(|item| endpoint_ref(&format!("{path}.endpoint"), item, problems));
            let next =
                endpoint_refs(&format!("{path}.fallback_endpoints"), message.fallback_endpoints, problems);
            RuleChain::Endpoints(first.into_iter().chain(next).collect())
        }
    };
    let numbered = message.conditions.into_iter().enumerate();
    let conditions = numbered
        .filter_map(|(index, item)| condition(&format!("{path}.conditions[{index}]"), item, problems))
        .collect();
    RouteRule { chain, conditions }
}

fn condition(path: &str, message: v1::Condition, problems: &mut Problems) -> Option<Condition> {
    let operator = Operator::ALL.into_iter().find(|(_, word)| *word == message.operator);
    if operator.is_none() {
        let known: Vec<_> = Operator::ALL.into_iter().map(|(_, word)| word).collect();
        problems.add(
            format!("{path}.operator"),
            format!("\"{}\" is not an operator; use one of {}", message.operator, known.join(", ")),
        );
    }
    let value = value(&format!("{path}.value"), message.value, problems);
    Some(Condition { field: message.field, operator: operator?.0, value: value? })
}

fn value(path: &str, message: Option<Value>, problems: &mut Problems) -> Option<ConditionValue> {
    match message.and_then(|value| value.kind) {
        None | Some(ValueKind::NullValue(_)) => Some(ConditionValue::None),
        Some(ValueKind::StringValue(text)) => Some(ConditionValue::Text(text)),
        Some(ValueKind::BoolValue(flag)) => Some(ConditionValue::Bool(flag)),
        Some(ValueKind::NumberValue(number)) if number.is_finite() => Some(ConditionValue::Number(number)),
        Some(ValueKind::NumberValue(_)) => {
            problems.add(path, "it is not a finite number");
            None
        }
        Some(ValueKind::StructValue(_)) => {
            problems.add(path, "it is a map; write a text, a number, a boolean or a list of texts");
            None
        }
        Some(ValueKind::ListValue(list)) => {
            let texts: Option<Vec<_>> = list.values.into_iter().map(text_of).collect();
            if texts.is_none() {
                problems.add(path, "a list may hold texts, numbers and booleans only");
            }
            texts.map(ConditionValue::List)
        }
    }
}

/// Numbers and booleans compare as their text.
fn text_of(value: Value) -> Option<String> {
    match value.kind? {
        ValueKind::StringValue(text) => Some(text),
        ValueKind::NumberValue(number) => Some(number.to_string()),
        ValueKind::BoolValue(flag) => Some(flag.to_string()),
        ValueKind::NullValue(_) | ValueKind::StructValue(_) | ValueKind::ListValue(_) => None,
    }
}
