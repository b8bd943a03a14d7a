//! The breaker against a reference that works otherwise: it keeps the set of permits that still count instead of
//! generations, a log of everything instead of buckets, and tries time in steps of one millisecond instead of computing it.

#![expect(clippy::panic, reason = "a helper of a test fails the test")]

use std::collections::BTreeSet;
use std::time::Duration;

use breakwater_common::breaker::{
    Answer, Draw, Force, Machine, Outcome, Permit, Reason, Report, Rule, Settings, Slow, State, Transition,
};
use breakwater_common::limits::PROBE_LEASE_MS;
use breakwater_common::time::MonoMillis;
use proptest::prelude::*;

const CHANCE: Draw = Draw(0);

struct Reference {
    settings: Settings,
    now: u64,
    state: State,
    /// How long it is open, what was asked for, and what chance said.
    open: (u64, u64, Draw),
    probe_for: Option<u64>,
    failures: u32,
    failed_probes: u32,
    live: BTreeSet<usize>,
    log: Vec<(u64, bool)>,
    slow_log: Vec<(u64, bool)>,
}

impl Reference {
    fn pass(&mut self, millis: u64) {
        for _ in 0..millis {
            (self.now, self.open.0) = (self.now + 1, self.open.0 + 1);
            self.probe_for = self.probe_for.map(|age| age + 1);
            if self.probe_for == Some(PROBE_LEASE_MS) {
                self.failed_probes += 1;
                self.open(0, CHANCE);
            }
            self.settle();
        }
    }
    fn settle(&mut self) {
        let ttl = u64::try_from(self.settings.open_ttl.as_micros()).unwrap_or(u64::MAX);
        let stretch = |micros: u64| (micros + micros / 5 * u64::from(self.open.2.0) / 65_535) / 1_000;
        let wish = stretch(ttl << self.failed_probes.min(10)).max(self.open.1);
        let most = u64::try_from(self.settings.open_ttl_max.as_millis()).unwrap_or(u64::MAX);
        let forced = self.settings.force == Some(Force::Open);
        if self.state == State::Open && !forced && self.open.0 >= wish.min(most) {
            self.state = State::HalfOpen;
        }
    }
    fn open(&mut self, at_least: u64, draw: Draw) {
        (self.state, self.open, self.probe_for) = (State::Open, (0, at_least, draw), None);
        self.live.clear();
    }
    fn close(&mut self) {
        (self.state, self.failures, self.failed_probes, self.probe_for) = (State::Closed, 0, 0, None);
        (self.log, self.slow_log) = (Vec::new(), Vec::new());
        self.live.clear();
    }
    fn too_many(&self, log: &[(u64, bool)], rule: Option<Rule>) -> bool {
        let Some(Rule { share, min_requests, window }) = rule else { return false };
        let tenth = tenth(window);
        let recent = || log.iter().filter(|(at, _)| at / tenth + 10 > self.now / tenth);
        let (bad, of) = (recent().filter(|(_, bad)| *bad).count() as u64, recent().count() as u64);
        of >= u64::from(min_requests) && bad * 10_000 >= of * u64::from(share)
    }
    fn ask(&mut self, id: usize) -> Option<bool> {
        let probe = match self.state {
            State::Closed => false,
            State::HalfOpen if self.probe_for.is_none() => true,
            State::HalfOpen | State::Open => return None,
        };
        self.probe_for = probe.then_some(0);
        self.live.insert(id);
        Some(probe)
    }
    fn report(&mut self, id: usize, outcome: Outcome, at_least: u64, draw: Draw) {
        if !self.live.contains(&id) {
            return;
        }
        let (failed, forced) = (outcome == Outcome::Failure, self.settings.force.is_some());
        self.failures = if outcome == Outcome::Success { 0 } else { self.failures + u32::from(failed) };
        match (self.probe_for.take(), outcome) {
            (None, Outcome::Success | Outcome::Failure) => {
                self.log.push((self.now, failed));
                let ratio = self.too_many(&self.log, self.settings.failures);
                if failed && !forced && (self.failures >= self.settings.threshold || ratio) {
                    self.open(at_least, draw);
                }
            }
            (Some(_), Outcome::Success) => self.close(),
            (Some(_), Outcome::Failure) => {
                self.failed_probes += 1;
                self.open(at_least, draw);
            }
            (Some(_), Outcome::Neutral | Outcome::Abandoned) => self.live.clear(),
            (None, Outcome::Neutral | Outcome::Abandoned) => {}
        }
        self.settle();
    }
    fn first_token(&mut self, id: usize, took: Duration, draw: Draw) {
        let Some(slow) = self.settings.slow.filter(|_| self.live.contains(&id)) else { return };
        let is_slow = took > slow.first_token;
        if self.probe_for.is_none() {
            self.slow_log.push((self.now, is_slow));
        }
        let ratio = self.too_many(&self.slow_log, Some(slow.rule)) && self.settings.force.is_none();
        if is_slow && (self.probe_for.is_some() || ratio) {
            self.failed_probes += u32::from(self.probe_for.is_some());
            self.open(0, draw);
        }
        self.settle();
    }
    fn reconfigure(&mut self, settings: Settings) {
        let before = std::mem::replace(&mut self.settings, settings);
        let lengths = |settings: Settings| {
            let slow = settings.slow.map_or(Rule::default(), |slow| slow.rule);
            (tenth(settings.failures.unwrap_or_default().window), tenth(slow.window))
        };
        if lengths(before).0 != lengths(settings).0 {
            self.log.clear();
        }
        if lengths(before).1 != lengths(settings).1 {
            self.slow_log.clear();
        }
        match (before.force, settings.force) {
            (Some(Force::Open), Some(Force::Open)) => {}
            (_, Some(Force::Open)) => self.open(0, CHANCE),
            (_, Some(Force::Closed)) if self.state != State::Closed => self.close(),
            (Some(Force::Open), None) => (self.state, self.failed_probes) = (State::HalfOpen, 0),
            _ => {}
        }
        self.settle();
    }
}

