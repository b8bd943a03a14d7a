//! The breaker against a reference that works otherwise: it keeps the set of permits that still count instead of
//! generations, and tries time in steps of one millisecond instead of computing it.

#![expect(clippy::panic, reason = "a helper of a test fails the test")]

use std::collections::BTreeSet;
use std::time::Duration;

use breakwater_common::breaker::{Answer, Machine, Outcome, Permit, Reason, Settings, State, Transition};
use breakwater_common::limits::PROBE_LEASE_MS;
use breakwater_common::time::MonoMillis;
use proptest::prelude::*;

#[derive(Default)]
struct Reference {
    threshold: u32,
    open_ttl: u64,
    now: u64,
    open_for: Option<u64>,
    half_open: bool,
    probe_for: Option<u64>,
    failures: u32,
    live: BTreeSet<usize>,
}

impl Reference {
    fn state(&self) -> State {
        match (self.open_for, self.half_open) {
            (Some(_), _) => State::Open,
            (None, true) => State::HalfOpen,
            (None, false) => State::Closed,
        }
    }

    fn pass(&mut self, millis: u64) {
        for _ in 0..millis {
            self.now += 1;
            self.open_for = self.open_for.map(|age| age + 1);
            self.probe_for = self.probe_for.map(|age| age + 1);
            if self.probe_for == Some(PROBE_LEASE_MS) {
                self.open();
            }
            self.settle();
        }
    }

    fn settle(&mut self) {
        if self.open_for.is_some_and(|age| age >= self.open_ttl) {
            (self.open_for, self.half_open) = (None, true);
        }
    }

    fn open(&mut self) {
        (self.open_for, self.half_open, self.probe_for) = (Some(0), false, None);
        self.live.clear();
    }

    fn ask(&mut self, id: usize) -> Option<bool> {
        let probe = match self.state() {
            State::Closed => false,
            State::HalfOpen if self.probe_for.is_none() => true,
            State::HalfOpen | State::Open => return None,
        };
        self.probe_for = probe.then_some(0);
        self.live.insert(id);
        Some(probe)
    }

    fn report(&mut self, id: usize, outcome: Outcome) {
        if !self.live.contains(&id) {
            return;
        }
        match outcome {
            Outcome::Success => self.failures = 0,
            Outcome::Failure => self.failures += 1,
            Outcome::Neutral | Outcome::Abandoned => {}
        }
        if self.probe_for.take().is_none() {
            if outcome == Outcome::Failure && self.failures >= self.threshold {
                self.open();
            }
        } else {
            self.live.clear();
            match outcome {
                Outcome::Success => self.half_open = false,
                Outcome::Failure => self.open(),
                Outcome::Neutral | Outcome::Abandoned => {}
            }
        }
        self.settle();
    }
}

#[derive(Debug, Clone)]
enum Step {
    Pass(u64),
    Ask,
    Report(prop::sample::Index, Outcome),
    Reconfigure(u32, u64),
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        2 => Just(Outcome::Success),
        5 => Just(Outcome::Failure),
        1 => Just(Outcome::Neutral),
        1 => Just(Outcome::Abandoned),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => prop_oneof![0..50_u64, Just(100), Just(PROBE_LEASE_MS - 1), Just(PROBE_LEASE_MS)].prop_map(Step::Pass),
        6 => Just(Step::Ask),
        7 => (any::<prop::sample::Index>(), outcome()).prop_map(|(index, outcome)| Step::Report(index, outcome)),
        1 => (1..4_u32, 1..200_u64).prop_map(|(threshold, ttl)| Step::Reconfigure(threshold, ttl)),
    ]
}

fn settings(threshold: u32, open_ttl: u64) -> Settings {
    Settings { threshold, open_ttl: Duration::from_millis(open_ttl) }
}

