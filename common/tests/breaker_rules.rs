//! What opens a breaker beside failures in a row, for how long, and what an operator's hand does.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::time::Duration;

use breakwater_common::breaker::{
    Answer, Count, Draw, Force, Machine, Outcome, Permit, Reason, Report, Rule, Settings, Slow, State,
    Transition,
};
use breakwater_common::limits::PROBE_LEASE_MS;
use breakwater_common::time::MonoMillis;

const CHANCE: Draw = Draw(0);

fn permit(machine: &mut Machine, now: u64) -> Permit {
    match machine.ask(MonoMillis(now), CHANCE) {
        Answer::Permit(permit) => permit,
        Answer::Refused { retry_after } => panic!("refused for {retry_after:?} at {now}"),
    }
}

fn attempt(machine: &mut Machine, now: u64, outcome: Outcome) -> Option<Transition> {
    let permit = permit(machine, now);
    machine.report(MonoMillis(now), CHANCE, permit, outcome)
}

fn growing() -> Settings {
    Settings { open_ttl_max: Duration::from_secs(300), ..Settings::exact(1, Duration::from_secs(60)) }
}

/// Opens it, fails so many probes, and returns how long it is open then.
fn open_for(settings: Settings, draw: Draw, failed_probes: u32, at_least: u64) -> u64 {
    let mut machine = Machine::new(settings);
    let mut now = 0;
    let report = Report { outcome: Outcome::Failure, open_at_least: Duration::from_secs(at_least) };
    for _ in 0..=failed_probes {
        let permit = permit(&mut machine, now);
        let transition = machine.report(MonoMillis(now), draw, permit, report).unwrap();
        let until = machine.open_until().unwrap().0;
        assert_eq!(transition.evidence.open_for.as_millis(), u128::from(until - now));
        now = until;
    }
    let since = machine.open_until().unwrap().0;
    // The last probe was reported the moment the time before it had passed.
    let mut before = Machine::new(settings);
    let mut start = 0;
    for _ in 0..failed_probes {
        let permit = permit(&mut before, start);
        let _turned = before.report(MonoMillis(start), draw, permit, report);
        start = before.open_until().unwrap().0;
    }
    since - start
}

#[test]
fn each_failed_probe_doubles_the_open_time_up_to_its_bound() {
    for (failed_probes, seconds) in [(0, 60), (1, 120), (2, 240), (3, 300), (40, 300)] {
        assert_eq!(open_for(growing(), CHANCE, failed_probes, 0), seconds * 1_000, "{failed_probes}");
    }
}

#[test]
fn chance_stretches_the_open_time_by_a_fifth_at_most() {
    assert_eq!(open_for(growing(), Draw(u16::MAX), 0, 0), 72_000);
    assert_eq!(open_for(growing(), Draw(u16::MAX / 2), 0, 0), 65_999);
    assert_eq!(open_for(growing(), Draw(u16::MAX), 2, 0), 288_000);
    assert_eq!(open_for(growing(), Draw(u16::MAX), 3, 0), 300_000);
}

#[test]
fn the_provider_s_own_wish_is_waited_for_within_the_bound() {
    assert_eq!(open_for(growing(), CHANCE, 0, 90), 90_000);
    assert_eq!(open_for(growing(), CHANCE, 0, 7), 60_000);
    assert_eq!(open_for(growing(), CHANCE, 0, 86_400), 300_000);
}

#[test]
fn seed_002_is_exact_whatever_fails_chance_and_the_provider_say() {
    let seed = Settings::exact(1, Duration::from_secs(60));
    for failed_probes in [0, 1, 9] {
        assert_eq!(open_for(seed, Draw(u16::MAX), failed_probes, 86_400), 60_000);
    }
}

#[test]
fn a_success_ends_the_doubling() {
    let mut machine = Machine::new(growing());
    let _turned = attempt(&mut machine, 0, Outcome::Failure);
    let _turned = attempt(&mut machine, 60_000, Outcome::Failure);
    assert_eq!(machine.open_until(), Some(MonoMillis(180_000)));
    let _turned = attempt(&mut machine, 180_000, Outcome::Success);
    let _turned = attempt(&mut machine, 180_000, Outcome::Failure);
    assert_eq!(machine.open_until(), Some(MonoMillis(240_000)));
}

#[test]
fn a_lost_probe_doubles_it_too() {
    let mut machine = Machine::new(growing());
    let _turned = attempt(&mut machine, 0, Outcome::Failure);
    assert!(permit(&mut machine, 60_000).probe);
    let expired = machine.tick(MonoMillis(60_000 + PROBE_LEASE_MS), CHANCE).unwrap();
    assert_eq!((expired.reason, expired.evidence.open_for.as_secs()), (Reason::ProbeLeaseExpired, 120));
}

