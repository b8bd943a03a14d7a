//! Places that could never be asked are refused when they are applied, whichever resource comes last.

use super::*;
use crate::resource::Price;

const SOVEREIGN: &str = "Provider \"kumo\" lacks the tag \"jp_sovereign\" that the route's sovereignty asks for; no provider \
                         carries it yet";

fn change(all: &mut All, name: &str, change: impl FnOnce(&mut Provider)) {
    match all.get_mut(&(Kind::Provider, name.to_owned())) {
        Some(Spec::Provider(provider)) => change(provider),
        other => panic!("{other:?}"),
    }
}

fn capable(capabilities: &[&str]) -> impl Fn(&mut Provider) {
    let words: Vec<String> = capabilities.iter().map(|&word| word.to_owned()).collect();
    move |provider| provider.models.iter_mut().for_each(|model| model.capabilities.clone_from(&words))
}

#[test]
fn a_gated_provider_is_never_a_fallback() {
    let gate = |all: &mut All| change(all, "kumo", |kumo| kumo.tags.push("china_gated".into()));
    let mut first = route(vec![at("kumo", "kumo-large"), named("primary")]);
    first.rules = vec![providers(&["kumo", "azure"], Vec::new())];
    let mut all = with([(Kind::Route, "chat", Spec::Route(first))]);
    gate(&mut all);
    check(&all, &[]);
    let mut last = route(vec![named("primary"), at("kumo", "kumo-large")]);
    last.rules = vec![providers(&["azure", "kumo"], Vec::new())];
    let mut all = with([(Kind::Route, "chat", Spec::Route(last))]);
    check(&all, &[]);
    // The route was first, and the provider is changed later.
    gate(&mut all);
    let gated = "Provider \"kumo\" is gated by its tag \"china_gated\" and is never a fallback; remove it here, or make it the \
                 first of a route or a rule of its own";
    check(
        &all,
        &[
            &format!("Route/chat: spec.fallback_endpoints[0]: {gated}"),
            &format!("Route/chat: spec.rules[0].fallback_providers[0]: {gated}"),
        ],
    );
}

#[test]
fn a_provider_that_a_sovereign_route_asks_keeps_its_tag() {
    let mut japan = route(vec![at("kumo", "kumo-large")]);
    japan.sovereignty = "jp_sovereign".into();
    let mut all = with([(Kind::Route, "chat", Spec::Route(japan))]);
    check(&all, &[]);
    change(&mut all, "kumo", |kumo| kumo.tags.clear());
    check(&all, &[&format!("Route/chat: spec.endpoint: {SOVEREIGN}")]);
}

#[test]
fn a_route_s_price_cap_holds_for_every_place() {
    let capped = Route {
        max_price: Some(Price { input: Some(1.0), ..Price::default() }),
        ..route(vec![at("kumo", "kumo-large"), at("azure", "gpt-4o")])
    };
    let mut all = with([(Kind::Route, "chat", Spec::Route(capped))]);
    let costs = |all: &mut All, name: &str, input| {
        change(all, name, |provider| {
            provider.models[0].price = Some(Price { input: Some(input), ..Price::default() });
        });
    };
    costs(&mut all, "kumo", 1.5);
    check(
        &all,
        &[
            "Route/chat: spec.endpoint: \"kumo-large\" at Provider \"kumo\" costs more than the route's max_price; raise \
             that, or remove it here",
            "Route/chat: spec.fallback_endpoints[0]: the route has a max_price, and nobody says what \"gpt-4o\" costs at \
             Provider \"azure\"; list the model there with its price (0 for what costs nothing)",
        ],
    );
    costs(&mut all, "kumo", 1.0);
    costs(&mut all, "azure", 0.0);
    check(&all, &[]);
}

#[test]
fn embeddings_and_chat_never_stand_in_for_each_other() {
    let refused = |first: &[&str], second: &[&str]| {
        let chain = route(vec![at("kumo", "kumo-large"), at("azure", "gpt-4o")]);
        let mut all = with([(Kind::Route, "chat", Spec::Route(chain))]);
        change(&mut all, "kumo", capable(first));
        change(&mut all, "azure", capable(second));
        let found = check_references(&all, &BTreeMap::new());
        let paths: Vec<_> = found.iter().map(|violation| violation.field_path.clone()).collect();
        assert!(paths.is_empty() || paths == ["spec.fallback_endpoints[0]"], "{found:?}");
        !paths.is_empty()
    };
    assert!(refused(&["embeddings"], &["tools"]) && refused(&["vision"], &["embeddings"]));
    assert!(!refused(&["embeddings"], &[]) && !refused(&[], &["embeddings"]));
    assert!(!refused(&["embeddings"], &["embeddings", "tools"]) && !refused(&["tools"], &["vision"]));
}

#[test]
fn a_tenant_s_lists_must_leave_somebody_on_each_of_its_routes() {
    let mut chat = route(vec![named("primary"), at("azure", "gpt-4o")]);
    chat.rules = vec![providers(&["kumo"], vec![condition("user.a", Operator::Eq, "x")])];
    let allowed = |providers: &[&str], jurisdictions: &[&str]| {
        let list = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let allowed = Allowed { providers: list(providers), jurisdictions: list(jurisdictions) };
        Spec::Tenant(Tenant { routes: vec!["chat".into()], allowed, ..Tenant::default() })
    };
    let check = |tenant: Spec, expect: &[&str]| {
        let mut all =
            with([(Kind::Route, "chat", Spec::Route(chat.clone())), (Kind::Tenant, "acme", tenant)]);
        change(&mut all, "kumo", |kumo| kumo.jurisdiction = "jp".into());
        check(&all, expect);
    };
    let nobody = "Tenant/acme: spec.routes[0]: no provider of Route \"chat\" is left by spec.allowed_providers and \
                  spec.allowed_jurisdictions; allow one, or take the route off the list";
    check(allowed(&["azure"], &[]), &[]);
    check(allowed(&[], &["jp"]), &[]);
    check(allowed(&["any"], &[]), &[nobody]);
    check(allowed(&["azure"], &["jp"]), &[nobody]);
    check(
        allowed(&["azure", "gone"], &[]),
        &[
            "Tenant/acme: spec.allowed_providers[1]: no Provider named \"gone\"; there are: any, azure, kumo, openai",
        ],
    );
}
