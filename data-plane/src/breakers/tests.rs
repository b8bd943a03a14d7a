//! Breakers by their properties.

use breakwater_common::breaker::{Outcome, Settings, State};
use breakwater_common::resource::{Credential, Model, Provider, ProviderType, Timeouts};
use breakwater_common::time::UnixMillis;
use breakwater_runtime::ManualClock;

use super::*;

/// A provider of this name with one credential and any model.
pub(crate) fn upstream(name: &str, breaker: Settings) -> Upstream {
    let provider = Provider {
        provider_type: ProviderType::OpenAi,
        base_url: "http://127.0.0.1:1/v1".to_owned(),
        region: String::new(),
        jurisdiction: String::new(),
        tags: Vec::new(),
        api_version: String::new(),
        credentials: vec![credential("main", "sk-1")],
        breaker,
        timeouts: Timeouts::default(),
        models: Vec::new(),
        disabled: false,
        error_map: Vec::new(),
    };
    Upstream { name: name.to_owned(), provider }
}

fn credential(name: &str, api_key: &str) -> Credential {
    Credential { name: name.to_owned(), api_key: api_key.to_owned() }
}

fn openai() -> Upstream {
    upstream("openai", Settings::exact(2, Duration::from_secs(60)))
}

fn with_models(names: &[&str]) -> Upstream {
    let model = |name: &&str| Model {
        name: (*name).to_owned(),
        deployment: String::new(),
        context_window: None,
        max_output_tokens: None,
        capabilities: Vec::new(),
        price: None,
        disabled: false,
    };
    let mut upstream = openai();
    upstream.provider.models = names.iter().map(model).collect();
    upstream
}

fn breakers_of(upstream: &Upstream) -> (Breakers, Arc<ManualClock>) {
    let clock = ManualClock::at(UnixMillis(1_000));
    let breakers = Breakers::new(clock.clone(), 7);
    breakers.follow([upstream.clone()].iter());
    (breakers, clock)
}

fn breakers() -> (Breakers, Arc<ManualClock>) {
    breakers_of(&openai())
}

fn ask(breakers: &Breakers) -> Result<Permit, Refusal> {
    ask_for(breakers, "m", "main")
}

fn ask_for(breakers: &Breakers, model: &str, credential: &str) -> Result<Permit, Refusal> {
    breakers.ask(Target { upstream: &openai(), model, credential })
}

fn attempt(breakers: &Breakers, outcome: Outcome) {
    ask(breakers).unwrap().report(outcome);
}

fn attempt_at(breakers: &Breakers, model: &str, outcome: Outcome) {
    ask_for(breakers, model, "main").unwrap().report(outcome);
}

#[test]
fn opens_at_the_threshold_and_lets_one_probe_through_after_the_ttl() {
    let (breakers, clock) = breakers();
    attempt(&breakers, Outcome::Failure);
    attempt(&breakers, Outcome::Failure);
    let refusal = Refusal { class: Class::BreakerOpen, retry_after: Duration::from_secs(60) };
    assert_eq!(ask(&breakers).unwrap_err(), refusal);
    clock.advance(Duration::from_secs(60));
    let mut probe = ask(&breakers).unwrap();
    assert!(ask(&breakers).is_err());
    probe.report(Outcome::Success);
    assert!(ask(&breakers).is_ok());
    let reasons: Vec<_> =
        breakers.transitions(0).0.iter().map(|named| named.transition.reason.as_str()).collect();
    assert_eq!(reasons, ["threshold_reached", "open_ttl_passed", "probe_succeeded"]);
}

#[test]
fn a_dropped_probe_gives_its_permit_back() {
    let (breakers, clock) = breakers();
    attempt(&breakers, Outcome::Failure);
    attempt(&breakers, Outcome::Failure);
    clock.advance(Duration::from_secs(61));
    drop(ask(&breakers).unwrap());
    assert!(ask(&breakers).is_ok());
}

#[test]
fn a_new_ruleset_keeps_the_state() {
    let (breakers, _clock) = breakers();
    attempt(&breakers, Outcome::Failure);
    attempt(&breakers, Outcome::Failure);
    breakers.follow([openai(), upstream("azure", Settings::default())].iter());
    let states: Vec<_> =
        breakers.standings().into_iter().map(|s| (s.provider, s.state, s.consecutive_failures)).collect();
    assert_eq!(states, [("azure".to_owned(), State::Closed, 0), ("openai".to_owned(), State::Open, 2)]);
}

#[test]
fn only_the_first_word_about_an_attempt_counts() {
    let (breakers, _clock) = breakers();
    let mut permit = ask(&breakers).unwrap();
    permit.report(Outcome::Failure);
    permit.report(Outcome::Failure);
    drop(permit);
    let standing = breakers.standings().pop().unwrap();
    assert_eq!((standing.consecutive_failures, standing.counts.failures), (1, 1));
}

fn refused(breakers: &Breakers, model: &str, credential: &str) -> Option<Class> {
    ask_for(breakers, model, credential).err().map(|refusal| refusal.class)
}

