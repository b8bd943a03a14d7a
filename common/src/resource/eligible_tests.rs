//! Each reason by itself.

use super::*;
use crate::breaker;
use crate::resource::{ProviderType, Timeouts};

fn model(name: &str) -> Model {
    Model {
        name: name.into(),
        deployment: String::new(),
        context_window: None,
        max_output_tokens: None,
        capabilities: Vec::new(),
        price: None,
        disabled: false,
    }
}

fn provider(tags: &[&str], models: Vec<Model>) -> Provider {
    Provider {
        provider_type: ProviderType::OpenAi,
        base_url: "http://127.0.0.1:1".into(),
        region: String::new(),
        jurisdiction: "jp".into(),
        tags: tags.iter().map(|&tag| tag.to_owned()).collect(),
        api_version: String::new(),
        credentials: Vec::new(),
        breaker: breaker::Settings::default(),
        timeouts: Timeouts::default(),
        models,
        disabled: false,
        error_map: Vec::new(),
    }
}

fn place(provider: &Provider, fallback: bool) -> Place<'_> {
    Place { name: "p", provider, model: "m", fallback }
}

fn words(reasons: Vec<Ineligible>) -> Vec<String> {
    reasons.into_iter().map(|reason| reason.word().into_owned()).collect()
}

fn standing(place: Place<'_>, sovereignty: &str, max_price: Option<Price>, allowed: &Allowed) -> Vec<String> {
    words(place.standing(&Terms { sovereignty, max_price, allowed }))
}

#[test]
fn sovereignty_binds_the_first_place_too() {
    let (carries, lacks) = (provider(&["jp_sovereign"], Vec::new()), provider(&["jp"], Vec::new()));
    let check =
        |provider, fallback| standing(place(provider, fallback), "jp_sovereign", None, &Allowed::default());
    for fallback in [false, true] {
        assert!(check(&carries, fallback).is_empty());
        assert_eq!(check(&lacks, fallback), ["not_sovereign"]);
    }
}

#[test]
fn a_gate_closes_fallbacks_only_in_whatever_case_it_is_written() {
    let anybody = Allowed::default();
    for (tag, gated) in [
        ("china_gated", true),
        ("China_Gated", true),
        ("gated_china", false),
        ("gated", false),
        ("é_gated", true),
    ] {
        let provider = provider(&["x", tag], Vec::new());
        assert!(standing(place(&provider, false), "", None, &anybody).is_empty(), "{tag}");
        let reasons = standing(place(&provider, true), "", None, &anybody);
        assert_eq!(reasons == ["gated"], gated, "{tag}: {reasons:?}");
    }
}

#[test]
fn a_tenant_s_lists_bind_every_place() {
    let japan = provider(&[], Vec::new());
    let nowhere = Provider { jurisdiction: String::new(), ..japan.clone() };
    let list = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    let check = |provider, providers: &[&str], jurisdictions: &[&str], expect: &[&str]| {
        let allowed = Allowed { providers: list(providers), jurisdictions: list(jurisdictions) };
        for fallback in [false, true] {
            assert_eq!(standing(place(provider, fallback), "", None, &allowed), expect);
        }
    };
    check(&japan, &[], &[], &[]);
    check(&japan, &["q", "p"], &["eu", "jp"], &[]);
    check(&japan, &["q"], &["jp"], &["provider_not_allowed"]);
    check(&japan, &["q"], &["eu"], &["provider_not_allowed", "jurisdiction_not_allowed"]);
    check(&nowhere, &[], &["eu"], &["jurisdiction_not_allowed"]);
}

#[test]
fn a_price_cap_refuses_what_costs_more_and_what_nobody_knows() {
    let price = |input, output| Some(Price { input, cached_input: None, output });
    let check = |own: Option<Price>, cap: Option<Price>, expect: &[&str]| {
        let provider = provider(&[], vec![Model { price: own, ..model("m") }]);
        assert_eq!(
            standing(place(&provider, false), "", cap, &Allowed::default()),
            expect,
            "{own:?} {cap:?}"
        );
    };
    let cap = price(Some(3.0), Some(15.0));
    check(price(Some(3.0), Some(15.0)), cap, &[]);
    check(price(Some(3.1), Some(1.0)), cap, &["price_cap"]);
    check(price(Some(1.0), Some(15.1)), cap, &["price_cap"]);
    check(price(None, None), cap, &[]);
    check(price(Some(9.0), Some(9.0)), price(None, Some(10.0)), &[]);
    check(None, cap, &["price_unknown"]);
    check(None, None, &[]);
    let cached = Price { input: None, cached_input: Some(1.0), output: None };
    check(price(Some(2.0), None), Some(cached), &["price_cap"]);
    let unlisted = provider(&[], Vec::new());
    assert_eq!(standing(place(&unlisted, false), "", cap, &Allowed::default()), ["price_unknown"]);
}

#[test]
fn fitness_is_asked_of_fallbacks_that_say_something_of_themselves() {
    let said = Model { capabilities: vec!["tools".into()], context_window: Some(100), ..model("m") };
    let needs = |capabilities: &[&'static str], tokens| Needs { capabilities: capabilities.to_vec(), tokens };
    let (said, silent) = (provider(&[], vec![said]), provider(&[], vec![model("m")]));
    let unfit = |provider, fallback, needs| words(place(provider, fallback).unfit(&needs));
    assert!(unfit(&said, true, needs(&["tools"], 100)).is_empty());
    assert_eq!(unfit(&said, true, needs(&["vision", "tools"], 101)), ["capability_vision", "context_window"]);
    assert!(unfit(&said, false, needs(&["vision"], 101)).is_empty());
    assert!(unfit(&silent, true, needs(&["vision"], u64::MAX)).is_empty());
    let depends = |provider, fallback| place(provider, fallback).depends_on_needs();
    assert!(depends(&said, true) && !depends(&said, false) && !depends(&silent, true));
}