proptest! {
    #[test]
    fn machine_and_reference_agree_on_every_step(
        threshold in 1..4_u32,
        open_ttl in 1..200_u64,
        steps in prop::collection::vec(step(), 1..120),
    ) {
        let mut machine = Machine::new(settings(threshold, open_ttl));
        let mut reference = Reference { threshold, open_ttl, ..Reference::default() };
        let mut permits: Vec<Permit> = Vec::new();
        let mut generation = 0;
        for step in steps {
            let now = MonoMillis(reference.now);
            match step {
                Step::Pass(millis) => reference.pass(millis),
                Step::Ask => match (machine.ask(now), reference.ask(permits.len())) {
                    (Answer::Permit(permit), Some(probe)) => {
                        prop_assert_eq!(permit.probe, probe);
                        permits.push(permit);
                    }
                    (Answer::Refused { retry_after }, None) => prop_assert!(!retry_after.is_zero()),
                    (answer, expect) => prop_assert!(false, "{:?}, expected {:?}", answer, expect),
                },
                Step::Report(index, outcome) if !permits.is_empty() => {
                    let id = index.index(permits.len());
                    let before = machine.state(now);
                    let transition = machine.report(now, permits[id], outcome);
                    reference.report(id, outcome);
                    if let Some(Transition { from, to, generation: next, .. }) = transition {
                        prop_assert_eq!((from, to), (before, machine.state(now)));
                        prop_assert!(next > generation);
                        generation = next;
                    }
                }
                Step::Report(..) => {}
                Step::Reconfigure(threshold, ttl) => {
                    while machine.tick(now).is_some() {}
                    machine.reconfigure(settings(threshold, ttl));
                    (reference.threshold, reference.open_ttl) = (threshold, ttl);
                    reference.settle();
                }
            }
            let now = MonoMillis(reference.now);
            prop_assert_eq!(machine.state(now), reference.state());
            prop_assert_eq!(machine.consecutive_failures(), reference.failures);
        }
    }
}

/// Asks and insists on a permit.
fn permit(machine: &mut Machine, now: u64) -> Permit {
    match machine.ask(MonoMillis(now)) {
        Answer::Permit(permit) => permit,
        Answer::Refused { retry_after } => panic!("refused for {retry_after:?} at {now}"),
    }
}

fn refused(machine: &mut Machine, now: u64) -> u128 {
    match machine.ask(MonoMillis(now)) {
        Answer::Refused { retry_after } => retry_after.as_millis(),
        Answer::Permit(permit) => panic!("{permit:?} at {now}"),
    }
}

/// An open breaker: five failures at time 0, open for a minute.
fn opened() -> Machine {
    let mut machine = Machine::new(Settings::default());
    for failure in 1..=5 {
        let permit = permit(&mut machine, 0);
        let transition = machine.report(MonoMillis(0), permit, Outcome::Failure);
        assert_eq!(
            transition.map(|t| (t.to, t.generation, t.reason)),
            (failure == 5).then_some((State::Open, 1, Reason::ThresholdReached))
        );
    }
    machine
}

#[test]
fn five_failures_in_a_row_open_it_for_a_minute_and_one_probe_closes_it() {
    let mut machine = opened();
    assert_eq!((machine.open_until(), refused(&mut machine, 1_000)), (Some(MonoMillis(60_000)), 59_000));
    assert_eq!(
        (machine.state(MonoMillis(59_999)), machine.state(MonoMillis(60_000))),
        (State::Open, State::HalfOpen)
    );
    let probe = permit(&mut machine, 60_000);
    assert_eq!((probe.probe, refused(&mut machine, 60_001)), (true, 29_999));
    let transition = machine.report(MonoMillis(60_100), probe, Outcome::Success).unwrap();
    assert_eq!((transition.from, transition.to), (State::HalfOpen, State::Closed));
    assert_eq!((machine.consecutive_failures(), permit(&mut machine, 60_100).probe), (0, false));
}