/// Windows are counted by tenths, of a millisecond at least.
fn tenth(window: Duration) -> u64 {
    u64::try_from(window.as_millis() / 10).unwrap_or(u64::MAX).max(1)
}

#[derive(Debug, Clone)]
enum Step {
    Pass(u64),
    Ask,
    Report(prop::sample::Index, Outcome, u64, u16),
    FirstToken(prop::sample::Index, u64, u16),
    Reconfigure(Settings),
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        3 => Just(Outcome::Success),
        5 => Just(Outcome::Failure),
        1 => Just(Outcome::Neutral),
        1 => Just(Outcome::Abandoned),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let index = any::<prop::sample::Index>;
    let chance = || prop_oneof![Just(0), any::<u16>()];
    let pass =
        prop_oneof![4 => 0..50_u64, 1 => Just(100), 1 => Just(PROBE_LEASE_MS - 1), 1 => Just(PROBE_LEASE_MS)];
    prop_oneof![
        3 => pass.prop_map(Step::Pass),
        6 => Just(Step::Ask),
        7 => (index(), outcome(), prop_oneof![Just(0), 0..300_u64], chance())
            .prop_map(|(index, outcome, at_least, draw)| Step::Report(index, outcome, at_least, draw)),
        2 => (index(), 0..20_u64, chance()).prop_map(|(index, took, draw)| Step::FirstToken(index, took, draw)),
        1 => settings_of_any_kind().prop_map(Step::Reconfigure),
    ]
}