/// By default, with every third call answered: never five failures in a row.
#[test]
fn a_brown_out_opens_it_by_its_share() {
    let mut machine = Machine::new(Settings::default());
    let mut opened = None;
    for call in 0..30_u64 {
        let outcome = if call % 3 == 2 { Outcome::Success } else { Outcome::Failure };
        opened = attempt(&mut machine, call * 100, outcome);
        if opened.is_some() {
            break;
        }
    }
    let opened = opened.unwrap();
    assert_eq!(opened.reason, Reason::FailureRatioReached);
    assert_eq!(opened.evidence.failures, Count { bad: 14, of: 20 });
    assert_eq!(opened.evidence.text(), "2 in a row; 14 of 20 failed; open for 60000 ms");
}

#[test]
fn few_calls_and_old_calls_are_no_ground() {
    let spread = |every: u64| {
        let mut machine = Machine::new(Settings::default());
        (0..60).any(|call| {
            let outcome = if call % 2 == 0 { Outcome::Failure } else { Outcome::Success };
            attempt(&mut machine, call * every, outcome).is_some()
        })
    };
    assert!(spread(1_000), "30 in 30 s");
    assert!(!spread(2_000), "15 in 30 s");
}

#[test]
fn a_success_opens_nothing() {
    let rule = Rule { share: 1, min_requests: 2, window: Duration::from_secs(30) };
    let mut machine =
        Machine::new(Settings { failures: Some(rule), ..Settings::exact(9, Duration::from_secs(1)) });
    assert_eq!(attempt(&mut machine, 0, Outcome::Failure), None);
    assert_eq!(attempt(&mut machine, 0, Outcome::Success), None);
    assert_eq!(
        attempt(&mut machine, 0, Outcome::Failure).map(|t| t.reason),
        Some(Reason::FailureRatioReached)
    );
}

#[test]
fn what_closed_it_forgets_what_opened_it() {
    let mut machine = Machine::new(Settings { threshold: 1_000, ..Settings::default() });
    let opened = (0..20).find_map(|_| attempt(&mut machine, 0, Outcome::Failure)).unwrap();
    assert_eq!(opened.evidence.failures, Count { bad: 20, of: 20 });
    let _turned = attempt(&mut machine, 60_000, Outcome::Success);
    assert_eq!(attempt(&mut machine, 60_000, Outcome::Failure), None);
}

fn slow() -> Settings {
    let rule = Rule { share: 5_000, min_requests: 4, window: Duration::from_secs(60) };
    let slow = Slow { first_token: Duration::from_secs(2), rule };
    Settings { slow: Some(slow), ..Settings::exact(5, Duration::from_secs(60)) }
}

fn first_token(machine: &mut Machine, now: u64, millis: u64) -> Option<Transition> {
    let permit = permit(machine, now);
    machine.first_token(MonoMillis(now), CHANCE, permit, Duration::from_millis(millis))
}

#[test]
fn slow_first_tokens_open_it_and_a_slow_probe_does_not_close_it() {
    let mut machine = Machine::new(slow());
    for took in [100, 100, 2_001] {
        assert_eq!(first_token(&mut machine, 0, took), None);
    }
    let opened = first_token(&mut machine, 0, 2_001).unwrap();
    assert_eq!((opened.to, opened.reason), (State::Open, Reason::SlowRatioReached));
    assert_eq!(opened.evidence.slow, Count { bad: 2, of: 4 });
    let probe = first_token(&mut machine, 60_000, 9_000).unwrap();
    assert_eq!((probe.to, probe.reason), (State::Open, Reason::ProbeFailed));
    assert_eq!(first_token(&mut machine, 120_000, 2_000), None, "as slow as allowed, and not yet over");
    assert_eq!(machine.state(MonoMillis(120_000)), State::HalfOpen);
}

#[test]
fn forced_open_lets_nothing_through_until_a_probe_decides() {
    let seed = Settings::exact(5, Duration::from_secs(60));
    let forced = Settings { force: Some(Force::Open), ..seed };
    let mut machine = Machine::new(seed);
    let late = permit(&mut machine, 0);
    let turned = machine.reconfigure(MonoMillis(0), forced).unwrap();
    assert_eq!((turned.from, turned.to, turned.reason), (State::Closed, State::Open, Reason::ForcedOpen));
    assert_eq!(machine.report(MonoMillis(1), CHANCE, late, Outcome::Success), None);
    for now in [1, 60_000, 86_400_000] {
        assert!(matches!(machine.ask(MonoMillis(now), CHANCE), Answer::Refused { .. }), "{now}");
    }
    assert_eq!((machine.open_until(), machine.reconfigure(MonoMillis(9), forced)), (None, None));
    let lifted = machine.reconfigure(MonoMillis(86_400_000), seed).unwrap();
    assert_eq!((lifted.to, lifted.reason), (State::HalfOpen, Reason::ForceLifted));
    assert!(permit(&mut machine, 86_400_000).probe);
    assert_eq!(Machine::new(forced).state(MonoMillis(0)), State::Open);
}