#[test]
fn a_success_between_failures_starts_the_count_again() {
    let mut machine = Machine::new(Settings::default());
    for outcome in [Outcome::Failure; 4].into_iter().chain([Outcome::Success]).chain([Outcome::Failure; 4]) {
        let permit = permit(&mut machine, 0);
        assert_eq!(machine.report(MonoMillis(0), permit, outcome), None);
    }
    assert_eq!((machine.state(MonoMillis(0)), machine.consecutive_failures()), (State::Closed, 4));
}

#[test]
fn neutral_and_abandoned_neither_count_nor_forgive() {
    let mut machine = Machine::new(settings(2, 1_000));
    let mut transition = None;
    for outcome in [Outcome::Failure, Outcome::Neutral, Outcome::Abandoned, Outcome::Failure] {
        let permit = permit(&mut machine, 0);
        transition = machine.report(MonoMillis(0), permit, outcome);
    }
    assert_eq!(transition.map(|t| t.to), Some(State::Open));
}

#[test]
fn results_of_calls_older_than_the_breaker_s_state_are_ignored() {
    let mut machine = Machine::new(settings(1, 1_000));
    let (late, tripping) = (permit(&mut machine, 0), permit(&mut machine, 0));
    assert!(machine.report(MonoMillis(0), tripping, Outcome::Failure).is_some());
    for (now, outcome) in [(10, Outcome::Success), (20, Outcome::Failure), (1_000, Outcome::Success)] {
        assert_eq!(machine.report(MonoMillis(now), late, outcome), None);
    }
    let probe = permit(&mut machine, 1_000);
    assert_eq!(machine.report(MonoMillis(1_001), late, Outcome::Success), None);
    assert_eq!(machine.state(MonoMillis(1_001)), State::HalfOpen);
    assert!(machine.report(MonoMillis(1_002), probe, Outcome::Failure).is_some());
    assert_eq!((machine.consecutive_failures(), machine.open_until()), (2, Some(MonoMillis(2_002))));
}

#[test]
fn an_abandoned_probe_frees_the_slot_and_its_permit_is_void() {
    for outcome in [Outcome::Abandoned, Outcome::Neutral] {
        let mut machine = opened();
        let first = permit(&mut machine, 60_000);
        assert_eq!(machine.report(MonoMillis(60_001), first, outcome), None);
        let second = permit(&mut machine, 60_002);
        assert!(second.probe && second.generation > first.generation);
        assert_eq!(machine.report(MonoMillis(60_003), first, Outcome::Success), None);
        assert!(machine.report(MonoMillis(60_004), second, Outcome::Success).is_some());
    }
}

#[test]
fn a_probe_without_outcome_opens_it_again_when_its_lease_ends() {
    let mut machine = opened();
    let lost = permit(&mut machine, 60_000);
    assert_eq!(machine.state(MonoMillis(89_999)), State::HalfOpen);
    assert_eq!(machine.state(MonoMillis(90_000)), State::Open);
    let seen: Vec<_> =
        std::iter::from_fn(|| machine.tick(MonoMillis(150_000))).map(|t| (t.to, t.reason)).collect();
    assert_eq!(seen, [(State::Open, Reason::ProbeLeaseExpired), (State::HalfOpen, Reason::OpenTtlPassed)]);
    assert_eq!(machine.report(MonoMillis(150_000), lost, Outcome::Success), None);
    assert_eq!(machine.state(MonoMillis(150_000)), State::HalfOpen);
}

#[test]
fn new_settings_count_from_when_it_opened_and_with_the_next_failure() {
    let mut machine = opened();
    machine.reconfigure(settings(5, 10_000));
    assert_eq!(machine.open_until(), Some(MonoMillis(10_000)));
    let mut machine = Machine::new(settings(5, 1_000));
    for threshold in [5, 5, 2] {
        machine.reconfigure(settings(threshold, 1_000));
        let permit = permit(&mut machine, 0);
        let opened = machine.report(MonoMillis(0), permit, Outcome::Failure).is_some();
        assert_eq!(opened, threshold == 2);
    }
}
