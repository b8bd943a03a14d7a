//! Each thing that must hold between resources, broken once.

#[path = "check_chain_tests.rs"]
mod chains;
#[path = "check_eligible_tests.rs"]
mod eligible;

use std::time::Duration;

use super::*;
use crate::breaker;
use crate::limit::Limits;
use crate::resource::{
    Allowed, Condition, ConditionValue, Endpoint, EndpointRef, Mode, Model, Policy, Provider, ProviderType,
    RouteRule, Tenant, Timeouts,
};

type All = BTreeMap<(Kind, String), Spec>;

fn provider(tags: &[&str], models: &[&str]) -> Spec {
    Spec::Provider(Provider {
        provider_type: ProviderType::OpenAi,
        base_url: "http://127.0.0.1:1".into(),
        region: String::new(),
        jurisdiction: String::new(),
        tags: tags.iter().map(|&tag| tag.to_owned()).collect(),
        api_version: String::new(),
        credentials: Vec::new(),
        breaker: breaker::Settings::default(),
        error_map: Vec::new(),
        timeouts: Timeouts::default(),
        models: models
            .iter()
            .map(|&name| Model {
                name: name.into(),
                deployment: String::new(),
                context_window: None,
                max_output_tokens: None,
                capabilities: Vec::new(),
                price: None,
                disabled: false,
            })
            .collect(),
        disabled: false,
    })
}

fn tenant(routes: &[&str]) -> Spec {
    let routes = routes.iter().map(|&name| name.to_owned()).collect();
    Spec::Tenant(Tenant { routes, ..Tenant::default() })
}

fn at(provider: &str, model: &str) -> EndpointRef {
    EndpointRef::Inline { provider: provider.into(), model: model.into() }
}

fn named(name: &str) -> EndpointRef {
    EndpointRef::Named(name.into())
}

fn route(chain: Vec<EndpointRef>) -> Route {
    let mut chain = chain.into_iter();
    Route {
        aliases: Vec::new(),
        endpoint: chain.next(),
        fallback_endpoints: chain.collect(),
        policies: Vec::new(),
        rules: Vec::new(),
        sovereignty: String::new(),
        reveal_provider: false,
        provider_state: false,
        max_price: None,
        limits: Limits::default(),
        deadline: Duration::from_secs(1),
        sla: None,
    }
}

fn providers(names: &[&str], conditions: Vec<Condition>) -> RouteRule {
    let names = names.iter().map(|&name| name.to_owned()).collect();
    RouteRule { chain: RuleChain::Providers(names), conditions }
}

fn condition(field: &str, operator: Operator, value: &str) -> Condition {
    Condition { field: field.into(), operator, value: ConditionValue::Text(value.into()) }
}

/// Two American providers, one Japanese, one that lists no models; one endpoint, one policy.
fn world() -> All {
    let endpoint = Spec::Endpoint(Endpoint { provider: "openai".into(), model: "gpt-4o".into() });
    [
        (Kind::Provider, "openai", provider(&["us"], &["gpt-4o", "gpt-4o-mini"])),
        (Kind::Provider, "azure", provider(&["us"], &["gpt-4o"])),
        (Kind::Provider, "kumo", provider(&["jp_sovereign"], &["kumo-large"])),
        (Kind::Provider, "any", provider(&[], &[])),
        (Kind::Endpoint, "primary", endpoint),
        (Kind::Policy, "production", Spec::Policy(Policy { mode: Mode::Enforce, guardrails: Vec::new() })),
    ]
    .into_iter()
    .map(|(kind, name, spec)| ((kind, name.to_owned()), spec))
    .collect()
}

