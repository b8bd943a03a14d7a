//! No prompt goes where it must not: over random configurations, random calls and random failures. What must hold is said
//! here anew, from tags alone, and asks nothing of the code under test.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking; clippy sees that only inside of #[test]"
)]

use std::collections::BTreeMap;
use std::sync::Arc;

use breakwater_common::resource::Allowed;
use breakwater_common::resource::eligible::{Needs, Terms};
use breakwater_common::resource::{Kind, Spec};
use breakwater_common::ruleset::{Candidate, Facts, Item, Ruleset, Upstream, compile};
use breakwater_common::wire::decode_spec;
use breakwater_proto::v1;
use prost::Message;

const SEED: u64 = 0x0b5e_55ed_ca11_ab1e;
const TAGS: [&str; 5] = ["jp_sovereign", "china_gated", "eu", "US_Gated", "jp_sovereign_not"];
const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
const CASES: u32 = 1_000_000;
const CONFIGURATIONS: u32 = 3_000;

/// Steele's SplitMix64: the same cases on every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound).unwrap()).unwrap()
    }

    fn chance(&mut self, of_ten: u64) -> bool {
        self.next() % 10 < of_ten
    }

    fn sovereignty(&mut self) -> &'static str {
        if self.chance(5) { "jp_sovereign" } else { "" }
    }

    /// A provider with random tags; one model, about which something is said or not.
    fn provider(&mut self, tag_of_ten: u64) -> v1::ProviderSpec {
        let jurisdiction = ["jp", "us", ""][self.below(3)];
        let model = v1::Model {
            name: "m".into(),
            capabilities: if self.chance(5) { vec!["tools".into()] } else { Vec::new() },
            context_window: self.chance(5).then_some(100),
            ..Default::default()
        };
        v1::ProviderSpec {
            r#type: "openai".into(),
            base_url: "http://127.0.0.1:1".into(),
            jurisdiction: jurisdiction.into(),
            tags: TAGS.into_iter().filter(|_| self.chance(tag_of_ten)).map(str::to_owned).collect(),
            models: vec![model],
            ..Default::default()
        }
    }

    /// Some of the names, each once, in random order.
    fn chain(&mut self) -> Vec<&'static str> {
        let mut names = NAMES.to_vec();
        for last in (1..names.len()).rev() {
            let other = self.below(last + 1);
            names.swap(last, other);
        }
        names.truncate(1 + self.below(4));
        names
    }

    fn needs(&mut self) -> Needs {
        let capabilities = if self.chance(3) { vec!["vision"] } else { Vec::new() };
        Needs { capabilities, tokens: if self.chance(3) { 101 } else { 100 } }
    }
}

/// The law, from tags alone.
fn is_lawful(tags: &[String], sovereignty: &str, fallback: bool) -> bool {
    let gated = tags.iter().any(|tag| tag.to_ascii_lowercase().ends_with("_gated"));
    (sovereignty != "jp_sovereign" || tags.iter().any(|tag| tag == "jp_sovereign")) && !(fallback && gated)
}

fn upstream(name: &str, spec: &v1::ProviderSpec) -> Arc<Upstream> {
    match decode_spec(Kind::Provider, &spec.encode_to_vec()).unwrap() {
        Spec::Provider(provider) => Arc::new(Upstream { name: name.into(), provider }),
        other => panic!("{other:?}"),
    }
}

/// Follows a chain as a call does: each candidate that may be asked sees the prompt, until one does not fail.
fn asked<'a>(
    chain: &'a [Candidate],
    terms: &Terms<'_>,
    needs: &Needs,
    random: &mut Random,
) -> Vec<&'a Candidate> {
    let mut asked = Vec::new();
    for candidate in chain {
        let place = candidate.place();
        if place.standing(terms).is_empty() && place.unfit(needs).is_empty() {
            asked.push(candidate);
            if !random.chance(7) {
                break;
            }
        }
    }
    asked
}

