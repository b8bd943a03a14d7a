//! Breakers by their properties.

use breakwater_runtime::ManualClock;

use super::*;

const SETTINGS: Settings = Settings { threshold: 2, open_ttl: Duration::from_secs(60) };

fn breakers() -> (Breakers, Arc<ManualClock>) {
    let clock = ManualClock::at(UnixMillis(1_000));
    let breakers = Breakers::new(clock.clone());
    breakers.follow([("openai", SETTINGS)].into_iter());
    (breakers, clock)
}

fn attempt(breakers: &Breakers, outcome: Outcome) {
    breakers.ask("openai", SETTINGS).unwrap().report(outcome);
}

#[test]
fn opens_at_the_threshold_and_lets_one_probe_through_after_the_ttl() {
    let (breakers, clock) = breakers();
    attempt(&breakers, Outcome::Failure);
    attempt(&breakers, Outcome::Failure);
    assert_eq!(breakers.ask("openai", SETTINGS).unwrap_err(), Duration::from_secs(60));
    clock.advance(Duration::from_secs(60));
    let mut probe = breakers.ask("openai", SETTINGS).unwrap();
    assert!(breakers.ask("openai", SETTINGS).is_err());
    probe.report(Outcome::Success);
    assert!(breakers.ask("openai", SETTINGS).is_ok());
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
    drop(breakers.ask("openai", SETTINGS).unwrap());
    assert!(breakers.ask("openai", SETTINGS).is_ok());
}

#[test]
fn a_new_ruleset_keeps_the_state() {
    let (breakers, _clock) = breakers();
    attempt(&breakers, Outcome::Failure);
    attempt(&breakers, Outcome::Failure);
    breakers.follow([("openai", SETTINGS), ("azure", SETTINGS)].into_iter());
    let states: Vec<_> =
        breakers.standings().into_iter().map(|s| (s.provider, s.state, s.consecutive_failures)).collect();
    assert_eq!(states, [("azure".to_owned(), State::Closed, 0), ("openai".to_owned(), State::Open, 2)]);
}

#[test]
fn only_the_first_word_about_an_attempt_counts() {
    let (breakers, _clock) = breakers();
    let mut permit = breakers.ask("openai", SETTINGS).unwrap();
    permit.report(Outcome::Failure);
    permit.report(Outcome::Failure);
    drop(permit);
    let standing = breakers.standings().pop().unwrap();
    assert_eq!((standing.consecutive_failures, standing.counts.failures), (1, 1));
}