fn settings_of_any_kind() -> impl Strategy<Value = Settings> {
    let rule = || {
        (1..=10_000_u32, 1..8_u32, prop_oneof![1..40_u64, 200..400_u64])
            .prop_map(|(share, min_requests, window)| Rule { share, min_requests, window: millis(window) })
    };
    let slow = (0..20_u64, rule()).prop_map(|(limit, rule)| Slow { first_token: millis(limit), rule });
    let force = prop_oneof![8 => Just(None), 1 => Just(Some(Force::Open)), 1 => Just(Some(Force::Closed))];
    let times = (1..6_u32, 1..200_u64, 0..600_u64);
    (times, prop::option::of(rule()), prop::option::of(slow), force).prop_map(
        |((threshold, ttl, more), failures, slow, force)| Settings {
            threshold,
            open_ttl: millis(ttl),
            open_ttl_max: millis(ttl + more),
            failures,
            slow,
            force,
        },
    )
}

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn settings(threshold: u32, open_ttl: u64) -> Settings {
    Settings::exact(threshold, millis(open_ttl))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_048, ..ProptestConfig::default() })]

    #[test]
    fn machine_and_reference_agree_on_every_step(
        first in settings_of_any_kind(),
        steps in prop::collection::vec(step(), 1..120),
    ) {
        let first = Settings { force: None, ..first };
        let mut machine = Machine::new(first);
        let mut reference = Reference {
            settings: first,
            now: 0,
            state: State::Closed,
            open: (0, 0, CHANCE),
            probe_for: None,
            failures: 0,
            failed_probes: 0,
            live: BTreeSet::new(),
            log: Vec::new(),
            slow_log: Vec::new(),
        };
        let mut permits: Vec<Permit> = Vec::new();
        let mut generation = 0;
        for step in steps {
            let now = MonoMillis(reference.now);
            let before = machine.state(now);
            let mut changed = None;
            match step {
                Step::Pass(millis) => reference.pass(millis),
                Step::Ask => match (machine.ask(now, CHANCE), reference.ask(permits.len())) {
                    (Answer::Permit(permit), Some(probe)) => {
                        prop_assert_eq!(permit.probe, probe);
                        permits.push(permit);
                    }
                    (Answer::Refused { retry_after }, None) => prop_assert!(!retry_after.is_zero()),
                    (answer, expect) => prop_assert!(false, "{:?}, expected {:?}", answer, expect),
                },
                Step::Report(index, outcome, at_least, draw) if !permits.is_empty() => {
                    let id = index.index(permits.len());
                    let report = Report { outcome, open_at_least: millis(at_least) };
                    changed = machine.report(now, Draw(draw), permits[id], report);
                    reference.report(id, outcome, at_least, Draw(draw));
                }
                Step::FirstToken(index, took, draw) if !permits.is_empty() => {
                    let id = index.index(permits.len());
                    changed = machine.first_token(now, Draw(draw), permits[id], millis(took));
                    reference.first_token(id, millis(took), Draw(draw));
                }
                Step::Report(..) | Step::FirstToken(..) => {}
                Step::Reconfigure(settings) => {
                    changed = machine.reconfigure(now, settings);
                    reference.reconfigure(settings);
                }
            }
            let now = MonoMillis(reference.now);
            if let Some(Transition { from, to, generation: next, .. }) = changed {
                prop_assert_eq!((from, to), (before, machine.state(now)));
                prop_assert!(next > generation);
                generation = next;
            }
            while machine.tick(now, CHANCE).is_some() {}
            prop_assert_eq!(machine.state(now), reference.state);
            prop_assert_eq!(machine.consecutive_failures(), reference.failures);
        }
    }
}

// What the machine promises, one by one.

/// Asks and insists on a permit.
fn permit(machine: &mut Machine, now: u64) -> Permit {
    match machine.ask(MonoMillis(now), CHANCE) {
        Answer::Permit(permit) => permit,
        Answer::Refused { retry_after } => panic!("refused for {retry_after:?} at {now}"),
    }
}

fn refused(machine: &mut Machine, now: u64) -> u128 {
    match machine.ask(MonoMillis(now), CHANCE) {
        Answer::Refused { retry_after } => retry_after.as_millis(),
        Answer::Permit(permit) => panic!("{permit:?} at {now}"),
    }
}

