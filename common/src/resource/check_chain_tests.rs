//! Chains and conditions of routes, broken once each.

use super::*;

#[test]
fn a_sovereign_route_never_leaves_its_tag() {
    let mut japan = route(vec![at("kumo", "kumo-large"), named("primary")]);
    japan.sovereignty = "jp_sovereign".into();
    japan.rules = vec![
        providers(&["kumo", "azure"], vec![condition("user.a", Operator::Eq, "x")]),
        RouteRule { chain: RuleChain::Endpoints(vec![at("any", "m")]), conditions: Vec::new() },
    ];
    let lacks = "lacks the tag \"jp_sovereign\" that the route's sovereignty asks for; these carry it: kumo";
    check_route(
        japan,
        &[
            &format!("Route/chat: spec.fallback_endpoints[0]: Provider \"openai\" {lacks}"),
            &format!("Route/chat: spec.rules[0].fallback_providers[0]: Provider \"azure\" {lacks}"),
            &format!("Route/chat: spec.rules[1].endpoint: Provider \"any\" {lacks}"),
        ],
    );
    let mut nowhere = route(vec![at("kumo", "kumo-large")]);
    nowhere.sovereignty = "eu_sovereign".into();
    check_route(
        nowhere,
        &[
            "Route/chat: spec.endpoint: Provider \"kumo\" lacks the tag \"eu_sovereign\" that the route's sovereignty asks \
           for; no provider carries it yet",
        ],
    );
}

#[test]
fn a_chain_that_comes_back_is_refused_whatever_form_it_takes() {
    let mut cyclic = route(vec![named("primary"), at("azure", "gpt-4o"), at("openai", "gpt-4o")]);
    cyclic.rules = vec![providers(&["azure", "openai", "azure"], Vec::new())];
    let advice = "name each endpoint of a chain once";
    check_route(
        cyclic,
        &[
            &format!(
                "Route/chat: spec.fallback_endpoints[1]: cyclic fallback: it comes back to openai/gpt-4o, where \
                 spec.endpoint has already gone; {advice}"
            ),
            &format!(
                "Route/chat: spec.rules[0].fallback_providers[1]: cyclic fallback: it comes back to azure/gpt-4o, where \
                 spec.rules[0].provider has already gone; {advice}"
            ),
        ],
    );
}

#[test]
fn another_model_of_the_same_provider_is_no_cycle() {
    check_route(route(vec![at("openai", "gpt-4o"), at("openai", "gpt-4o-mini")]), &[]);
}

#[test]
fn a_call_for_which_no_rule_holds_must_go_somewhere() {
    let empty = "Route/chat: spec.endpoint: the chain is empty: a call for which no rule holds goes nowhere; name an \
                 endpoint here, or end with a rule without conditions";
    check_route(route(Vec::new()), &[empty]);
    let mut conditional = route(Vec::new());
    conditional.rules = vec![providers(&["openai"], vec![condition("user.a", Operator::Eq, "x")])];
    check_route(conditional.clone(), &[empty]);
    conditional.rules.push(providers(&["azure"], Vec::new()));
    check_route(conditional, &[]);
    let mut headless = route(Vec::new());
    headless.fallback_endpoints = vec![named("primary")];
    check_route(
        headless,
        &["Route/chat: spec.endpoint: fallback_endpoints come after an endpoint; name the first one here"],
    );
    let mut hollow = route(vec![named("primary")]);
    hollow.rules = vec![RouteRule { chain: RuleChain::Endpoints(Vec::new()), conditions: Vec::new() }];
    check_route(
        hollow,
        &["Route/chat: spec.rules[0]: its chain is empty; give it a provider or an endpoint"],
    );
}

#[test]
fn a_rule_by_a_provider_without_a_list_needs_a_model_from_the_route() {
    let mut unclear = route(Vec::new());
    unclear.rules = vec![providers(&["any"], Vec::new())];
    check_route(
        unclear,
        &[
            "Route/chat: spec.rules[0].provider: which model of Provider \"any\" is meant cannot be told; list the \
           provider's models, or write the rule by endpoint",
        ],
    );
}

#[test]
fn conditions_that_cannot_be_tested_are_refused() {
    let mut wrong = route(vec![named("primary")]);
    let conditions =
        vec![condition("user.a", Operator::Regex, "("), condition("request.path", Operator::Eq, "x")];
    wrong.rules = vec![providers(&["azure"], conditions)];
    check_route(
        wrong,
        &[
            "Route/chat: spec.rules[0].conditions[0].value: the regular expression does not compile: unclosed group",
            "Route/chat: spec.rules[0].conditions[1].field: \"request.path\" is not a field of a call; use user.NAME (an \
             attribute of the key), request.model, request.stream or tenant.name",
        ],
    );
}

#[test]
fn a_route_has_a_bounded_number_of_regular_expressions() {
    let mut heavy = route(vec![named("primary")]);
    let regex = condition("user.a", Operator::Regex, "a");
    heavy.rules = vec![providers(&["azure"], vec![regex; ROUTE_REGEXES_MAX + 1])];
    check_route(
        heavy,
        &[
            "Route/chat: spec.rules[0].conditions[32]: a route may have 32 regex conditions; use prefix, suffix or in where \
           they do",
        ],
    );
}