#[test]
fn forced_closed_opens_for_nothing_and_counts_on() {
    let seed = slow();
    let mut machine = Machine::new(seed);
    assert!((0..5).any(|_| attempt(&mut machine, 0, Outcome::Failure).is_some()));
    let forced = Settings { force: Some(Force::Closed), ..seed };
    let turned = machine.reconfigure(MonoMillis(1), forced).unwrap();
    assert_eq!((turned.from, turned.to, turned.reason), (State::Open, State::Closed, Reason::ForcedClosed));
    for _ in 0..50 {
        assert_eq!(attempt(&mut machine, 1, Outcome::Failure), None);
        assert_eq!(first_token(&mut machine, 1, 9_000), None);
    }
    assert_eq!(machine.consecutive_failures(), 50);
    assert_eq!(machine.reconfigure(MonoMillis(1), seed), None);
    assert!(
        attempt(&mut machine, 1, Outcome::Failure).is_some(),
        "the hand is off: the next failure opens it"
    );
}

/// What each outcome makes of each state, whoever reports it.
#[test]
fn every_outcome_in_every_state() {
    use Outcome::{Abandoned, Failure, Neutral, Success};
    let seed = Settings::exact(2, Duration::from_secs(60));
    let opened = |machine: &mut Machine| assert!((0..2).any(|_| attempt(machine, 0, Failure).is_some()));
    let check = |name: &str,
                 now: u64,
                 prepare: &dyn Fn(&mut Machine),
                 outcome,
                 expect: (State, u32, Option<Reason>)| {
        let mut machine = Machine::new(seed);
        prepare(&mut machine);
        let permit = match machine.ask(MonoMillis(now), CHANCE) {
            Answer::Permit(permit) => permit,
            // Nobody holds a permit of an open breaker; the number says what a forged one would do.
            Answer::Refused { .. } => Permit { generation: machine.generation(), probe: false },
        };
        let reason =
            machine.report(MonoMillis(now), CHANCE, permit, outcome).map(|transition| transition.reason);
        let state = machine.state(MonoMillis(now));
        assert_eq!((state, machine.consecutive_failures(), reason), expect, "{name}, {outcome:?}");
    };
    let closed = |_: &mut Machine| {};
    check("closed", 0, &closed, Success, (State::Closed, 0, None));
    check("closed", 0, &closed, Failure, (State::Closed, 1, None));
    check("closed", 0, &closed, Neutral, (State::Closed, 0, None));
    check("closed", 0, &closed, Abandoned, (State::Closed, 0, None));
    let failed = |machine: &mut Machine| assert_eq!(attempt(machine, 0, Failure), None);
    check("one failure", 0, &failed, Success, (State::Closed, 0, None));
    check("one failure", 0, &failed, Failure, (State::Open, 2, Some(Reason::ThresholdReached)));
    check("one failure", 0, &failed, Neutral, (State::Closed, 1, None));
    check("one failure", 0, &failed, Abandoned, (State::Closed, 1, None));
    for outcome in [Success, Failure, Neutral, Abandoned] {
        check("open", 0, &opened, outcome, (State::Open, 2, None));
    }
    check("probe", 60_000, &opened, Success, (State::Closed, 0, Some(Reason::ProbeSucceeded)));
    check("probe", 60_000, &opened, Failure, (State::Open, 3, Some(Reason::ProbeFailed)));
    check("probe", 60_000, &opened, Neutral, (State::HalfOpen, 2, None));
    check("probe", 60_000, &opened, Abandoned, (State::HalfOpen, 2, None));
    let out = |machine: &mut Machine| {
        opened(machine);
        assert!(permit(machine, 60_000).probe);
    };
    check("probe is out", 60_001 + PROBE_LEASE_MS, &out, Success, (State::Open, 2, None));
    let forced = |machine: &mut Machine| {
        let forced = Settings { force: Some(Force::Open), ..seed };
        assert!(machine.reconfigure(MonoMillis(0), forced).is_some());
    };
    for outcome in [Success, Failure, Neutral, Abandoned] {
        check("forced open", 0, &forced, outcome, (State::Open, 0, None));
    }
}