#[test]
fn a_broken_deployment_does_not_take_the_others_with_it() {
    let (breakers, _clock) = breakers_of(&with_models(&["good", "bad"]));
    for outcome in [Outcome::Failure, Outcome::Failure] {
        attempt_at(&breakers, "good", Outcome::Success);
        attempt_at(&breakers, "bad", outcome);
        attempt_at(&breakers, "good", Outcome::Success);
    }
    assert_eq!(refused(&breakers, "bad", "main"), Some(Class::BreakerOpen));
    assert_eq!(refused(&breakers, "good", "main"), None);
    let standing = breakers.standings().pop().unwrap();
    let models: Vec<_> = standing.models.iter().map(|cell| (cell.model.as_str(), cell.state)).collect();
    assert_eq!(
        (standing.state, models),
        (State::Closed, vec![("bad", State::Open), ("good", State::Closed)])
    );
    let named = breakers.transitions(0).0;
    assert_eq!((named.len(), named[0].provider.as_str(), named[0].model.as_str()), (1, "openai", "bad"));
}

#[test]
fn provider_and_deployment_that_opened_together_are_probed_together() {
    let mut both = with_models(&["one", "two"]);
    both.provider.breaker.open_ttl_max = Duration::from_secs(300);
    let (breakers, clock) = breakers_of(&both);
    attempt_at(&breakers, "one", Outcome::Failure);
    attempt_at(&breakers, "one", Outcome::Failure);
    let retry_after = ask_for(&breakers, "one", "main").unwrap_err().retry_after;
    assert!((60..=72).contains(&retry_after.as_secs()), "{retry_after:?}");
    clock.advance(retry_after);
    attempt_at(&breakers, "one", Outcome::Success);
    let standing = breakers.standings().pop().unwrap();
    assert_eq!((standing.state, standing.models[0].state), (State::Closed, State::Closed));
}

#[test]
fn a_call_that_its_deployment_refuses_does_not_take_the_providers_probe() {
    let (breakers, clock) = breakers_of(&with_models(&["one", "two"]));
    attempt_at(&breakers, "one", Outcome::Failure);
    attempt_at(&breakers, "two", Outcome::Failure);
    clock.advance(Duration::from_secs(60));
    let first = ask_for(&breakers, "one", "main").unwrap();
    assert_eq!(refused(&breakers, "two", "main"), Some(Class::BreakerOpen), "the probe is out");
    drop(first);
    assert_eq!(refused(&breakers, "two", "main"), None, "it came back");
}

#[test]
fn a_panic_gives_a_probe_back() {
    let (breakers, clock) = breakers();
    attempt(&breakers, Outcome::Failure);
    attempt(&breakers, Outcome::Failure);
    clock.advance(Duration::from_secs(60));
    let holder = breakers.clone();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
        let _probe = ask(&holder).unwrap();
        panic!("a layer panics while it holds the probe");
    }));
    assert!(panicked.is_err() && ask(&breakers).is_ok());
}

fn two_keys() -> Upstream {
    let mut upstream = openai();
    upstream.provider.credentials = vec![credential("main", "sk-1"), credential("spare", "sk-2")];
    upstream
}

#[test]
fn a_credential_over_its_limit_waits_with_its_model_and_the_breaker_hears_nothing() {
    let (breakers, clock) = breakers_of(&two_keys());
    for _ in 0..9 {
        let asked = Some(Duration::from_secs(7));
        ask_for(&breakers, "m", "spare").unwrap().failed(("main", "m"), Class::RateLimited, asked);
    }
    assert_eq!(refused(&breakers, "m", "main"), Some(Class::CoolingDown));
    assert_eq!((refused(&breakers, "m", "spare"), refused(&breakers, "n", "main")), (None, None));
    clock.advance(Duration::from_secs(9));
    assert_eq!(refused(&breakers, "m", "main"), None);
    let standing = breakers.standings().pop().unwrap();
    assert_eq!((standing.state, standing.counts.failures), (State::Closed, 0));
}

#[test]
fn a_refused_credential_is_down_until_it_is_another_one() {
    let (breakers, clock) = breakers_of(&two_keys());
    let down =
        || ask_for(&breakers, "m", "main").unwrap().failed(("main", "m"), Class::CredentialRefused, None);
    down();
    breakers.follow([two_keys()].iter());
    clock.advance(Duration::from_secs(1_799));
    assert_eq!(refused(&breakers, "n", "main"), Some(Class::CredentialDown));
    let cooling = breakers.standings().pop().unwrap().cooling;
    assert_eq!(
        (cooling.len(), cooling[0].credential.as_str(), cooling[0].reason),
        (1, "main", "credential_refused")
    );
    let mut mended = two_keys();
    mended.provider.credentials[0] = credential("main", "sk-new");
    breakers.follow([mended].iter());
    assert_eq!(refused(&breakers, "n", "main"), None);
    breakers.follow([two_keys()].iter());
    down();
    let mut disabled = two_keys();
    disabled.provider.disabled = true;
    breakers.follow([disabled].iter());
    assert_eq!(refused(&breakers, "n", "main"), None, "switched off and on it is tried again");
}

#[test]
fn one_failure_is_heard_once() {
    let (breakers, _clock) = breakers();
    let mut permit = ask(&breakers).unwrap();
    permit.report(Outcome::Success);
    permit.failed(("main", "m"), Class::CredentialRefused, None);
    assert_eq!(refused(&breakers, "m", "main"), None);
}