/// An open breaker: five failures at time 0, open for a minute.
fn opened() -> Machine {
    let mut machine = Machine::new(settings(5, 60_000));
    for failure in 1..=5 {
        let permit = permit(&mut machine, 0);
        let transition = machine.report(MonoMillis(0), CHANCE, permit, Outcome::Failure);
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
    let transition = machine.report(MonoMillis(60_100), CHANCE, probe, Outcome::Success).unwrap();
    assert_eq!((transition.from, transition.to), (State::HalfOpen, State::Closed));
    assert_eq!((machine.consecutive_failures(), permit(&mut machine, 60_100).probe), (0, false));
}

#[test]
fn a_success_between_failures_starts_the_count_again() {
    let mut machine = Machine::new(settings(5, 60_000));
    for outcome in [Outcome::Failure; 4].into_iter().chain([Outcome::Success]).chain([Outcome::Failure; 4]) {
        let permit = permit(&mut machine, 0);
        assert_eq!(machine.report(MonoMillis(0), CHANCE, permit, outcome), None);
    }
    assert_eq!((machine.state(MonoMillis(0)), machine.consecutive_failures()), (State::Closed, 4));
}

#[test]
fn neutral_and_abandoned_neither_count_nor_forgive() {
    let mut machine = Machine::new(settings(2, 1_000));
    let mut transition = None;
    for outcome in [Outcome::Failure, Outcome::Neutral, Outcome::Abandoned, Outcome::Failure] {
        let permit = permit(&mut machine, 0);
        transition = machine.report(MonoMillis(0), CHANCE, permit, outcome);
    }
    assert_eq!(transition.map(|t| t.to), Some(State::Open));
}

#[test]
fn results_of_calls_older_than_the_breaker_s_state_are_ignored() {
    let mut machine = Machine::new(settings(1, 1_000));
    let (late, tripping) = (permit(&mut machine, 0), permit(&mut machine, 0));
    assert!(machine.report(MonoMillis(0), CHANCE, tripping, Outcome::Failure).is_some());
    for (now, outcome) in [(10, Outcome::Success), (20, Outcome::Failure), (1_000, Outcome::Success)] {
        assert_eq!(machine.report(MonoMillis(now), CHANCE, late, outcome), None);
    }
    let probe = permit(&mut machine, 1_000);
    assert_eq!(machine.report(MonoMillis(1_001), CHANCE, late, Outcome::Success), None);
    assert_eq!(machine.state(MonoMillis(1_001)), State::HalfOpen);
    assert!(machine.report(MonoMillis(1_002), CHANCE, probe, Outcome::Failure).is_some());
    assert_eq!((machine.consecutive_failures(), machine.open_until()), (2, Some(MonoMillis(2_002))));
}

#[test]
fn an_abandoned_probe_frees_the_slot_and_its_permit_is_void() {
    for outcome in [Outcome::Abandoned, Outcome::Neutral] {
        let mut machine = opened();
        let first = permit(&mut machine, 60_000);
        assert_eq!(machine.report(MonoMillis(60_001), CHANCE, first, outcome), None);
        let second = permit(&mut machine, 60_002);
        assert!(second.probe && second.generation > first.generation);
        assert_eq!(machine.report(MonoMillis(60_003), CHANCE, first, Outcome::Success), None);
        assert!(machine.report(MonoMillis(60_004), CHANCE, second, Outcome::Success).is_some());
    }
}

#[test]
fn a_probe_without_outcome_opens_it_again_when_its_lease_ends() {
    let mut machine = opened();
    let lost = permit(&mut machine, 60_000);
    assert_eq!(machine.state(MonoMillis(89_999)), State::HalfOpen);
    assert_eq!(machine.state(MonoMillis(90_000)), State::Open);
    let seen: Vec<_> =
        std::iter::from_fn(|| machine.tick(MonoMillis(150_000), CHANCE)).map(|t| (t.to, t.reason)).collect();
    assert_eq!(seen, [(State::Open, Reason::ProbeLeaseExpired), (State::HalfOpen, Reason::OpenTtlPassed)]);
    assert_eq!(machine.report(MonoMillis(150_000), CHANCE, lost, Outcome::Success), None);
    assert_eq!(machine.state(MonoMillis(150_000)), State::HalfOpen);
}

#[test]
fn new_settings_count_from_when_it_opened_and_with_the_next_failure() {
    let mut machine = opened();
    assert_eq!(machine.reconfigure(MonoMillis(0), settings(5, 10_000)), None);
    assert_eq!(machine.open_until(), Some(MonoMillis(10_000)));
    let mut machine = Machine::new(settings(5, 1_000));
    for threshold in [5, 5, 2] {
        assert_eq!(machine.reconfigure(MonoMillis(0), settings(threshold, 1_000)), None);
        let permit = permit(&mut machine, 0);
        let opened = machine.report(MonoMillis(0), CHANCE, permit, Outcome::Failure).is_some();
        assert_eq!(opened, threshold == 2);
    }
}