#[test]
fn no_prompt_leaves_its_sovereignty_or_falls_back_to_a_gated_provider() {
    let mut random = Random(SEED);
    let (mut seen, mut passed_on) = (0_u32, 0_u32);
    let mut pool = Vec::new();
    for case in 0..CASES {
        // Nothing is checked on the way in: whatever a chain holds, this is the last door.
        if case % 1_000 == 0 {
            pool = (0..32).map(|index| upstream(NAMES[index % 6], &random.provider(3))).collect();
        }
        let length = 1 + random.below(5);
        let chain: Vec<Candidate> = (0..length)
            .map(|index| Candidate {
                upstream: Arc::clone(&pool[random.below(pool.len())]),
                model: "m".into(),
                deployment: "m".into(),
                disabled: false,
                fallback: index > 0,
            })
            .collect();
        let one = |of: &mut Random, words: &[&str]| -> Vec<String> {
            if of.chance(7) { Vec::new() } else { vec![words[of.below(words.len())].to_owned()] }
        };
        let allowed =
            Allowed { providers: one(&mut random, &NAMES), jurisdictions: one(&mut random, &["jp", "us"]) };
        let sovereignty = random.sovereignty();
        let terms = Terms { sovereignty, max_price: None, allowed: &allowed };
        let needs = random.needs();
        for candidate in asked(&chain, &terms, &needs, &mut random) {
            let provider = &candidate.upstream.provider;
            let place = format!("seed {SEED:#x}, case {case}: {chain:?}");
            assert!(is_lawful(&provider.tags, sovereignty, candidate.fallback), "{place}");
            for (list, word) in [
                (&allowed.providers, &candidate.upstream.name),
                (&allowed.jurisdictions, &provider.jurisdiction),
            ] {
                assert!(list.is_empty() || list.contains(word), "{place}");
            }
            let model = &provider.models[0];
            assert!(
                !candidate.fallback || model.context_window.is_none() || needs.tokens <= 100,
                "a fallback is too small: {place}"
            );
            seen += 1;
            passed_on += u32::from(candidate.fallback);
        }
    }
    // The cases are worth something only if prompts are seen, and passed on.
    assert!(seen > CASES / 4 && passed_on > CASES / 20, "{seen} seen, {passed_on} passed on");
}

fn item(kind: &str, name: &str, body: &impl Message) -> Item {
    Item { kind: kind.into(), name: name.into(), revision: 1, body: body.encode_to_vec() }
}

fn at(provider: &&str) -> v1::EndpointRef {
    v1::EndpointRef { provider: (*provider).into(), model: "m".into(), ..Default::default() }
}

#[test]
fn what_is_admitted_is_what_the_law_lets_through_and_stays_so() {
    let mut random = Random(SEED);
    let (mut admitted, mut refused) = (0_u32, 0_u32);
    for case in 0..CONFIGURATIONS {
        let (own, by_rule) = (random.chain(), random.chain());
        let sovereignty = random.sovereignty();
        // Providers of the second round are changed when the route is there already.
        for round in 0..2 {
            let specs: Vec<_> =
                NAMES.iter().map(|_| random.provider(if sovereignty.is_empty() { 1 } else { 8 })).collect();
            let tags: BTreeMap<&str, &[String]> =
                NAMES.into_iter().zip(specs.iter().map(|spec| spec.tags.as_slice())).collect();
            let rule = v1::RouteRule {
                provider: by_rule[0].into(),
                fallback_providers: by_rule[1..].iter().map(|&name| name.to_owned()).collect(),
                ..Default::default()
            };
            let route = v1::RouteSpec {
                endpoint: Some(at(&own[0])),
                fallback_endpoints: own[1..].iter().map(at).collect(),
                rules: vec![rule],
                sovereignty: sovereignty.into(),
                ..Default::default()
            };
            let mut items: Vec<_> =
                NAMES.iter().zip(&specs).map(|(name, spec)| item("Provider", name, spec)).collect();
            items.push(item("Route", "r", &route));
            items.push(item(
                "Tenant",
                "t",
                &v1::TenantSpec { routes: vec!["r".into()], ..Default::default() },
            ));
            let lawful = [&own, &by_rule].into_iter().all(|chain| {
                let mut places = chain.iter().enumerate();
                places.all(|(index, name)| is_lawful(tags[name], sovereignty, index > 0))
            });
            let compiled = compile(&Ruleset { revision: 1, items });
            assert_eq!(compiled.is_ok(), lawful, "seed {SEED:#x}, case {case}.{round}: {compiled:?}");
            let Ok(compiled) = compiled else {
                refused += 1;
                continue;
            };
            admitted += 1;
            let facts = Facts { attributes: &BTreeMap::new(), tenant: "t", model: "r", stream: false };
            let route = compiled.route_for("t", "r").unwrap();
            let selection = route.select(&facts);
            let fallbacks: Vec<_> = selection.candidates.iter().map(|one| one.fallback).collect();
            assert_eq!(fallbacks, (0..by_rule.len()).map(|index| index > 0).collect::<Vec<_>>());
            let tenant = compiled.tenant("t");
            let terms = route.terms(&tenant.allowed);
            assert!(selection.candidates.iter().all(|one| one.place().standing(&terms).is_empty()));
        }
    }
    assert!(admitted > CONFIGURATIONS / 10 && refused > CONFIGURATIONS / 10, "{admitted} {refused}");
}
