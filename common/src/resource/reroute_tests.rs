//! Where a route may go, and what its chains become.

use std::time::Duration;

use super::*;
use crate::breaker;
use crate::resource::{Endpoint, Model, Provider, ProviderType, Timeouts};

type All = BTreeMap<(Kind, String), Spec>;

fn provider(tags: &[&str], disabled: bool) -> Spec {
    let model = |name: &str| Model {
        name: name.into(),
        deployment: String::new(),
        context_window: None,
        max_output_tokens: None,
        capabilities: Vec::new(),
        price: None,
        disabled: name == "off",
    };
    Spec::Provider(Provider {
        provider_type: ProviderType::OpenAi,
        base_url: "http://127.0.0.1:1".into(),
        region: String::new(),
        jurisdiction: String::new(),
        tags: tags.iter().map(|&tag| tag.to_owned()).collect(),
        api_version: String::new(),
        credentials: Vec::new(),
        breaker: breaker::Settings::default(),
        timeouts: Timeouts::default(),
        models: vec![model("m"), model("off")],
        disabled,
        error_map: Vec::new(),
    })
}

fn at(provider: &str, model: &str) -> EndpointRef {
    EndpointRef::Inline { provider: provider.into(), model: model.into() }
}

fn route(sovereignty: &str, fallbacks: Vec<EndpointRef>) -> Spec {
    Spec::Route(Route {
        aliases: Vec::new(),
        endpoint: Some(at("a", "m")),
        fallback_endpoints: fallbacks,
        policies: Vec::new(),
        rules: Vec::new(),
        sovereignty: sovereignty.into(),
        reveal_provider: false,
        provider_state: false,
        limits: crate::limit::Limits::default(),
        max_price: None,
        deadline: Duration::from_secs(1),
        sla: None,
    })
}

fn world(route: Spec) -> All {
    let to = |provider: &str| Spec::Endpoint(Endpoint { provider: provider.into(), model: "m".into() });
    let off = Spec::Endpoint(Endpoint { provider: "b".into(), model: "off".into() });
    [
        (Kind::Provider, "a", provider(&["jp_sovereign"], false)),
        (Kind::Provider, "b", provider(&[], false)),
        (Kind::Provider, "c", provider(&["jp_sovereign"], false)),
        (Kind::Provider, "gated", provider(&["jp_sovereign", "china_gated"], false)),
        (Kind::Provider, "down", provider(&["jp_sovereign"], true)),
        (Kind::Endpoint, "to-a", to("a")),
        (Kind::Endpoint, "to-b", to("b")),
        (Kind::Endpoint, "to-c", to("c")),
        (Kind::Endpoint, "to-gated", to("gated")),
        (Kind::Endpoint, "to-down", to("down")),
        (Kind::Endpoint, "to-off", off),
        (Kind::Route, "chat", route),
    ]
    .into_iter()
    .map(|(kind, name, spec)| ((kind, name.to_owned()), spec))
    .collect()
}

fn plan(sovereignty: &str, fallbacks: Vec<EndpointRef>, to: Option<&str>) -> Result<String, String> {
    let planned = Reroute::plan(&world(route(sovereignty, fallbacks)), "chat", RerouteKind::Failover, to);
    planned.map(|reroute| reroute.to.label()).map_err(|why| format!("{}: {}", why.field_path, why.message))
}

#[test]
fn a_route_moves_only_to_where_it_may_be() {
    let refused = |sovereignty: &str, to: &str, part: &str| {
        let why = plan(sovereignty, vec![], Some(to)).unwrap_err();
        assert!(why.starts_with("fallback_endpoint: ") && why.contains(part), "{to}: {why}");
    };
    assert_eq!(plan("", vec![], Some("to-b")), Ok("to-b".to_owned()));
    assert_eq!(plan("jp_sovereign", vec![], Some("to-c")), Ok("to-c".to_owned()));
    refused("jp_sovereign", "to-b", "lacks the tag \"jp_sovereign\"");
    refused("", "to-gated", "gated by its tag \"china_gated\"");
    refused("", "to-a", "goes there already");
    refused("", "to-down", "is disabled");
    refused("", "to-off", "is disabled");
    refused("", "to-nothing", "there is no endpoint to-nothing");
}

#[test]
fn of_its_own_fallbacks_the_first_legal_one_is_taken() {
    let chain = || vec![at("gated", "m"), at("b", "m"), at("down", "m"), at("c", "m")];
    assert_eq!(plan("", chain(), None), Ok("b/m".to_owned()));
    assert_eq!(plan("jp_sovereign", chain(), None), Ok("c/m".to_owned()));
    assert!(plan("jp_sovereign", vec![at("b", "m")], None).unwrap_err().starts_with("route_id: none of"));
}

#[test]
fn a_move_ends_to_be_legal_with_the_configuration() {
    let all = world(route("", vec![]));
    let reroute = Reroute::plan(&all, "chat", RerouteKind::Failover, Some("to-b")).unwrap();
    assert!(reroute.is_legal(&all, "chat"));
    assert!(!reroute.is_legal(&all, "other"));
    assert!(!reroute.is_legal(&world(route("jp_sovereign", vec![])), "chat"));
    let mut gone = all.clone();
    gone.remove(&(Kind::Endpoint, "to-b".to_owned()));
    assert!(!reroute.is_legal(&gone, "chat"));
    // A provider that is disabled for a while may come back: the chain passes it by.
    let mut off = all;
    off.insert((Kind::Provider, "b".to_owned()), provider(&[], true));
    assert!(reroute.is_legal(&off, "chat"));
}

fn steered(kind: RerouteKind, chain: &str, own: bool) -> String {
    let step = |provider: char| Step {
        path: String::new(),
        provider: provider.to_string(),
        model: "m".into(),
        inline: true,
    };
    let chain: Vec<Step> = chain.chars().map(step).collect();
    let reroute = Reroute { kind, from: at("a", "m"), to: at("b", "m") };
    reroute.steer(&chain, &[step('a'), step('b')], own).into_iter().map(|step| step.provider).collect()
}

#[test]
fn chains_change_their_order_and_those_of_rules_nothing_else() {
    use RerouteKind::{CircuitBreaking, Failover};
    let check = |chain: &str, own, failover: &str, circuit_breaking: &str| {
        assert_eq!(steered(Failover, chain, own), failover, "{chain}");
        assert_eq!(steered(CircuitBreaking, chain, own), circuit_breaking, "{chain}");
    };
    check("a", true, "ba", "b");
    check("acb", true, "bca", "bc");
    check("ac", true, "bca", "bc");
    check("ab", false, "ba", "b");
    check("acb", false, "bca", "bc");
    check("ac", false, "ca", "c");
    check("cab", false, "cba", "cb");
    check("c", false, "c", "c");
    check("a", false, "a", "");
}