fn with(resources: impl IntoIterator<Item = (Kind, &'static str, Spec)>) -> All {
    let mut all = world();
    all.extend(resources.into_iter().map(|(kind, name, spec)| ((kind, name.to_owned()), spec)));
    all
}

fn check(all: &All, expect: &[&str]) {
    let found: Vec<String> =
        check_references(all, &BTreeMap::new()).iter().map(ToString::to_string).collect();
    assert_eq!(found, expect);
}

fn check_route(route: Route, expect: &[&str]) {
    check(&with([(Kind::Route, "chat", Spec::Route(route))]), expect);
}

#[test]
fn a_sound_state_has_no_violation() {
    let mut sound = route(vec![named("primary"), at("azure", "gpt-4o"), at("any", "whatever")]);
    sound.policies = vec!["production".into()];
    sound.rules = vec![providers(&["azure", "openai"], vec![condition("user.team", Operator::Eq, "legal")])];
    let tenant = tenant(&["chat"]);
    check(&with([(Kind::Route, "chat", Spec::Route(sound)), (Kind::Tenant, "acme", tenant)]), &[]);
}

#[test]
fn names_that_name_nothing_are_refused_with_what_exists() {
    let mut dangling = route(vec![named("primry"), at("opnai", "gpt-4o")]);
    dangling.policies = vec!["production".into(), "strict".into()];
    dangling.rules = vec![providers(&["azure", "gone"], Vec::new())];
    let endpoint = Spec::Endpoint(Endpoint { provider: "zzz".into(), model: "m".into() });
    let tenant = tenant(&["chta"]);
    let list = "there are: any, azure, kumo, openai";
    check(
        &with([
            (Kind::Route, "chat", Spec::Route(dangling)),
            (Kind::Tenant, "acme", tenant),
            (Kind::Endpoint, "e", endpoint),
        ]),
        &[
            &format!("Endpoint/e: spec.provider: no Provider named \"zzz\"; {list}"),
            "Route/chat: spec.policies[1]: no Policy named \"strict\"; there are: production",
            "Route/chat: spec.endpoint: no Endpoint named \"primry\"; did you mean \"primary\"? there are: e, primary",
            &format!(
                "Route/chat: spec.fallback_endpoints[0]: no Provider named \"opnai\"; did you mean \"openai\"? {list}"
            ),
            &format!("Route/chat: spec.rules[0].fallback_providers[0]: no Provider named \"gone\"; {list}"),
            "Tenant/acme: spec.routes[0]: no Route named \"chta\"; did you mean \"chat\"? there are: chat",
        ],
    );
}

#[test]
fn a_declared_reference_is_said_once_with_the_path_that_was_declared() {
    let all = with([(Kind::Route, "chat", Spec::Route(route(vec![at("gone", "m")])))]);
    let refs = [(
        (Kind::Route, "chat".to_owned()),
        vec![Reference::new("spec.endpoint.provider", Kind::Provider, "gone")],
    )];
    let found = check_references(&all, &refs.into());
    let paths: Vec<_> = found.iter().map(|violation| violation.field_path.as_str()).collect();
    assert_eq!(paths, ["spec.endpoint.provider"]);
}

#[test]
fn declared_references_of_stored_kinds_are_checked() {
    let all = with([(Kind::Slo, "s", Spec::Stored(Kind::Slo))]);
    let refs = [((Kind::Slo, "s".to_owned()), vec![Reference::new("spec.route", Kind::Route, "chat")])];
    let found: Vec<_> = check_references(&all, &refs.into()).iter().map(ToString::to_string).collect();
    assert_eq!(found, ["Slo/s: spec.route: no Route named \"chat\"; there are none yet"]);
}

#[test]
fn a_model_must_be_in_its_provider_s_list() {
    let endpoint = Spec::Endpoint(Endpoint { provider: "azure".into(), model: "o1".into() });
    let chat = Spec::Route(route(vec![at("openai", "gpt-4o-mimi"), named("e")]));
    check(
        &with([(Kind::Endpoint, "e", endpoint), (Kind::Route, "chat", chat)]),
        &[
            "Endpoint/e: spec.model: Provider \"azure\" lists no model \"o1\"; there are: gpt-4o",
            "Route/chat: spec.endpoint: Provider \"openai\" lists no model \"gpt-4o-mimi\"; did you mean \
             \"gpt-4o-mini\"? there are: gpt-4o, gpt-4o-mini",
        ],
    );
}

#[test]
fn an_alias_leads_to_one_route() {
    let aliases = |aliases: &[&str]| {
        let aliases = aliases.iter().map(|&alias| alias.to_owned()).collect();
        Spec::Route(Route { aliases, ..route(vec![named("primary")]) })
    };
    check(
        &with([
            (Kind::Route, "a", aliases(&["chat", "assistant", "chat"])),
            (Kind::Route, "b", aliases(&["helper", "assistant"])),
            (Kind::Route, "chat", aliases(&[])),
        ]),
        &[
            "Route/a: spec.aliases[2]: the alias \"chat\" stands here twice; remove one",
            "Route/b: spec.aliases[1]: the alias \"assistant\" is taken by Route \"a\"; choose another",
            "Route/chat: spec.aliases: the alias \"chat\" is taken by Route \"a\"; choose another",
        ],
    );
}

#[test]
fn an_alias_that_no_request_may_carry_is_refused() {
    let check = |length: usize, expect: &[&str]| {
        check_route(Route { aliases: vec!["a".repeat(length)], ..route(vec![named("primary")]) }, expect);
    };
    check(ALIAS_BYTES_MAX, &[]);
    check(
        ALIAS_BYTES_MAX + 1,
        &["Route/chat: spec.aliases[0]: an alias may have 256 bytes; this one has 257"],
    );
}

#[test]
fn violations_are_bounded() {
    let wrong = Spec::Route(Route { policies: vec!["gone".into(); 500], ..route(vec![named("primary")]) });
    let all = with([(Kind::Route, "chat", wrong)]);
    assert_eq!(check_references(&all, &BTreeMap::new()).len(), VIOLATIONS_MAX);
}
